/// What the machine can do when nothing but the arithmetic is left: Philox4x32-10 (Salmon et al.,
/// Proc. SC11, 2011), Box–Muller by polynomials, and one overdamped unit in a moving trap by
/// Euler–Maruyama with its work, fused and in registers. No ledger, no heat, no controls, no
/// portability: a yardstick for `python -m benchmarks`, which compiles it for the machine at hand.

#if !defined(__AVX512F__) || !defined(__AVX512DQ__)
#error "the bare kernel needs AVX-512"
#endif

#include <immintrin.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#define INLINE static inline __attribute__((always_inline))

namespace {

using Words = __m512i;
struct FourWords {
    Words word[4];
};

/// Counters count up; the key is fixed, as one stream is all that a rate needs.
struct Philox {
    std::uint64_t counter = 0;
    std::uint32_t key_0 = 0x12345678, key_1 = 0x9abcdef0;

    /// Eight counters in 64-bit lanes, of which only the low halves count.
    INLINE FourWords eight(Words low, std::uint32_t key_0, std::uint32_t key_1) {
        const Words first = _mm512_set1_epi64(0xD2511F53), second = _mm512_set1_epi64(0xCD9E8D57);
        Words c0 = low, c1 = _mm512_srli_epi64(low, 32);
        Words c2 = _mm512_setzero_si512(), c3 = _mm512_setzero_si512();
        for (int round = 0; round < 10; ++round) {
            const Words p0 = _mm512_mul_epu32(c0, first), p1 = _mm512_mul_epu32(c2, second);
            constexpr int exclusive_or = 0x96;
            c0 = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p1, 32), c1, _mm512_set1_epi64(key_0),
                                           exclusive_or);
            c2 = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p0, 32), c3, _mm512_set1_epi64(key_1),
                                           exclusive_or);
            c1 = p1;
            c3 = p0;
            key_0 += 0x9E3779B9;
            key_1 += 0xBB67AE85;
        }
        return {{c0, c1, c2, c3}};
    }

    /// Sixty-four words of the next sixteen counters: the low halves of two times eight, woven.
    __attribute__((always_inline)) FourWords next() {
        const Words lane = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
        const Words start = _mm512_add_epi64(_mm512_set1_epi64(std::int64_t(counter)), lane);
        const FourWords even = eight(start, key_0, key_1);
        const FourWords odd = eight(_mm512_add_epi64(start, _mm512_set1_epi64(8)), key_0, key_1);
        counter += 16;
        FourWords woven;
        for (std::size_t i = 0; i < 4; ++i)
            woven.word[i] =
                _mm512_mask_shuffle_epi32(even.word[i], 0xAAAA, odd.word[i], _MM_PERM_CCAA);
        return woven;
    }
};

/// Taylor's coefficients of the sine (odd) or cosine (even) of a quarter turn times y, in y².
template <std::size_t terms>
constexpr std::array<double, terms> quarter_turn_series(int parity) {
    std::array<double, terms> result{};
    double term = parity ? std::numbers::pi / 2 : 1.0;
    for (std::size_t k = 0; k < terms; ++k) {
        result[k] = term;
        const double n = 2.0 * double(k) + parity;
        term *= -(std::numbers::pi / 2) * (std::numbers::pi / 2) / ((n + 1) * (n + 2));
    }
    return result;
}

/// Eight doubles. Truncation leaves 2e−14 of the sine, 1e−15 of the cosine and of the logarithm.
struct Double {
    using Number = double;
    using Pack = __m512d;
    static constexpr std::size_t lanes = 8;
    static constexpr auto sine = quarter_turn_series<7>(1);
    static constexpr auto cosine = quarter_turn_series<8>(0);
    /// log₂(1 + f)/f for |f| ≤ 1/32.
    static constexpr std::array<double, 9> logarithm = [] {
        std::array<double, 9> result{};
        for (std::size_t k = 0; k < result.size(); ++k)
            result[k] = (k % 2 ? -1 : 1) / (double(k + 1) * std::numbers::ln2);
        return result;
    }();

