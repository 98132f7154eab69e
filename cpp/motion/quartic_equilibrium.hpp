#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "motion/mode_moves.hpp"
#include "motion/sign_moves.hpp"
#include "motion/stationary_sampler.hpp"
#include "motion/unit_sweep.hpp"

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

/// Draws from exp(−H/kT)/Z of a network with quartic units at one temperature. Uncoupled units are
/// drawn exactly and independently. Coupled units start from their uncoupled distributions; then a
/// hundred sweeps draw every unit in turn, given the others, by slice sampling over both of its
/// wells (Neal, Ann. Stat. 31, 705, 2003). If couplings slow the sweeps down, modes of the network
/// are drawn as well (motion/mode_moves.hpp), and if there are several wells, signs are drawn
/// together, which populates wells correctly at any barrier (motion/sign_moves.hpp). All moves
/// leave the equilibrium invariant.
class QuarticEquilibrium final : public StationarySampler {
   public:
    QuarticEquilibrium(const Network& network, const Controls& controls);

    double cost() const override { return static_cast<double>(1 + sweeps_); }
    void draw(double* state, const NoiseAddress& address, Workspace& workspace,
              Watch& watch) const override;

   private:
    void draw_alone(double* state, const NoiseAddress& address) const;

    std::size_t units_;
    double kT_;
    std::vector<double> inertia_;
    std::vector<UnitEnergy> energies_;
    std::vector<UnitSampler> samplers_;
    UnitSweep units_in_turn_;
    std::optional<ModeMoves> modes_;
    std::optional<SignMoves> signs_;
    std::size_t sweeps_ = 0;
};

}  // namespace ktc
