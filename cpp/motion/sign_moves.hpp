#pragma once

#include <cstdint>
#include <vector>

#include "ground/watch.hpp"
#include "motion/noise_address.hpp"
#include "physics/network.hpp"

namespace ktc {

/// Moves of signs at given sizes |x_i|, an Ising model with couplings K_ij |x_i||x_j| in the field
/// b_i |x_i|. They carry units from well to well whatever the barriers are, and leave exp(−H/kT)
/// invariant: quartic terms and diagonal stiffness do not see signs.
///  - Clusters joined where a coupling is satisfied turn over as one, by the field's heat bath
///    (Swendsen, Wang, Phys. Rev. Lett. 58, 86, 1987; Brower, Tamayo, ibid. 62, 1087, 1989).
///  - The signs of up to eight units, a unit and those that pull it most, are drawn together from
///    all their combinations, for couplings that frustrate each other and so join everything.
class SignMoves {
   public:
    explicit SignMoves(const Controls& controls);

    /// Moves a block, unless it is told to stop; `address.step` names the draw and `sweep` the turn
    /// in it.
    void move(double* state, const NoiseAddress& address, std::uint64_t sweep, Watch& watch) const;

   private:
    struct Coupling {
        std::size_t first, second;
        double value;
    };
    void turn_clusters(double* lanes, const NoiseAddress& address, std::size_t group,
                       std::uint64_t sweep) const;
    void draw_signs(double* lanes, const NoiseAddress& address, std::size_t group,
                    std::uint64_t use, const std::vector<std::size_t>& units) const;

    double kT_;
    Matrix stiffness_;
    std::vector<double> bias_;
    std::vector<Coupling> couplings_;                ///< each pair once
    std::vector<std::vector<std::size_t>> circles_;  ///< units whose signs are drawn together
};

}  // namespace ktc
