#include "ground/streams.hpp"

#include <doctest/doctest.h>

using namespace ktc;

// A saved run resumes with the same bits in every later version only if these stay.
TEST_CASE("purposes keep their numbers") {
    CHECK(static_cast<int>(Purpose::equilibrium) == 0);
    CHECK(static_cast<int>(Purpose::hold) == 1);
    CHECK(static_cast<int>(Purpose::heat_bath) == 2);
    CHECK(static_cast<int>(Purpose::cluster) == 3);
    CHECK(static_cast<int>(Purpose::unit) == 4);
    CHECK(static_cast<int>(Purpose::signs) == 5);
    CHECK(static_cast<int>(Purpose::mode) == 6);
}

TEST_CASE("an address fills its words") {
    CHECK(group_bits + 3 == 32);
    CHECK(element_bits + 4 == 32);
    CHECK(max_replicas == std::uint64_t{1} << 33);
    CHECK(replicas_of_a_group<double> == 16);
    CHECK(group_width_single == 32);
}
