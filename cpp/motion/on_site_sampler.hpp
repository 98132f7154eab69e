#pragma once

#include <vector>

#include "physics/potential.hpp"

namespace ktc {

/// Energy of an uncoupled unit, U(x) = ½ k x² − f x + ¼ κ x⁴ + V(x), with the spring of V in k.
struct OnSiteEnergy {
    double stiffness, force, quartic;
    PotentialView potential;

    double operator()(double x) const {
        const double square = x * x;
        return square * (0.5 * stiffness + 0.25 * quartic * square) - force * x +
               (potential.kind == PotentialKind::none ? 0.0 : evaluate(potential, x).energy);
    }
    bool is_even() const;
};

/// Independent draws from exp(−U/kT)/Z by the inverse of its distribution function, tabulated in
/// cells over which U is linear to 1e−4 kT. Energies more than 46 kT above the minimum, 1e−20 of
/// the probability, are never drawn.
class OnSiteSampler {
   public:
    /// Raises if U is not confining, or so large beside kT that no table represents it.
    OnSiteSampler(const OnSiteEnergy& energy, double kT);

    /// The place below which this share of the probability lies.
    double draw(double share) const;
    /// Where energies that are drawn lie.
    double left() const { return begins_.front(); }
    double right() const { return ends_.back(); }
    double variance() const;

   private:
    void add(const OnSiteEnergy& energy, double a, double b, double at_a, double at_b, int depth);

    double kT_, lowest_;
    std::vector<double> begins_, ends_;
    std::vector<double> rises_;       ///< of U/kT over each cell
    std::vector<double> cumulative_;  ///< probability up to the end of each cell
};

}  // namespace ktc
