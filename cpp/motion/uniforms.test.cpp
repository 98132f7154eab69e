#include "motion/uniforms.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace ktc;

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
