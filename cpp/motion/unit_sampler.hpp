#pragma once

#include <vector>

namespace ktc {

/// The energy of one unit by itself, V(x) = ½ k x² − f x + ¼ κ x⁴.
struct UnitEnergy {
    double stiffness, force, quartic;
    double operator()(double x) const {
        return x * (x * (0.5 * stiffness + 0.25 * quartic * x * x) - force);
    }
    /// Real zeros of V′, ascending: one minimum, or two with a barrier between.
    std::vector<double> stationary_points() const;
};

/// Independent draws from exp(−V/kT)/Z by rejection from a staircase above the density. Both wells
/// of a double well are found, and filled in proportion. Where V exceeds its minimum by 46 kT,
/// 1e−20 of the probability, nothing is drawn.
class UnitSampler {
   public:
    UnitSampler(const UnitEnergy& energy, double kT);

    /// One trial: true where x is a draw. Accepted in 9 of 10 cases.
    bool attempt(double place, double height, double& x) const;

   private:
    UnitEnergy energy_;
    double kT_, lowest_, left_, stride_;
    std::vector<double> ceiling_;     ///< of the density relative to its maximum, stair by stair
    std::vector<double> cumulative_;  ///< probability up to the end of each stair
};

}  // namespace ktc
