#include <cmath>
#include <vector>

#include "ground/block_width.hpp"
#include "kernels/testing.test.hpp"

using namespace ktc;

namespace {

using Block = std::vector<double>;

Block block(std::uint64_t seed) { return testing::numbers(block_width, seed); }

}  // namespace

TEST_CASE("the slope along a line") {
    const LineEntry entries[] = {{0, 2.0, 0.0}, {2, -0.5, 0.0}};
    const Block state = testing::numbers(3 * block_width, 1);
    for (const Kernels* kernels : available_kernels()) {
        Block slope(block_width);
        kernels->line_slope(entries, 2, state.data(), {0.0, -0.25}, slope.data());
        for (std::size_t lane = 0; lane < block_width; ++lane)
            CHECK(slope[lane] ==
                  doctest::Approx(0.25 + 2.0 * state[lane] - 0.5 * state[2 * block_width + lane]));
    }
}

TEST_CASE("a move along a line posts the energy that it costs") {
    // H = ½ c s² + g s + ¼ Σ κ w⁴ along the line; s moves by `displacement`.
    const LineEntry entries[] = {{1, 2.0, 0.7}, {0, -0.5, 0.0}};
    const LineMove line{1.5, 0.3};
    const Block displacement = block(2), slope = block(3), start = testing::numbers(128, 4);
    for (const Kernels* kernels : available_kernels()) {
        Block state = start, energy = block(5), supply = block(6);
        const Block energy_before = energy, supply_before = supply;
        kernels->line_move(entries, 2, state.data(), line, displacement.data(), slope.data(),
                           energy.data(), supply.data());
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const double step = displacement[lane];
            double change = step * slope[lane] + 0.5 * line.curvature * step * step;
            for (const LineEntry& entry : entries) {
                const std::size_t at = entry.coordinate * block_width + lane;
                CHECK(state[at] == doctest::Approx(start[at] + entry.value * step));
                change += 0.25 * entry.quartic * (std::pow(state[at], 4) - std::pow(start[at], 4));
            }
            CHECK(energy[lane] - energy_before[lane] == doctest::Approx(change).epsilon(1e-12));
            CHECK(supply[lane] - supply_before[lane] ==
                  doctest::Approx(line.pull * step).epsilon(1e-12));
        }
    }
}

TEST_CASE("half a relaxation in a quartic term, on top of a displacement") {
    const Block state = block(7), start = block(8);
    const double stride = 0.8, rate = 2.0;
    for (const Kernels* kernels : available_kernels()) {
        Block displacement = start;
        kernels->quartic_relax(state.data(), stride, rate, displacement.data());
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const double now = state[lane] + stride * start[lane];
            const double exact = now / std::sqrt(1.0 + rate * now * now);
            CHECK(state[lane] + stride * displacement[lane] ==
                  doctest::Approx(exact).epsilon(1e-14));
        }
    }
}

TEST_CASE("a bath's displacement and its posts") {
    const BathMove bath{0.4, 1.2, 0.9, 0.3, 2.0};
    const Block noise = block(9), slope = block(10), start = block(11), energy = block(12);
    for (const Kernels* kernels : available_kernels()) {
        Block displacement = start;
        kernels->bath_displace(bath, noise.data(), slope.data(), displacement.data());
        Block source(block_width, 1.0), heat(source), entropy(source), own(source);
        kernels->bath_post(bath, displacement.data(), energy.data(),
                           {source.data(), heat.data(), entropy.data(), own.data()});
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const double force = slope[lane] + bath.curvature * start[lane] - bath.emf;
            const double moved = start[lane] + bath.width * noise[lane] - bath.reach * force;
            CHECK(displacement[lane] == doctest::Approx(moved).epsilon(1e-14));
            const double lost = bath.emf * moved - energy[lane];
            CHECK(source[lane] == doctest::Approx(1.0 + bath.emf * moved));
            CHECK(heat[lane] == doctest::Approx(1.0 + lost));
            CHECK(own[lane] == heat[lane]);
            CHECK(entropy[lane] == doctest::Approx(1.0 + 2.0 * lost));
        }
    }
}
