#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/normal_series.hpp"
#include "kernels/philox_pack.hpp"

/// Normals of one address in two packs: sixteen in double, thirty-two in single precision
/// (kernels/kernels.hpp).
namespace ktc::KTC_INSTRUCTION_SET {

template <class Real>
struct NormalPair {
    Pack<Real> first, second;
};

/// Uniform numbers in (0, 1), odd multiples of 2^−53, from the mantissa of numbers in [1, 2).
KTC_INLINE Doubles uniform(Words word) {
    constexpr std::uint64_t one = 0x3FF0000000000000;
    return as_doubles((word >> std::uint64_t{12}) | one) - (1.0 - 0x1p-53);
}

/// Horner's scheme for `count` arguments side by side, whose independent products hide latency.
template <std::size_t count, std::size_t terms, class Real>
KTC_INLINE void polynomial(const Real (&coefficient)[terms], const Pack<Real>* x,
                           Pack<Real> (&value)[count]) {
    for (std::size_t i = 0; i < count; ++i) value[i] = all(coefficient[terms - 1]);
    for (std::size_t k = terms - 1; k-- > 0;)
        for (std::size_t i = 0; i < count; ++i)
            value[i] = fused(value[i], x[i], all(coefficient[k]));
}

/// √(−2 ln u) for u in (0, 1), given 2u = 2^e m: −2 ln u = −2e ln 2 + 2 ln 2r − 2 ln(m r) with r
/// near 1/m from a table, so that no terms cancel. For u near 1, e = 0 and r = ½, and only the last
/// term is not zero.
template <class Real, std::size_t count>
KTC_INLINE void radii(const Pack<Real>* twice, Pack<Real> (&radius)[count]) {
    using Series = NormalSeries<Real>;
    Pack<Real> excess[count], base[count], series[count];
    for (std::size_t i = 0; i < count; ++i) {
        const Parts<Real> parts = parts_of(twice[i]);
        excess[i] = product_less_one(parts.mantissa, by_leading_bits(Series::reciprocal, twice[i]));
        base[i] = fused(parts.exponent, all(Series::minus_two_ln_2),
                        by_leading_bits(Series::offset, twice[i]));
    }
    polynomial(Series::logarithm, excess, series);
    for (std::size_t i = 0; i < count; ++i)
        radius[i] = square_root(fused(series[i], excess[i], base[i]));
}

/// 2u of a radius word.
KTC_INLINE Doubles twice_uniform(Words word) {
    constexpr std::uint64_t mantissa = 0xFFFFFFFFFFFFF, two = 0x4000000000000000;
    return as_doubles(masked_or(word, mantissa, two)) - (2.0 - 0x1p-52);
}
KTC_INLINE Floats twice_uniform(HalfWords word) {
    return fused(floats_of(word), all(0x1p-31f - 0x1p-55f), all(0x1p-32f));
}

/// y of an angle word, an odd multiple of 2^−52 or 2^−23 between −½ and ½.
KTC_INLINE Doubles place_in_quarter(Words word) {
    constexpr std::uint64_t middle = 0xFFFFFFFFFFFFE, ends = 0x3FF0000000000001;
    return as_doubles(masked_or(word, middle, ends)) - 1.5;
}
KTC_INLINE Floats place_in_quarter(HalfWords word) {
    constexpr std::uint32_t middle = 0x7FFFFE, ends = 0x3F800001;
    return as_floats(masked_or(word, middle, ends)) - 1.5f;
}

/// Normals of `count` pairs of words.
template <class Real, std::size_t count>
KTC_INLINE void normals_of(const WordPair (&words)[count], NormalPair<Real> (&out)[count]) {
    using Word = Pack<std::conditional_t<sizeof(Real) == 8, std::uint64_t, std::uint32_t>>;
    Pack<Real> twice[count], radius[count], y[count], z[count], sines[count], cosines[count];
    for (std::size_t i = 0; i < count; ++i) {
        twice[i] = twice_uniform(same_bits<Word>(words[i].first));
        y[i] = place_in_quarter(same_bits<Word>(words[i].second));
        z[i] = y[i] * y[i];
    }
    radii<Real>(twice, radius);
    polynomial(NormalSeries<Real>::cosine, z, cosines);
    polynomial(NormalSeries<Real>::sine, z, sines);
    for (std::size_t i = 0; i < count; ++i) {
        const Word angle = same_bits<Word>(words[i].second);
        Pack<Real> first = turn_sign(cosines[i], angle), second = y[i] * sines[i];
        exchange(first, second, angle);
        out[i] = {radius[i] * first, radius[i] * second};
    }
}

/// Number of addresses whose normals are made side by side: as many as fit in the registers.
#if defined(__AVX512F__)
inline constexpr std::size_t bundle = 4;
#else
inline constexpr std::size_t bundle = 1;
#endif

/// Normals of `count` addresses.
template <class Real, std::size_t count>
KTC_INLINE void normals_at(const Stream& stream, const std::uint64_t (&step)[count],
                           const std::uint32_t (&element)[count], NormalPair<Real> (&out)[count]) {
    WordPair words[count];
    stream.words(step, element, words);
    normals_of(words, out);
}

}  // namespace ktc::KTC_INSTRUCTION_SET
