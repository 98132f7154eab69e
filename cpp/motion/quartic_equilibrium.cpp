#include "motion/quartic_equilibrium.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "ground/dense.hpp"
#include "ground/error.hpp"

namespace ktc {
namespace {

constexpr std::size_t stairs = 256;
constexpr double highest = 46.0;  // energy in kT above the minimum

/// A zero of a function between a and b, where it has different signs.
template <class Function>
double zero_between(double a, double b, Function&& f) {
    const bool rising = f(b) > 0.0;
    // Halving reaches a zero far below 1 only where the interval does not go down to 0 for ever.
    for (int k = 0; k < 200 || (k < 2200 && (std::min(a, b) > 0.0 || std::max(a, b) < 0.0)); ++k) {
        const double middle = 0.5 * (a + b);
        if (middle <= std::min(a, b) || middle >= std::max(a, b)) break;
        ((f(middle) > 0.0) == rising ? b : a) = middle;
    }
    return 0.5 * (a + b);
}

}  // namespace

std::vector<double> UnitEnergy::stationary_points() const {
    if (quartic == 0.0) return {force / stiffness};
    const auto slope = [this](double x) { return x * (stiffness + quartic * x * x) - force; };
    // Beyond this |x|, ⅓κx⁴ outweighs each of the other two terms of x V′.
    const double reach = 1.0 + std::sqrt(3.0 * std::max(-stiffness, 0.0) / quartic) +
                         std::cbrt(3.0 * std::abs(force) / quartic);
    const double turn = stiffness < 0.0 ? std::sqrt(-stiffness / (3.0 * quartic)) : 0.0;
    std::vector<double> ends{-reach, -turn, turn, reach}, result;
    for (std::size_t k = 0; k + 1 < ends.size(); ++k)
        if (ends[k] < ends[k + 1] && (slope(ends[k]) > 0.0) != (slope(ends[k + 1]) > 0.0))
            result.push_back(zero_between(ends[k], ends[k + 1], slope));
    return result;
}

UnitSampler::UnitSampler(const UnitEnergy& energy, double kT) : energy_(energy), kT_(kT) {
    const std::vector<double> points = energy.stationary_points();
    lowest_ = energy(points.front());
    for (double x : points) lowest_ = std::min(lowest_, energy(x));
    require(std::abs(lowest_) <= 1e12 * kT,
            "kT is so small beside the energies of a quartic unit, or its bias so large, that no "
            "double tells its equilibrium; the ratio is at most 1e12");
    const auto depth = [&](double x) { return energy_(x) - lowest_ - highest * kT_; };
    const auto edge = [&](double inside, double direction) {
        double step = std::abs(inside) * 1e-3 + 1e-300;
        while (depth(inside + direction * step) < 0.0) step *= 2.0;
        return zero_between(inside, inside + direction * step, depth);
    };
    left_ = edge(points.front(), -1.0);
    stride_ = (edge(points.back(), 1.0) - left_) / static_cast<double>(stairs);

    double sum = 0.0;
    for (std::size_t j = 0; j < stairs; ++j) {
        const double a = left_ + stride_ * static_cast<double>(j), b = a + stride_;
        double lowest = std::min(energy(a), energy(b));
        for (double x : points)
            if (x > a && x < b) lowest = std::min(lowest, energy(x));
        // Slightly larger, because energies are rounded.
        ceiling_.push_back(std::exp((lowest_ - lowest) / kT) * (1.0 + 1e-9));
        cumulative_.push_back(sum += ceiling_.back());
    }
    for (double& share : cumulative_) share /= sum;
}

bool UnitSampler::attempt(double place, double height, double& x) const {
    const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, place);
    const auto j = static_cast<std::size_t>(found - cumulative_.begin());
    const double begin = j == 0 ? 0.0 : cumulative_[j - 1];
    const double within = (place - begin) / (cumulative_[j] - begin);
    x = left_ + stride_ * (static_cast<double>(j) + within);
    return height * ceiling_[j] <= std::exp((lowest_ - energy_(x)) / kT_);
}

