#include "ground/streams.hpp"

#include <doctest/doctest.h>

using namespace ktc;
using Words = std::array<std::uint32_t, 4>;

// Known answers of the authors' Random123 library (kat_vectors, philox4x32 with 10 rounds).
TEST_CASE("published vectors") {
    CHECK(philox::words({0, 0, 0, 0}, {0, 0}) ==
          Words{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8});
    constexpr std::uint32_t ones = 0xFFFFFFFF;
    CHECK(philox::words({ones, ones, ones, ones}, {ones, ones}) ==
          Words{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD});
    CHECK(
        philox::words({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0}) ==
        Words{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1});
}

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
