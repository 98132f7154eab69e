#pragma once

#include <type_traits>

#include "kernels/pack.hpp"

/// Operations on random words and on the bits of numbers, in as few instructions as a level allows.
namespace ktc::KTC_INSTRUCTION_SET {

inline constexpr std::uint64_t low_half = 0xFFFFFFFFu;

/// Exact products of the low halves of words.
KTC_INLINE Words multiply_low(Words a, Words b) {
#if defined(__AVX512F__)
    return same_bits<Words>(_mm512_mul_epu32(same_bits<__m512i>(a), same_bits<__m512i>(b)));
#elif KTC_FUSED
    for (std::size_t i = 0; i < a.parts; ++i)
        a.part[i] = same_bits<Words::Part>(
            _mm256_mul_epu32(same_bits<__m256i>(a.part[i]), same_bits<__m256i>(b.part[i])));
    return a;
#elif defined(__SSE2__)
    for (std::size_t i = 0; i < a.parts; ++i)
        a.part[i] = same_bits<Words::Part>(
            _mm_mul_epu32(same_bits<__m128i>(a.part[i]), same_bits<__m128i>(b.part[i])));
    return a;
#else
    return (a & low_half) * (b & low_half);
#endif
}

/// Copies high halves to low halves; the new high halves are arbitrary. AVX-512 uses a shuffle,
/// because multiplications occupy the port of shifts.
KTC_INLINE Words high_halves(Words a) {
#if defined(__AVX512F__)
    return same_bits<Words>(_mm512_shuffle_epi32(same_bits<__m512i>(a), _MM_PERM_DDBB));
#else
    return a >> std::uint64_t{32};
#endif
}

/// Words with the low halves of `low` as low halves and those of `high` as high halves.
KTC_INLINE Words join_halves(Words low, Words high) {
#if defined(__AVX512F__)
    return same_bits<Words>(_mm512_mask_shuffle_epi32(same_bits<__m512i>(low), 0xAAAA,
                                                      same_bits<__m512i>(high), _MM_PERM_CCAA));
#else
    return (high << std::uint64_t{32}) | (low & low_half);
#endif
}

KTC_INLINE Words exclusive_or(Words a, Words b, Words c) {
#if defined(__AVX512F__)
    return same_bits<Words>(_mm512_ternarylogic_epi64(same_bits<__m512i>(a), same_bits<__m512i>(b),
                                                      same_bits<__m512i>(c), 0x96));
#else
    return a ^ b ^ c;
#endif
}

/// (bits & mask) | set.
template <class Word, class Lane>
KTC_INLINE Word masked_or(Word bits, Lane mask, Lane set) {
#if defined(__AVX512F__)
    return same_bits<Word>(_mm512_ternarylogic_epi64(same_bits<__m512i>(bits),
                                                     same_bits<__m512i>(all(mask)),
                                                     same_bits<__m512i>(all(set)), 0xEA));
#else
    return (bits & mask) | set;
#endif
}

/// Changes the sign of a where the top bit of `bits` is set.
template <class Real, class Word>
KTC_INLINE auto turn_sign(Real a, Word bits) {
    using Lane = LaneOf<Word>;
    const Word sign = all(static_cast<Lane>(Lane{1} << (8 * sizeof(Lane) - 1)));
#if defined(__AVX512F__)
    return same_bits<Real>(_mm512_ternarylogic_epi64(
        same_bits<__m512i>(a), same_bits<__m512i>(bits), same_bits<__m512i>(sign), 0x78));
#else
    return same_bits<Real>(same_bits<Word>(a) ^ (bits & sign));
#endif
}

/// Exchanges a and b where the second highest bit of `bits` is set.
#if defined(__AVX512F__)
KTC_INLINE void exchange(Doubles& a, Doubles& b, Words bits) {
    const __mmask8 where = _mm512_test_epi64_mask(same_bits<__m512i>(bits),
                                                  same_bits<__m512i>(all(std::uint64_t{1} << 62)));
    const __m512d x = same_bits<__m512d>(a), y = same_bits<__m512d>(b);
    a = same_bits<Doubles>(_mm512_mask_mov_pd(x, where, y));
    b = same_bits<Doubles>(_mm512_mask_mov_pd(y, where, x));
}
KTC_INLINE void exchange(Floats& a, Floats& b, HalfWords bits) {
    const __mmask16 where = _mm512_test_epi32_mask(same_bits<__m512i>(bits),
                                                   same_bits<__m512i>(all(std::uint32_t{1} << 30)));
    const __m512 x = same_bits<__m512>(a), y = same_bits<__m512>(b);
    a = same_bits<Floats>(_mm512_mask_mov_ps(x, where, y));
    b = same_bits<Floats>(_mm512_mask_mov_ps(y, where, x));
}
#else
template <class Real, class Word>
KTC_INLINE void exchange(Real& a, Real& b, Word bits) {
    using Lane = LaneOf<Word>;
    const Lane below_top = 8 * sizeof(Lane) - 2;
    const Word where = Lane{0} - ((bits >> below_top) & Lane{1});
    const Word change = (same_bits<Word>(a) ^ same_bits<Word>(b)) & where;
    a = same_bits<Real>(same_bits<Word>(a) ^ change);
    b = same_bits<Real>(same_bits<Word>(b) ^ change);
}
#endif

/// Exponent e and mantissa m of a normal x = 2^e m > 0, 1 ≤ m < 2.
template <class Real>
struct Parts {
    Pack<Real> exponent, mantissa;
};
#if defined(__AVX512F__)
KTC_INLINE Parts<double> parts_of(Doubles x) {
    const __m512d value = same_bits<__m512d>(x);
    return {same_bits<Doubles>(_mm512_getexp_pd(value)),
            same_bits<Doubles>(_mm512_getmant_pd(value, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src))};
}
KTC_INLINE Parts<float> parts_of(Floats x) {
    const __m512 value = same_bits<__m512>(x);
    return {same_bits<Floats>(_mm512_getexp_ps(value)),
            same_bits<Floats>(_mm512_getmant_ps(value, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src))};
}
#else
// Integers are converted through the mantissa of 2^52 or 2^23, because vector units before AVX-512
// cannot convert words of 64 bits.
KTC_INLINE Parts<double> parts_of(Doubles x) {
    constexpr std::uint64_t power_52 = 0x4330000000000000, mantissa = 0xFFFFFFFFFFFFF;
    const Words bits = as_words(x);
    return {as_doubles((bits >> std::uint64_t{52}) | power_52) - (0x1p52 + 1023.0),
            as_doubles(masked_or(bits, mantissa, std::uint64_t{0x3FF0000000000000}))};
}
KTC_INLINE Parts<float> parts_of(Floats x) {
    constexpr std::uint32_t power_23 = 0x4B000000, mantissa = 0x7FFFFF;
    const HalfWords bits = as_half_words(x);
    return {as_floats((bits >> std::uint32_t{23}) | power_23) - (0x1p23f + 127.0f),
            as_floats(masked_or(bits, mantissa, std::uint32_t{0x3F800000}))};
}
#endif

/// Entries of a table, indexed by the four leading bits of the mantissa of x.
#if defined(__AVX512F__)
KTC_INLINE Doubles by_leading_bits(const double (&table)[16], Doubles x) {
    const Words index = as_words(x) >> std::uint64_t{48};
    return same_bits<Doubles>(_mm512_permutex2var_pd(
        _mm512_loadu_pd(table), same_bits<__m512i>(index), _mm512_loadu_pd(table + 8)));
}
KTC_INLINE Floats by_leading_bits(const float (&table)[16], Floats x) {
    const HalfWords index = as_half_words(x) >> std::uint32_t{19};
    return same_bits<Floats>(
        _mm512_permutexvar_ps(same_bits<__m512i>(index), _mm512_loadu_ps(table)));
}
#else
template <class T>
KTC_INLINE Pack<T> by_leading_bits(const T (&table)[16], Pack<T> x) {
    using Word = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
    constexpr Word below = sizeof(T) == 8 ? 48 : 19;
    Word index[lanes_of<T>];
    store(index, (same_bits<Pack<Word>>(x) >> below) & Word{15});
    T entries[lanes_of<T>];
    for (std::size_t i = 0; i < lanes_of<T>; ++i) entries[i] = table[index[i]];
    return load(entries);
}
#endif

/// m r − 1, rounded once, for r of twelve bits.
template <class Real>
KTC_INLINE Real product_less_one(Real m, Real r) {
    using Lane = LaneOf<Real>;
#if KTC_FUSED
    return fused(m, r, all(Lane(-1)));
#else
    // Both partial products are exact, and so is the first difference.
    using Word = std::conditional_t<sizeof(Lane) == 8, std::uint64_t, std::uint32_t>;
    constexpr Word tail = sizeof(Lane) == 8 ? Word(0x7FFFFFF) : Word(0xFFF);
    const Real head = same_bits<Real>(same_bits<Pack<Word>>(m) & static_cast<Word>(~tail));
    return (head * r - Lane(1)) + (m - head) * r;
#endif
}

/// Words of 32 bits rounded to single precision.
KTC_INLINE Floats floats_of(HalfWords words) {
#if defined(__AVX512F__)
    return same_bits<Floats>(_mm512_cvtepu32_ps(same_bits<__m512i>(words)));
#else
    // Both halves and the product are exact, so that only the sum is rounded.
    constexpr std::uint32_t power_23 = 0x4B000000;
    const Floats high = as_floats((words >> std::uint32_t{16}) | power_23) - 0x1p23f;
    const Floats low = as_floats(masked_or(words, std::uint32_t{0xFFFF}, power_23)) - 0x1p23f;
    return high * 0x1p16f + low;
#endif
}

/// The pack itself, or one half of sixteen floats in double precision.
KTC_INLINE Doubles doubles_of(Doubles x, std::size_t) { return x; }
KTC_INLINE Doubles doubles_of(Floats x, std::size_t half) {
#if defined(__AVX512F__)
    const __m512 all_of_it = same_bits<__m512>(x);
    const __m256 part =
        half == 0 ? _mm512_castps512_ps256(all_of_it) : _mm512_extractf32x8_ps(all_of_it, 1);
    return same_bits<Doubles>(_mm512_cvtps_pd(part));
#else
    float lanes[lanes_of<float>];
    store(lanes, x);
    double result[pack_width];
    for (std::size_t i = 0; i < pack_width; ++i)
        result[i] = static_cast<double>(lanes[half * pack_width + i]);
    return load(result);
#endif
}

/// Loads eight numbers of either precision in double precision.
KTC_INLINE Doubles load_doubles(const double* from) { return load(from); }
KTC_INLINE Doubles load_doubles(const float* from) {
#if defined(__AVX512F__)
    return same_bits<Doubles>(_mm512_cvtps_pd(_mm256_loadu_ps(from)));
#else
    double result[pack_width];
    for (std::size_t i = 0; i < pack_width; ++i) result[i] = static_cast<double>(from[i]);
    return load(result);
#endif
}

}  // namespace ktc::KTC_INSTRUCTION_SET
