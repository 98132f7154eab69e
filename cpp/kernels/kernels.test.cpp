#include "kernels/kernels.hpp"

#include "kernels/testing.test.hpp"

using namespace ktc;

TEST_CASE("the best kernels are in use, unless others are asked for") {
    const auto available = available_kernels();
    REQUIRE_FALSE(available.empty());
    CHECK(&kernels() == available.back());
    for (const Kernels* each : available) {
        const testing::Using scope(*each);
        CHECK(&kernels() == each);
    }
    CHECK(&kernels() == available.back());
    CHECK_THROWS_WITH(use_kernels("v9"), doctest::Contains("but is v9"));
    CHECK(&kernels() == available.back());
}
