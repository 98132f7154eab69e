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

double quartic_of(const Energy& energy, std::size_t unit) {
    return energy.quartic.empty() ? 0.0 : energy.quartic[unit];
}

}  // namespace

Midpoint::Midpoint(const Elements& elements, std::shared_ptr<const Energy> energy, double kT,
                   double hold, double longest_step)
    : energy_(std::move(energy)),
      steps_(steps_of(hold, longest_step)),
      step_(hold / static_cast<double>(steps_)),
      uncoupled_(energy_->hessian.dense().is_diagonal()) {
    const Matrix mobility = elements.mobility();
    for (std::size_t i = 0; i < mobility.rows(); ++i) {
        const double own = mobility(i, i), quartic = quartic_of(*energy_, i);
        const Relaxation move(own, uncoupled_ ? energy_->hessian(i, i) : 0.0, kT, step_);
        mobility_.push_back(own);
        reach_.push_back(move.reach);
        width_.push_back(move.width);
        rate_.push_back(2.0 * quartic * own * step_);
        half_rate_.push_back(quartic * own * step_);
        require(std::isfinite(move.reach) && std::isfinite(move.width),
                said(step_) + ", so long that unit " + std::to_string(i) +
                    ", pushed off its place by its stiffness, leaves the range of numbers; make it "
                    "smaller");
    }
    if (!uncoupled_) response_ = response_of(mobility_, energy_->hessian.dense(), step_);
}

void Midpoint::advance(double* state, const Drive& drive, const NoiseAddress& address,
                       Workspace& workspace, Posts& posts) const {
    play({{state, 0, address, posts.heat, posts.supply}}, drive.force, 1, workspace.team);
}

std::size_t Midpoint::team(std::size_t units) {
    return std::clamp(numbers_in_cache / units, least_lanes, most_lanes) / block_width;
}

void Midpoint::play(const std::vector<Member>& team, const std::vector<double>& force,
                    std::uint64_t steps, TeamWorkspace& workspace) const {
    const std::size_t n = mobility_.size(), lanes = Midpoint::team(n) * block_width;
    std::vector<double> push(n);
    for (std::size_t i = 0; i < n; ++i) push[i] = reach_[i] * force[i];
    for (std::vector<double>* part : {&workspace.before, &workspace.sums, &workspace.moves})
        part->assign(n * lanes, 0.0);
    for (const Member& block : team)
        for (std::size_t i = 0; i < n; ++i)
            std::copy_n(block.state + i * block_width, block_width,
                        workspace.before.data() + i * lanes + block.place * block_width);
    if (uncoupled_)
        for (const Member& block : team) step_alone(block, push, steps);
    else
        step_together(team, push, steps, workspace);
    post(team, force, workspace);
}

void Midpoint::step_together(const std::vector<Member>& team, const std::vector<double>& push,
                             std::uint64_t steps, TeamWorkspace& workspace) const {
    const std::size_t n = mobility_.size(), lanes = Midpoint::team(n) * block_width;
    double *sums = workspace.sums.data(), *moves = workspace.moves.data();
    const auto each_group = [&](auto&& visit) {
        for (const Member& block : team)
            for (std::size_t g = block.address.begin_group; g < block.address.end_group; ++g)
                visit(block, g, block.place * block_width + g * group_width);
    };
    for (std::uint64_t step = 0; step < steps; ++step) {
        const MidpointStep pass{step == 0 ? half_rate_.data() : rate_.data(), width_.data(),
                                push.data()};
        each_group([&](const Member& block, std::size_t g, std::size_t lane) {
            kernels().midpoint_go(block.state + g * group_width, sums + lane,
                                  step == 0 ? nullptr : moves + lane, lanes, n, pass,
                                  {block.address.seed, Purpose::hold, block.address.first_group + g,
                                   0, block.address.step + step});
        });
        multiply_block(response_, sums, moves, lanes);
    }
    each_group([&](const Member& block, std::size_t g, std::size_t lane) {
        kernels().midpoint_end(block.state + g * group_width, sums + lane, moves + lane, lanes, n,
                               half_rate_.data());
    });
}

void Midpoint::step_alone(const Member& block, const std::vector<double>& push,
                          std::uint64_t steps) const {
    const NoiseAddress& at = block.address;
    for (std::size_t g = at.begin_group; g < at.end_group; ++g)
        for (std::size_t i = 0; i < mobility_.size(); ++i)
            kernels().midpoint_alone(
                block.state + i * block_width + g * group_width, steps,
                {-energy_->hessian(i, i) * reach_[i], width_[i], push[i], rate_[i], half_rate_[i]},
                {at.seed, Purpose::hold, at.first_group + g, static_cast<std::uint32_t>(i),
                 at.step});
}

void Midpoint::post(const std::vector<Member>& team, const std::vector<double>& force,
                    TeamWorkspace& workspace) const {
    const std::size_t n = mobility_.size(), lanes = Midpoint::team(n) * block_width;
    double *middle = workspace.sums.data(), *slope = workspace.moves.data();
    const double* before = workspace.before.data();
    const auto each_lane = [&](auto&& visit) {
        for (const Member& block : team)
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t lane = 0; lane < block_width; ++lane)
                    visit(block, i, lane, i * lanes + block.place * block_width + lane,
                          block.state[i * block_width + lane]);
    };
    each_lane([&](const Member&, std::size_t, std::size_t, std::size_t at, double after) {
        middle[at] = 0.5 * (before[at] + after);
    });
    if (uncoupled_)
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t lane = 0; lane < lanes; ++lane)
                slope[i * lanes + lane] = energy_->hessian(i, i) * middle[i * lanes + lane];
    else
        multiply_block(energy_->hessian.dense(), middle, slope, lanes);
    for (const Member& block : team) {
        std::fill(block.heat, block.heat + block_width, 0.0);
        std::fill(block.supply, block.supply + block_width, 0.0);
    }
    each_lane([&](const Member& block, std::size_t i, std::size_t lane, std::size_t at,
                  double after) {
        const double was = before[at], change = after - was;
        const double quartic = 0.25 * quartic_of(*energy_, i) * (was + after);
        block.heat[lane] -= change * (slope[at] - force[i] + quartic * (was * was + after * after));
        block.supply[lane] += force[i] * change;
    });
}

}  // namespace ktc
