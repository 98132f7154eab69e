#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ground/lanes.hpp"
#include "ground/streams.hpp"

namespace ktc {

/// One tick of independent Ornstein–Uhlenbeck processes: an update of the force, then a hold.
struct ModalTick {
    const double* force_change;  ///< Δβ, null where there is no update
    const double* force;         ///< β held
    const double* decay;         ///< e^{−λh}
    const double* growth;        ///< e^{−λh} − 1, with its own digits
    const double* width;         ///< √(kT (1 − e^{−2λh}))
};

/// Where sixteen replicas' books lie: sum, carry and turnover of each account, sixteen numbers
/// each.
struct ModalBooks {
    double *work, *work_carry, *heat, *heat_carry, *supply, *supply_carry, *turnover;
};

/// A nonzero entry of a direction in the space of states, and the quartic term of its coordinate.
struct LineEntry {
    std::size_t coordinate;
    double value;
    double quartic;
};

/// d·A d and d·β of a line.
struct LineMove {
    double curvature, pull;
};

/// δ += width ξ − reach (s + curvature δ − emf), and what books the heat's entropy: 1/kT, or 0.
struct BathMove {
    double reach, width, curvature, emf, per_kT;
};

/// Where a block's posts lie; `own` is the resistor's heat account.
struct BathBooks {
    double *source, *heat, *entropy, *own;
};

/// The loops that time is spent in, compiled once for each level of x86-64 (plainly elsewhere).
/// Levels that round a product and a sum once, v3 and v4, give the same bits, the others close
/// ones.
struct Kernels {
    const char* level;
    void (*normals16)(const StreamAddress& address, double* out);
    void (*uniforms16)(const StreamAddress& address, double* out);
    void (*transform16)(const std::uint64_t* radius, const std::uint64_t* angle, double* out);
    /// Plays `count` ticks on the sixteen replicas at `state`, rows `stride` apart.
    void (*modal)(double* state, std::size_t stride, std::size_t units, const ModalTick* ticks,
                  std::size_t count, const StreamAddress& first, const ModalBooks& books);
    /// Sub-steps of the splitting integrator on a block: motion/line.hpp, motion/bath.hpp.
    void (*line_slope)(const LineEntry* entries, std::size_t count, const double* state,
                       double start, double* slope);
    void (*line_move)(const LineEntry* entries, std::size_t count, double* state,
                      const LineMove& line, const double* displacement, const double* slope,
                      double* energy, double* supply);
    void (*quartic_relax)(const double* state, double stride, double rate, double* displacement);
    void (*bath_displace)(const BathMove& bath, const double* noise, const double* slope,
                          double* displacement);
    void (*bath_post)(const BathMove& bath, const double* displacement, const double* energy,
                      const BathBooks& books);
    /// Compensated sums of a block's amounts, and the sum of their sizes.
    void (*ledger_post)(double* sums, double* carries, const double* amounts);
    void (*ledger_turn)(double* turnover, const double* amounts);
};

/// The kernels in use: the best that this processor has, unless others were asked for.
const Kernels& kernels();
/// All that this processor has, from the plainest to the best.
std::vector<const Kernels*> available_kernels();
/// Takes others into use, for comparing them. Raises where there are none of that level.
void use_kernels(const std::string& level);

}  // namespace ktc
