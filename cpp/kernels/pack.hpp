#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__AVX2__) && defined(__FMA__)
#define KTC_FUSED 1
#else
#define KTC_FUSED 0
#endif

/// Packs of 64 bytes, eight numbers of 64 bits or sixteen of 32 bits, in registers of the width
/// that this file is compiled for (kernels.hpp). The compiler must not contract products and sums;
/// `fused` marks those that are rounded once. Levels with that instruction give the same bits, the
/// others round twice (docs/decisions/fused-operations.md).
namespace ktc::KTC_INSTRUCTION_SET {

template <class T>
inline constexpr std::size_t lanes_of = 64 / sizeof(T);
inline constexpr std::size_t pack_width = lanes_of<double>;

#if defined(__GNUC__)
#define KTC_INLINE inline __attribute__((always_inline))
#define KTC_OUT_OF_LINE __attribute__((noinline))
#else
#define KTC_INLINE inline
#define KTC_OUT_OF_LINE
#endif

#if defined(__AVX512F__)
template <class T>
struct PackOf {
    typedef T type __attribute__((vector_size(64)));
};
template <class T>
using Pack = typename PackOf<T>::type;
template <class T>
using Register = Pack<T>;
#else
/// Part of a pack in one register; a single number if the compiler has no vector types.
template <class T>
struct PartOf {
#if !defined(__GNUC__)
    typedef T type;
#elif KTC_FUSED
    typedef T type __attribute__((vector_size(32)));
#else
    typedef T type __attribute__((vector_size(16)));
#endif
};
template <class T>
using Register = typename PartOf<T>::type;
template <class T>
struct Pack {
    using Part = Register<T>;
    static constexpr std::size_t parts = 64 / sizeof(Part);
    Part part[parts];

    KTC_INLINE T operator[](std::size_t i) const {
        T lanes[lanes_of<T>];
        std::memcpy(lanes, part, sizeof lanes);
        return lanes[i];
    }
};
#define KTC_PACK_OPERATOR(op)                                                         \
    template <class T>                                                                \
    KTC_INLINE Pack<T> operator op(Pack<T> a, Pack<T> b) {                            \
        for (std::size_t i = 0; i < a.parts; ++i) a.part[i] = a.part[i] op b.part[i]; \
        return a;                                                                     \
    }                                                                                 \
    template <class T>                                                                \
    KTC_INLINE Pack<T> operator op(Pack<T> a, T b) {                                  \
        for (std::size_t i = 0; i < a.parts; ++i) a.part[i] = a.part[i] op b;         \
        return a;                                                                     \
    }                                                                                 \
    template <class T>                                                                \
    KTC_INLINE Pack<T> operator op(T a, Pack<T> b) {                                  \
        for (std::size_t i = 0; i < b.parts; ++i) b.part[i] = a op b.part[i];         \
        return b;                                                                     \
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

template <class Packed>
using LaneOf = std::decay_t<decltype(std::declval<Packed>()[0])>;

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
KTC_INLINE void store(std::uint64_t* to, Words value) { std::memcpy(to, &value, sizeof value); }
KTC_INLINE void store(std::uint32_t* to, HalfWords value) { std::memcpy(to, &value, sizeof value); }
KTC_INLINE void store(float* to, Floats value) { std::memcpy(to, &value, sizeof value); }

template <class T>
KTC_INLINE Register<T> load_register(const T* from) {
    Register<T> result;
    std::memcpy(&result, from, sizeof result);
    return result;
}
template <class T>
KTC_INLINE void store_register(T* to, Register<T> value) {
    std::memcpy(to, &value, sizeof value);
}

// Subtracting zero changes no number and is optimised away. Adding zero would change −0.
KTC_INLINE Doubles all(double value) { return value - Doubles{}; }
KTC_INLINE Floats all(float value) { return value - Floats{}; }
KTC_INLINE Words all(std::uint64_t value) { return Words{} + value; }
KTC_INLINE HalfWords all(std::uint32_t value) { return HalfWords{} + value; }

/// a b + c, rounded once if the level can; and the square root.
#if defined(__AVX512F__)
KTC_INLINE Doubles fused(Doubles a, Doubles b, Doubles c) {
    return same_bits<Doubles>(
        _mm512_fmadd_pd(same_bits<__m512d>(a), same_bits<__m512d>(b), same_bits<__m512d>(c)));
}
KTC_INLINE Floats fused(Floats a, Floats b, Floats c) {
    return same_bits<Floats>(
        _mm512_fmadd_ps(same_bits<__m512>(a), same_bits<__m512>(b), same_bits<__m512>(c)));
}
KTC_INLINE Doubles square_root(Doubles x) {
    return same_bits<Doubles>(_mm512_sqrt_pd(same_bits<__m512d>(x)));
}
KTC_INLINE Floats square_root(Floats x) {
    return same_bits<Floats>(_mm512_sqrt_ps(same_bits<__m512>(x)));
}
#elif KTC_FUSED
KTC_INLINE Register<double> fused(Register<double> a, Register<double> b, Register<double> c) {
    return _mm256_fmadd_pd(a, b, c);
}
KTC_INLINE Register<float> fused(Register<float> a, Register<float> b, Register<float> c) {
    return _mm256_fmadd_ps(a, b, c);
}
KTC_INLINE Doubles square_root(Doubles x) {
    for (auto& part : x.part) part = _mm256_sqrt_pd(part);
    return x;
}
KTC_INLINE Floats square_root(Floats x) {
    for (auto& part : x.part) part = _mm256_sqrt_ps(part);
    return x;
}
#else
KTC_INLINE Register<double> fused(Register<double> a, Register<double> b, Register<double> c) {
    return a * b + c;
}
KTC_INLINE Register<float> fused(Register<float> a, Register<float> b, Register<float> c) {
    return a * b + c;
}
#if defined(__SSE2__)
KTC_INLINE Doubles square_root(Doubles x) {
    for (auto& part : x.part) part = _mm_sqrt_pd(part);
    return x;
}
KTC_INLINE Floats square_root(Floats x) {
    for (auto& part : x.part) part = _mm_sqrt_ps(part);
    return x;
}
#else
template <class T>
KTC_INLINE Pack<T> square_root(Pack<T> x) {
    T lanes[lanes_of<T>];
    store(lanes, x);
    for (T& lane : lanes) lane = std::sqrt(lane);
    return load(lanes);
}
#endif
#endif
#if !defined(__AVX512F__)
template <class T>
KTC_INLINE Pack<T> fused(Pack<T> a, Pack<T> b, Pack<T> c) {
    for (std::size_t i = 0; i < a.parts; ++i) a.part[i] = fused(a.part[i], b.part[i], c.part[i]);
    return a;
}
#endif

KTC_INLINE Doubles absolute(Doubles x) {
    return as_doubles(as_words(x) & ~(std::uint64_t{1} << 63));
}

}  // namespace ktc::KTC_INSTRUCTION_SET
