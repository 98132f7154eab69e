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

/// Δb of each replica; null if it is the same for all.
std::shared_ptr<const ReplicaNumbers> own_difference(const Controls& after,
                                                     const Controls& before) {
    const auto &to = after.own_bias, &from = before.own_bias;
    if (to == from) return nullptr;
    std::vector<double> other(before.bias.size());
    const auto change = [&](const std::vector<double>& own, std::size_t row, bool is_after) {
        const auto& table = is_after ? from : to;
        if (table)
            table->read(row, other.data());
        else
            other = is_after ? before.bias : after.bias;
        return is_after ? difference(own, other) : difference(other, own);
    };
    const auto& known = to ? to : from;
    return std::make_shared<const ReplicaNumbers>(
        known->mapped(other.size(), [&](const std::vector<double>& own, std::size_t row) {
            return change(own, row, to != nullptr);
        }));
}

/// Δβ of each replica, zero without a difference of the biases.
std::shared_ptr<const ReplicaNumbers> own_force_change(
    const Coordinates& coordinates, const std::shared_ptr<const ReplicaNumbers>& difference,
    const Drive& before) {
    const std::size_t n = coordinates.dimension();
    const auto& table = difference ? *difference : *before.own;
    return std::make_shared<const ReplicaNumbers>(
        table.mapped(n, [&](const std::vector<double>& own, std::size_t) {
            return difference ? coordinates.force(own) : std::vector<double>(n, 0.0);
        }));
}

/// ½ (K′ − K) in the first rows and columns of a matrix.
Matrix half_change(const Stiffness& held, const Stiffness& next, std::size_t size) {
    Matrix change(size, size);
    for (std::size_t i = 0; i < held.rows(); ++i)
        for (std::size_t j = 0; j < held.rows(); ++j)
            change(i, j) = 0.5 * (next(i, j) - held(i, j));
    return change;
}

}  // namespace

ControlUpdate::ControlUpdate(const Setting& from, const Setting& to)
    : before_(from.drive), after_(to.drive) {
    const Coordinates& coordinates = *from.coordinates;
    const std::vector<double> bias_change = difference(to.controls.bias, from.controls.bias);
    const bool new_shape = !to.same_shape(from);
    displaces_ = from.drive->source != to.drive->source;
    const std::shared_ptr<const ReplicaNumbers> own = own_difference(to.controls, from.controls);
    if (!new_shape && !displaces_ && !own && !any_nonzero(bias_change)) return;
    force_change_ = coordinates.force(bias_change);
    if (own || from.drive->own) own_change_ = own_force_change(coordinates, own, *from.drive);
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
    Matrix change = half_change(held, next, coordinates.dimension());
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
        block.state.change(before_->rest_of(block.number), after_->rest_of(block.number),
                           workspace.state, [&](double* state) {
                               apply_shape(block.number, state, workspace.second.data(), work);
                           });
    else
        shift(block, workspace, work);
    block.ledger.post(Ledger::work, work);
}

/// Where single precision rounds the state, the energy of it is part of the work, as it is in
/// ticks.
void ControlUpdate::shift(ReplicaBlock& block, Workspace& workspace, double* work) const {
    const LaneNumbers from = before_->rest_of(block.number), to = after_->rest_of(block.number);
    const std::size_t first = is_own() ? 0 : block_width - 1;
    bool rounds[block_width] = {}, any = false;
    for (std::size_t lane = first; lane < block_width; ++lane)
        any |= rounds[lane] = block.state.rounds(from, to, lane);
    if (!is_own()) std::fill(rounds, rounds + block_width, any);
    if (any) {
        const double* state = block.state.read(from, workspace.state);
        workspace.before.assign(state, state + force_change_.size() * block_width);
    }
    block.state.shift_force(from, to, force_change_of(block.number), work);
    if (!any) return;
    const double* state = block.state.read(to, workspace.state);
    const LaneNumbers force = after_->force_of(block.number);
    for (std::size_t i = 0; i < force_change_.size(); ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const std::size_t at = i * block_width + lane;
            const double before = workspace.before[at], after = state[at];
            if (rounds[lane])
                work[lane] += (after - before) * (0.5 * (after + before) - force(i, lane));
        }
}

void ControlUpdate::apply_shape(std::uint64_t block, double* state, double* product,
                                double* work) const {
    const std::size_t n = force_change_.size(), size = n * block_width;
    const bool sparse = stiffness_change_.empty();
    const LaneNumbers change = force_change_of(block);
    double room[block_width];
    std::fill(work, work + block_width, 0.0);
    if (!sparse) multiply_block(stiffness_change_, state, product, block_width);
    for (std::size_t i = 0; i < n; ++i) {
        double* row = product + (sparse ? 0 : i * block_width);
        const double *x = state + i * block_width, *pull = change.row(i, room);
        if (sparse) multiply_row(sparse_change_.row(i), state, block_width, row);
        for (std::size_t lane = 0; lane < block_width; ++lane)
            work[lane] += x[lane] * (row[lane] - pull[lane]);
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
