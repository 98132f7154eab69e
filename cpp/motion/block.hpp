#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ground/streams.hpp"

namespace ktc {

/// Replicas that move together, side by side in the vector lanes. The width is one constant of the
/// build: a replica's lane, and with it every product it takes part in, depends on its number
/// alone, so that its bits do not depend on how many others there are or who runs them.
inline constexpr std::size_t block_width = 64;

/// Where a block's random numbers are: its place among all replicas of the seed, and the step.
struct NoiseAddress {
    std::uint64_t seed;
    std::uint64_t step;
    std::uint64_t first_group;  ///< number of the block's first group of replicas
    std::size_t begin_group;    ///< groups [begin, end) of the block hold replicas of ours
    std::size_t end_group;
};

/// What one move writes down, per lane: heat that flowed into the resistors, energy that the bias
/// sources supplied.
struct Posts {
    double heat[block_width];
    double supply[block_width];
};

/// Scratch memory of one thread, reused by all blocks that it moves.
struct Workspace {
    std::vector<double> first, second;
    explicit Workspace(std::size_t dimension)
        : first(2 * dimension * block_width), second(dimension * block_width) {}
};

}  // namespace ktc
