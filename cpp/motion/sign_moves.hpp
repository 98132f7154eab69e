#pragma once

#include <cstdint>
#include <vector>

#include "ground/watch.hpp"
#include "motion/noise_address.hpp"
#include "physics/network.hpp"

namespace ktc {

/// Moves of the signs at fixed |x_i|: an Ising model with couplings K_ij |x_i||x_j| in the field
/// b_i |x_i|. They cross barriers of any height between wells and leave exp(−H/kT) invariant,
/// because quartic terms and diagonal stiffness are even.
///  - Clusters joined by satisfied couplings flip together, as a heat bath in the field (Swendsen,
///    Wang, Phys. Rev. Lett. 58, 86, 1987; Brower, Tamayo, ibid. 62, 1087, 1989).
///  - The signs of a unit and the up to seven units that couple to it most strongly are drawn from
///    all their combinations. With frustrated couplings clusters join everything; this does not.
class SignMoves {
   public:
    explicit SignMoves(const Controls& controls);

    /// Moves a block unless the watch stops it; `address.step` is the number of the draw, `sweep`
    /// the number of the move in it.
    void move(double* state, const NoiseAddress& address, std::uint64_t sweep, Watch& watch) const;

   private:
    struct Coupling {
        std::size_t first, second;
        double value;
    };
    struct SignEnergies;
    void find_energies(const double* lanes, const std::vector<std::size_t>& units,
                       SignEnergies& energies) const;
    void flip_clusters(double* lanes, const NoiseAddress& address, std::size_t group,
                       std::uint64_t sweep) const;
    void draw_signs(double* lanes, const NoiseAddress& address, std::size_t group,
                    std::uint64_t use, const std::vector<std::size_t>& units) const;

    double kT_;
    Matrix stiffness_;
    std::vector<double> bias_;
    std::vector<Coupling> couplings_;                       ///< each pair once
    std::vector<std::vector<std::size_t>> neighbourhoods_;  ///< whose signs are drawn together
};

}  // namespace ktc
