#include "motion/quartic_equilibrium.hpp"

#include <cmath>
#include <functional>
#include <initializer_list>

#include "motion/fixtures.test.hpp"
#include "motion/noise_address.hpp"

using namespace ktc;
using namespace ktc::testing;

TEST_CASE("stationary points are the zeros of the slope") {
    CHECK(UnitEnergy{2.0, 3.0, 0.0}.stationary_points() == std::vector<double>{1.5});
    check_close(UnitEnergy{-4.0, 0.0, 1.0}.stationary_points(), {-2.0, 0.0, 2.0}, 1e-15);
    check_close(UnitEnergy{0.0, 8.0, 1.0}.stationary_points(), {2.0}, 1e-15);
    const UnitEnergy tilted{-1.0, 0.2, 1.0};
    const std::vector<double> points = tilted.stationary_points();
    CHECK(points.size() == 3);
    for (const double x : points) CHECK(std::abs(-x + x * x * x - 0.2) < 1e-15);
}

TEST_CASE("draws have the moments of the Boltzmann distribution") {
    const double kT = 0.7;
    for (const UnitEnergy& energy :
         {UnitEnergy{1.5, 0.4, 0.0}, UnitEnergy{-2.0, 0.1, 1.0}, UnitEnergy{0.5, -1.0, 0.8}}) {
        double weight = 0.0, first = 0.0, second = 0.0, fourth = 0.0;
        for (double x = -8.0; x < 8.0; x += 1e-3) {
            const double p = std::exp(-energy(x) / kT);
            weight += p;
            first += p * x;
            second += p * x * x;
            fourth += p * x * x * x * x;
        }
        const UnitSampler sampler(energy, kT);
        Uniforms uniforms(whole_block(), Purpose::unit, 0, 0, 0);
        double count = 0.0, trials = 0.0, mean = 0.0, square = 0.0;
        for (int k = 0; k < 4000; ++k) {
            std::vector<double> place(group_width);
            std::copy_n(uniforms.next(), group_width, place.begin());
            const double* height = uniforms.next();
            for (std::size_t lane = 0; lane < group_width; ++lane) {
                double x = 0.0;
                ++trials;
                if (!sampler.attempt(place[lane], height[lane], x)) continue;
                ++count;
                mean += x;
                square += x * x;
            }
        }
        CHECK(count / trials > 0.85);
        const double variance = second / weight - first / weight * (first / weight);
        CHECK(std::abs(mean / count - first / weight) < 4.5 * std::sqrt(variance / count));
        const double spread = fourth / weight - second / weight * (second / weight);
        CHECK(std::abs(square / count - second / weight) < 4.5 * std::sqrt(spread / count));
    }
}

TEST_CASE("energies beyond the digits of a double are refused") {
    CHECK_THROWS_AS(UnitSampler({1.0, 1e7, 0.0}, 1.0), std::invalid_argument);
}

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