    INLINE Pack all(double value) { return _mm512_set1_pd(value); }
    INLINE Pack multiply_add(Pack a, Pack b, Pack c) { return _mm512_fmadd_pd(a, b, c); }
    INLINE Pack multiply(Pack a, Pack b) { return _mm512_mul_pd(a, b); }
    INLINE Pack add(Pack a, Pack b) { return _mm512_add_pd(a, b); }
    INLINE void store(double* to, Pack value) { _mm512_storeu_pd(to, value); }
    INLINE Pack uniform(Words w) {
        return multiply_add(_mm512_cvtepu64_pd(w), all(0x1p-64), all(0x1p-65));
    }
    INLINE Pack log2(Pack u);
    INLINE Pack root_of_positive(Pack x) {
        return _mm512_sqrt_pd(_mm512_max_pd(x, _mm512_setzero_pd()));
    }
    /// Where in its quadrant, −½ to ½: what is left of an angle below its two highest bits.
    INLINE Pack within(Words w) {
        return multiply(_mm512_cvtepi64_pd(_mm512_slli_epi64(w, 2)), all(0x1p-64));
    }
    INLINE void choose(Words w, Pack& c, Pack& s) {
        const Words high = _mm512_set1_epi64(std::int64_t(1) << 62);
        const Words top = _mm512_set1_epi64(INT64_MIN);
        const __mmask8 swap = _mm512_test_epi64_mask(w, high);
        const Words sign = _mm512_and_si512(w, top);
        const Words turned = _mm512_slli_epi64(_mm512_and_si512(w, high), 1);
        const Pack first = _mm512_mask_mov_pd(c, swap, s), second = _mm512_mask_mov_pd(s, swap, c);
        c = flip(first, _mm512_xor_si512(sign, turned));
        s = flip(second, sign);
    }
    INLINE Pack flip(Pack value, Words sign) {
        return _mm512_castsi512_pd(_mm512_xor_si512(_mm512_castpd_si512(value), sign));
    }
};

/// Sixteenths of [1, 2): reciprocals of their middles, and the logarithms of those middles.
struct Sixteenths {
    alignas(64) double reciprocal[16], log2[16];
    Sixteenths() {
        for (int i = 0; i < 16; ++i) {
            reciprocal[i] = 1 / (1 + (i + 0.5) / 16);
            log2[i] = -std::log2(reciprocal[i]);
        }
    }
} const sixteenths;

/// Horner's rule.
template <class Lane, class Coefficient, std::size_t terms>
INLINE typename Lane::Pack polynomial(const std::array<Coefficient, terms>& coefficients,
                                      typename Lane::Pack z) {
    auto result = Lane::all(coefficients[terms - 1]);
    for (std::size_t k = terms - 1; k-- > 0;)
        result = Lane::multiply_add(result, z, Lane::all(coefficients[k]));
    return result;
}

inline __attribute__((always_inline)) __m512d Double::log2(__m512d u) {
    const Pack mantissa = _mm512_getmant_pd(u, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src);
    const Words part = _mm512_srli_epi64(_mm512_castpd_si512(u), 48);
    const auto look_up = [&](const double* table) {
        return _mm512_permutex2var_pd(_mm512_load_pd(table), part, _mm512_load_pd(table + 8));
    };
    const Pack f = _mm512_fmsub_pd(mantissa, look_up(sixteenths.reciprocal), all(1.0));
    const Pack whole = add(_mm512_getexp_pd(u), look_up(sixteenths.log2));
    return multiply_add(polynomial<Double>(logarithm, f), f, whole);
}