namespace {

constexpr std::size_t sweeps_at_least = 100;
// If the sweeps cover fewer relaxation times of units drawn in turn, modes are drawn as well.
constexpr double relaxations = 20.0;

/// A bound on |x| where V(x) ≤ level.
double reach_of(const UnitEnergy& energy, double level) {
    const double above = std::max(level, 0.0), force = std::abs(energy.force);
    double reach = std::numeric_limits<double>::infinity();
    if (energy.quartic > 0.0)
        reach = std::max({std::sqrt(std::sqrt(12.0 * above / energy.quartic)),
                          std::cbrt(12.0 * force / energy.quartic),
                          std::sqrt(6.0 * std::max(-energy.stiffness, 0.0) / energy.quartic)});
    if (energy.stiffness > 0.0) {
        const double k = energy.stiffness;
        reach = std::min(reach, (force + std::sqrt(force * force + 2.0 * k * above)) / k);
    }
    return reach;
}

/// The stiffness with K_ii + 3κx² on its diagonal, x at the outermost wells that couplings allow;
/// κx² includes √(kT κ), its value at the thermal width.
Matrix hardened(const Controls& controls, double least) {
    Matrix result = controls.stiffness.dense();
    for (std::size_t i = 0; i < controls.quartic.size(); ++i) {
        double pull = -result(i, i);
        for (std::size_t j = 0; j < controls.quartic.size(); ++j)
            if (j != i) pull += std::abs(result(i, j));
        const double depth = std::max(0.0, std::min(pull, -least));
        result(i, i) += 3.0 * (depth + std::sqrt(controls.kT.front() * controls.quartic[i]));
    }
    return result;
}

/// Draws a unit of each replica of a group, given the force on it, over both of its wells.
void draw_given(const UnitEnergy& unit, double kT, const double* force, Uniforms& uniforms,
                double* x) {
    double level[group_width], left[group_width], right[group_width];
    const double* first = uniforms.next();
    const auto energy_of = [&](std::size_t lane) {
        return UnitEnergy{unit.stiffness, force[lane], unit.quartic};
    };
    for (std::size_t lane = 0; lane < group_width; ++lane) {
        const UnitEnergy energy = energy_of(lane);
        level[lane] = energy(x[lane]) - kT * std::log(first[lane]);
        right[lane] = reach_of(energy, level[lane]);
        left[lane] = -right[lane];
    }
    slice([&](std::size_t lane, double at) { return energy_of(lane)(at); }, level, left, right,
          uniforms, x);
}

}  // namespace

QuarticEquilibrium::QuarticEquilibrium(const Network& network, const Controls& controls)
    : units_(network.units()),
      kT_(controls.kT.front()),
      inertia_(network.inertia()),
      units_in_turn_(controls) {
    for (std::size_t i = 0; i < units_; ++i) {
        energies_.push_back({controls.stiffness(i, i), controls.bias[i], controls.quartic[i]});
        samplers_.emplace_back(energies_.back(), kT_);
    }
    if (!units_in_turn_.is_coupled()) return;
    sweeps_ = sweeps_at_least;
    const double least = symmetric_eigen(controls.stiffness.dense()).values.front();
    modes_.emplace(controls, hardened(controls, least));
    const double needed = relaxations * modes_->slowest_sweeps();
    if (needed <= static_cast<double>(sweeps_)) modes_.reset();
    // A convex energy has one well. Couplings alone can make two.
    if (least < 0.0) signs_.emplace(controls);
}

void QuarticEquilibrium::draw(double* state, const NoiseAddress& address, Workspace&,
                              Watch& watch) const {
    std::fill(state, state + units_ * block_width, 0.0);
    draw_alone(state, address);
    for (std::size_t number = 0; number < sweeps_; ++number) {
        watch.look();
        if (watch.stopped()) return;
        units_in_turn_.sweep(
            state, address, number,
            [this](std::size_t i, const double* force, Uniforms& uniforms, double* x) {
                draw_given(energies_[i], kT_, force, uniforms, x);
            });
        if (modes_) modes_->move(state, address, number);
        if (signs_) signs_->move(state, address, number, watch);
    }
    if (!inertia_.empty()) draw_momenta(state, units_, kT_, inertia_, address);
}

void QuarticEquilibrium::draw_alone(double* state, const NoiseAddress& address) const {
    for (std::size_t i = 0; i < units_; ++i)
        for (std::size_t g = address.begin_group; g < address.end_group; ++g) {
            Uniforms uniforms(address, Purpose::unit, g, i, 0);
            bool found[group_width] = {};
            for (std::size_t left = group_width; left > 0;) {
                double place[group_width];
                std::copy_n(uniforms.next(), group_width, place);
                const double* height = uniforms.next();
                for (std::size_t lane = 0; lane < group_width; ++lane) {
                    double x = 0.0;
                    if (found[lane] || !samplers_[i].attempt(place[lane], height[lane], x))
                        continue;
                    state[i * block_width + g * group_width + lane] = x;
                    found[lane] = true;
                    --left;
                }
            }
        }
}

}  // namespace ktc
