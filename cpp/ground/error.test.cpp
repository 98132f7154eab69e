#include "ground/error.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace ktc;

namespace {

/// Counts how often it is turned into text.
struct Counted {
    int& conversions;
    operator std::string_view() const {
        ++conversions;
        return "value";
    }
};

}  // namespace

TEST_CASE("a condition that holds builds no message") {
    int conversions = 0;
    require(true, "it is ", Counted{conversions});
    CHECK(conversions == 0);
    CHECK_THROWS_AS(require(false, "it is ", Counted{conversions}), std::invalid_argument);
    CHECK(conversions == 1);
}

TEST_CASE("a message joins texts and numbers") {
    const std::string name = "kT";
    CHECK_THROWS_WITH(require(false, name, " has ", std::size_t{3}, " of ", -2, ": ", 0.5),
                      "kT has 3 of -2: 0.500000");
    CHECK_THROWS_WITH(refuse("alone"), "alone");
}
