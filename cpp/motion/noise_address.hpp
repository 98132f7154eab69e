#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/kernels.hpp"

namespace ktc {

/// Address of a block's random numbers: its groups among all replicas of the seed, and the step.
struct NoiseAddress {
    std::uint64_t seed;
    std::uint64_t step;
    std::uint64_t first_group;  ///< number of the block's first group of replicas
    std::size_t begin_group;    ///< groups [begin, end) of the block hold replicas in use
    std::size_t end_group;

    /// Number of the block among all blocks of the seed, in groups of double precision.
    std::uint64_t block() const { return first_group / (block_width / group_width); }
    /// Stream of one group of the block.
    StreamAddress stream(Purpose purpose, std::size_t group, std::size_t element = 0) const {
        return {seed, purpose, first_group + group, static_cast<std::uint32_t>(element), step};
    }
};

/// Normals of one element for every lane of a block; zero in groups without replicas in use.
inline void row_of_normals(const NoiseAddress& at, Purpose purpose, std::size_t element,
                           double* row) {
    std::fill(row, row + at.begin_group * group_width, 0.0);
    for (std::size_t g = at.begin_group; g < at.end_group; ++g)
        kernels().full.normals(at.stream(purpose, g, element), row + g * group_width);
    std::fill(row + at.end_group * group_width, row + block_width, 0.0);
}

/// Stream of uniform numbers for drawing a state, sixteen lanes at a time. In their addresses the
/// high bits of the step are the number of the draw and the low bits count the numbers; draws whose
/// steps agree in their low 40 bits would share numbers, by which only two states would be drawn.
class Uniforms {
   public:
    static constexpr int use_bits = 24;

    Uniforms(const NoiseAddress& address, Purpose purpose, std::size_t group, std::size_t element,
             std::uint64_t first_use)
        : address_(address.stream(purpose, group, element)) {
        address_.step = (address.step << use_bits) | first_use;
    }

    const double* next() {
        kernels().uniforms(address_, values_);
        ++address_.step;
        return values_;
    }

   private:
    StreamAddress address_;
    double values_[group_width];
};

}  // namespace ktc