/// Sixteen floats. The polynomials interpolate at Chebyshev's points; each leaves about 1e−8.
struct Single {
    using Number = float;
    using Pack = __m512;
    static constexpr std::size_t lanes = 16;
    static constexpr std::array<float, 4> sine = {1.57079632f, -0.645963478f, 0.0796802176f,
                                                  -0.00460214921f};
    static constexpr std::array<float, 5> cosine = {1.0f, -1.23370054f, 0.253669204f,
                                                    -0.0208600695f, 0.000903628059f};
    /// log₂(1 + f)/f for −¼ ≤ f < ½.
    static constexpr std::array<float, 9> logarithm = {1.44269504f,   -0.721348511f, 0.480900792f,
                                                       -0.360571568f, 0.28823652f,   -0.242887751f,
                                                       0.216013245f,  -0.172500522f, 0.0763922372f};

    INLINE Pack all(double value) { return _mm512_set1_ps(float(value)); }
    INLINE Pack multiply_add(Pack a, Pack b, Pack c) { return _mm512_fmadd_ps(a, b, c); }
    INLINE Pack multiply(Pack a, Pack b) { return _mm512_mul_ps(a, b); }
    INLINE Pack add(Pack a, Pack b) { return _mm512_add_ps(a, b); }
    INLINE void store(float* to, Pack value) { _mm512_storeu_ps(to, value); }
    INLINE Pack uniform(Words w) {
        return multiply_add(_mm512_cvtepu32_ps(w), all(0x1p-32), all(0x1p-33));
    }
    INLINE Pack log2(Pack u) {
        // Offset so that the mantissa falls in [¾, 1½).
        constexpr int one = 0x3F800000, three_quarters = 0x3F400000;
        const Words bits =
            _mm512_add_epi32(_mm512_castps_si512(u), _mm512_set1_epi32(one - three_quarters));
        const Words exponent =
            _mm512_sub_epi32(_mm512_srli_epi32(bits, 23), _mm512_set1_epi32(127));
        const Words mantissa = _mm512_add_epi32(_mm512_and_si512(bits, _mm512_set1_epi32(0x7FFFFF)),
                                                _mm512_set1_epi32(three_quarters));
        const Pack f = _mm512_sub_ps(_mm512_castsi512_ps(mantissa), all(1.0));
        return multiply_add(polynomial<Single>(logarithm, f), f, _mm512_cvtepi32_ps(exponent));
    }
    INLINE Pack root_of_positive(Pack x) {
        return _mm512_sqrt_ps(_mm512_max_ps(x, _mm512_setzero_ps()));
    }
    INLINE Pack within(Words w) {
        return multiply(_mm512_cvtepi32_ps(_mm512_slli_epi32(w, 2)), all(0x1p-32));
    }
    INLINE void choose(Words w, Pack& c, Pack& s) {
        const Words high = _mm512_set1_epi32(1 << 30), top = _mm512_set1_epi32(INT32_MIN);
        const __mmask16 swap = _mm512_test_epi32_mask(w, high);
        const Words sign = _mm512_and_si512(w, top);
        const Words turned = _mm512_slli_epi32(_mm512_and_si512(w, high), 1);
        const Pack first = _mm512_mask_mov_ps(c, swap, s), second = _mm512_mask_mov_ps(s, swap, c);
        c = flip(first, _mm512_xor_si512(sign, turned));
        s = flip(second, sign);
    }
    INLINE Pack flip(Pack value, Words sign) {
        return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(value), sign));
    }
};

/// Box–Muller: the radius of one word, the angle of another.
template <class Lane>
INLINE void normals(Words radius, Words angle, typename Lane::Pack* out) {
    const auto minus_2_log =
        Lane::multiply(Lane::log2(Lane::uniform(radius)), Lane::all(-2 * std::numbers::ln2));
    const auto r = Lane::root_of_positive(minus_2_log);
    const auto y = Lane::within(angle), z = Lane::multiply(y, y);
    auto c = polynomial<Lane>(Lane::cosine, z);
    auto s = Lane::multiply(polynomial<Lane>(Lane::sine, z), y);
    Lane::choose(angle, c, s);
    out[0] = Lane::multiply(r, c);
    out[1] = Lane::multiply(r, s);
}

