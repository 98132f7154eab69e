#pragma once

#include <vector>

namespace ktc {

/// Energy of an uncoupled unit, V(x) = ½ k x² − f x + ¼ κ x⁴.
struct UnitEnergy {
    double stiffness, force, quartic;
    double operator()(double x) const {
        return x * (x * (0.5 * stiffness + 0.25 * quartic * x * x) - force);
    }
    /// Real zeros of V′, ascending: one minimum, or two with a barrier between.
    std::vector<double> stationary_points() const;
};

/// Independent draws from exp(−V/kT)/Z by rejection from a piecewise constant bound of the density,
/// over both wells of a double well. Energies more than 46 kT above the minimum, 1e−20 of the
/// probability, are never drawn.
class UnitSampler {
   public:
    UnitSampler(const UnitEnergy& energy, double kT);

    /// One trial at two uniform numbers: true if x is a draw, in 9 of 10 cases.
    bool attempt(double place, double height, double& x) const;

   private:
    UnitEnergy energy_;
    double kT_, lowest_, left_, stride_;
    std::vector<double> ceiling_;     ///< bound of the density over its maximum, per stair
    std::vector<double> cumulative_;  ///< probability of the bound up to the end of each stair
};

}  // namespace ktc
