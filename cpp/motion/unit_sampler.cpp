#include "motion/unit_sampler.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "ground/error.hpp"

namespace ktc {
namespace {

constexpr std::size_t stairs = 256;
constexpr double highest = 46.0;  // energy in kT above the minimum

/// A zero of a function between a and b, at which its signs differ.
template <class Function>
double zero_between(double a, double b, Function&& f) {
    const bool rising = f(b) > 0.0;
    for (int k = 0; k < 200; ++k) {
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

}  // namespace ktc
