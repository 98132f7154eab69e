#include "motion/circuit_stationary.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

TEST_CASE("rates that contract every deviation") {
    for (const double fast : {1.0, 1e3, 1e9}) {
        const std::vector<double> rates = contracting_rates(1.0, fast, 1e-6);
        CHECK(rates.front() == 1.0);
        CHECK(rates.back() == doctest::Approx(fast));
        CHECK(rates.size() < 100);
        for (double rate = 1.0; rate <= fast; rate *= 1.37) {
            double left = 1.0;
            for (double p : rates) left *= std::abs((p - rate) / (p + rate));
            CHECK(left < 1.1e-6);
        }
    }
}

TEST_CASE("draws are about the rest, at one temperature and at several") {
    const SparseCircuit circuit = divider();
    const Network network(circuit);
    for (const double warm : {1.0, 4.0}) {
        const Controls controls = controls_of(circuit, {1.0, warm}, {1.0, 0.0, 0.0}, {4.0});
        const CircuitStationary sampler(network.circuit(), controls);
        CHECK(sampler.cost() > 0.0);
        std::vector<double> state(block_width);
        Workspace workspace(1, 0);
        double sum = 0.0, square = 0.0;
        constexpr int draws = 400;
        for (std::uint64_t step = 0; step < draws; ++step) {
            Watch watch({});
            const NoiseAddress address{3, step, 0, 0, block_width / group_width};
            sampler.draw(state.data(), address, workspace, watch);
            for (double q : state) {
                sum += q - 3.0 * 4.5;
                square += (q - 3.0 * 4.5) * (q - 3.0 * 4.5);
            }
        }
        // Both branches have ½ S, so that the charge has the mean of both temperatures.
        const double count = draws * block_width, variance = 3.0 * 0.5 * (1.0 + warm);
        CHECK(std::abs(sum / count) < 4.5 * std::sqrt(variance / count));
        CHECK(std::abs(square / count / variance - 1.0) < 4.5 * std::sqrt(2.0 / count));
    }
}
