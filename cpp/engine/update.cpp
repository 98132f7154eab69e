#include "engine/update.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ground/dense.hpp"
#include "ground/error.hpp"

namespace ktc {
namespace {

std::vector<double> difference(const std::vector<double>& after,
                               const std::vector<double>& before) {
    std::vector<double> result(after.size());
    for (std::size_t i = 0; i < after.size(); ++i) result[i] = after[i] - before[i];
    return result;
}

/// Motion in natural coordinates needs no more than the stiffness; steps need A and κ.
void find_shape(const Network& network, Motion motion, Setting& setting) {
    Energy energy;
    if (motion == Motion::exact) {
        setting.coordinates = std::make_shared<const Coordinates>(
            natural_coordinates(network, setting.controls.stiffness));
    } else {
        setting.coordinates = std::make_shared<const Coordinates>(physical_coordinates(network));
        energy.hessian = network.hessian(setting.controls);
        if (setting.controls.has_quartic()) {
            energy.quartic = setting.controls.quartic;
            energy.quartic.resize(network.dimension(), 0.0);
        }
    }
    setting.energy = std::make_shared<const Energy>(std::move(energy));
}

/// Whether all but the bias is as it was, and needs no check again.
bool same_but_bias(const Controls& a, const Controls& b) {
    return a.stiffness == b.stiffness && a.kT == b.kT && a.quartic == b.quartic && a.emf == b.emf &&
           a.current == b.current;
}

}  // namespace

Setting make_setting(const Network& network, Controls controls, Motion motion,
                     const Setting* previous) {
    if (previous != nullptr && same_but_bias(controls, previous->controls)) {
        network.check_bias(controls.bias);
    } else {
        network.check(controls);
        check_motion(network, controls, motion);
    }
    Setting setting{std::move(controls), nullptr, nullptr, {}};
    if (previous != nullptr && previous->controls.stiffness == setting.controls.stiffness &&
        previous->controls.quartic == setting.controls.quartic) {
        setting.coordinates = previous->coordinates;
        setting.energy = previous->energy;
    } else {
        find_shape(network, motion, setting);
    }
    setting.drive = {setting.coordinates->force(setting.controls.bias), setting.controls.emf,
                     setting.controls.current};
    double energy = 0.0;
    for (double beta : setting.drive.force) energy += beta * beta;
    require(energy <= largest_energy,
            "bias is so large that the equilibrium energy overflows; scale it down");
    return setting;
}

Update::Update(const Network& network, const Setting& from, const Setting& to) {
    const std::size_t d = network.units();
    const std::vector<double> bias_change = difference(to.controls.bias, from.controls.bias);
    const bool new_shape = !to.same_shape(from);
    if (!new_shape && !any_nonzero(bias_change)) return;
    force_change_ = from.coordinates->force(bias_change);
    if (!new_shape) return;

    quartic_change_ = difference(to.controls.quartic, from.controls.quartic);
    for (double& change : quartic_change_) change *= 0.25;
    if (!any_nonzero(quartic_change_)) quartic_change_.clear();
    if (network.is_sparse()) {
        sparse_change_ =
            add(0.5, to.controls.stiffness.sparse(), -0.5, from.controls.stiffness.sparse());
        return;
    }
    const Matrix& to_state = from.coordinates->to_state;
    Matrix change(from.coordinates->dimension(), from.coordinates->dimension());
    for (std::size_t i = 0; i < d; ++i)
        for (std::size_t j = 0; j < d; ++j)
            change(i, j) = 0.5 * (to.controls.stiffness(i, j) - from.controls.stiffness(i, j));
    stiffness_change_ = from.coordinates->natural
                            ? multiply(to_state, multiply(change, to_state), Transposed::yes)
                            : change;
    if (from.coordinates->natural) crossover_ = multiply(to.coordinates->from_state, to_state);
}

void Update::apply(double* state, Workspace& workspace, double* work) const {
    const std::size_t n = force_change_.size();
    std::fill(work, work + block_width, 0.0);
    if (!changes_shape()) {
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t lane = 0; lane < block_width; ++lane)
                work[lane] -= force_change_[i] * state[i * block_width + lane];
        return;
    }
    double* product = workspace.second.data();
    if (stiffness_change_.empty()) {
        for (std::size_t i = 0; i < n; ++i) {
            multiply_row(sparse_change_.row(i), state, block_width, product);
            for (std::size_t lane = 0; lane < block_width; ++lane)
                work[lane] += state[i * block_width + lane] * (product[lane] - force_change_[i]);
        }
    } else {
        multiply_block(stiffness_change_, state, product, block_width);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                const std::size_t at = i * block_width + lane;
                work[lane] += state[at] * (product[at] - force_change_[i]);
            }
    }
    for (std::size_t i = 0; i < quartic_change_.size(); ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const double square = state[i * block_width + lane] * state[i * block_width + lane];
            work[lane] += quartic_change_[i] * square * square;
        }
    if (crossover_.empty()) return;
    multiply_block(crossover_, state, product, block_width);
    std::copy(product, product + n * block_width, state);
}

void block_energy(const Setting& setting, const double* state, Workspace& workspace,
                  double* energy) {
    setting.energy->of_block(state, setting.drive.force, workspace.second.data(), energy);
}

}  // namespace ktc
