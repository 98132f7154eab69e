#include "physics/motion.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ktc;

namespace {

/// Two units, one resistor each.
Controls controls_of_two() {
    return {{0.0, 0.0}, Stiffness(Matrix::diagonal({2.0, 3.0})), {1.5, 1.5}, {0.0, 0.0}, {0.0, 0.0},
            {}};
}
Network two(std::vector<double> inertia = {}) {
    return Network(Matrix::diagonal({1.0, 2.0}), std::move(inertia));
}

}  // namespace

TEST_CASE("names of motions go both ways") {
    for (const auto name : motion_names) CHECK(name_of(motion_named(name)) == name);
    CHECK_THROWS_WITH(motion_named("fast"),
                      "motion must be exact, driven, midpoint, split or pooled, but is fast");
}

TEST_CASE("the motion follows from network, controls and whether heat is resolved") {
    Controls controls = controls_of_two();
    CHECK(motion_of(two(), controls, false) == Motion::exact);
    CHECK(motion_of(two(), controls, true) == Motion::split);
    CHECK(motion_of(two({1.0, 1.0}), controls, false) == Motion::exact);

    SUBCASE("quartic units move by midpoint steps, with inertia by splitting") {
        controls.quartic = {0.0, 1.0};
        CHECK(motion_of(two(), controls, false) == Motion::midpoint);
        CHECK(motion_of(two({1.0, 1.0}), controls, false) == Motion::split);
        CHECK_NOTHROW(check_motion(two(), controls, Motion::midpoint));
        CHECK_THROWS_WITH(check_motion(two(), controls, Motion::exact),
                          "quartic must be zero: this ensemble moves by exact holds, as the "
                          "network it was made of does; make the emulator of a network with "
                          "quartic units (they may be zero later), or with resolve_heat=True");
    }
    SUBCASE("several temperatures drive, or move by splitting") {
        controls.kT = {1.0, 2.0};
        CHECK(motion_of(two(), controls, false) == Motion::driven);
        CHECK(motion_of(two(), controls, true) == Motion::split);
        CHECK_NOTHROW(check_motion(two(), controls, Motion::driven));
        CHECK_THROWS(check_motion(two(), controls, Motion::exact));
        CHECK_THROWS(check_motion(two(), controls, Motion::midpoint));
        CHECK_NOTHROW(check_motion(two(), controls, Motion::split));
    }
    SUBCASE("sources drive") {
        controls.emf = {0.0, 1.0};
        CHECK(motion_of(two(), controls, false) == Motion::driven);
        controls.quartic = {0.0, 1.0};
        CHECK_THROWS(check_motion(two(), controls, Motion::driven));
        CHECK_THROWS(check_motion(two(), controls, Motion::exact));
    }
    SUBCASE("a sparse network pools its heat") {
        const Network sparse(std::vector<double>{1.0, 2.0});
        controls.stiffness = Stiffness(SparseMatrix::of(Matrix::diagonal({2.0, 3.0})));
        CHECK(motion_of(sparse, controls, false) == Motion::pooled);
        CHECK(motion_of(sparse, controls, true) == Motion::split);
    }
}

TEST_CASE("the books of a motion") {
    for (const Motion motion : {Motion::exact, Motion::midpoint}) {
        CHECK(has_account(motion, Accounts::shadow));
        CHECK_FALSE(has_account(motion, Accounts::entropy));
    }
    CHECK(has_account(Motion::pooled, Accounts::entropy));
    CHECK_FALSE(has_account(Motion::pooled, Accounts::first_heat));
    CHECK(has_account(Motion::split, Accounts::first_heat));
}
