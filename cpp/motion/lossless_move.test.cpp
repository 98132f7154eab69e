#include "motion/lossless_move.hpp"

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
        for (int k = 0; k < repeats; ++k) move.advance(after.data(), drive, workspace, posts);
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
