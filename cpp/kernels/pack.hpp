#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

/// Eight numbers at once, in registers of whatever width this file is compiled for (kernels.hpp).
/// Every operation is rounded as IEEE 754 says and none is contracted, so that all widths give the
/// same bits.
namespace ktc::KTC_LEVEL {

inline constexpr std::size_t pack_width = 8;

#if defined(__GNUC__)
#define KTC_INLINE inline __attribute__((always_inline))
template <class T>
struct PackOf {
    typedef T type __attribute__((vector_size(8 * sizeof(T))));
};
template <class T>
using Pack = typename PackOf<T>::type;
#else
// Compilers without vector types get loops of eight, which they may make vectors of.
#define KTC_INLINE inline
template <class T>
struct Pack {
    T lane[pack_width];
    T& operator[](std::size_t i) { return lane[i]; }
    T operator[](std::size_t i) const { return lane[i]; }
};
#define KTC_PACK_OPERATOR(op)                                    \
    template <class T>                                           \
    Pack<T> operator op(Pack<T> a, Pack<T> b) {                  \
        for (std::size_t i = 0; i < pack_width; ++i)             \
            a.lane[i] = static_cast<T>(a.lane[i] op b.lane[i]);  \
        return a;                                                \
    }                                                            \
    template <class T>                                           \
    Pack<T> operator op(Pack<T> a, T b) {                        \
        for (T& lane : a.lane) lane = static_cast<T>(lane op b); \
        return a;                                                \
    }                                                            \
    template <class T>                                           \
    Pack<T> operator op(T a, Pack<T> b) {                        \
        for (T& lane : b.lane) lane = static_cast<T>(a op lane); \
        return b;                                                \
    }
KTC_PACK_OPERATOR(+)
KTC_PACK_OPERATOR(-)
KTC_PACK_OPERATOR(*)
KTC_PACK_OPERATOR(/)
KTC_PACK_OPERATOR(&)
KTC_PACK_OPERATOR(|)
KTC_PACK_OPERATOR(^)
KTC_PACK_OPERATOR(<<)
KTC_PACK_OPERATOR(>>)
#undef KTC_PACK_OPERATOR
#endif

using Doubles = Pack<double>;
using Words = Pack<std::uint64_t>;

template <class To, class From>
KTC_INLINE To same_bits(From from) {
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}
KTC_INLINE Doubles as_doubles(Words words) { return same_bits<Doubles>(words); }
KTC_INLINE Words as_words(Doubles doubles) { return same_bits<Words>(doubles); }

KTC_INLINE Doubles load(const double* from) {
    Doubles result;
    std::memcpy(&result, from, sizeof result);
    return result;
}
KTC_INLINE void store(double* to, Doubles value) { std::memcpy(to, &value, sizeof value); }

KTC_INLINE Doubles all(double value) { return Doubles{} + value; }
KTC_INLINE Words all(std::uint64_t value) { return Words{} + value; }

/// Products of the low halves of the words, exact.
KTC_INLINE Words multiply_low(Words a, Words b) {
#if defined(__AVX512F__)
    return same_bits<Words>(_mm512_mul_epu32(same_bits<__m512i>(a), same_bits<__m512i>(b)));
#elif defined(__AVX2__)
    struct Halves {
        __m256i low, high;
    };
    Halves x = same_bits<Halves>(a);
    const Halves y = same_bits<Halves>(b);
    x.low = _mm256_mul_epu32(x.low, y.low);
    x.high = _mm256_mul_epu32(x.high, y.high);
    return same_bits<Words>(x);
#else
    const std::uint64_t low = 0xFFFFFFFFu;
    return (a & low) * (b & low);
#endif
}

/// add_compensated (ground/compensated.hpp) on eight sums.
KTC_INLINE void add_compensated(Doubles& sum, Doubles& carry, Doubles term) {
    const Doubles total = sum + term, shadow = total - sum;
    carry = carry + ((sum - (total - shadow)) + (term - shadow));
    sum = total;
}

KTC_INLINE Doubles absolute(Doubles x) {
    return as_doubles(as_words(x) & ~(std::uint64_t{1} << 63));
}

KTC_INLINE Doubles square_root(Doubles x) {
#if defined(__AVX512F__)
    return same_bits<Doubles>(_mm512_sqrt_pd(same_bits<__m512d>(x)));
#else
    for (std::size_t i = 0; i < pack_width; ++i) x[i] = std::sqrt(x[i]);
    return x;
#endif
}

}  // namespace ktc::KTC_LEVEL
