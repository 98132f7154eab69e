#pragma once

#include <cstdint>
#include <vector>

#include "motion/noise_address.hpp"
#include "physics/network.hpp"

namespace ktc {

/// Slice sampling along conjugate directions u_k of a Hessian A, u_jᵀ A u_k = 0, one after the
/// other (Neal, Ann. Stat. 31, 705, 2003). Where A is the network's own, one round draws the
/// equilibrium afresh; with quartic units and an A that is about as stiff as they are, modes that
/// are slow unit by unit relax in a few rounds.
class ModeMoves {
   public:
    ModeMoves(const Controls& controls, const Matrix& hessian);

    /// 1/λ_min of A at unit diagonal: the slowest relaxation, in sweeps, of units drawn in turn.
    double slowest_sweeps() const { return slowest_; }
    /// Moves a block; `address.step` names the draw and `round` the turn in it.
    void move(double* state, const NoiseAddress& address, std::uint64_t round) const;

   private:
    struct Mode {
        std::vector<double> direction, stiffened;  ///< u and K u
        double curvature;                          ///< uᵀ K u
        double width;                              ///< thermal, of A
    };
    void slide(const Mode& mode, double* lanes, double* slope, const NoiseAddress& address,
               std::size_t group, std::size_t number, std::uint64_t round) const;

    double kT_, slowest_;
    Matrix stiffness_;
    std::vector<double> bias_, quartic_;
    std::vector<Mode> modes_;
};

}  // namespace ktc
