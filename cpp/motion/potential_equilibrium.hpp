#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "motion/on_site_sampler.hpp"
#include "motion/sign_moves.hpp"
#include "motion/stationary_sampler.hpp"
#include "motion/unit_sweep.hpp"

namespace ktc {

/// Draws from exp(−H/kT)/Z of a network with on-site potentials at one temperature. Uncoupled units
/// are drawn independently, by their distribution functions. Coupled units start from these; then
/// sweeps draw every unit in turn, given the others, by slice sampling over all of its wells (Neal,
/// Ann. Stat. 31, 705, 2003), and signs are drawn together where the potentials are even
/// (motion/sign_moves.hpp).
class PotentialEquilibrium final : public StationarySampler {
   public:
    PotentialEquilibrium(const Network& network, const Setting& setting);

    double cost() const override { return static_cast<double>(1 + sweeps_); }
    void draw(double* state, const NoiseAddress& address, Workspace& workspace,
              Watch& watch) const override;

   private:
    void draw_alone(double* state, const NoiseAddress& address) const;

    double kT_;
    OnSite potential_;  ///< keeps tables alive
    std::vector<double> inertia_;
    std::vector<OnSiteEnergy> energies_;
    std::vector<OnSiteSampler> samplers_;
    UnitSweep units_in_turn_;
    std::optional<SignMoves> signs_;
    std::size_t sweeps_ = 0;
};

}  // namespace ktc
