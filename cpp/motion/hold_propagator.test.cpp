#include "motion/hold_propagator.hpp"

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

TEST_CASE("every motion has its propagator, in either precision") {
    const Network network = units(2), inertial(Matrix::identity(2), {1.0, 1.0});
    const Controls controls = controls_of({{2.0, 0.3}, {0.3, 1.0}});
    const auto make = [&](const Network& of, Motion motion, Precision precision) {
        const Setting setting = make_setting(of, controls, motion, nullptr);
        const StateFormat format(of, setting, precision);
        return hold_propagator(of, setting, motion, format, 1.0, 0.001);
    };
    for (const Precision precision : {Precision::full, Precision::single}) {
        const auto modes = make(network, Motion::exact, precision);
        CHECK(modes->steps() == 1);
        CHECK(modes->steps_per_post() == 16);
        CHECK(modes->cost() == 2.0);
        const auto dense = make(inertial, Motion::exact, precision);
        CHECK(dense->steps() == 1);
        CHECK(dense->steps_per_post() == 1);
        CHECK(dense->cost() == 6.0);
        const auto midpoint = make(network, Motion::midpoint, precision);
        CHECK(midpoint->steps() == 1000);
        CHECK(midpoint->steps_at_once() == 128);
    }
    for (const Motion motion : {Motion::split, Motion::pooled}) {
        const auto split = make(inertial, motion, Precision::full);
        CHECK(split->steps() == 1000);
        CHECK(split->steps_at_once() == 1);
    }
}
