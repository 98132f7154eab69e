#include "ground/compensated_sum.hpp"

#include <doctest/doctest.h>

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
