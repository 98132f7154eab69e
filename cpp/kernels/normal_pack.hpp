#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/normal_series.hpp"
#include "kernels/words_pack.hpp"

/// Sixteen normals of one address in two packs; ground/normal.hpp says what they are.
namespace ktc::KTC_LEVEL {

struct NormalPair {
    Doubles first, second;
};

/// 52 bits after the one, less one, plus half the last place: odd multiples of 2^−53 in (0, 1).
KTC_INLINE Doubles uniform(Words word) {
    constexpr std::uint64_t one = 0x3FF0000000000000;
    return as_doubles((word >> std::uint64_t{12}) | one) - (1.0 - 0x1p-53);
}

/// Horner's scheme for `count` arguments side by side: a chain of products waits for itself, others
/// fill the time.
template <std::size_t count, std::size_t terms>
KTC_INLINE void polynomial(const double (&coefficient)[terms], const Doubles (&x)[count],
                           Doubles (&value)[count]) {
    for (std::size_t i = 0; i < count; ++i) value[i] = all(coefficient[terms - 1]);
    for (std::size_t k = terms - 1; k-- > 0;)
        for (std::size_t i = 0; i < count; ++i)
            value[i] = fused(value[i], x[i], all(coefficient[k]));
}

/// √(−2 ln u) for u in (0, 1), given 2u = 2^e m: −2 ln u = −2e ln 2 + 2 ln 2r − 2 ln(m r) with r
/// near 1/m from a table, so that no two terms cancel; and where u is near 1, e is 0 and r is ½,
/// which leaves the last term alone with all its digits.
template <std::size_t count>
KTC_INLINE void radii(const Doubles (&twice)[count], Doubles (&radius)[count]) {
    using Series = NormalSeries<double>;
    Doubles excess[count], base[count], series[count];
    for (std::size_t i = 0; i < count; ++i) {
        const DoubleParts parts = parts_of(twice[i]);
        excess[i] = product_less_one(parts.mantissa, by_leading_bits(Series::reciprocal, twice[i]));
        base[i] = fused(parts.exponent, all(Series::minus_two_ln_2),
                        by_leading_bits(Series::offset, twice[i]));
    }
    polynomial(Series::logarithm, excess, series);
    for (std::size_t i = 0; i < count; ++i)
        radius[i] = square_root(fused(series[i], excess[i], base[i]));
}

/// Normals of `count` pairs of words.
template <std::size_t count>
KTC_INLINE void normals_of(const WordPair (&words)[count], NormalPair (&out)[count]) {
    constexpr std::uint64_t mantissa = 0xFFFFFFFFFFFFF, one = 0x3FF0000000000000;
    constexpr std::uint64_t two = 0x4000000000000000, last_place = 1;
    Doubles twice[count], radius[count], y[count], z[count], sines[count], cosines[count];
    for (std::size_t i = 0; i < count; ++i) {
        twice[i] = as_doubles(masked_or(words[i].first, mantissa, two)) - (2.0 - 0x1p-52);
        // Odd multiples of 2^−52 between −½ and ½.
        y[i] =
            as_doubles(masked_or(words[i].second, mantissa - last_place, one | last_place)) - 1.5;
        z[i] = y[i] * y[i];
    }
    radii(twice, radius);
    polynomial(NormalSeries<double>::cosine, z, cosines);
    polynomial(NormalSeries<double>::sine, z, sines);
    for (std::size_t i = 0; i < count; ++i) {
        Doubles first = turn_sign(cosines[i], words[i].second), second = y[i] * sines[i];
        exchange(first, second, words[i].second);
        out[i] = {radius[i] * first, radius[i] * second};
    }
}

/// Addresses whose normals are best made side by side: as many as the registers hold.
#if defined(__AVX512F__)
inline constexpr std::size_t bundle = 4;
#else
inline constexpr std::size_t bundle = 1;
#endif

/// Sixteen normals of each of `count` addresses.
template <std::size_t count>
KTC_INLINE void normals_at(const Stream& stream, const std::uint64_t (&step)[count],
                           const std::uint32_t (&element)[count], NormalPair (&out)[count]) {
    WordPair words[count];
    stream.words(step, element, words);
    normals_of(words, out);
}

}  // namespace ktc::KTC_LEVEL