template <class Lane>
INLINE void four_packs(Philox& philox, typename Lane::Pack* out) {
    const FourWords words = philox.next();
    normals<Lane>(words.word[0], words.word[1], out);
    normals<Lane>(words.word[2], words.word[3], out + 2);
}

template <class Lane>
void fill(typename Lane::Number* out, std::size_t count, std::uint64_t first) {
    Philox philox{first};
    for (std::size_t i = 0; i + 4 * Lane::lanes <= count; i += 4 * Lane::lanes) {
        typename Lane::Pack z[4];
        four_packs<Lane>(philox, z);
        for (std::size_t k = 0; k < 4; ++k) Lane::store(out + i + k * Lane::lanes, z[k]);
    }
}

/// k = γ = kT = 1. `centre` has the start, one value a tick, and the end.
template <class Lane>
void trap(typename Lane::Number* work, std::size_t replicas, const double* centre,
          std::size_t ticks, double step, std::uint64_t first) {
    using Number = typename Lane::Number;
    struct Tick {
        Number change, pull;
    };
    std::vector<Tick> schedule(ticks);
    for (std::size_t i = 0; i < ticks; ++i)
        schedule[i] = {Number(centre[i] - centre[i + 1]), Number(step * centre[i + 1])};
    // ½(x − λ)² changes by x (λ − λ′), and by an amount that does not depend on x.
    const double start = centre[0], end = centre[ticks + 1];
    const auto apart = Lane::all((end * end - start * start) / 2);
    const auto last = Lane::all(centre[ticks] - end);
    const auto keep = Lane::all(1 - step), width = Lane::all(std::sqrt(2 * step));
    Philox philox{first};
    for (std::size_t r = 0; r + 4 * Lane::lanes <= replicas; r += 4 * Lane::lanes) {
        typename Lane::Pack x[4], w[4];
        four_packs<Lane>(philox, x);
        for (auto& pack : w) pack = apart;
        for (const Tick& tick : schedule) {
            const auto change = Lane::all(tick.change), pull = Lane::all(tick.pull);
            typename Lane::Pack z[4];
            four_packs<Lane>(philox, z);
            for (std::size_t k = 0; k < 4; ++k) {
                w[k] = Lane::multiply_add(change, x[k], w[k]);
                x[k] = Lane::multiply_add(keep, x[k], Lane::multiply_add(width, z[k], pull));
            }
        }
        for (std::size_t k = 0; k < 4; ++k)
            Lane::store(work + r + k * Lane::lanes, Lane::multiply_add(last, x[k], w[k]));
    }
}

}  // namespace

extern "C" {
/// The four words of counter and key zero, for the known-answer test.
void bare_philox(std::uint32_t* out) {
    const FourWords words = Philox{0, 0, 0}.next();
    for (std::size_t i = 0; i < 4; ++i) out[i] = std::uint32_t(_mm512_cvtsi512_si32(words.word[i]));
}
/// Counts are multiples of 32 (double) and 64 (single).
void bare_normals_float64(double* out, std::size_t count, std::uint64_t first) {
    fill<Double>(out, count, first);
}
void bare_normals_float32(float* out, std::size_t count, std::uint64_t first) {
    fill<Single>(out, count, first);
}
void bare_trap_float64(double* work, std::size_t replicas, const double* centre, std::size_t ticks,
                       double step, std::uint64_t first) {
    trap<Double>(work, replicas, centre, ticks, step, first);
}
void bare_trap_float32(float* work, std::size_t replicas, const double* centre, std::size_t ticks,
                       double step, std::uint64_t first) {
    trap<Single>(work, replicas, centre, ticks, step, first);
}
}
