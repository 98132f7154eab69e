#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "ground/streams.hpp"
#include "kernels/testing.test.hpp"

using namespace ktc;

namespace {

constexpr StreamAddress here{0x123456789ABCDEF0, Purpose::unit, (1u << 29) - 3, (1u << 28) - 5,
                             0xFEDCBA9876543210};

/// The four words of each counter of an address, as ground/streams.hpp lays them out.
std::array<std::uint32_t, 4> words_of(const StreamAddress& at, std::uint32_t counter) {
    const auto low = static_cast<std::uint32_t>(at.step);
    const auto high = static_cast<std::uint32_t>(at.step >> 32);
    const auto group = static_cast<std::uint32_t>(at.group << 3);
    const std::uint32_t purpose = static_cast<std::uint32_t>(at.purpose) << element_bits;
    return philox::words(
        {low, high, group | counter, purpose | at.element},
        {static_cast<std::uint32_t>(at.seed), static_cast<std::uint32_t>(at.seed >> 32)});
}

/// Radius and angle words of a group, in the documented order.
template <class Real>
struct GroupWords {
    std::vector<WordOf<Real>> radius, angle;

    explicit GroupWords(const StreamAddress& at) {
        for (std::uint32_t counter = 0; counter < 8; ++counter) {
            const auto w = words_of(at, counter);
            if constexpr (sizeof(Real) == 8) {
                radius.push_back(std::uint64_t{w[1]} << 32 | w[0]);
                angle.push_back(std::uint64_t{w[3]} << 32 | w[2]);
            } else {
                radius.insert(radius.end(), {w[0], w[1]});
                angle.insert(angle.end(), {w[2], w[3]});
            }
        }
    }
};

/// −ln u of a radius word, and y of an angle word.
long double minus_log(std::uint64_t word) {
    const long double u = (static_cast<long double>(word & 0xFFFFFFFFFFFFF) + 0.5L) * 0x1p-52L;
    return u > 0.5L ? -std::log1p(u - 1.0L) : -std::log(u);
}
long double minus_log(std::uint32_t word) {
    const auto u =
        static_cast<float>(double{static_cast<float>(word)} * (0x1p-32 - 0x1p-56) + 0x1p-33);
    return -std::log(static_cast<long double>(u));
}
long double place(std::uint64_t word) {
    return (static_cast<long double>((word & 0xFFFFFFFFFFFFF) / 2) + 0.5L) * 0x1p-51L - 0.5L;
}
long double place(std::uint32_t word) {
    return (static_cast<long double>((word & 0x7FFFFF) / 2) + 0.5L) * 0x1p-22L - 0.5L;
}

/// The transform of Box and Muller in extended precision, pairs p at p and p + half the group.
template <class Real>
std::vector<long double> transformed(const std::vector<WordOf<Real>>& radius,
                                     const std::vector<WordOf<Real>>& angle) {
    constexpr long double half_pi = 1.57079632679489661923132169163975144L;
    constexpr int top = 8 * sizeof(Real) - 1;
    const std::size_t half = radius.size();
    std::vector<long double> result(2 * half);
    for (std::size_t p = 0; p < half; ++p) {
        const long double length = std::sqrt(2.0L * minus_log(radius[p]));
        long double first = length * std::cos(half_pi * place(angle[p]));
        long double second = length * std::sin(half_pi * place(angle[p]));
        if (angle[p] >> top) first = -first;
        if (angle[p] >> (top - 1) & 1) std::swap(first, second);
        result[p] = first;
        result[half + p] = second;
    }
    return result;
}

/// Largest error in units in the last place of the exact number.
template <class Real>
double error_in_ulp(const std::vector<Real>& found, const std::vector<long double>& exact) {
    double largest = 0.0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto size = static_cast<Real>(std::abs(exact[i]));
        const long double ulp = std::nextafter(size, std::numeric_limits<Real>::infinity()) - size;
        const auto error =
            static_cast<double>(std::abs(static_cast<long double>(found[i]) - exact[i]) / ulp);
        if (!(error <= largest)) largest = error;
    }
    return largest;
}

/// Words of a group's pairs: at random, and both ends of radii and of angles.
template <class Real>
std::vector<WordOf<Real>> some_words(std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    std::vector<WordOf<Real>> words(64 / sizeof(Real));
    for (auto& word : words) word = static_cast<WordOf<Real>>(engine());
    words[0] = 0;
    words[1] = static_cast<WordOf<Real>>(~std::uint64_t{0});
    words[2] = WordOf<Real>{1} << (8 * sizeof(Real) - 13);
    words[3] = words[2] - 1;
    return words;
}

}  // namespace

TEST_CASE_TEMPLATE("the transform is right to four units in the last place", Real, double, float) {
    for (const Kernels* kernels : available_kernels())
        for (std::uint64_t seed = 0; seed < 60; ++seed) {
            const auto radius = some_words<Real>(2 * seed), angle = some_words<Real>(2 * seed + 1);
            std::vector<Real> found(2 * radius.size());
            kernels->of<Real>().transform(radius.data(), angle.data(), found.data());
            REQUIRE(error_in_ulp(found, transformed<Real>(radius, angle)) <= 4.0);
        }
}

TEST_CASE_TEMPLATE("normals are the transform of the documented words", Real, double, float) {
    for (const Kernels* kernels : available_kernels()) {
        const GroupWords<Real> words(here);
        std::vector<Real> found(replicas_of_a_group<Real>), expected(found);
        kernels->of<Real>().transform(words.radius.data(), words.angle.data(), expected.data());
        kernels->of<Real>().normals(here, found.data());
        CHECK(found == expected);
    }
}

TEST_CASE_TEMPLATE("rows are the normals of consecutive elements", Real, double, float) {
    constexpr std::size_t width = replicas_of_a_group<Real>;
    for (const Kernels* kernels : available_kernels())
        for (const std::size_t rows : {1, 3, 4, 9}) {
            StreamAddress at{7, Purpose::hold, 3, 5, 11};
            std::vector<Real> found(rows * width, Real{0}), one(width);
            kernels->of<Real>().normal_rows(at, rows, found.data());
            for (std::size_t row = 0; row < rows; ++row, ++at.element) {
                kernels->of<Real>().normals(at, one.data());
                CHECK(std::vector<Real>(
                          found.begin() + static_cast<std::ptrdiff_t>(row * width),
                          found.begin() + static_cast<std::ptrdiff_t>((row + 1) * width)) == one);
            }
        }
}

TEST_CASE_TEMPLATE("normals have the same bits where products are fused", Real, double, float) {
    testing::check_same_bits([](const Kernels& kernels) {
        std::vector<Real> found(50 * replicas_of_a_group<Real>);
        kernels.of<Real>().normal_rows({8, Purpose::hold, 3, 0, 1}, 50, found.data());
        return found;
    });
}

TEST_CASE("uniform numbers are the documented odd multiples of 2^-53") {
    for (const Kernels* kernels : available_kernels()) {
        std::vector<double> found(group_width);
        kernels->uniforms(here, found.data());
        const GroupWords<double> words(here);
        for (std::size_t c = 0; c < 8; ++c) {
            // The high 52 bits of a word, and a half of the last place.
            CHECK(found[c] == (static_cast<double>(words.radius[c] >> 12) + 0.5) * 0x1p-52);
            CHECK(found[8 + c] == (static_cast<double>(words.angle[c] >> 12) + 0.5) * 0x1p-52);
        }
    }
}
