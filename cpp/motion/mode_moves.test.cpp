#include "motion/mode_moves.hpp"

#include <cmath>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

TEST_CASE("a few rounds along the modes of a linear network forget the state") {
    const double kT = 0.6;
    Controls controls = controls_of({{2.0, 1.9}, {1.9, 2.0}}, kT);
    controls.bias = {0.5, -0.25};
    const Matrix stiffness = controls.stiffness.dense();
    const ModeMoves moves(controls, stiffness);
    CHECK(moves.slowest_sweeps() == doctest::Approx(1.0 / (1.0 - 0.95)));
    // Mean K⁻¹b and covariance kT K⁻¹, wherever the replicas start.
    const double determinant = 0.39;
    const double mean[] = {(2.0 * 0.5 + 1.9 * 0.25) / determinant,
                           (-2.0 * 0.25 - 1.9 * 0.5) / determinant};
    double sum[2] = {}, square[2] = {}, product = 0.0;
    constexpr int draws = 300;
    for (std::uint64_t draw = 0; draw < draws; ++draw) {
        std::vector<double> state = some_state(2, 3.0);
        // The square of a deviation relaxes by a factor of three per round.
        for (std::uint64_t round = 0; round < 12; ++round)
            moves.move(state.data(), whole_block(draw), round);
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const double x = state[lane] - mean[0], y = state[block_width + lane] - mean[1];
            sum[0] += x;
            sum[1] += y;
            square[0] += x * x;
            square[1] += y * y;
            product += x * y;
        }
    }
    const double count = draws * static_cast<double>(block_width);
    const double variance = 2.0 * kT / determinant, covariance = -1.9 * kT / determinant;
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(std::abs(sum[i] / count) < 4.5 * std::sqrt(variance / count));
        CHECK(std::abs(square[i] / count - variance) < 4.5 * variance * std::sqrt(2.0 / count));
    }
    CHECK(std::abs(product / count - covariance) < 4.5 * variance * std::sqrt(2.0 / count));
}
