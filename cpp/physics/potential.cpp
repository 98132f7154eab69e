#include "physics/potential.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "ground/error.hpp"

namespace ktc {
namespace {

std::size_t count_of(PotentialKind kind) {
    switch (kind) {
        case PotentialKind::polynomial:
            return polynomial_degree;
        case PotentialKind::cosine:
            return 2;
        case PotentialKind::two_parabolas:
            return 3;
        case PotentialKind::table:
            return 1;
        case PotentialKind::none:
            break;
    }
    return 0;
}

void check_table(const SplineTable& table) {
    const std::vector<double>& knots = table.knots;
    require(knots.size() >= 2 && table.coefficients.size() == 4 * (knots.size() + 1),
            "a table must have at least two knots, and four coefficients for each interval");
    for (std::size_t k = 0; k + 1 < knots.size(); ++k)
        require(knots[k] < knots[k + 1], "knots of a table must ascend, but do not at knot ", k);
    for (double value : table.coefficients)
        require(std::isfinite(value), "coefficients of a table must be finite");
}

/// Knots per length, 0 unless they are equally spaced.
double per_spacing(const std::vector<double>& knots) {
    const auto gaps = static_cast<double>(knots.size() - 1);
    const double spacing = (knots.back() - knots.front()) / gaps;
    for (std::size_t k = 0; k < knots.size(); ++k)
        if (std::abs(knots[k] - (knots.front() + spacing * static_cast<double>(k))) >
            1e-9 * spacing)
            return 0.0;
    return 1.0 / spacing;
}

PotentialAt polynomial_at(const double* numbers, double x) {
    PotentialAt at{numbers[polynomial_degree - 1], 0.0, 0.0};
    for (std::size_t k = polynomial_degree; k-- > 0;) {
        at.curvature = at.curvature * x + 2.0 * at.slope;
        at.slope = at.slope * x + at.energy;
        at.energy = at.energy * x + (k > 0 ? numbers[k - 1] : 0.0);
    }
    return at;
}

PotentialAt parabolas_at(const double* numbers, double x) {
    const double center = numbers[1], distance = numbers[2], pull = numbers[0] * distance;
    const double side = x - center;
    return {pull * (0.5 * distance + std::abs(center) - std::abs(side)), side < 0.0 ? pull : -pull,
            0.0};
}

PotentialAt spline_at(const SplineView& spline, double scale, double x) {
    const double* end = spline.knots + spline.count;
    const auto k = static_cast<std::size_t>(std::upper_bound(spline.knots, end, x) - spline.knots);
    const double t = x - spline.knots[k > 0 ? k - 1 : 0];
    const double* c = spline.coefficients + 4 * k;
    return {scale * (c[0] + t * (c[1] + t * (c[2] + t * c[3]))),
            scale * (c[1] + t * (2.0 * c[2] + t * 3.0 * c[3])),
            scale * (2.0 * c[2] + 6.0 * t * c[3])};
}

}  // namespace

PotentialKind potential_named(std::string_view name) {
    constexpr std::array<std::string_view, 5> names{"none", "polynomial", "cosine", "two_parabolas",
                                                    "table"};
    const auto found = std::find(names.begin(), names.end(), name);
    require(found != names.end(),
            "potential must be none, polynomial, cosine, two_parabolas or table, but is ", name);
    return static_cast<PotentialKind>(found - names.begin());
}

PotentialAt evaluate(const PotentialView& view, double x) {
    switch (view.kind) {
        case PotentialKind::polynomial:
            return polynomial_at(view.numbers, x);
        case PotentialKind::two_parabolas:
            return parabolas_at(view.numbers, x);
        case PotentialKind::table:
            return spline_at(view.spline, view.numbers[0], x);
        case PotentialKind::cosine: {
            const double wave = 2.0 * std::numbers::pi / view.numbers[1];
            const double energy = view.numbers[0] * std::cos(wave * x);
            return {energy, -view.numbers[0] * wave * std::sin(wave * x), -wave * wave * energy};
        }
        case PotentialKind::none:
            break;
    }
    return {0.0, 0.0, 0.0};
}

Potentials::Potentials(std::vector<PotentialKind> kinds, std::vector<SplineTable> tables)
    : kinds_(std::move(kinds)),
      tables_(std::make_shared<const std::vector<SplineTable>>(std::move(tables))) {
    const auto wanted = std::count(kinds_.begin(), kinds_.end(), PotentialKind::table);
    require(tables_->size() == static_cast<std::size_t>(wanted),
            "there must be one table for each unit that has one");
    for (const SplineTable& table : *tables_) check_table(table);
}

std::size_t Potentials::size() const {
    std::size_t sum = 0;
    for (const PotentialKind kind : kinds_) sum += count_of(kind);
    return sum;
}

void Potentials::check(const std::vector<double>& numbers) const {
    require(numbers.size() == size(), "potential must have ", size(), " entries, but has ",
            numbers.size());
    for (double value : numbers) require(std::isfinite(value), "potential must be finite");
    std::size_t at = 0;
    for (std::size_t unit = 0; unit < kinds_.size(); ++unit) {
        const double* own = numbers.data() + at;
        at += count_of(kinds_[unit]);
        if (kinds_[unit] == PotentialKind::cosine)
            require(own[1] > 0.0, "period of the cosine of unit ", unit, " must be positive");
        if (kinds_[unit] == PotentialKind::two_parabolas)
            require(own[0] > 0.0, "stiffness of the two parabolas of unit ", unit,
                    " must be positive");
    }
}

std::vector<double> Potentials::springs(const std::vector<double>& numbers) const {
    std::vector<double> result(kinds_.size(), 0.0);
    std::size_t at = 0;
    for (std::size_t unit = 0; unit < kinds_.size(); ++unit) {
        if (kinds_[unit] == PotentialKind::two_parabolas) result[unit] = numbers[at];
        if (kinds_[unit] == PotentialKind::polynomial) result[unit] = 2.0 * numbers[at + 1];
        at += count_of(kinds_[unit]);
    }
    return result;
}

OnSite Potentials::at(const std::vector<double>& numbers, std::size_t dimension) const {
    std::vector<PotentialView> views(dimension);
    auto table = tables_->begin();
    std::size_t at = 0;
    for (std::size_t unit = 0; unit < kinds_.size(); ++unit) {
        PotentialView& view = views[unit];
        view.kind = kinds_[unit];
        for (std::size_t k = 0; k < count_of(view.kind); ++k) view.numbers[k] = numbers[at++];
        if (view.kind == PotentialKind::polynomial) view.numbers[1] = 0.0;
        if (view.kind != PotentialKind::table) continue;
        view.spline = {table->knots.data(), table->coefficients.data(), table->knots.size(),
                       per_spacing(table->knots)};
        ++table;
    }
    return {std::move(views), tables_};
}

bool Potentials::operator==(const Potentials& other) const {
    return kinds_ == other.kinds_ && (tables_ == other.tables_ || *tables_ == *other.tables_);
}

}  // namespace ktc
