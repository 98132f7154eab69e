#pragma once

#include <cstddef>

namespace ktc {

/// Replicas that move together, side by side in the vector lanes. The width is one constant of the
/// build: a replica's lane, and with it every product it takes part in, depends on its number
/// alone, so that its bits do not depend on how many others there are or who runs them.
inline constexpr std::size_t block_width = 64;

}  // namespace ktc
