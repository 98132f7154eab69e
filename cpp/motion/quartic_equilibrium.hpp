#pragma once

#include <cstdint>
#include <vector>

#include "ground/matrix.hpp"
#include "motion/block.hpp"
#include "motion/unit_sampler.hpp"
#include "physics/network.hpp"

namespace ktc {

/// Draws from exp(−H/kT)/Z of a network with quartic units at one temperature. Uncoupled units are
/// drawn exactly and independently. Coupled ones start from their own distributions, and then every
/// unit in turn is drawn given the others, by slice sampling (Neal, Ann. Stat. 31, 705, 2003);
/// where there are double wells, clusters of units are turned over between the sweeps (Brower,
/// Tamayo, Phys. Rev. Lett. 62, 1087, 1989; Swendsen, Wang, Phys. Rev. Lett. 58, 86, 1987), which
/// fills wells in proportion whatever the barriers between them. Both leave the equilibrium
/// invariant; twenty slowest relaxation times of the sweeps are run, at least a hundred sweeps.
class QuarticEquilibrium {
   public:
    QuarticEquilibrium(const Network& network, const Controls& controls);

    std::size_t sweeps() const { return sweeps_; }
    /// Fills a block; `address.step` names the draw.
    void draw(double* state, const NoiseAddress& address) const;

   private:
    void draw_alone(double* state, const NoiseAddress& address) const;
    void draw_momenta(double* state, const NoiseAddress& address) const;
    void sweep(double* state, const NoiseAddress& address, std::uint64_t number) const;
    void turn_clusters(double* state, const NoiseAddress& address, std::uint64_t number) const;

    struct Coupling {
        std::size_t first, second;
        double value;
    };
    std::size_t units_;
    double kT_;
    std::vector<double> inertia_;
    std::vector<UnitEnergy> energies_;
    std::vector<UnitSampler> samplers_;
    std::vector<std::vector<Coupling>> neighbours_;  ///< of each unit, itself as `first`
    std::vector<Coupling> couplings_;                ///< each pair once
    bool wells_ = false;
    std::size_t sweeps_ = 0;
};

}  // namespace ktc
