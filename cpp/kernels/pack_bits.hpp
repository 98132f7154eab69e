#pragma once

#include "kernels/pack.hpp"

/// What random words and the bits of numbers need beyond arithmetic, each in the fewest
/// instructions that a level has.
namespace ktc::KTC_LEVEL {

inline constexpr std::uint64_t low_half = 0xFFFFFFFFu;

/// Products of the low halves of the words, exact.
KTC_INLINE Words multiply_low(Words a, Words b) {
#if defined(__AVX512F__)
    return same_bits<Words>(_mm512_mul_epu32(same_bits<__m512i>(a), same_bits<__m512i>(b)));
#elif KTC_FUSED
    using Two = TwoWords;
    const Two x = same_bits<Two>(a), y = same_bits<Two>(b);
    return same_bits<Words>(Two{_mm256_mul_epu32(x.low, y.low), _mm256_mul_epu32(x.high, y.high)});
#elif defined(__SSE2__)
    struct FourWords {
        __m128i part[4];
    };
    FourWords x = same_bits<FourWords>(a);
    const FourWords y = same_bits<FourWords>(b);
    for (int i = 0; i < 4; ++i) x.part[i] = _mm_mul_epu32(x.part[i], y.part[i]);
    return same_bits<Words>(x);
#else
    return (a & low_half) * (b & low_half);
#endif
}

/// High halves brought low; the high halves are left as they come. By a shuffle, which spares the
/// port that multiplies and shifts.
KTC_INLINE Words high_halves(Words a) {
#if defined(__AVX512F__)
    return same_bits<Words>(_mm512_shuffle_epi32(same_bits<__m512i>(a), _MM_PERM_DDBB));
#else
    return a >> std::uint64_t{32};
#endif
}

/// Low halves of `low` below those of `high`.
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
KTC_INLINE Words masked_or(Words bits, std::uint64_t mask, std::uint64_t set) {
#if defined(__AVX512F__)
    return same_bits<Words>(_mm512_ternarylogic_epi64(same_bits<__m512i>(bits),
                                                      same_bits<__m512i>(all(mask)),
                                                      same_bits<__m512i>(all(set)), 0xEA));
#else
    return (bits & mask) | set;
#endif
}

/// a with its sign turned where the top bit of `bits` is set.
KTC_INLINE Doubles turn_sign(Doubles a, Words bits) {
    constexpr std::uint64_t sign = std::uint64_t{1} << 63;
#if defined(__AVX512F__)
    return same_bits<Doubles>(_mm512_ternarylogic_epi64(
        same_bits<__m512i>(a), same_bits<__m512i>(bits), same_bits<__m512i>(all(sign)), 0x78));
#else
    return as_doubles(as_words(a) ^ (bits & sign));
#endif
}

/// Exchanges a and b where the bit below the top one of `bits` is set.
KTC_INLINE void exchange(Doubles& a, Doubles& b, Words bits) {
    constexpr std::uint64_t chosen = std::uint64_t{1} << 62;
#if defined(__AVX512F__)
    const __mmask8 where =
        _mm512_test_epi64_mask(same_bits<__m512i>(bits), same_bits<__m512i>(all(chosen)));
    const __m512d x = same_bits<__m512d>(a), y = same_bits<__m512d>(b);
    a = same_bits<Doubles>(_mm512_mask_mov_pd(x, where, y));
    b = same_bits<Doubles>(_mm512_mask_mov_pd(y, where, x));
#else
    const Words where = std::uint64_t{0} - ((bits & chosen) >> std::uint64_t{62});
    const Words change = (as_words(a) ^ as_words(b)) & where;
    a = as_doubles(as_words(a) ^ change);
    b = as_doubles(as_words(b) ^ change);
#endif
}

/// e and m of a normal x = 2^e m > 0, 1 ≤ m < 2.
struct DoubleParts {
    Doubles exponent, mantissa;
};
KTC_INLINE DoubleParts parts_of(Doubles x) {
#if defined(__AVX512F__)
    const __m512d value = same_bits<__m512d>(x);
    return {same_bits<Doubles>(_mm512_getexp_pd(value)),
            same_bits<Doubles>(_mm512_getmant_pd(value, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src))};
#else
    // Integer to double by the mantissa of 2^52: vector units before AVX-512 have no conversion.
    constexpr std::uint64_t power_52 = 0x4330000000000000, one = 0x3FF0000000000000;
    const Words bits = as_words(x);
    return {as_doubles((bits >> std::uint64_t{52}) | power_52) - (0x1p52 + 1023.0),
            as_doubles(masked_or(bits, 0xFFFFFFFFFFFFF, one))};
#endif
}

/// Entries of a table of sixteen, chosen by the four leading bits of the mantissa of x.
KTC_INLINE Doubles by_leading_bits(const double (&table)[16], Doubles x) {
    const Words index = as_words(x) >> std::uint64_t{48};
#if defined(__AVX512F__)
    return same_bits<Doubles>(_mm512_permutex2var_pd(
        _mm512_loadu_pd(table), same_bits<__m512i>(index), _mm512_loadu_pd(table + 8)));
#else
    Doubles result;
    for (std::size_t i = 0; i < pack_width; ++i) result[i] = table[index[i] & 15u];
    return result;
#endif
}

/// m r − 1 rounded once, r a number of twelve bits.
KTC_INLINE Doubles product_less_one(Doubles m, Doubles r) {
#if KTC_FUSED
    return fused(m, r, all(-1.0));
#else
    // Both partial products are exact, and so is the first difference.
    const Doubles head = as_doubles(as_words(m) & ~std::uint64_t{0x7FFFFFF});
    return (head * r - 1.0) + (m - head) * r;
#endif
}

}  // namespace ktc::KTC_LEVEL
