#include "motion/on_site_sampler.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "ground/error.hpp"

namespace ktc {
namespace {

constexpr double highest = 46.0;   // energy in kT above the minimum
constexpr double straight = 1e-4;  // kT from linear in a cell
constexpr double most_cells = 2e5;
constexpr int deepest = 40;

/// U as a polynomial, and bounds of what is not one: |U − Σ c_n xⁿ| ≤ s₀ + s₁ |x| far out.
struct Growth {
    std::array<double, polynomial_degree + 1> coefficient{}, slack{};
    double length = std::numeric_limits<double>::infinity();  ///< of the finest features
    double least_reach = 0.0;

    void refine(double by) {
        if (by > 0.0) length = std::min(length, by);
    }
};

void add_table(const PotentialView& view, Growth& growth) {
    const SplineView& spline = view.spline;
    const double first = spline.knots[0], last = spline.knots[spline.count - 1];
    const double *low = spline.coefficients, *high = low + 4 * spline.count;
    const double scale = view.numbers[0];
    const double curvature = std::min(scale * low[2], scale * high[2]);
    growth.coefficient[2] += curvature;
    const double reach = std::max(std::abs(first), std::abs(last));
    growth.slack[1] +=
        std::abs(scale) * (std::max(std::abs(low[1]), std::abs(high[1])) +
                           2.0 * reach * std::max(std::abs(low[2]), std::abs(high[2])));
    growth.slack[0] +=
        std::abs(scale) * (std::max(std::abs(low[0]), std::abs(high[0])) +
                           reach * reach * std::max(std::abs(low[2]), std::abs(high[2])));
    growth.least_reach = 1.01 * reach;
    growth.refine((last - first) / static_cast<double>(spline.count));
}

Growth growth_of(const OnSiteEnergy& energy, double kT) {
    Growth growth;
    auto& c = growth.coefficient;
    c[1] = -energy.force;
    c[2] = 0.5 * energy.stiffness;
    c[4] = 0.25 * energy.quartic;
    const PotentialView& view = energy.potential;
    const double* numbers = view.numbers;
    if (view.kind == PotentialKind::polynomial)
        for (std::size_t n = 1; n <= polynomial_degree; ++n) c[n] += numbers[n - 1];
    for (std::size_t n = 1; n <= polynomial_degree; ++n)
        if (c[n] != 0.0) growth.refine(std::pow(kT / std::abs(c[n]), 1.0 / static_cast<double>(n)));
    if (view.kind == PotentialKind::cosine) {
        growth.slack[0] += 2.0 * std::abs(numbers[0]);
        if (numbers[0] != 0.0) growth.refine(numbers[1] / 8.0);
        if (std::abs(numbers[0]) > kT)
            growth.refine(numbers[1] / 8.0 * std::sqrt(kT / std::abs(numbers[0])));
    }
    if (view.kind == PotentialKind::two_parabolas) {
        const double center = std::abs(numbers[1]), distance = std::abs(numbers[2]);
        growth.slack[1] += numbers[0] * distance;
        growth.slack[0] += numbers[0] * distance * (2.0 * center + distance);
        growth.least_reach = 1.01 * (center + distance);
    }
    if (view.kind == PotentialKind::table) add_table(view, growth);
    return growth;
}

/// |x| beyond which U is more than 60 kT above U(0), whatever its lower terms are.
double reach_of(const Growth& growth, double kT) {
    std::size_t leading = polynomial_degree;
    while (leading > 0 && growth.coefficient[leading] == 0.0) --leading;
    const double largest = growth.coefficient[leading];
    require(leading >= 2 && leading % 2 == 0 && largest > 0.0,
            "the energy of a unit is not confining: stiffness, quartic and potential leave it "
            "unbounded below");
    double reach = growth.least_reach;
    for (std::size_t n = 0; n < leading; ++n) {
        const double other =
            std::abs(growth.coefficient[n]) + growth.slack[n] + (n == 0 ? 60.0 * kT : 0.0);
        reach = std::max(reach,
                         std::pow(16.0 * other / largest, 1.0 / static_cast<double>(leading - n)));
    }
    return reach;
}

}  // namespace

bool OnSiteEnergy::is_even() const {
    if (force != 0.0) return false;
    if (potential.kind == PotentialKind::table) return false;
    if (potential.kind == PotentialKind::two_parabolas) return potential.numbers[1] == 0.0;
    if (potential.kind != PotentialKind::polynomial) return true;
    for (std::size_t n = 0; n < polynomial_degree; n += 2)
        if (potential.numbers[n] != 0.0) return false;
    return true;
}

OnSiteSampler::OnSiteSampler(const OnSiteEnergy& energy, double kT) : kT_(kT) {
    const Growth growth = growth_of(energy, kT);
    const double reach = reach_of(growth, kT);
    const double cells = std::ceil(4.0 * reach / growth.length) + 16.0;
    require(cells <= most_cells,
            "kT is so small beside the energies of a unit with a potential, or its bias so large, "
            "that its equilibrium cannot be tabulated; give the emulator a state to start from");
    std::vector<double> places, energies;
    for (std::size_t k = 0; k <= static_cast<std::size_t>(cells); ++k) {
        places.push_back(reach * (2.0 * static_cast<double>(k) / cells - 1.0));
        energies.push_back(energy(places.back()));
    }
    lowest_ = *std::min_element(energies.begin(), energies.end());
    for (std::size_t k = 0; k + 1 < places.size(); ++k)
        add(energy, places[k], places[k + 1], energies[k], energies[k + 1], 0);
    const double total = cumulative_.back();
    for (double& share : cumulative_) share /= total;
}

void OnSiteSampler::add(const OnSiteEnergy& energy, double a, double b, double at_a, double at_b,
                        int depth) {
    const double middle = 0.5 * (a + b), at_middle = energy(middle);
    if (std::min({at_a, at_b, at_middle}) > lowest_ + highest * kT_) return;
    if (std::abs(at_middle - 0.5 * (at_a + at_b)) > straight * kT_ && depth < deepest) {
        add(energy, a, middle, at_a, at_middle, depth + 1);
        add(energy, middle, b, at_middle, at_b, depth + 1);
        return;
    }
    const auto density = [this](double at) { return std::exp((lowest_ - at) / kT_); };
    const double mass = (b - a) / 6.0 * (density(at_a) + 4.0 * density(at_middle) + density(at_b));
    begins_.push_back(a);
    ends_.push_back(b);
    rises_.push_back((at_b - at_a) / kT_);
    cumulative_.push_back((cumulative_.empty() ? 0.0 : cumulative_.back()) + mass);
}

double OnSiteSampler::draw(double share) const {
    const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, share);
    const auto j = static_cast<std::size_t>(found - cumulative_.begin());
    const double begin = j == 0 ? 0.0 : cumulative_[j - 1], rise = rises_[j];
    const double within = std::clamp((share - begin) / (cumulative_[j] - begin), 0.0, 1.0);
    const double part =
        std::abs(rise) < 1e-9 ? within : -std::log1p(within * std::expm1(-rise)) / rise;
    return begins_[j] + part * (ends_[j] - begins_[j]);
}

double OnSiteSampler::variance() const {
    double mean = 0.0, square = 0.0, before = 0.0;
    for (std::size_t j = 0; j < begins_.size(); ++j) {
        const double middle = 0.5 * (begins_[j] + ends_[j]), mass = cumulative_[j] - before;
        before = cumulative_[j];
        mean += mass * middle;
        square += mass * middle * middle;
    }
    return square - mean * mean;
}

}  // namespace ktc
