#include "motion/control_update.hpp"

#include <algorithm>

#include "ground/dense.hpp"

namespace ktc {
namespace {

std::vector<double> difference(const std::vector<double>& after,
                               const std::vector<double>& before) {
    std::vector<double> result(after.size());
    for (std::size_t i = 0; i < after.size(); ++i) result[i] = after[i] - before[i];
    return result;
}

}  // namespace

ControlUpdate::ControlUpdate(const Setting& from, const Setting& to)
    : before_(from.drive), after_(to.drive) {
    const Coordinates& coordinates = *from.coordinates;
    const std::vector<double> bias_change = difference(to.controls.bias, from.controls.bias);
    const bool new_shape = !to.same_shape(from);
    displaces_ = from.drive->source != to.drive->source;
    if (!new_shape && !displaces_ && !any_nonzero(bias_change)) return;
    force_change_ = coordinates.force(bias_change);
    if (!new_shape) return;

    quartic_change_ = difference(to.controls.quartic, from.controls.quartic);
    for (double& change : quartic_change_) change *= 0.25;
    if (!any_nonzero(quartic_change_)) quartic_change_.clear();
    if (from.controls.potential != to.controls.potential) {
        potential_before_ = from.energy->potential;
        potential_after_ = to.energy->potential;
    }
    // With potentials, which only steps move, their springs are in the Hessian.
    const bool plain = from.energy->potential.empty();
    const Stiffness& held = plain ? from.controls.stiffness : from.energy->hessian;
    const Stiffness& next = plain ? to.controls.stiffness : to.energy->hessian;
    if (held.is_sparse()) {
        sparse_change_ = add(0.5, next.sparse(), -0.5, held.sparse());
        return;
    }
    Matrix change(coordinates.dimension(), coordinates.dimension());
    for (std::size_t i = 0; i < held.rows(); ++i)
        for (std::size_t j = 0; j < held.rows(); ++j)
            change(i, j) = 0.5 * (next(i, j) - held(i, j));
    if (!coordinates.natural) {
        stiffness_change_ = std::move(change);
        return;
    }
    const Matrix& to_state = coordinates.to_state;
    stiffness_change_ = multiply(to_state, multiply(change, to_state), Transposed::yes);
    crossover_ = multiply(to.coordinates->from_state, to_state);
}

void ControlUpdate::apply(ReplicaBlock& block, Workspace& workspace) const {
    if (!changes_energy()) return;
    double work[block_width];
    if (changes_shape())
        block.state.change(before_->rest, after_->rest, workspace.state, [&](double* state) {
            apply_shape(state, workspace.second.data(), work);
        });
    else
        shift(block, workspace, work);
    block.ledger.post(Ledger::work, work);
}

/// Where single precision rounds the state, the energy of it is part of the work, as it is in
/// ticks.
void ControlUpdate::shift(ReplicaBlock& block, Workspace& workspace, double* work) const {
    const bool rounds = block.state.rounds(before_->rest, after_->rest);
    if (rounds) {
        const double* state = block.state.read(before_->rest, workspace.state);
        workspace.before.assign(state, state + force_change_.size() * block_width);
    }
    block.state.shift_force(before_->rest, after_->rest, force_change_, work);
    if (!rounds) return;
    const double* state = block.state.read(after_->rest, workspace.state);
    for (std::size_t i = 0; i < force_change_.size(); ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const std::size_t at = i * block_width + lane;
            const double before = workspace.before[at], after = state[at];
            work[lane] += (after - before) * (0.5 * (after + before) - after_->force[i]);
        }
}

void ControlUpdate::apply_shape(double* state, double* product, double* work) const {
    const std::size_t n = force_change_.size(), size = n * block_width;
    const bool sparse = stiffness_change_.empty();
    std::fill(work, work + block_width, 0.0);
    if (!sparse) multiply_block(stiffness_change_, state, product, block_width);
    for (std::size_t i = 0; i < n; ++i) {
        double* row = product + (sparse ? 0 : i * block_width);
        const double* x = state + i * block_width;
        if (sparse) multiply_row(sparse_change_.row(i), state, block_width, row);
        for (std::size_t lane = 0; lane < block_width; ++lane)
            work[lane] += x[lane] * (row[lane] - force_change_[i]);
    }
    for (std::size_t i = 0; i < quartic_change_.size(); ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const double square = state[i * block_width + lane] * state[i * block_width + lane];
            work[lane] += quartic_change_[i] * square * square;
        }
    const auto& add_energy = kernels().full.potential_energy;
    for (std::size_t i = 0; !potential_after_.empty() && i < n; ++i) {
        const double* x = state + i * block_width;
        if (potential_after_.at(i) == nullptr) continue;
        add_energy(*potential_after_.at(i), 1.0, 1.0, block_width, x, work);
        add_energy(*potential_before_.at(i), 1.0, -1.0, block_width, x, work);
    }
    if (crossover_.empty()) return;
    multiply_block(crossover_, state, product, block_width);
    std::copy(product, product + size, state);
}

}  // namespace ktc
