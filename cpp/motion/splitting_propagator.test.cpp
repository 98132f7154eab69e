#include "motion/splitting_propagator.hpp"

#include <cmath>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

/// A coil and a capacitor in the coordinates (flux, charge), with a current source at the charge.
Elements oscillator() {
    Elements elements = overdamped_elements(std::vector<double>{1.0, 1.0});
    elements.interconnection = matrix({{0.0, 1.0}, {-1.0, 0.0}});
    elements.source_directions = matrix({{0.0, 1.0}});
    return elements;
}

struct Moved {
    std::vector<double> before = some_state(2), after = before, change{std::vector<double>(64)};
    Posts posts;

    Moved(const Energy& energy, double step, const Drive& drive, int repeats = 1) {
        const LosslessMove move(oscillator(), energy, step);
        Workspace workspace(2, 0);
        posts.clear();
        std::vector<double> start(block_width), end(block_width), scratch(2 * block_width);
        energy.of_block(before.data(), drive.force, scratch.data(), start.data());
        for (int k = 0; k < repeats; ++k)
            move.advance(after.data(), drive, drive.force, workspace, posts);
        energy.of_block(after.data(), drive.force, scratch.data(), end.data());
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            change[lane] = end[lane] - start[lane];
            CHECK(posts.source[lane] + posts.shadow[lane] ==
                  doctest::Approx(change[lane]).epsilon(1e-11).scale(1.0));
        }
    }
};

}  // namespace

TEST_CASE("a linear oscillator rotates exactly about its displaced centre") {
    // q″ = −ω² q, ω² = ab, for H = ½(a φ² + b q²) − βᵀ(φ, q).
    const double a = 400.0, b = 0.01, step = 1.7, omega = std::sqrt(a * b);
    const Energy energy{Stiffness(Matrix::diagonal({a, b})), {}};
    const Moved moved(energy, step, {{0.8, 0.3}, {}, {0.0}});
    for (std::size_t lane = 0; lane < block_width; ++lane) {
        const double x = moved.before[lane] - 0.8 / a, y = moved.before[64 + lane] - 0.3 / b;
        const double c = std::cos(omega * step), s = std::sin(omega * step);
        CHECK(moved.after[lane] - 0.8 / a ==
              doctest::Approx(x * c + b / omega * y * s).epsilon(1e-12).scale(1.0));
        CHECK(moved.after[64 + lane] - 0.3 / b ==
              doctest::Approx(y * c - a / omega * x * s).epsilon(1e-12).scale(10.0));
        CHECK(std::abs(moved.posts.shadow[lane]) < 1e-10);
        CHECK(moved.posts.source[lane] == 0.0);
    }
}

TEST_CASE("a current source shifts the centre and delivers the energy") {
    // φ′ = b q, q′ = −a φ + I: the centre is φ = I/a.
    const double current = 0.6, step = 0.9;
    const Energy energy{Stiffness(Matrix::identity(2)), {}};
    const Moved moved(energy, step, {{0.0, 0.0}, {}, {current}});
    for (std::size_t lane = 0; lane < block_width; ++lane) {
        const double x = moved.before[lane] - current, y = moved.before[64 + lane];
        CHECK(moved.after[lane] ==
              doctest::Approx(current + x * std::cos(step) + y * std::sin(step)));
        CHECK(moved.posts.source[lane] ==
              doctest::Approx(moved.change[lane]).epsilon(1e-11).scale(1.0));
    }
}

TEST_CASE("a quartic oscillator conserves its energy to second order, without a drift") {
    const Energy energy{Stiffness(Matrix::identity(2)), {2.0, 0.0}};
    const auto error = [&](double step, int repeats) {
        const Moved moved(energy, step, {{0.0, 0.0}, {}, {0.0}}, repeats);
        double largest = 0.0;
        for (const double change : moved.change) largest = std::max(largest, std::abs(change));
        return largest;
    };
    const double coarse = error(0.1, 30), fine = error(0.05, 60);
    CHECK(coarse / fine == doctest::Approx(4.0).epsilon(0.15));
    CHECK(error(0.1, 3000) < 5.0 * coarse);
}

TEST_CASE("a source beside a quartic unit delivers exactly what it is booked") {
    const Energy energy{Stiffness(Matrix::identity(2)), {2.0, 0.0}};
    Moved(energy, 0.05, {{0.1, -0.2}, {}, {0.4}}, 5);
}

TEST_CASE("without coils and sources there is nothing to do") {
    const Energy energy{Stiffness(Matrix::identity(1)), {}};
    CHECK(LosslessMove(overdamped_elements(std::vector<double>{1.0}), energy, 0.1).idle());
    CHECK_FALSE(LosslessMove(oscillator(), {Stiffness(Matrix::identity(2)), {}}, 0.1).idle());
}

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
