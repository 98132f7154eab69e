#pragma once

#include <cstddef>

namespace ktc {

/// Number of replicas that move together, side by side in vector lanes. It is a constant of the
/// build, so that the lane and the bits of a replica depend on its number alone, not on the number
/// of replicas or of threads.
inline constexpr std::size_t block_width = 64;

}  // namespace ktc
