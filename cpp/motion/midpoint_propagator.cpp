#include "motion/midpoint_propagator.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "ground/dense.hpp"
#include "ground/error.hpp"

namespace ktc {
namespace {

constexpr std::uint64_t unit_steps_at_once = 1 << 17;

std::string dt_is(double step) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", step);
    return std::string("dt is ") + text;
}

/// −(1 + hGK/2)⁻¹ hGK/2, by the symmetric matrix G^½ K G^½.
Matrix response_of(const std::vector<double>& mobility, const Matrix& stiffness, double step) {
    const std::size_t n = mobility.size();
    Matrix scaled(n, n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            scaled(i, j) =
                0.5 * step * std::sqrt(mobility[i]) * stiffness(i, j) * std::sqrt(mobility[j]);
    const std::string name = dt_is(step) +
                             ", too long for this stiffness, make it smaller: with mobility G and "
                             "stiffness K the matrix 1 + dt GK/2";
    const Matrix lower = cholesky(add(1.0, Matrix::identity(n), 1.0, scaled), name.c_str());
    Matrix result = solve_lower(lower, solve_lower(lower, scaled), Transposed::yes);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            result(i, j) *= -std::sqrt(mobility[i]) / std::sqrt(mobility[j]);
    return result;
}

}  // namespace

template <class Real>
MidpointPropagator<Real>::MidpointPropagator(const Elements& elements,
                                             std::shared_ptr<const Energy> energy, double kT,
                                             double hold, double longest_step,
                                             const std::vector<double>& unit)
    : energy_(std::move(energy)),
      steps_(steps_of(hold, longest_step)),
      uncoupled_(energy_->hessian.dense().is_diagonal()) {
    const double step = hold / static_cast<double>(steps_);
    const Matrix mobility = elements.mobility();
    const std::size_t n = mobility.rows();
    unit_.assign(unit.begin(), unit.begin() + static_cast<std::ptrdiff_t>(n));
    std::vector<double> conductance;
    for (std::size_t i = 0; i < n; ++i) {
        conductance.push_back(mobility(i, i));
        quartic_.push_back(energy_->quartic.empty() ? 0.0 : energy_->quartic[i]);
        const double curvature = uncoupled_ ? energy_->hessian(i, i) : 0.0;
        const Relaxation move(conductance[i], curvature, kT, step);
        if (!std::isfinite(move.reach) || !std::isfinite(move.width))
            refuse(dt_is(step), ", so long that unit ", i,
                   ", pushed off its place by its stiffness, leaves the range of numbers; make it "
                   "smaller");
        reach_.push_back(move.reach);
        const double rate = quartic_[i] * unit[i] * unit[i] * conductance[i] * step;
        width_.push_back(static_cast<Real>(move.width / unit[i]));
        rate_.push_back(static_cast<Real>(2.0 * rate));
        half_rate_.push_back(static_cast<Real>(rate));
        if (uncoupled_) growth_.push_back(static_cast<Real>(-curvature * move.reach));
    }
    if (uncoupled_) return;
    const Matrix response = response_of(conductance, energy_->hessian.dense(), step);
    stiffness_ = PackedMatrix<double>(energy_->hessian.dense());
    response_ = PackedMatrix<Real>(
        n, n, [&](std::size_t i, std::size_t j) { return response(i, j) * (unit[j] / unit[i]); });
}

template <class Real>
std::uint64_t MidpointPropagator<Real>::steps_at_once() const {
    return std::clamp<std::uint64_t>(std::bit_floor(unit_steps_at_once / unit_.size()), 16, 128);
}

template <class Real>
double MidpointPropagator<Real>::cost() const {
    const auto n = static_cast<double>(unit_.size());
    return n + n * (n / 8.0);
}

template <class Real>
std::size_t MidpointPropagator<Real>::play(const TickBatch& batch, std::size_t first,
                                           ReplicaBlock& block, Workspace& workspace) const {
    const Tick& tick = batch.ticks[first];
    if (tick.update) tick.update->apply(block, workspace);
    for (std::uint64_t left = tick.steps; left > 0;) {
        const std::uint64_t steps = std::min(left, steps_at_once());
        advance(block.state.numbers<Real>(), tick.drive->force_of(block.number),
                block.address(replicas_of_a_group<Real>), steps, workspace, workspace.posts);
        block.step += steps;
        left -= steps;
        workspace.posts.post_to(block.ledger);
    }
    return 1;
}

template <class Real>
void MidpointPropagator<Real>::advance(Real* state, const LaneNumbers& force,
                                       const NoiseAddress& address, std::uint64_t steps,
                                       Workspace& workspace, Posts& posts) const {
    Real* before = workspace.first.numbers<Real>();
    std::copy_n(state, unit_.size() * block_width, before);
    const Push push = push_by(force);
    if (uncoupled_)
        step_uncoupled(state, push, address, steps);
    else
        step_coupled(state, push, address, steps, workspace.second.numbers<Real>());
    post(before, state, force, workspace, posts);
}

template <class Real>
typename MidpointPropagator<Real>::Push MidpointPropagator<Real>::push_by(
    const LaneNumbers& force) const {
    Push result{{}, force.differ()};
    const std::size_t lanes = result.own ? block_width : 1;
    result.numbers.reserve(unit_.size() * lanes);
    for (std::size_t i = 0; i < unit_.size(); ++i)
        for (std::size_t lane = 0; lane < lanes; ++lane)
            result.numbers.push_back(static_cast<Real>(reach_[i] * force(i, lane) / unit_[i]));
    return result;
}

template <class Real>
void MidpointPropagator<Real>::step_coupled(Real* state, const Push& push, NoiseAddress address,
                                            std::uint64_t steps, Real* sums) const {
    const std::size_t n = unit_.size();
    // Lanes not in use take part in the products.
    if (address.end_group - address.begin_group < block_width / replicas_of_a_group<Real>)
        std::fill_n(sums, n * block_width, Real{0});
    for (std::uint64_t step = 0; step < steps; ++step, ++address.step) {
        const std::vector<Real>& rate = step == 0 ? half_rate_ : rate_;
        for (std::size_t g = address.begin_group; g < address.end_group; ++g) {
            const std::size_t lane = g * replicas_of_a_group<Real>;
            kernels().of<Real>().midpoint_prepare(
                state + lane, sums + lane, n,
                {rate.data(), width_.data(), push.of(0, lane), push.own},
                address.stream(Purpose::hold, g));
        }
        response_.move(sums, state);
    }
    kernels().of<Real>().midpoint_relax(state, n, half_rate_.data());
}

template <class Real>
void MidpointPropagator<Real>::step_uncoupled(Real* state, const Push& push, const NoiseAddress& at,
                                              std::uint64_t steps) const {
    for (std::size_t g = at.begin_group; g < at.end_group; ++g)
        for (std::size_t i = 0; i < unit_.size(); ++i)
            kernels().of<Real>().midpoint_uncoupled(
                state + i * block_width + g * replicas_of_a_group<Real>, steps,
                {growth_[i], width_[i], push.of(i, g * replicas_of_a_group<Real>), rate_[i],
                 half_rate_[i], push.own},
                at.stream(Purpose::hold, g, i));
}

template <class Real>
void MidpointPropagator<Real>::post(const Real* before, const Real* after, const LaneNumbers& force,
                                    Workspace& workspace, Posts& posts) const {
    const std::size_t n = unit_.size();
    const KernelsOf<Real>& kernel = kernels().of<Real>();
    const MidpointPost post{unit_.data(), force.data(), quartic_.data(), force.differ()};
    double* middle = workspace.second.data();
    double* slope = workspace.first.data() + n * block_width;
    kernel.midpoint_mean(before, after, n, post.unit, middle);
    if (uncoupled_)
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t at = i * block_width; at < (i + 1) * block_width; ++at)
                slope[at] = energy_->hessian(i, i) * middle[at];
    else
        stiffness_.multiply(middle, slope);
    kernel.midpoint_post(before, after, slope, n, post, posts.heat, posts.supply);
}

template class MidpointPropagator<double>;
template class MidpointPropagator<float>;

}  // namespace ktc
