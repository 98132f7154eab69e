#pragma once

#include <cstddef>

namespace ktc {

/// Kinds of on-site potentials (physics/potential.hpp).
enum class PotentialKind { none, polynomial, cosine, two_parabolas, table };

/// Cubic spline: interval 0 lies below the first knot, interval k above knot k − 1, each with four
/// coefficients of powers of the distance from the knot below it (interval 0: from the first).
struct SplineView {
    const double* knots = nullptr;
    const double* coefficients = nullptr;
    std::size_t count = 0;     ///< of knots
    double per_spacing = 0.0;  ///< knots per length where they are equally spaced, else 0
};

inline constexpr std::size_t polynomial_degree = 8;

/// One unit's potential V(x) less its spring ½kx², which moves linearly, as kernels read it.
struct PotentialView {
    PotentialKind kind = PotentialKind::none;
    /// Coefficients of x to x⁸; amplitude and period; stiffness, centre and distance; or scale.
    double numbers[polynomial_degree] = {};
    SplineView spline;
};

/// Factors of a step of a unit with inertia, z = (x, p): z′ = A z + c + B ξ, after a kick of p by
/// −V′ for half of the `step`, and before another.
struct InertialUnit {
    double decay[4], push[2], spread[4];  ///< A and B row by row
    double step, quartic;
};

}  // namespace ktc
