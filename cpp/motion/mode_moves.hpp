#pragma once

#include <cstdint>
#include <vector>

#include "motion/noise_address.hpp"
#include "physics/network.hpp"

namespace ktc {

/// Slice sampling along the conjugate directions u_k of a Hessian A, u_jᵀ A u_k = 0, in turn (Neal,
/// Ann. Stat. 31, 705, 2003). If A is about as stiff as the network, all modes relax in a few
/// rounds, also those that relax slowly in moves of single units.
class ModeMoves {
   public:
    ModeMoves(const Controls& controls, const Matrix& hessian);

    /// Slowest relaxation time of units drawn in turn, in sweeps: 1/λ_min of A at unit diagonal.
    double slowest_sweeps() const { return slowest_; }
    /// Moves a block; `address.step` is the number of the draw, `round` the number of the move in
    /// it.
    void move(double* state, const NoiseAddress& address, std::uint64_t round) const;

   private:
    struct Mode {
        std::vector<double> direction, stiffened;  ///< u and K u
        double curvature;                          ///< uᵀ K u
        double width;                              ///< thermal width at A
    };
    struct Profile;
    Profile profile(const Mode& mode, const double* lanes, const double* slope) const;
    /// Moves a group of lanes along one mode.
    void slide(const Mode& mode, double* lanes, double* slope, const NoiseAddress& address,
               std::size_t group, std::size_t number, std::uint64_t round) const;

    double kT_, slowest_;
    Matrix stiffness_;
    std::vector<double> bias_, quartic_;
    std::vector<Mode> modes_;
};

}  // namespace ktc
