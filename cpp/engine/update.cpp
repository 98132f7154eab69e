#include "engine/update.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ground/dense.hpp"
#include "ground/error.hpp"

namespace ktc {

Setting make_setting(const Network& network, Controls controls, const Setting* previous) {
    network.check(controls);
    Setting setting{std::move(controls), nullptr, {}};
    if (previous != nullptr && previous->controls.stiffness == setting.controls.stiffness)
        setting.coordinates = previous->coordinates;
    else
        setting.coordinates = std::make_shared<const Coordinates>(
            natural_coordinates(network, setting.controls.stiffness));
    setting.force = setting.coordinates->force(setting.controls.bias);
    double energy = 0.0;
    for (double beta : setting.force) energy += beta * beta;
    require(std::isfinite(energy),
            "bias is so large that the equilibrium energy overflows; scale it down");
    return setting;
}

Update::Update(const Network& network, const Setting& from, const Setting& to) {
    const std::size_t d = network.units();
    std::vector<double> bias_change(d);
    for (std::size_t i = 0; i < d; ++i)
        bias_change[i] = to.controls.bias[i] - from.controls.bias[i];
    const bool new_stiffness = to.coordinates != from.coordinates;
    const bool new_bias = std::any_of(bias_change.begin(), bias_change.end(),
                                      [](double change) { return change != 0.0; });
    if (!new_stiffness && !new_bias) return;
    force_change_ = from.coordinates->force(bias_change);
    if (!new_stiffness) return;

    const Matrix& to_state = from.coordinates->to_state;
    Matrix change(to_state.rows(), to_state.rows());
    for (std::size_t i = 0; i < d; ++i)
        for (std::size_t j = 0; j < d; ++j)
            change(i, j) = 0.5 * (to.controls.stiffness(i, j) - from.controls.stiffness(i, j));
    stiffness_change_ = multiply(to_state, multiply(change, to_state), Transposed::yes);
    crossover_ = multiply(to.coordinates->from_state, to_state);
}

void Update::apply(double* state, Workspace& workspace, double* work) const {
    const std::size_t n = force_change_.size();
    std::fill(work, work + block_width, 0.0);
    if (stiffness_change_.empty()) {
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t lane = 0; lane < block_width; ++lane)
                work[lane] -= force_change_[i] * state[i * block_width + lane];
        return;
    }
    double* product = workspace.second.data();
    multiply_block(stiffness_change_, state, product, block_width);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const std::size_t at = i * block_width + lane;
            work[lane] += state[at] * (product[at] - force_change_[i]);
        }
    multiply_block(crossover_, state, product, block_width);
    std::copy(product, product + n * block_width, state);
}

void block_energy(const double* state, const std::vector<double>& force, double* energy) {
    std::fill(energy, energy + block_width, 0.0);
    for (std::size_t i = 0; i < force.size(); ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const double w = state[i * block_width + lane];
            energy[lane] += w * (0.5 * w - force[i]);
        }
}

}  // namespace ktc
