#include "motion/inertial_propagator.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ground/dense.hpp"
#include "ground/error.hpp"
#include "motion/transition.hpp"

namespace ktc {
namespace {

Matrix part_of(const Matrix& matrix, const std::vector<std::size_t>& rows) {
    Matrix result(rows.size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t j = 0; j < rows.size(); ++j) result(i, j) = matrix(rows[i], rows[j]);
    return result;
}

/// Whether no unit is coupled to another, by their energy or by friction.
bool are_apart(const Matrix& flow, const Matrix& hessian, std::size_t units) {
    if (!hessian.is_diagonal()) return false;
    for (std::size_t i = 0; i < flow.rows(); ++i)
        for (std::size_t j = 0; j < flow.rows(); ++j)
            if (i % units != j % units && flow(i, j) != 0.0) return false;
    return true;
}

}  // namespace

InertialPropagator::InertialPropagator(const Network& network, const Setting& setting, double hold,
                                       double longest_step)
    : energy_(setting.energy),
      units_(network.units()),
      steps_(steps_of(hold, longest_step)),
      step_(hold / static_cast<double>(steps_)),
      apart_(are_apart(network.flow(), energy_->hessian.dense(), units_)),
      unit_(2 * units_, 1.0),
      quartic_(energy_->quartic) {
    quartic_.resize(2 * units_, 0.0);
    if (apart_) {
        for (std::size_t i = 0; i < units_; ++i)
            linear_.push_back(linear_of(network, setting, {i, units_ + i}));
        return;
    }
    std::vector<std::size_t> all(2 * units_);
    std::iota(all.begin(), all.end(), std::size_t{0});
    linear_.push_back(linear_of(network, setting, all));
    decay_ = PackedMatrix<double>(linear_.front().decay);
    factor_ = PackedMatrix<double>(linear_.front().factor);
}

InertialPropagator::Linear InertialPropagator::linear_of(
    const Network& network, const Setting& setting,
    const std::vector<std::size_t>& coordinates) const {
    const Matrix hessian = part_of(energy_->hessian.dense(), coordinates);
    const Matrix flow = part_of(network.flow(), coordinates);
    const Matrix diffusion = part_of(network.diffusion(setting.controls), coordinates);
    const Matrix drift = multiply(flow, hessian);
    std::vector<double> scale(coordinates.size(), 1.0);
    for (std::size_t i = 0; i < scale.size(); ++i)
        if (hessian(i, i) != 0.0) scale[i] = std::sqrt(std::abs(hessian(i, i)));
    const Flow moved = exact_flow(drift, scale, step_);
    require(moved.doublings < 60,
            "dt is so long that the linear motion of units with inertia cannot be followed; "
            "shorten it");
    const Transition transition = linear_transition(drift, diffusion, Matrix(), step_);
    Matrix reach = multiply(moved.integral, flow);
    reach = add(-1.0, reach, 0.0, reach);
    return {transition.decay, semidefinite_factor(transition.covariance), std::move(reach)};
}

double InertialPropagator::cost() const {
    const auto n = static_cast<double>(2 * units_);
    return apart_ ? n : n + n * (n / 4.0);
}

std::size_t InertialPropagator::play(const TickBatch& batch, std::size_t first, ReplicaBlock& block,
                                     Workspace& workspace) const {
    const Tick& tick = batch.ticks[first];
    // Replicas with forces of their own move by the splitting integrator.
    const std::vector<double>& rest = tick.drive->rest;
    if (tick.update) tick.update->apply(block, workspace);
    for (std::uint64_t left = tick.steps; left > 0;) {
        const std::uint64_t steps = std::min(left, steps_at_once());
        block.state.change(rest, rest, workspace.state, [&](double* state) {
            advance(state, tick.drive->force, block.address(), steps, workspace, workspace.posts);
        });
        block.step += steps;
        left -= steps;
        workspace.posts.post_to(block.ledger);
    }
    return 1;
}

void InertialPropagator::advance(double* state, const std::vector<double>& force,
                                 NoiseAddress address, std::uint64_t steps, Workspace& workspace,
                                 Posts& posts) const {
    workspace.before.assign(state, state + 2 * units_ * block_width);
    if (apart_)
        step_uncoupled(state, force, address, steps);
    else
        step_coupled(state, force, address, steps, workspace);
    post(workspace.before.data(), state, force, workspace, posts);
}

void InertialPropagator::step_uncoupled(double* state, const std::vector<double>& force,
                                        const NoiseAddress& address, std::uint64_t steps) const {
    const PotentialView nothing;
    for (std::size_t i = 0; i < units_; ++i) {
        const Linear& linear = linear_[i];
        const std::vector<double> push = multiply(linear.reach, std::vector{force[i], 0.0});
        InertialUnit unit{{}, {push[0], push[1]}, {}, step_, quartic_[i]};
        std::copy_n(linear.decay.data(), 4, unit.decay);
        std::copy_n(linear.factor.data(), 4, unit.spread);
        const PotentialView* own = energy_->potential.at(i);
        for (std::size_t g = address.begin_group; g < address.end_group; ++g) {
            double* x = state + i * block_width + g * group_width;
            kernels().inertial_uncoupled(
                x, x + units_ * block_width, steps, own == nullptr ? nothing : *own, unit,
                address.stream(Purpose::hold, g, i), static_cast<std::uint32_t>(units_ + i));
        }
    }
}

void InertialPropagator::kick(double* state, double time) const {
    double slope[block_width] = {}, curvature[block_width];
    for (std::size_t i = 0; i < units_; ++i) {
        const double* x = state + i * block_width;
        double* p = state + (units_ + i) * block_width;
        std::fill_n(slope, block_width, 0.0);
        if (const PotentialView* own = energy_->potential.at(i))
            kernels().potential_slope(*own, block_width, x, slope, curvature);
        for (std::size_t lane = 0; lane < block_width; ++lane)
            p[lane] -= time * (slope[lane] + quartic_[i] * x[lane] * (x[lane] * x[lane]));
    }
}

void InertialPropagator::step_coupled(double* state, const std::vector<double>& force,
                                      NoiseAddress address, std::uint64_t steps,
                                      Workspace& workspace) const {
    const std::size_t n = 2 * units_;
    const std::vector<double> push = multiply(linear_.front().reach, force);
    double* noise = workspace.first.data();
    double *moved = workspace.second.data(), *spread = noise + n * block_width;
    kick(state, 0.5 * step_);
    for (std::uint64_t step = 0; step < steps; ++step, ++address.step) {
        for (std::size_t i = 0; i < n; ++i)
            row_of_normals(address, Purpose::hold, i, noise + i * block_width);
        decay_.multiply(state, moved);
        factor_.multiply(noise, spread);
        for (std::size_t at = 0; at < n * block_width; ++at)
            state[at] = moved[at] + spread[at] + push[at / block_width];
        kick(state, (step + 1 < steps ? 1.0 : 0.5) * step_);
    }
}

void InertialPropagator::post(const double* before, const double* after,
                              const std::vector<double>& force, Workspace& workspace,
                              Posts& posts) const {
    const std::size_t n = 2 * units_;
    double* middle = workspace.first.data();
    double* slope = middle + n * block_width;
    const KernelsOf<double>& kernel = kernels().full;
    const MidpointPost post{unit_.data(), force.data(), quartic_.data()};
    kernel.midpoint_mean(before, after, n, post.unit, middle);
    if (apart_)
        for (std::size_t at = 0; at < n * block_width; ++at)
            slope[at] = energy_->hessian(at / block_width, at / block_width) * middle[at];
    else
        multiply_block(energy_->hessian.dense(), middle, slope, block_width);
    kernel.midpoint_post(before, after, slope, n, post, posts.heat, posts.supply);
    for (std::size_t i = 0; i < units_; ++i)
        if (const PotentialView* own = energy_->potential.at(i)) {
            const std::size_t at = i * block_width;
            kernel.potential_energy(*own, 1.0, 1.0, block_width, before + at, posts.heat);
            kernel.potential_energy(*own, 1.0, -1.0, block_width, after + at, posts.heat);
        }
}

}  // namespace ktc
