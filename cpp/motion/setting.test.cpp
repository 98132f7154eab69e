#include "motion/setting.hpp"

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

TEST_CASE("a setting has the energy of its controls, in either coordinates") {
    const Network network = units(2);
    const Controls controls = controls_of({{2.0, 0.3}, {0.3, 1.0}}, 1.0, 0.7);
    const std::vector<double> state = some_state(2);
    Workspace workspace(2, 0);
    for (const Motion motion : {Motion::exact, Motion::split}) {
        const Setting setting = make_setting(network, controls, motion, nullptr);
        std::vector<double> own = state;
        if (motion == Motion::exact)
            multiply_block(setting.coordinates->from_state, state.data(), own.data(), block_width);
        double energy[block_width];
        setting.energy_of(own.data(), 0, workspace, energy);
        for (std::size_t lane = 0; lane < block_width; ++lane)
            CHECK(energy[lane] == doctest::Approx(energy_of(controls, state.data(), lane)));
    }
}

TEST_CASE("a new bias shares the shape of the setting before it, a new stiffness does not") {
    const Network network = units(1);
    Controls controls = controls_of({{2.0}});
    const Setting first = make_setting(network, controls, Motion::exact, nullptr);
    controls.bias = {1.0};
    const Setting second = make_setting(network, controls, Motion::exact, &first);
    CHECK(second.same_shape(first));
    CHECK(second.coordinates == first.coordinates);
    CHECK(second.drive->force[0] == doctest::Approx(1.0 / std::sqrt(2.0)));
    controls.stiffness = Stiffness(Matrix::diagonal({3.0}));
    CHECK_FALSE(make_setting(network, controls, Motion::exact, &second).same_shape(second));
}

TEST_CASE("controls that a motion cannot have are refused") {
    const Network network = units(1);
    const Setting first = make_setting(network, controls_of({{1.0}}), Motion::exact, nullptr);
    const Controls quartic = controls_of({{1.0}}, 1.0, 0.0, 0.5);
    CHECK_THROWS_AS(make_setting(network, quartic, Motion::exact, &first), std::invalid_argument);
    CHECK(make_setting(network, quartic, Motion::midpoint, nullptr).energy->quartic ==
          quartic.quartic);
    const Controls far = controls_of({{1.0}}, 1.0, 1e160);
    CHECK_THROWS_AS(make_setting(network, far, Motion::exact, &first), std::invalid_argument);
}
