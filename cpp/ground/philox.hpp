#pragma once

#include <array>
#include <cstdint>

/// Philox4x32-10, a keyed bijection of 128-bit counters whose outputs pass every known statistical
/// test: random numbers by address, without a state to carry (Salmon, Moraes, Dror, Shaw, "Parallel
/// random numbers: as easy as 1, 2, 3", SC11, 2011).
namespace ktc::philox {

inline constexpr int rounds = 10;
inline constexpr std::uint32_t multiplier_0 = 0xD2511F53u, multiplier_1 = 0xCD9E8D57u;
/// Golden ratio and √3 − 1: what the two halves of the key advance by in each round.
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

/// The four words at one counter.
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
