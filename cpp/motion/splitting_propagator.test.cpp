#include "motion/splitting_propagator.hpp"

#include <cmath>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

/// Two coils and capacitors with every kind of element, the second noise behind a filter.
Elements everything() {
    Elements e = overdamped_elements(std::vector<double>{1.0, 2.0, 0.5});
    e.interconnection = matrix({{0.0, 1.0, 0.0}, {-1.0, 0.0, 0.4}, {0.0, -0.4, 0.0}});
    e.account = {0, 1, 0};
    e.source_directions = matrix({{1.0, 0.0, 0.5}});
    e.noise_directions = matrix({{0.0, 1.0, 0.0}, {0.3, 0.0, 0.0}});
    e.noise_density = {0.2, 0.7};
    e.noise_rate = {0.0, 3.0};
    return e;
}

}  // namespace

TEST_CASE("the first law closes over every step with every element") {
    const Elements elements = everything();
    const Energy energy{Stiffness(matrix({{2.0, 0.3, 0.0}, {0.3, 1.0, 0.1}, {0.0, 0.1, 3.0}})),
                        {0.0, 0.5, 0.0}};
    const Drive drive{{0.3, -0.2, 0.1}, {0.4, 0.0, -0.3}, {0.6}};
    const std::vector<double> kT{1.0, 2.0};
    for (const bool pooled : {false, true}) {
        const auto propagator = splitting_propagator(elements, energy, kT, 0.2, 0.05, pooled);
        CHECK(propagator->steps() == 4);
        std::vector<double> state = some_state(4), scratch(3 * block_width);
        Workspace workspace(4, pooled ? 1 : 2);
        std::vector<double> start(block_width), end(block_width);
        for (std::uint64_t step = 0; step < 4; ++step) {
            energy.of_block(state.data(), drive.force, scratch.data(), start.data());
            Posts& posts = workspace.posts;
            propagator->advance(state.data(), drive, whole_block(step), workspace, posts);
            energy.of_block(state.data(), drive.force, scratch.data(), end.data());
            CHECK(posts.itemised);
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                CHECK(posts.source[lane] + posts.injected[lane] + posts.shadow[lane] -
                          posts.heat[lane] ==
                      doctest::Approx(end[lane] - start[lane]).epsilon(1e-11).scale(1.0));
                const double first = posts.heat_per_account[lane];
                if (pooled) {
                    CHECK(first == doctest::Approx(posts.heat[lane]));
                    continue;
                }
                const double second = posts.heat_per_account[block_width + lane];
                CHECK(first + second == doctest::Approx(posts.heat[lane]));
                CHECK(posts.entropy[lane] == doctest::Approx(first / 1.0 + second / 2.0));
            }
        }
    }
}

TEST_CASE("a step of one resistor is two exact half steps with noise of their own") {
    const double k = 1.3, g = 0.5, kT = 2.0, step = 0.4;
    const Energy energy{Stiffness(Matrix::diagonal({k})), {}};
    const auto propagator = splitting_propagator(overdamped_elements(std::vector<double>{1.0 / g}),
                                                 energy, {kT}, step, 1.0);
    std::vector<double> state = some_state(1), first(block_width), second(block_width);
    const std::vector<double> before = state;
    Workspace workspace(1, 1);
    propagator->advance(state.data(), {{0.0}, {0.0}, {}}, whole_block(9), workspace,
                        workspace.posts);
    row_of_normals(whole_block(9), Purpose::hold, 0, first.data());
    row_of_normals(whole_block(9), Purpose::hold, 1, second.data());
    const double decay = std::exp(-0.5 * g * k * step);
    const double width = std::sqrt(kT / k * (1.0 - decay * decay));
    for (std::size_t lane = 0; lane < block_width; ++lane)
        CHECK(state[lane] == doctest::Approx(decay * (decay * before[lane] + width * first[lane]) +
                                             width * second[lane]));
}

TEST_CASE("a sparse stiffness costs its couplings alone") {
    const std::size_t d = 100;
    const Elements elements = overdamped_elements(std::vector<double>(d, 1.0));
    const std::vector<double> kT(d, 1.0);
    const Energy sparse{Stiffness(SparseMatrix::axes(d, d, 0)), {}},
        dense{Stiffness(Matrix::identity(d)), {}};
    CHECK(splitting_propagator(elements, sparse, kT, 1.0, 1.0)->cost() <
          0.1 * splitting_propagator(elements, dense, kT, 1.0, 1.0)->cost());
}
