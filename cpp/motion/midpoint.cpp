#include "motion/midpoint.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "ground/dense.hpp"
#include "ground/error.hpp"
#include "kernels/kernels.hpp"
#include "motion/relaxation.hpp"

namespace ktc {
namespace {

// Lanes of a product: as wide as its buffers stay in the second-level cache.
constexpr std::size_t least_lanes = 256, most_lanes = 1024, numbers_in_cache = 16384;
// Rows of a team that a pass takes at a time: where they leave the cache from step to step, as many
// as the processor fetches ahead.
constexpr std::size_t rows_in_cache = 32, rows_in_memory = 8, units_in_cache = 256;

std::string said(double step) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", step);
    return std::string("dt is ") + text;
}

/// −(1 + hGK/2)⁻¹ hGK/2, by the symmetric matrix G^½ K G^½.
Matrix response_of(const std::vector<double>& mobility, const Matrix& stiffness, double step) {
    const std::size_t n = mobility.size();
    Matrix half(n, n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            half(i, j) =
                0.5 * step * std::sqrt(mobility[i]) * stiffness(i, j) * std::sqrt(mobility[j]);
    const std::string name = said(step) +
                             ", too long for this stiffness, make it smaller: with mobility G and "
                             "stiffness K the matrix 1 + dt GK/2";
    const Matrix lower = cholesky(add(1.0, Matrix::identity(n), 1.0, half), name.c_str());
    Matrix result = solve_lower(lower, solve_lower(lower, half), Transposed::yes);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            result(i, j) *= -std::sqrt(mobility[i]) / std::sqrt(mobility[j]);
    return result;
}

}  // namespace

Midpoint::Midpoint(const Elements& elements, std::shared_ptr<const Energy> energy, double kT,
                   double hold, double longest_step, const std::vector<double>& unit)
    : energy_(std::move(energy)),
      steps_(steps_of(hold, longest_step)),
      step_(hold / static_cast<double>(steps_)),
      uncoupled_(energy_->hessian.dense().is_diagonal()) {
    const Matrix mobility = elements.mobility();
    for (std::size_t i = 0; i < mobility.rows(); ++i) {
        mobility_.push_back(mobility(i, i));
        quartic_.push_back(energy_->quartic.empty() ? 0.0 : energy_->quartic[i]);
        const double curvature = uncoupled_ ? energy_->hessian(i, i) : 0.0;
        const Relaxation move(mobility_[i], curvature, kT, step_);
        reach_.push_back(move.reach);
        thermal_.push_back(move.width);
        require(std::isfinite(move.reach) && std::isfinite(move.width),
                said(step_) + ", so long that unit " + std::to_string(i) +
                    ", pushed off its place by its stiffness, leaves the range of numbers; make it "
                    "smaller");
    }
    if (!uncoupled_) response_ = response_of(mobility_, energy_->hessian.dense(), step_);
    full_ = parameters<double>(std::vector<double>(unit.size(), 1.0));
    single_ = parameters<float>(unit);
}

template <class Real>
Midpoint::Parameters<Real> Midpoint::parameters(const std::vector<double>& unit) const {
    const auto real = [](double value) { return static_cast<Real>(value); };
    const std::size_t n = mobility_.size();
    Parameters<Real> result;
    result.unit = unit;
    for (std::size_t i = 0; i < n; ++i) {
        const double rate = quartic_[i] * unit[i] * unit[i] * mobility_[i] * step_;
        result.width.push_back(real(thermal_[i] / unit[i]));
        result.rate.push_back(real(2.0 * rate));
        result.half_rate.push_back(real(rate));
        if (uncoupled_) {
            result.growth.push_back(real(-energy_->hessian(i, i) * reach_[i]));
            continue;
        }
        for (std::size_t j = 0; j < n; ++j)
            result.response.push_back(real(response_(i, j) * (unit[j] / unit[i])));
    }
    return result;
}

template <>
const Midpoint::Parameters<double>& Midpoint::own<double>() const {
    return full_;
}
template <>
const Midpoint::Parameters<float>& Midpoint::own<float>() const {
    return single_;
}

template <class Real>
std::vector<Real> Midpoint::push_of(const std::vector<double>& force) const {
    const std::vector<double>& unit = own<Real>().unit;
    std::vector<Real> push(mobility_.size());
    for (std::size_t i = 0; i < push.size(); ++i)
        push[i] = static_cast<Real>(reach_[i] * force[i] / unit[i]);
    return push;
}

void Midpoint::advance(double* state, const Drive& drive, const NoiseAddress& address,
                       Workspace& workspace, Posts& posts) const {
    const std::vector<Member<double>> alone{{state, 0, address, posts.heat, posts.supply}};
    play(alone, drive.force, 1, workspace.team);
}

std::size_t Midpoint::team(std::size_t units) {
    return std::clamp(numbers_in_cache / units, least_lanes, most_lanes) / block_width;
}

/// A team's buffer; lanes that no block fills are zero.
template <class Real>
std::vector<Real>& Midpoint::prepared(std::vector<Real>& buffer, std::size_t blocks) const {
    const std::size_t n = mobility_.size(), full = Midpoint::team(n);
    if (blocks < full)
        buffer.assign(n * full * block_width, Real{0});
    else
        buffer.resize(n * full * block_width);
    return buffer;
}

template <class Real>
void Midpoint::play(const std::vector<Member<Real>>& team, const std::vector<double>& force,
                    std::uint64_t steps, TeamWorkspace& workspace) const {
    const std::size_t n = mobility_.size(), lanes = Midpoint::team(n) * block_width;
    const std::vector<Real> push = push_of<Real>(force);
    TeamBuffers<Real>& buffers = workspace.buffers<Real>();
    for (std::vector<Real>* part : {&buffers.before, &buffers.sums, &buffers.moves})
        prepared(*part, team.size());
    for (const Member<Real>& block : team)
        for (std::size_t i = 0; i < n; ++i)
            std::copy_n(block.state + i * block_width, block_width,
                        buffers.before.data() + i * lanes + block.place * block_width);
    if (uncoupled_)
        for (const Member<Real>& block : team) step_alone(block, push, steps);
    else
        step_together(team, push, steps, buffers);
    post(team, force, workspace);
}

template <class Real>
void Midpoint::step_together(const std::vector<Member<Real>>& team, const std::vector<Real>& push,
                             std::uint64_t steps, TeamBuffers<Real>& buffers) const {
    const std::size_t n = mobility_.size(), lanes = Midpoint::team(n) * block_width;
    const Parameters<Real>& mine = own<Real>();
    Real *sums = buffers.sums.data(), *moves = buffers.moves.data();
    // Few units of all lanes at a time: rows are written from end to end.
    const std::size_t units_at_once = n > units_in_cache ? rows_in_memory : rows_in_cache;
    const auto each_group = [&](auto&& visit) {
        for (std::size_t first = 0; first < n; first += units_at_once)
            for (const Member<Real>& block : team)
                for (std::size_t g = block.address.begin_group; g < block.address.end_group; ++g) {
                    const std::size_t lane = g * replicas_of_a_group<Real>;
                    visit(block, g, block.state + first * block_width + lane,
                          first * lanes + block.place * block_width + lane, first,
                          std::min(units_at_once, n - first));
                }
    };
    for (std::uint64_t step = 0; step < steps; ++step) {
        const Real* rate = step == 0 ? mine.half_rate.data() : mine.rate.data();
        each_group([&](const Member<Real>& block, std::size_t g, Real* state, std::size_t at,
                       std::size_t first, std::size_t units) {
            midpoint_kernels<Real>().go(
                state, sums + at, step == 0 ? nullptr : moves + at, lanes, units,
                {rate + first, mine.width.data() + first, push.data() + first},
                {block.address.seed, Purpose::hold, block.address.first_group + g,
                 static_cast<std::uint32_t>(first), block.address.step + step});
        });
        multiply_block(mine.response.data(), n, sums, moves, lanes);
    }
    each_group([&](const Member<Real>&, std::size_t, Real* state, std::size_t at, std::size_t first,
                   std::size_t units) {
        midpoint_kernels<Real>().end(state, sums + at, moves + at, lanes, units,
                                     mine.half_rate.data() + first);
    });
}

template <class Real>
void Midpoint::step_alone(const Member<Real>& block, const std::vector<Real>& push,
                          std::uint64_t steps) const {
    const Parameters<Real>& mine = own<Real>();
    const NoiseAddress& at = block.address;
    for (std::size_t g = at.begin_group; g < at.end_group; ++g)
        for (std::size_t i = 0; i < mobility_.size(); ++i)
            midpoint_kernels<Real>().alone(
                block.state + i * block_width + g * replicas_of_a_group<Real>, steps,
                {mine.growth[i], mine.width[i], push[i], mine.rate[i], mine.half_rate[i]},
                {at.seed, Purpose::hold, at.first_group + g, static_cast<std::uint32_t>(i),
                 at.step});
}

template <class Real>
void Midpoint::post(const std::vector<Member<Real>>& team, const std::vector<double>& force,
                    TeamWorkspace& workspace) const {
    const std::size_t n = mobility_.size(), lanes = Midpoint::team(n) * block_width;
    const MidpointKernels<Real>& kernel = midpoint_kernels<Real>();
    const Real* before = workspace.buffers<Real>().before.data();
    // The buffers of steps are free for the energies now, which are double whatever the state is.
    std::vector<double>& middle = prepared(workspace.full.sums, team.size());
    std::vector<double>& slope = prepared(workspace.full.moves, team.size());
    const MidpointPost post{own<Real>().unit.data(), force.data(), quartic_.data()};
    for (const Member<Real>& block : team)
        kernel.middle(before + block.place * block_width, block.state, lanes, n, post.unit,
                      middle.data() + block.place * block_width);
    if (uncoupled_)
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t lane = 0; lane < lanes; ++lane)
                slope[i * lanes + lane] = energy_->hessian(i, i) * middle[i * lanes + lane];
    else
        multiply_block(energy_->hessian.dense(), middle.data(), slope.data(), lanes);
    for (const Member<Real>& block : team)
        kernel.post(before + block.place * block_width, block.state,
                    slope.data() + block.place * block_width, lanes, n, post, block.heat,
                    block.supply);
}

template void Midpoint::play(const std::vector<Member<double>>&, const std::vector<double>&,
                             std::uint64_t, TeamWorkspace&) const;
template void Midpoint::play(const std::vector<Member<float>>&, const std::vector<double>&,
                             std::uint64_t, TeamWorkspace&) const;

}  // namespace ktc
