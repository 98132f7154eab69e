#include "motion/sign_moves.hpp"

#include <cmath>
#include <functional>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

/// Frequency of each combination of signs in long chains of moves, bit i for a positive unit i.
std::vector<double> frequencies(const Controls& controls, const std::vector<double>& sizes) {
    const std::size_t d = sizes.size();
    std::vector<double> state(d * block_width), count(std::size_t{1} << d);
    for (std::size_t k = 0; k < state.size(); ++k) state[k] = sizes[k / block_width];
    const SignMoves moves(controls);
    const std::function<bool()> keep_going;
    Watch watch(keep_going);
    constexpr int rounds = 250;
    for (std::uint64_t round = 0; round < rounds; ++round) {
        moves.move(state.data(), whole_block(round / 10), round, watch);
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            std::size_t which = 0;
            for (std::size_t i = 0; i < d; ++i) {
                const double x = state[i * block_width + lane];
                REQUIRE(std::abs(x) == sizes[i]);
                if (x > 0.0) which |= std::size_t{1} << i;
            }
            count[which] += 1.0 / (rounds * static_cast<double>(block_width));
        }
    }
    return count;
}

}  // namespace

TEST_CASE("signs have the distribution of an Ising model, frustrated or not") {
    const double kT = 0.8;
    const std::vector<double> sizes{1.0, 0.5, 1.2};
    for (const double last : {-0.9, 0.9}) {
        CAPTURE(last);
        Controls controls =
            controls_of({{-1.0, -0.7, last}, {-0.7, -1.0, -0.8}, {last, -0.8, -1.0}}, kT);
        controls.bias = {0.2, -0.1, 0.15};
        const std::vector<double> found = frequencies(controls, sizes);
        std::vector<double> expected;
        double sum = 0.0;
        for (std::size_t which = 0; which < 8; ++which) {
            double state[3 * block_width] = {};
            for (std::size_t i = 0; i < 3; ++i)
                state[i * block_width] = (which >> i & 1) != 0 ? sizes[i] : -sizes[i];
            expected.push_back(std::exp(-energy_of(controls, state, 0) / kT));
            sum += expected.back();
        }
        for (std::size_t which = 0; which < 8; ++which) {
            const double p = expected[which] / sum;
            CHECK(std::abs(found[which] - p) < 5.0 * std::sqrt(p / 16000.0));
        }
    }
}

TEST_CASE("a network larger than a neighbourhood keeps the distribution too") {
    // A ferromagnetic chain, ⟨s_i s_{i+1}⟩ = tanh(J/kT).
    constexpr std::size_t d = 20, rounds = 300;
    Matrix chain(d, d);
    for (std::size_t i = 0; i + 1 < d; ++i) chain(i, i + 1) = chain(i + 1, i) = -0.6;
    const SignMoves moves(controls_of(Stiffness(chain)));
    const std::function<bool()> keep_going;
    Watch watch(keep_going);
    std::vector<double> state(d * block_width, 1.0);
    double sum = 0.0, count = 0.0;
    for (std::uint64_t round = 0; round < rounds; ++round) {
        moves.move(state.data(), whole_block(), round, watch);
        if (round < 10) continue;
        for (std::size_t k = 0; k + block_width < state.size(); ++k, ++count)
            sum += state[k] * state[k + block_width];
    }
    // Each draw leaves neighbouring rounds half correlated at most.
    const double deviation = std::sqrt(3.0 / count) / std::cosh(0.6);
    CHECK(std::abs(sum / count - std::tanh(0.6)) < 4.0 * deviation);
}
