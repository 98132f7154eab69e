#include "motion/midpoint.hpp"

#include <algorithm>
#include <bit>
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

constexpr std::uint64_t unit_steps_at_once = 1 << 17;

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
                   double hold, double longest_step, Precision precision,
                   const std::vector<double>& unit)
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
        if (!std::isfinite(move.reach) || !std::isfinite(move.width))
            refuse(said(step_), ", so long that unit ", i,
                   ", pushed off its place by its stiffness, leaves the range of numbers; make it "
                   "smaller");
    }
    const Matrix response =
        uncoupled_ ? Matrix() : response_of(mobility_, energy_->hessian.dense(), step_);
    if (!uncoupled_) stiffness_ = PackedMatrix<double>(energy_->hessian.dense());
    if (precision == Precision::single)
        single_ = parameters<float>(unit, response);
    else
        full_ = parameters<double>(unit, response);
}

template <class Real>
Midpoint::Parameters<Real> Midpoint::parameters(const std::vector<double>& unit,
                                                const Matrix& response) const {
    const auto real = [](double value) { return static_cast<Real>(value); };
    const std::size_t n = mobility_.size();
    Parameters<Real> result;
    result.unit.assign(unit.begin(), unit.begin() + static_cast<std::ptrdiff_t>(n));
    for (std::size_t i = 0; i < n; ++i) {
        const double rate = quartic_[i] * unit[i] * unit[i] * mobility_[i] * step_;
        result.width.push_back(real(thermal_[i] / unit[i]));
        result.rate.push_back(real(2.0 * rate));
        result.half_rate.push_back(real(rate));
        if (uncoupled_) result.growth.push_back(real(-energy_->hessian(i, i) * reach_[i]));
    }
    if (!uncoupled_)
        result.response = PackedMatrix<Real>(n, n, [&](std::size_t i, std::size_t j) {
            return response(i, j) * (unit[j] / unit[i]);
        });
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

std::uint64_t Midpoint::steps_at_once() const {
    return std::clamp<std::uint64_t>(std::bit_floor(unit_steps_at_once / mobility_.size()), 16,
                                     128);
}

void Midpoint::advance(double* state, const Drive& drive, const NoiseAddress& address,
                       Workspace& workspace, Posts& posts) const {
    play(state, drive.force, address, 1, workspace, posts);
}

template <class Real>
void Midpoint::play(Real* state, const std::vector<double>& force, const NoiseAddress& address,
                    std::uint64_t steps, Workspace& workspace, Posts& posts) const {
    const std::size_t size = mobility_.size() * block_width;
    Real* before = workspace.first.numbers<Real>();
    std::copy_n(state, size, before);
    if (uncoupled_)
        step_alone(state, push_of<Real>(force), address, steps);
    else
        step_together(state, push_of<Real>(force), address, steps,
                      workspace.second.numbers<Real>());
    post(before, state, force, workspace, posts);
}

template <class Real>
void Midpoint::step_together(Real* state, const std::vector<Real>& push, NoiseAddress address,
                             std::uint64_t steps, Real* sums) const {
    const std::size_t n = mobility_.size();
    const Parameters<Real>& mine = own<Real>();
    // What no replica of ours fills takes part in the products.
    if (address.end_group - address.begin_group < block_width / replicas_of_a_group<Real>)
        std::fill_n(sums, n * block_width, Real{0});
    for (std::uint64_t step = 0; step < steps; ++step, ++address.step) {
        const std::vector<Real>& rate = step == 0 ? mine.half_rate : mine.rate;
        for (std::size_t g = address.begin_group; g < address.end_group; ++g) {
            const std::size_t lane = g * replicas_of_a_group<Real>;
            kernels().of<Real>().midpoint_prepare(
                state + lane, sums + lane, n, {rate.data(), mine.width.data(), push.data()},
                {address.seed, Purpose::hold, address.first_group + g, 0, address.step});
        }
        mine.response.move(sums, state);
    }
    kernels().of<Real>().midpoint_relax(state, n, mine.half_rate.data());
}

template <class Real>
void Midpoint::step_alone(Real* state, const std::vector<Real>& push, const NoiseAddress& at,
                          std::uint64_t steps) const {
    const Parameters<Real>& mine = own<Real>();
    for (std::size_t g = at.begin_group; g < at.end_group; ++g)
        for (std::size_t i = 0; i < mobility_.size(); ++i)
            kernels().of<Real>().midpoint_uncoupled(
                state + i * block_width + g * replicas_of_a_group<Real>, steps,
                {mine.growth[i], mine.width[i], push[i], mine.rate[i], mine.half_rate[i]},
                {at.seed, Purpose::hold, at.first_group + g, static_cast<std::uint32_t>(i),
                 at.step});
}

template <class Real>
void Midpoint::post(const Real* before, const Real* after, const std::vector<double>& force,
                    Workspace& workspace, Posts& posts) const {
    const std::size_t n = mobility_.size();
    const KernelsOf<Real>& kernel = kernels().of<Real>();
    const MidpointPost post{own<Real>().unit.data(), force.data(), quartic_.data()};
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

template void Midpoint::play(double*, const std::vector<double>&, const NoiseAddress&,
                             std::uint64_t, Workspace&, Posts&) const;
template void Midpoint::play(float*, const std::vector<double>&, const NoiseAddress&, std::uint64_t,
                             Workspace&, Posts&) const;

}  // namespace ktc
