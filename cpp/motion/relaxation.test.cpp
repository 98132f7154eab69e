#include "motion/relaxation.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

using namespace ktc;

TEST_CASE("a free coordinate diffuses") {
    const Relaxation free(2.0, 0.0, 3.0, 0.5);
    CHECK(free.reach == 1.0);
    CHECK(free.width * free.width == doctest::Approx(2.0 * 3.0 * 2.0 * 0.5));
}

TEST_CASE("a stable coordinate reaches its equilibrium") {
    const Relaxation long_time(2.0, 4.0, 3.0, 1e3);
    CHECK(long_time.reach == doctest::Approx(0.25));
    CHECK(long_time.width * long_time.width == doctest::Approx(3.0 / 4.0));
}

TEST_CASE("two moves make one of twice the time, at any curvature") {
    for (const double curvature : {1.5, 1e-9, 0.0, -0.7}) {
        CAPTURE(curvature);
        const Relaxation half(0.8, curvature, 1.3, 0.4), whole(0.8, curvature, 1.3, 0.8);
        const double decay = 1.0 - curvature * half.reach;
        CHECK(whole.reach == doctest::Approx(half.reach * (1.0 + decay)).epsilon(1e-14));
        CHECK(whole.width * whole.width ==
              doctest::Approx(half.width * half.width * (1.0 + decay * decay)).epsilon(1e-14));
        CHECK(decay == doctest::Approx(std::exp(-0.8 * curvature * 0.4)).epsilon(1e-14));
    }
}
