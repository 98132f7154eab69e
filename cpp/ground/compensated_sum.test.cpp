#include "ground/compensated_sum.hpp"

#include <doctest/doctest.h>
#include <cmath>
#include <initializer_list>
#include <limits>

using namespace ktc;

TEST_CASE("terms below the last place of a sum are kept") {
    double sum = 1.0, carry = 0.0;
    for (int k = 0; k < 1000; ++k) add_compensated(sum, carry, 0x1p-60);
    CHECK(sum + carry == 1.0 + 1000 * 0x1p-60);
    for (int k = 0; k < 1000; ++k) add_compensated(sum, carry, -0x1p-60);
    CHECK(sum == 1.0);
    CHECK(carry == 0.0);
}

TEST_CASE("a term larger than the sum loses nothing either") {
    double sum = 1.0, carry = 0.0;
    add_compensated(sum, carry, 1e100);
    add_compensated(sum, carry, -1e100);
    CHECK(sum + carry == 1.0);
}

TEST_CASE("numbers of twenty bits are kept exactly") {
    for (const double value : {0.0, 1.0, -1.0, 0.5, 1048575.0, -0x1.fffffp-1000, 0x1p1023})
        CHECK(double{UpperHalf(value)} == value);
    CHECK(std::signbit(double{UpperHalf(-0.0)}));
    CHECK(double{UpperHalf()} == 0.0);
    CHECK(std::isinf(double{UpperHalf(std::numeric_limits<double>::infinity())}));
}

TEST_CASE("other numbers are cut towards zero, by less than 2^-20 of them") {
    for (const double value : {1.0 / 3.0, -1e-300 / 7.0, 3.14159e200}) {
        const double kept = UpperHalf(value);
        CHECK(std::abs(kept) <= std::abs(value));
        CHECK(std::abs(kept - value) < 0x1p-20 * std::abs(value));
    }
}
