#include "physics/sparse_circuit.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "ground/matrix.hpp"
#include "physics/divider.test.hpp"

using namespace ktc;
using ktc::testing::divider;

TEST_CASE("a circuit rests where currents balance") {
    const SparseCircuit circuit = divider();
    circuit.check();
    // 1 V over 1 Ω and 1 Ω to a node without charge, 2 Ω to ground, 4 A into the charge.
    const std::vector<double> rest = circuit.rest_slope({1.0, 0.0, 0.0}, {4.0});
    CHECK(rest[0] == doctest::Approx(0.5 * (1.0 + 4.0 * 2.0)).epsilon(1e-13));
    CHECK(rest[1] == doctest::Approx(0.5 * (rest[0] + 1.0)).epsilon(1e-13));
    std::vector<double> left = circuit.push({1.0, 0.0, 0.0}, {4.0});
    circuit.subtract_flow(rest, left);
    for (double each : left) CHECK(std::abs(each) < 1e-14);
    for (double scale : {1e-200, 1e200}) {
        const std::vector<double> scaled = circuit.rest_slope({scale, 0.0, 0.0}, {4.0 * scale});
        CHECK(scaled[0] == doctest::Approx(rest[0] * scale).epsilon(1e-13));
    }
}

TEST_CASE("the matrix of a step is symmetric and has the order's coordinates") {
    const SparseCircuit circuit = divider();
    const Matrix stepped = circuit.stepped(0.5).dense();
    CHECK(stepped.rows() == 2);
    CHECK(stepped(0, 1) == stepped(1, 0));
    CHECK(stepped(0, 0) == doctest::Approx(3.0 + 0.5 * (1.0 + 0.5)));
    CHECK(stepped(1, 1) == doctest::Approx(0.5 * 2.0));
    CHECK(circuit.order_of_state() == std::vector<std::size_t>{0});
}

TEST_CASE("elements that do not fit are refused") {
    SparseCircuit circuit = divider();
    circuit.conductance[1] = 0.0;
    CHECK_THROWS_WITH(circuit.check(), "conductances and densities must be positive and finite");
    circuit = divider();
    circuit.order = {1, 1};
    CHECK_THROWS_WITH(circuit.check(), "order must have every coordinate once");
    circuit = divider();
    circuit.account.pop_back();
    CHECK_THROWS_WITH(circuit.check(), "elements of a circuit must have matching shapes");
}
