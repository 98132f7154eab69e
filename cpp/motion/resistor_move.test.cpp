#include "motion/resistor_move.hpp"

#include <cmath>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

/// One unit of stiffness `k` and quartic term `kappa`, moved once from `state`.
struct Moved {
    std::vector<double> before, after, noise;
    Posts posts;

    Moved(double k, double kappa, const ResistorMove::Resistor& resistor, double step, double bias,
          double emf)
        : before(some_state(1)), after(before), noise(block_width) {
        const Energy energy{Stiffness(Matrix::diagonal({k})), {kappa}};
        const ResistorMove move(SubstepDirection(energy, {1.0}), resistor, step);
        posts.heat_per_account.resize(2 * block_width);
        posts.clear();
        move.advance(after.data(), {bias}, emf, whole_block(4), 3, posts);
        row_of_normals(whole_block(4), Purpose::hold, 3, noise.data());
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const auto h = [&](double x) {
                return x * (0.5 * k * x - bias) + 0.25 * kappa * x * x * x * x;
            };
            const double change = h(after[lane]) - h(before[lane]);
            CHECK(posts.source[lane] - posts.heat[lane] ==
                  doctest::Approx(change).epsilon(1e-11).scale(1.0));
            CHECK(posts.supply[lane] == doctest::Approx(bias * (after[lane] - before[lane])));
            CHECK(posts.heat_per_account[block_width + lane] == posts.heat[lane]);
            CHECK(posts.source[lane] ==
                  doctest::Approx(emf * (after[lane] - before[lane])).scale(1.0));
            if (resistor.kT > 0.0)
                CHECK(posts.entropy[lane] == doctest::Approx(posts.heat[lane] / resistor.kT));
        }
    }
};

}  // namespace

TEST_CASE("a resistor moves a linear unit by its exact Ornstein–Uhlenbeck step") {
    const double k = 1.6, g = 0.8, kT = 1.7, step = 0.6, bias = 0.4, emf = 0.25;
    const Moved moved(k, 0.0, {g, kT, 1}, step, bias, emf);
    const double decay = std::exp(-g * k * step), rest = (bias + emf) / k;
    const double width = std::sqrt(kT / k * (1.0 - decay * decay));
    for (std::size_t lane = 0; lane < block_width; ++lane)
        CHECK(moved.after[lane] == doctest::Approx(rest + decay * (moved.before[lane] - rest) +
                                                   width * moved.noise[lane]));
    CHECK(moved.posts.has_source);
}

TEST_CASE("a cold resistor relaxes a purely quartic unit exactly") {
    const double kappa = 2.5, g = 0.8, step = 0.6;
    const Moved moved(0.0, kappa, {g, 0.0, 1}, step, 0.0, 0.0);
    for (std::size_t lane = 0; lane < block_width; ++lane) {
        const double x = moved.before[lane];
        CHECK(moved.after[lane] ==
              doctest::Approx(x / std::sqrt(1.0 + 2.0 * g * kappa * x * x * step)));
    }
    CHECK_FALSE(moved.posts.has_source);
}

TEST_CASE("a quartic unit closes its energy balance in every move") {
    Moved(1.1, 0.7, {0.8, 1.3, 1}, 0.3, 0.6, -0.5);
}

TEST_CASE("moves without a meaning are refused") {
    const Energy quartic{Stiffness(Matrix::identity(2)), {1.0, 0.0}};
    CHECK_THROWS_AS(ResistorMove(SubstepDirection(quartic, {1.0, -1.0}), {1.0, 1.0, 0}, 0.1),
                    std::invalid_argument);
    const Energy unstable{Stiffness(Matrix::diagonal({-1.0})), {}};
    CHECK_THROWS_AS(ResistorMove(SubstepDirection(unstable, {1.0}), {1.0, 1.0, 0}, 1e4),
                    std::invalid_argument);
}
