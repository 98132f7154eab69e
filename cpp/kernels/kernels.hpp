#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ground/streams.hpp"

namespace ktc {

/// One tick of independent Ornstein–Uhlenbeck processes: an update of the force, then a hold.
struct ModalTick {
    const double* force_change;  ///< Δβ, null where there is no update
    const double* force;         ///< β held
    const double* decay;         ///< e^{−λh}
    const double* width;         ///< √(kT (1 − e^{−2λh}))
};

/// Where sixteen replicas' books lie: sum, carry and turnover of each account, sixteen numbers
/// each.
struct ModalBooks {
    double *work, *work_carry, *heat, *heat_carry, *supply, *supply_carry, *turnover;
};

/// The loops that time is spent in, compiled once for each level of x86-64 (plainly elsewhere). All
/// levels give the same bits.
struct Kernels {
    const char* level;
    void (*normals16)(const StreamAddress& address, double* out);
    void (*uniforms16)(const StreamAddress& address, double* out);
    void (*transform16)(const std::uint64_t* radius, const std::uint64_t* angle, double* out);
    /// Plays `count` ticks on the sixteen replicas at `state`, rows `stride` apart.
    void (*modal)(double* state, std::size_t stride, std::size_t units, const ModalTick* ticks,
                  std::size_t count, const StreamAddress& first, const ModalBooks& books);
};

/// The kernels in use: the best that this processor has, unless others were asked for.
const Kernels& kernels();
/// All that this processor has, from the plainest to the best.
std::vector<const Kernels*> available_kernels();
/// Takes others into use, for comparing them. Raises where there are none of that level.
void use_kernels(const std::string& level);

}  // namespace ktc
