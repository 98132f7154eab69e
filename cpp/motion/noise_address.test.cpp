#include "motion/noise_address.hpp"

#include <doctest/doctest.h>
#include <vector>

#include "kernels/kernels.hpp"

using namespace ktc;

TEST_CASE("a stream is addressed by the group among all replicas of the seed") {
    const NoiseAddress address{11, 5, 8, 1, 3};
    const StreamAddress stream = address.stream(Purpose::equilibrium, 2, 9);
    CHECK(stream.seed == 11);
    CHECK(stream.purpose == Purpose::equilibrium);
    CHECK(stream.group == 10);
    CHECK(stream.element == 9);
    CHECK(stream.step == 5);
}

TEST_CASE("a row of normals has those of its groups in use, and zeros elsewhere") {
    const NoiseAddress address{11, 5, 8, 1, 3};
    std::vector<double> row(block_width, 99.0), expected(block_width, 0.0);
    row_of_normals(address, Purpose::hold, 4, row.data());
    for (std::uint64_t g = 1; g < 3; ++g)
        kernels().full.normals({11, Purpose::hold, 8 + g, 4, 5}, &expected[g * group_width]);
    CHECK(row == expected);
}

TEST_CASE("uniform numbers follow one another from the first use of a draw") {
    const NoiseAddress address{3, 6, 20, 0, 4};
    Uniforms uniforms(address, Purpose::signs, 2, 7, 100);
    for (std::uint64_t use = 100; use < 103; ++use) {
        const double* found = uniforms.next();
        std::vector<double> expected(group_width);
        kernels().uniforms({3, Purpose::signs, 22, 7, (std::uint64_t{6} << 24) + use},
                           expected.data());
        CHECK(std::vector<double>(found, found + group_width) == expected);
        for (const double value : expected) {
            CHECK(value > 0.0);
            CHECK(value < 1.0);
        }
    }
}
