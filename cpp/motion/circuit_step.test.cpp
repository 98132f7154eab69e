#include "motion/circuit_step.hpp"

#include <doctest/doctest.h>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

TEST_CASE("a step without noise is the implicit midpoint, and its books close") {
    const SparseCircuit circuit = divider();
    const Network network(circuit);
    const Controls controls = controls_of(circuit, {0.0, 1e-300}, {1.0, 0.0, 0.0}, {4.0});
    const Setting setting = make_setting(network, controls, Motion::split, nullptr);
    const double h = 3.0;
    const auto propagator = circuit_propagator(network.circuit(), controls.kT, h, 2.0 * h, false);
    CHECK(propagator->steps() == 1);
    CHECK(propagator->cost() > 0.0);

    // 3 v̇ = ½ (1 − v) − ½ v + 4, by its implicit midpoint.
    const double before = 6.0, rate = 1.0 / 3.0, push = 4.5;
    const double after = ((1.0 - 0.5 * h * rate) * before + h * push) / (1.0 + 0.5 * h * rate);
    std::vector<double> state(block_width, before);
    Workspace workspace(1, 2);
    const NoiseAddress address{1, 0, 0, 0, 1};
    propagator->advance(state.data(), *setting.drive, address, workspace, workspace.posts);
    CHECK(state[0] == doctest::Approx(after).epsilon(1e-12));
    const Posts& posts = workspace.posts;
    const double change = (after * after - before * before) / 6.0;
    CHECK(posts.source[0] - posts.heat[0] == doctest::Approx(change).epsilon(1e-12));
    const double middle = (before + after) / 6.0;
    CHECK(posts.heat_per_account[block_width] ==
          doctest::Approx(h * 0.5 * middle * middle).epsilon(1e-12));
    CHECK(posts.heat_per_account[0] ==
          doctest::Approx(h * 0.5 * (middle - 1.0) * (middle - 1.0)).epsilon(1e-12));
}

TEST_CASE("a network of a circuit takes no other stiffness, and moves by steps") {
    const SparseCircuit circuit = divider();
    const Network network(circuit);
    Controls controls = controls_of(circuit, {1.0, 1.0}, {0.0, 0.0, 0.0}, {0.0});
    network.check(controls);
    CHECK(motion_of(network, controls, false) == Motion::pooled);
    CHECK(motion_of(network, controls, true) == Motion::split);
    CHECK_FALSE(network.moves_together(controls));
    controls.stiffness = Stiffness(circuit.storage);
    CHECK_THROWS_AS(network.check(controls), std::invalid_argument);
}
