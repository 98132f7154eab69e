#include "ground/normal.hpp"

#include <bit>
#include <cmath>
#include <cstddef>

#include "ground/clones.hpp"
#include "ground/philox.hpp"

namespace ktc {
namespace {

constexpr std::size_t counters = group_width / 2;
constexpr double ln_2 = 0x1.62e42fefa39efp-1, quarter_turn = 0x1.921fb54442d18p+0;

/// ln u of a normal u > 0: u = 2^e m with m in [√½, √2), and
///     ln m = 2 artanh s = 2 Σ s^(2k+1)/(2k+1),   s = (m − 1)/(m + 1).
/// With s² < 0.0295 eleven terms leave 4e−19 of s.
inline double logarithm(double u) {
    const std::uint64_t bits = std::bit_cast<std::uint64_t>(u);
    // The mantissa bits of √2: above them the number belongs to the next exponent.
    const std::uint64_t carry =
        ((bits & 0xFFFFFFFFFFFFFu) + (0x10000000000000u - 0x6A09E667F3BCDu)) >> 52;
    const std::uint64_t exponent = (bits >> 52) + carry;
    const double m = std::bit_cast<double>((bits & 0xFFFFFFFFFFFFFu) | ((1023 - carry) << 52));
    // Integer to double by the mantissa of 2^52: vector units before AVX-512 have no conversion.
    const double e = std::bit_cast<double>(exponent | 0x4330000000000000u) - (0x1p52 + 1023.0);
    const double s = (m - 1.0) / (m + 1.0), z = s * s;
    double series = 1.0 / 21;
    for (int k = 9; k >= 1; --k) series = 1.0 / (2 * k + 1) + z * series;
    return e * ln_2 + (2.0 * s + 2.0 * s * z * series);
}

struct Turn {
    double cosine, sine;
};

/// Cosine and sine of ½π y for |y| ≤ ½ by Taylor's series, to 5e−17.
inline Turn turn(double y) {
    const double t = quarter_turn * y, z = -t * t;
    double sine = 1.0, cosine = 1.0;
    for (int k = 14; k >= 2; k -= 2) sine = 1.0 + sine * z * (1.0 / (k * (k + 1)));
    for (int k = 15; k >= 1; k -= 2) cosine = 1.0 + cosine * z * (1.0 / (k * (k + 1)));
    return {cosine, t * sine};
}

/// 52 bits after the one, less one, plus half the last place: odd multiples of 2^−53.
inline double uniform(std::uint64_t word) {
    return (std::bit_cast<double>((word >> 12) | 0x3FF0000000000000u) - 1.0) + 0x1p-53;
}

/// The eight pairs of 64-bit words of a group.
inline void words16(const StreamAddress& address, std::uint64_t* first, std::uint64_t* second) {
    std::uint32_t c0[counters], c1[counters], c2[counters], c3[counters];
    for (std::uint32_t i = 0; i < counters; ++i) {
        c0[i] = philox::low(address.step);
        c1[i] = philox::high(address.step);
        c2[i] = static_cast<std::uint32_t>(address.group << 3) | i;
        c3[i] = (static_cast<std::uint32_t>(address.purpose) << element_bits) | address.element;
    }
    std::uint32_t key_0 = philox::low(address.seed), key_1 = philox::high(address.seed);
    for (int r = 0; r < philox::rounds; ++r) {
        KTC_AS_VECTORS
        for (std::size_t i = 0; i < counters; ++i)
            philox::round(c0[i], c1[i], c2[i], c3[i], key_0, key_1);
        key_0 += philox::weyl_0;
        key_1 += philox::weyl_1;
    }
    KTC_AS_VECTORS
    for (std::size_t i = 0; i < counters; ++i) {
        first[i] = (std::uint64_t{c1[i]} << 32) | c0[i];
        second[i] = (std::uint64_t{c3[i]} << 32) | c2[i];
    }
}

/// One pair of normals. The loops around it have no branch and no call: they become vectors.
inline void pair(std::uint64_t radius_word, std::uint64_t angle_word, double& first,
                 double& second) {
    const double radius = std::sqrt(-2.0 * logarithm(uniform(radius_word)));
    // Two bits choose the quadrant, the others the angle within it, from −½ to ½ of a quarter turn.
    const double y = std::bit_cast<double>(((angle_word << 2) >> 12) | 0x3FF0000000000000u) - 1.5;
    const Turn within = turn(y + 0x1p-53);
    const std::uint64_t odd = (angle_word >> 62) & 1u, half = angle_word & (std::uint64_t{1} << 63);
    const std::uint64_t c = std::bit_cast<std::uint64_t>(within.cosine);
    const std::uint64_t s = std::bit_cast<std::uint64_t>(within.sine);
    const std::uint64_t swap = (c ^ s) & (0u - odd);
    first = radius * std::bit_cast<double>((c ^ swap) ^ half ^ (odd << 63));
    second = radius * std::bit_cast<double>((s ^ swap) ^ half);
}

}  // namespace

KTC_CLONES void transform16(const std::uint64_t* radius, const std::uint64_t* angle, double* out) {
    KTC_AS_VECTORS
    for (std::size_t i = 0; i < counters; ++i) pair(radius[i], angle[i], out[i], out[counters + i]);
}

KTC_CLONES void normals16(const StreamAddress& address, double* out) {
    std::uint64_t radius[counters], angle[counters];
    words16(address, radius, angle);
    KTC_AS_VECTORS
    for (std::size_t i = 0; i < counters; ++i) pair(radius[i], angle[i], out[i], out[counters + i]);
}

void uniforms16(const StreamAddress& address, double* out) {
    std::uint64_t first[counters], second[counters];
    words16(address, first, second);
    for (std::size_t i = 0; i < counters; ++i) {
        out[i] = uniform(first[i]);
        out[counters + i] = uniform(second[i]);
    }
}

}  // namespace ktc
