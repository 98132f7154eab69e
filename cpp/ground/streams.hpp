#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

/// Philox4x32-10, a counter-based random number generator: a keyed bijection of 128-bit counters
/// that has no state and passes the tests of BigCrush (Salmon, Moraes, Dror, Shaw, "Parallel random
/// numbers: as easy as 1, 2, 3", SC11, 2011).
namespace ktc::philox {

inline constexpr int rounds = 10;
inline constexpr std::uint32_t multiplier_0 = 0xD2511F53u, multiplier_1 = 0xCD9E8D57u;
/// Increments of both halves of the key in each round: golden ratio and √3 − 1.
inline constexpr std::uint32_t weyl_0 = 0x9E3779B9u, weyl_1 = 0xBB67AE85u;

inline std::uint32_t low(std::uint64_t product) { return static_cast<std::uint32_t>(product); }
inline std::uint32_t high(std::uint64_t product) {
    return static_cast<std::uint32_t>(product >> 32);
}

/// One round on one counter, in place.
inline void round(std::uint32_t& c0, std::uint32_t& c1, std::uint32_t& c2, std::uint32_t& c3,
                  std::uint32_t key_0, std::uint32_t key_1) {
    const std::uint64_t product_0 = std::uint64_t{c0} * multiplier_0;
    const std::uint64_t product_1 = std::uint64_t{c2} * multiplier_1;
    c0 = high(product_1) ^ c1 ^ key_0;
    c1 = low(product_1);
    c2 = high(product_0) ^ c3 ^ key_1;
    c3 = low(product_0);
}

/// The four random words of one counter.
inline std::array<std::uint32_t, 4> words(std::array<std::uint32_t, 4> counter,
                                          std::array<std::uint32_t, 2> key) {
    for (int r = 0; r < rounds; ++r) {
        round(counter[0], counter[1], counter[2], counter[3], key[0], key[1]);
        key[0] += weyl_0;
        key[1] += weyl_1;
    }
    return counter;
}

}  // namespace ktc::philox

namespace ktc {

/// Registry of random streams. Each use of noise has its own purpose, so that no two uses share a
/// random word. Never renumber them, because that changes the bits; at most sixteen.
enum class Purpose : std::uint32_t {
    equilibrium = 0,  ///< drawing a state from exp(−H/kT)
    hold = 1,         ///< thermal noise of one hold
    heat_bath = 2,    ///< drawing quartic units from their conditional equilibrium
    cluster = 3,      ///< flipping clusters of quartic units
    unit = 4,         ///< drawing quartic units without couplings
    signs = 5,        ///< drawing the signs of several quartic units together
    mode = 6,         ///< drawing quartic units along modes of their network
};

/// Number of replicas in a group, whose normals fill 128 bytes and come from eight Philox counters,
/// the low three bits of an address. A counter makes one pair of normals in double precision, and
/// two pairs in single precision.
template <class Real>
inline constexpr std::size_t replicas_of_a_group = 128 / sizeof(Real);
inline constexpr std::size_t group_width = replicas_of_a_group<double>;
inline constexpr std::size_t group_width_single = replicas_of_a_group<float>;

inline constexpr int group_bits = 29, element_bits = 28;
inline constexpr std::uint64_t max_replicas = std::uint64_t{group_width} << group_bits;
inline constexpr std::size_t max_elements = std::size_t{1} << element_bits;

/// Address of the normals of a group, sixteen in double and thirty-two in single precision. The
/// seed is the key of Philox; the counter is
///     word 0, 1: step;   word 2: group (29 bits), counter of the group (3 bits);
///     word 3: purpose (4 bits), element (28 bits).
struct StreamAddress {
    std::uint64_t seed;
    Purpose purpose;
    std::uint64_t group;    ///< number of the replica divided by the width, below 2^29
    std::uint32_t element;  ///< unit or coordinate, below 2^28
    std::uint64_t step;
};

}  // namespace ktc
