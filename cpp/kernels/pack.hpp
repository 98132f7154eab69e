#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__AVX2__) && defined(__FMA__)
#define KTC_FUSED 1
#else
#define KTC_FUSED 0
#endif

/// Sixty-four bytes of numbers at once: eight of 64 bits or sixteen of 32, in registers of whatever
/// width this file is compiled for (kernels.hpp). The compiler contracts nothing; where a product
/// and a sum are rounded once, the code says `fused`. Levels that have the instruction give the
/// same bits, the others the bits of two roundings (docs/decisions/contraction-under-control.md).
namespace ktc::KTC_LEVEL {

template <class T>
inline constexpr std::size_t lanes_of = 64 / sizeof(T);
inline constexpr std::size_t pack_width = lanes_of<double>;

#if defined(__GNUC__)
#define KTC_INLINE inline __attribute__((always_inline))
template <class T>
struct PackOf {
    typedef T type __attribute__((vector_size(64)));
};
template <class T>
using Pack = typename PackOf<T>::type;
#else
// Compilers without vector types get loops, which they may make vectors of.
#define KTC_INLINE inline
template <class T>
struct Pack {
    T lane[lanes_of<T>];
    T& operator[](std::size_t i) { return lane[i]; }
    T operator[](std::size_t i) const { return lane[i]; }
};
#define KTC_PACK_OPERATOR(op)                                    \
    template <class T>                                           \
    Pack<T> operator op(Pack<T> a, Pack<T> b) {                  \
        for (std::size_t i = 0; i < lanes_of<T>; ++i)            \
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
using Floats = Pack<float>;
using Words = Pack<std::uint64_t>;
using HalfWords = Pack<std::uint32_t>;

template <class To, class From>
KTC_INLINE To same_bits(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}
KTC_INLINE Doubles as_doubles(Words words) { return same_bits<Doubles>(words); }
KTC_INLINE Words as_words(Doubles doubles) { return same_bits<Words>(doubles); }
KTC_INLINE Floats as_floats(HalfWords words) { return same_bits<Floats>(words); }
KTC_INLINE HalfWords as_half_words(Floats floats) { return same_bits<HalfWords>(floats); }

template <class T>
KTC_INLINE Pack<T> load(const T* from) {
    Pack<T> result;
    std::memcpy(&result, from, sizeof result);
    return result;
}
KTC_INLINE void store(double* to, Doubles value) { std::memcpy(to, &value, sizeof value); }
KTC_INLINE void store(float* to, Floats value) { std::memcpy(to, &value, sizeof value); }

KTC_INLINE Doubles all(double value) { return Doubles{} + value; }
KTC_INLINE Floats all(float value) { return Floats{} + value; }
KTC_INLINE Words all(std::uint64_t value) { return Words{} + value; }
KTC_INLINE HalfWords all(std::uint32_t value) { return HalfWords{} + value; }

#if defined(__AVX512F__)
KTC_INLINE Doubles fused(Doubles a, Doubles b, Doubles c) {
    return same_bits<Doubles>(
        _mm512_fmadd_pd(same_bits<__m512d>(a), same_bits<__m512d>(b), same_bits<__m512d>(c)));
}
KTC_INLINE Floats fused(Floats a, Floats b, Floats c) {
    return same_bits<Floats>(
        _mm512_fmadd_ps(same_bits<__m512>(a), same_bits<__m512>(b), same_bits<__m512>(c)));
}
#elif KTC_FUSED
/// A pack in two registers of 256 bits.
struct TwoDoubles {
    __m256d low, high;
};
struct TwoFloats {
    __m256 low, high;
};
struct TwoWords {
    __m256i low, high;
};
KTC_INLINE Doubles fused(Doubles a, Doubles b, Doubles c) {
    using Two = TwoDoubles;
    const Two x = same_bits<Two>(a), y = same_bits<Two>(b), z = same_bits<Two>(c);
    return same_bits<Doubles>(
        Two{_mm256_fmadd_pd(x.low, y.low, z.low), _mm256_fmadd_pd(x.high, y.high, z.high)});
}
KTC_INLINE Floats fused(Floats a, Floats b, Floats c) {
    using Two = TwoFloats;
    const Two x = same_bits<Two>(a), y = same_bits<Two>(b), z = same_bits<Two>(c);
    return same_bits<Floats>(
        Two{_mm256_fmadd_ps(x.low, y.low, z.low), _mm256_fmadd_ps(x.high, y.high, z.high)});
}
#else
KTC_INLINE Doubles fused(Doubles a, Doubles b, Doubles c) { return a * b + c; }
KTC_INLINE Floats fused(Floats a, Floats b, Floats c) { return a * b + c; }
#endif

#if defined(__AVX512F__)
KTC_INLINE Doubles square_root(Doubles x) {
    return same_bits<Doubles>(_mm512_sqrt_pd(same_bits<__m512d>(x)));
}
KTC_INLINE Floats square_root(Floats x) {
    return same_bits<Floats>(_mm512_sqrt_ps(same_bits<__m512>(x)));
}
#elif KTC_FUSED
KTC_INLINE Doubles square_root(Doubles x) {
    using Two = TwoDoubles;
    const Two parts = same_bits<Two>(x);
    return same_bits<Doubles>(Two{_mm256_sqrt_pd(parts.low), _mm256_sqrt_pd(parts.high)});
}
KTC_INLINE Floats square_root(Floats x) {
    using Two = TwoFloats;
    const Two parts = same_bits<Two>(x);
    return same_bits<Floats>(Two{_mm256_sqrt_ps(parts.low), _mm256_sqrt_ps(parts.high)});
}
#else
KTC_INLINE Doubles square_root(Doubles x) {
    for (std::size_t i = 0; i < lanes_of<double>; ++i) x[i] = std::sqrt(x[i]);
    return x;
}
KTC_INLINE Floats square_root(Floats x) {
    for (std::size_t i = 0; i < lanes_of<float>; ++i) x[i] = std::sqrt(x[i]);
    return x;
}
#endif

KTC_INLINE Doubles absolute(Doubles x) {
    return as_doubles(as_words(x) & ~(std::uint64_t{1} << 63));
}

/// add_compensated (ground/compensated.hpp) on eight sums.
KTC_INLINE void add_compensated(Doubles& sum, Doubles& carry, Doubles term) {
    const Doubles total = sum + term, shadow = total - sum;
    carry = carry + ((sum - (total - shadow)) + (term - shadow));
    sum = total;
}

}  // namespace ktc::KTC_LEVEL
