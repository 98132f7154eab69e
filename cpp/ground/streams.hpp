#pragma once

#include <cstddef>
#include <cstdint>

namespace ktc {

/// The one registry of random streams: each use of noise has a purpose of its own, so that no two
/// ever share a word. Never renumber; at most sixteen.
enum class Purpose : std::uint32_t {
    equilibrium = 0,  ///< drawing a state from exp(−H/kT)
    hold = 1,         ///< thermal noise of one hold
    heat_bath = 2,    ///< drawing quartic units from their conditional equilibrium
    cluster = 3,      ///< turning clusters of them over
    unit = 4,         ///< drawing quartic units that stand alone
    signs = 5,        ///< drawing the signs of some of them together
    mode = 6,         ///< drawing them along modes of their network
};

/// Replicas that share a group of random words, 128 bytes of numbers. In double precision a pair of
/// normals costs one Philox counter, so a group is eight counters wide: the low three bits of an
/// address. In single precision a pair costs half a counter.
template <class Real>
inline constexpr std::size_t replicas_of_a_group = 128 / sizeof(Real);
inline constexpr std::size_t group_width = replicas_of_a_group<double>;
inline constexpr std::size_t group_width_single = replicas_of_a_group<float>;

inline constexpr int group_bits = 29, element_bits = 28;
inline constexpr std::uint64_t max_replicas = std::uint64_t{group_width} << group_bits;
inline constexpr std::size_t max_elements = std::size_t{1} << element_bits;

/// Where the normals of a group are, sixteen in double and thirty-two in single precision. The seed
/// is Philox's key; the counter is
///     word 0, 1: step;   word 2: group (29 bits), counter of the group (3 bits);
///     word 3: purpose (4 bits), element (28 bits).
struct StreamAddress {
    std::uint64_t seed;
    Purpose purpose;
    std::uint64_t group;    ///< replica over the width of groups, below 2^29
    std::uint32_t element;  ///< unit or coordinate, below 2^28
    std::uint64_t step;
};

}  // namespace ktc
