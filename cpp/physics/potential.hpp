#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/potential_view.hpp"

namespace ktc {

/// Knots of a cubic spline, and four coefficients for each interval (SplineView).
struct SplineTable {
    std::vector<double> knots, coefficients;
    bool operator==(const SplineTable&) const = default;
};

/// The kind of a name: none, polynomial, cosine, two_parabolas or table. Raises if there is none.
PotentialKind potential_named(std::string_view name);

/// V, V′ and V″ at one place.
struct PotentialAt {
    double energy, slope, curvature;
};
/// Reference of the kernels, for drawing equilibria.
PotentialAt evaluate(const PotentialView& view, double x);

/// The on-site potentials of all coordinates at given numbers less their springs, as kernels read
/// them; a handle to immutable numbers.
class OnSite {
   public:
    OnSite() = default;
    /// `tables` owns what the views of tables point to.
    OnSite(std::vector<PotentialView> views, std::shared_ptr<const std::vector<SplineTable>> tables)
        : views_(std::make_shared<const std::vector<PotentialView>>(std::move(views))),
          tables_(std::move(tables)) {}

    bool empty() const { return views_ == nullptr; }
    /// The potential of a coordinate, null if it has none.
    const PotentialView* at(std::size_t coordinate) const {
        if (empty() || coordinate >= views_->size()) return nullptr;
        const PotentialView& view = (*views_)[coordinate];
        return view.kind == PotentialKind::none ? nullptr : &view;
    }

   private:
    std::shared_ptr<const std::vector<PotentialView>> views_;
    std::shared_ptr<const std::vector<SplineTable>> tables_;
};

/// The part of on-site potentials that does not change while a network runs: the kind of each unit
/// and the splines of tables. Their numbers are a control, all units one after the other: eight
/// coefficients of a polynomial Σ c_n xⁿ; amplitude and period of a cosine A cos(2πx/period);
/// stiffness k, centre c₀ and distance c₁ of two parabolas,
///     ½k (x − S c₁)² + 2k c₀c₁ (Θ(x − c₀) − 1 + Θ(c₀)),   S = sign(x − c₀);
/// and the scale of a table.
class Potentials {
   public:
    Potentials() = default;
    /// `kinds` has one entry per unit; `tables` one per unit that is a table.
    Potentials(std::vector<PotentialKind> kinds, std::vector<SplineTable> tables);

    bool empty() const { return kinds_.empty(); }
    std::size_t units() const { return kinds_.size(); }
    bool has(std::size_t unit) const {
        return unit < kinds_.size() && kinds_[unit] != PotentialKind::none;
    }
    /// Length of the vector of numbers.
    std::size_t size() const;
    /// Raises on numbers of a wrong count or that no potential has.
    void check(const std::vector<double>& numbers) const;
    /// Springs k of parts ½kx², which belong to the linear motion: of two parabolas, and 2c₂ of
    /// polynomials. Without them a kink or a quartic term is all that steps have to follow.
    std::vector<double> springs(const std::vector<double>& numbers) const;
    /// The potentials at these numbers less their springs, `dimension` entries.
    OnSite at(const std::vector<double>& numbers, std::size_t dimension) const;
    bool operator==(const Potentials& other) const;

   private:
    std::vector<PotentialKind> kinds_;
    std::shared_ptr<const std::vector<SplineTable>> tables_ =
        std::make_shared<const std::vector<SplineTable>>();
};

}  // namespace ktc
