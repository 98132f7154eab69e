#pragma once

#include <cstddef>
#include <cstdint>

#include "ground/streams.hpp"
#include "kernels/pack_bits.hpp"

/// Philox in packs: the eight counters of an address side by side (ground/streams.hpp).
namespace ktc::KTC_INSTRUCTION_SET {

/// The first two and the last two random words of each counter, 64 bits each.
struct WordPair {
    Words first, second;
};

/// Keys of all rounds of one seed.
struct RoundKeys {
    std::uint64_t first[philox::rounds], second[philox::rounds];

    KTC_INLINE explicit RoundKeys(std::uint64_t seed) {
        std::uint32_t key_0 = philox::low(seed), key_1 = philox::high(seed);
        for (int r = 0; r < philox::rounds; ++r) {
            first[r] = key_0;
            second[r] = key_1;
            key_0 += philox::weyl_0;
            key_1 += philox::weyl_1;
        }
    }
};

/// Random words of one seed, purpose and group. Only the third word of a counter differs between
/// lanes, and it depends on the group alone. Its product in the first round is therefore computed
/// once, and most of the first two rounds is computed once for all lanes.
class Stream {
   public:
    KTC_INLINE explicit Stream(const StreamAddress& address)
        : keys_(address.seed), purpose_(static_cast<std::uint32_t>(address.purpose)) {
        constexpr std::uint64_t lane[pack_width] = {0, 1, 2, 3, 4, 5, 6, 7};
        const Words place = all(address.group << 3) | load(lane);
        low_ = multiply_low(place, all(std::uint64_t{philox::multiplier_1}));
        high_ = high_halves(low_);
    }

    /// Words of `count` addresses side by side, whose independent products hide latency.
    template <std::size_t count>
    KTC_INLINE void words(const std::uint64_t (&step)[count], const std::uint32_t (&element)[count],
                          WordPair (&out)[count]) const {
        const Words multiplier_0 = all(std::uint64_t{philox::multiplier_0});
        const Words multiplier_1 = all(std::uint64_t{philox::multiplier_1});
        Words c0[count], c1[count], c2[count], c3[count];
        for (std::size_t i = 0; i < count; ++i) {
            // The first two rounds of philox::round; `second` is the third word after the first.
            const std::uint64_t product =
                std::uint64_t{philox::low(step[i])} * philox::multiplier_0;
            const std::uint32_t last = (purpose_ << element_bits) | element[i];
            const std::uint64_t second =
                static_cast<std::uint32_t>(philox::high(product) ^ last ^ keys_.second[0]);
            const std::uint64_t next = second * philox::multiplier_1;
            const Words start = high_ ^ all(philox::high(step[i]) ^ keys_.first[0]);
            c3[i] = multiply_low(start, multiplier_0);
            c2[i] = high_halves(c3[i]) ^ all(philox::low(product) ^ keys_.second[1]);
            c0[i] = low_ ^ all(philox::high(next) ^ keys_.first[1]);
            c1[i] = all(std::uint64_t{philox::low(next)});
        }
        for (int r = 2; r < philox::rounds; ++r) {
            const Words key_0 = all(keys_.first[r]), key_1 = all(keys_.second[r]);
            for (std::size_t i = 0; i < count; ++i) {
                const Words product_0 = multiply_low(c0[i], multiplier_0);
                const Words product_1 = multiply_low(c2[i], multiplier_1);
                c0[i] = exclusive_or(high_halves(product_1), c1[i], key_0);
                c2[i] = exclusive_or(high_halves(product_0), c3[i], key_1);
                c1[i] = product_1;
                c3[i] = product_0;
            }
        }
        for (std::size_t i = 0; i < count; ++i)
            out[i] = {join_halves(c0[i], c1[i]), join_halves(c2[i], c3[i])};
    }

   private:
    RoundKeys keys_;
    std::uint32_t purpose_;
    Words low_, high_;
};

}  // namespace ktc::KTC_INSTRUCTION_SET
