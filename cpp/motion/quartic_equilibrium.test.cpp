#include "motion/quartic_equilibrium.hpp"

#include <cmath>
#include <functional>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

const std::function<bool()> always;

/// Means of x₁², x₂² and x₁x₂ over many draws.
std::vector<double> moments(const Controls& controls, int draws, std::uint64_t first = 0) {
    const QuarticEquilibrium equilibrium(units(2), controls);
    Watch watch(always);
    Workspace workspace(2, 0);
    std::vector<double> state(2 * block_width), result(3);
    for (int draw = 0; draw < draws; ++draw) {
        equilibrium.draw(state.data(), whole_block(first + static_cast<std::uint64_t>(draw)),
                         workspace, watch);
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const double x = state[lane], y = state[block_width + lane];
            result[0] += x * x;
            result[1] += y * y;
            result[2] += x * y;
        }
    }
    for (double& value : result) value /= draws * static_cast<double>(block_width);
    return result;
}

/// The same by quadrature over the plane, and their standard deviations.
struct Expected {
    std::vector<double> mean = std::vector<double>(3), deviation = std::vector<double>(3);
    explicit Expected(const Controls& controls) {
        double weight = 0.0;
        double state[2 * block_width] = {};
        for (double x = -5.0; x < 5.0; x += 0.05)
            for (double y = -5.0; y < 5.0; y += 0.05) {
                state[0] = x;
                state[block_width] = y;
                const double p = std::exp(-energy_of(controls, state, 0) / controls.kT[0]);
                weight += p;
                const double values[] = {x * x, y * y, x * y};
                for (std::size_t k = 0; k < 3; ++k) {
                    mean[k] += p * values[k];
                    deviation[k] += p * values[k] * values[k];
                }
            }
        for (std::size_t k = 0; k < 3; ++k) {
            mean[k] /= weight;
            deviation[k] = std::sqrt(deviation[k] / weight - mean[k] * mean[k]);
        }
    }
};

}  // namespace

TEST_CASE("draws have the moments of the Boltzmann distribution") {
    for (const double coupling : {0.0, -0.8, 1.6}) {
        CAPTURE(coupling);
        Controls controls = controls_of({{-1.0, coupling}, {coupling, 0.5}}, 0.5, 0.0, 1.0);
        controls.bias = {0.3, -0.2};
        const int draws = coupling == 0.0 ? 300 : 60;
        const std::vector<double> found = moments(controls, draws);
        const Expected expected(controls);
        for (std::size_t k = 0; k < 3; ++k)
            CHECK(std::abs(found[k] - expected.mean[k]) <
                  4.5 * expected.deviation[k] / std::sqrt(64.0 * draws));
    }
}

TEST_CASE("momenta are drawn from their Maxwell distribution") {
    const Network network(Matrix::identity(1), {4.0});
    const QuarticEquilibrium equilibrium(network, controls_of({{1.0}}, 0.25, 0.0, 1.0));
    Watch watch(always);
    Workspace workspace(2, 0);
    std::vector<double> state(2 * block_width), normals(block_width);
    equilibrium.draw(state.data(), whole_block(3), workspace, watch);
    row_of_normals(whole_block(3), Purpose::equilibrium, 1, normals.data());
    check_close({state.begin() + block_width, state.end()}, normals);
}

TEST_CASE("a draw ends when it is told to stop") {
    const QuarticEquilibrium equilibrium(units(2),
                                         controls_of({{1.0, 0.1}, {0.1, 1.0}}, 1.0, 0.0, 1.0));
    int asked = 0;
    const std::function<bool()> stop = [&] {
        ++asked;
        return false;
    };
    Watch watch(stop);
    Workspace workspace(2, 0);
    std::vector<double> state(2 * block_width);
    for (std::uint64_t draw = 0; draw < 100000 && !watch.stopped(); ++draw)
        equilibrium.draw(state.data(), whole_block(draw), workspace, watch);
    CHECK(asked == 1);
    CHECK(equilibrium.is_iterative());
}
