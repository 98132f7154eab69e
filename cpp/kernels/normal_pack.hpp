#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "ground/philox.hpp"
#include "ground/streams.hpp"
#include "kernels/pack.hpp"

/// Sixteen normals of one address in two packs; ground/normal.hpp says what they are.
namespace ktc::KTC_LEVEL {

struct WordPair {
    Words first, second;
};
struct NormalPair {
    Doubles first, second;
};

/// Eight Philox counters side by side, in words of which only the low halves count on the way.
KTC_INLINE WordPair words_of(const StreamAddress& address) {
    const auto word = [](std::uint32_t value) { return all(std::uint64_t{value}); };
    const Words lane = {0, 1, 2, 3, 4, 5, 6, 7};
    Words c0 = word(philox::low(address.step)), c1 = word(philox::high(address.step));
    Words c2 = word(static_cast<std::uint32_t>(address.group << 3)) | lane;
    Words c3 =
        word((static_cast<std::uint32_t>(address.purpose) << element_bits) | address.element);
    std::uint32_t key_0 = philox::low(address.seed), key_1 = philox::high(address.seed);
    for (int r = 0; r < philox::rounds; ++r) {
        const Words product_0 = multiply_low(c0, word(philox::multiplier_0));
        const Words product_1 = multiply_low(c2, word(philox::multiplier_1));
        c0 = (product_1 >> std::uint64_t{32}) ^ c1 ^ word(key_0);
        c2 = (product_0 >> std::uint64_t{32}) ^ c3 ^ word(key_1);
        c1 = product_1;
        c3 = product_0;
        key_0 += philox::weyl_0;
        key_1 += philox::weyl_1;
    }
    const std::uint64_t half = 32, low = 0xFFFFFFFFu;
    return {(c1 << half) | (c0 & low), (c3 << half) | (c2 & low)};
}

/// 52 bits after the one, less one, plus half the last place: odd multiples of 2^−53 in (0, 1).
KTC_INLINE Doubles uniform(Words word) {
    return (as_doubles((word >> std::uint64_t{12}) | std::uint64_t{0x3FF0000000000000}) - 1.0) +
           0x1p-53;
}

/// ln u of a normal u > 0: u = 2^e m with m in [√½, √2), ln m = 2 artanh s = 2 Σ s^(2k+1)/(2k+1),
/// s = (m − 1)/(m + 1). With s² < 0.0295 eleven terms leave 4e−19 of s.
KTC_INLINE Doubles logarithm(Doubles u) {
    constexpr double ln_2 = 0x1.62e42fefa39efp-1;
    constexpr std::uint64_t mantissa_bits = 52, mantissa_mask = 0xFFFFFFFFFFFFF;
    // The mantissa bits of √2: above them the number belongs to the next exponent.
    constexpr std::uint64_t to_next = 0x10000000000000 - 0x6A09E667F3BCD;
    const Words bits = as_words(u), mantissa = bits & mantissa_mask;
    const Words carry = (mantissa + to_next) >> mantissa_bits;
    const Words exponent = (bits >> mantissa_bits) + carry;
    const Doubles m = as_doubles(mantissa | ((std::uint64_t{1023} - carry) << mantissa_bits));
    // Integer to double by the mantissa of 2^52: vector units before AVX-512 have no conversion.
    const Doubles e = as_doubles(exponent | std::uint64_t{0x4330000000000000}) - (0x1p52 + 1023.0);
    const Doubles s = (m - 1.0) / (m + 1.0), z = s * s;
    Doubles series = all(1.0 / 21);
    for (int k = 9; k >= 1; --k) series = 1.0 / (2 * k + 1) + z * series;
    return e * ln_2 + (2.0 * s + 2.0 * s * z * series);
}

/// 1/k! for k = 0 … 16.
inline constexpr std::array<double, 17> inverse_factorial = [] {
    std::array<double, 17> result{};
    double factorial = 1.0;  // exact up to 18!
    for (std::size_t k = 0; k < result.size(); ++k) {
        if (k > 0) factorial *= static_cast<double>(k);
        result[k] = 1.0 / factorial;
    }
    return result;
}();

/// Radius √(−2 ln u) times cosine and sine of a quarter turn's angle; Taylor's series on |t| ≤ π/4
/// leave 5e−17.
KTC_INLINE NormalPair normals_of(WordPair words) {
    constexpr double quarter_turn = 0x1.921fb54442d18p+0;
    const Doubles radius = square_root(-2.0 * logarithm(uniform(words.first)));
    // Two bits choose the quadrant, the others the angle within it, from −½ to ½ of a quarter turn.
    const Words angle = words.second;
    const Doubles y = uniform(angle << std::uint64_t{2}) - 0.5;
    const Doubles t = quarter_turn * y, z = t * t;
    Doubles sine = all(inverse_factorial[15]), cosine = all(inverse_factorial[16]);
    for (int k = 13; k >= 1; k -= 2) sine = inverse_factorial[std::size_t(k)] - z * sine;
    for (int k = 14; k >= 0; k -= 2) cosine = inverse_factorial[std::size_t(k)] - z * cosine;
    const std::uint64_t one = 1, sign = one << 63;
    const Words odd = (angle >> std::uint64_t{62}) & one, half = angle & sign;
    const Words c = as_words(cosine), s = as_words(t * sine);
    const Words swap = (c ^ s) & (std::uint64_t{0} - odd);
    return {radius * as_doubles((c ^ swap) ^ half ^ (odd << std::uint64_t{63})),
            radius * as_doubles((s ^ swap) ^ half)};
}

}  // namespace ktc::KTC_LEVEL
