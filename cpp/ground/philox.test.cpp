#include "ground/philox.hpp"

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
