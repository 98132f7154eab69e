#include "motion/substeps.hpp"

#include <cmath>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

const Matrix hessian = matrix({{2.0, 0.3, 0.0}, {0.3, 1.0, -0.4}, {0.0, -0.4, 3.0}});
const std::vector<double> force{0.5, -1.0, 0.25};

Energy energy_with(Stiffness stiffness) { return {std::move(stiffness), {0.7, 0.0, 0.2}}; }

std::vector<double> energies(const std::vector<double>& state) {
    std::vector<double> scratch(state.size()), result(block_width);
    energy_with(Stiffness(hessian)).of_block(state.data(), force, scratch.data(), result.data());
    return result;
}

}  // namespace

TEST_CASE("a displacement changes the energy by what it says") {
    for (const std::vector<double>& d :
         {std::vector<double>{0.0, 1.5, 0.0}, {1.0, 0.0, -2.0}, {0.3, 0.7, 0.2}}) {
        for (const bool sparse : {false, true}) {
            const Stiffness stiffness =
                sparse ? Stiffness(SparseMatrix::of(hessian)) : Stiffness(hessian);
            const SubstepDirection direction(energy_with(stiffness), d);
            std::vector<double> state = some_state(3), slope(block_width), supply(block_width);
            const std::vector<double> before = state, start = energies(state);
            std::vector<double> change(block_width), displacement = some_state(1, 0.3);
            const SubstepDirection::Pull pull = direction.pull(force);
            CHECK(pull.shared() == doctest::Approx(d[0] * 0.5 - d[1] + d[2] * 0.25));
            direction.slope(state.data(), pull, slope.data());
            direction.move(state.data(), displacement.data(), slope.data(), pull, change.data(),
                           supply.data());
            const std::vector<double> end = energies(state);
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                CHECK(change[lane] == doctest::Approx(end[lane] - start[lane]).epsilon(1e-12));
                CHECK(supply[lane] == doctest::Approx(pull.shared() * displacement[lane]));
                for (std::size_t i = 0; i < 3; ++i)
                    CHECK(state[i * block_width + lane] ==
                          doctest::Approx(before[i * block_width + lane] +
                                          d[i] * displacement[lane]));
            }
        }
    }
}

TEST_CASE("slope and curvature are derivatives of the quadratic energy") {
    const std::vector<double> d{1.0, 0.0, -2.0};
    const SubstepDirection direction(energy_with(Stiffness(hessian)), d);
    double curvature = 0.0;
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 3; ++j) curvature += d[i] * hessian(i, j) * d[j];
    CHECK(direction.curvature() == doctest::Approx(curvature));
    const std::vector<double> state = some_state(3);
    std::vector<double> slope(block_width);
    direction.slope(state.data(), direction.pull(force), slope.data());
    for (std::size_t lane = 0; lane < block_width; ++lane) {
        double expected = 0.0;
        for (std::size_t i = 0; i < 3; ++i) {
            double gradient = -force[i];
            for (std::size_t j = 0; j < 3; ++j)
                gradient += hessian(i, j) * state[j * block_width + lane];
            expected += d[i] * gradient;
        }
        CHECK(slope[lane] == doctest::Approx(expected).epsilon(1e-13));
    }
}

TEST_CASE("a direction along an axis knows its unit") {
    const Energy energy = energy_with(Stiffness(hessian));
    const SubstepDirection axis(energy, {0.0, 0.0, 2.0}), oblique(energy, {1.0, 1.0, 0.0}),
        linear(energy, {0.0, 1.0, 0.0});
    CHECK(axis.along_axis());
    CHECK(axis.axis() == 2);
    CHECK(axis.stride() == 2.0);
    CHECK(axis.quartic() == 0.2);
    CHECK(axis.is_quartic());
    CHECK_FALSE(oblique.along_axis());
    CHECK(oblique.is_quartic());
    CHECK_FALSE(linear.is_quartic());
}

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
        const std::vector<double> pull = {bias};
        move.advance(after.data(), pull, emf, whole_block(4), 3, posts);
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

namespace {

constexpr double density = 0.7, step = 0.4;

/// ∫₀ʰ f(s) ds by Simpson's rule.
template <class Function>
double integral(double upper, Function&& f) {
    constexpr int intervals = 2000;
    double sum = f(0.0) + f(upper);
    for (int k = 1; k < intervals; ++k) sum += f(upper * k / intervals) * (k % 2 == 1 ? 4.0 : 2.0);
    return sum * upper / intervals / 3.0;
}

}  // namespace

TEST_CASE("white noise injects its charge, and the energy that it changes") {
    const Energy energy{Stiffness(Matrix::diagonal({2.0})), {}};
    const GeneratorMove move(SubstepDirection(energy, {0.5}), density, 0.0, step);
    std::vector<double> state = some_state(1), noise(block_width);
    const std::vector<double> before = state;
    Posts posts;
    const std::vector<double> push = {0.3};
    move.advance(state.data(), nullptr, push, whole_block(2), 6, posts);
    row_of_normals(whole_block(2), Purpose::hold, 6, noise.data());
    CHECK(posts.has_injected);
    for (std::size_t lane = 0; lane < block_width; ++lane) {
        const double x = before[lane], y = state[lane];
        CHECK(y == doctest::Approx(x + 0.5 * std::sqrt(density * step) * noise[lane]));
        CHECK(posts.injected[lane] ==
              doctest::Approx(y * y - x * x - 0.3 * (y - x)).epsilon(1e-11).scale(1.0));
    }
}

TEST_CASE("a filtered current and its charge have their exact joint distribution") {
    // With e(s) = e^{−λs}: j(h) gets λ√S e(h − s) of the noise at s, the charge √S (1 − e(h − s)).
    for (const double rate : {1e-3, 2.0, 50.0}) {
        CAPTURE(rate);
        const Energy energy{Stiffness(Matrix::diagonal({1.0})), {}};
        const GeneratorMove move(SubstepDirection(energy, {1.0}), density, rate, step);
        std::vector<double> state(block_width, 0.0), filter = some_state(1);
        const std::vector<double> start = filter;
        std::vector<double> first(block_width), second(block_width);
        Posts posts;
        const std::vector<double> none = {0.0};
        move.advance(state.data(), filter.data(), none, whole_block(), 6, posts);
        row_of_normals(whole_block(), Purpose::hold, 6, first.data());
        row_of_normals(whole_block(), Purpose::hold, 7, second.data());
        const auto moment = [&](auto&& f) {
            return density * integral(step, [&](double s) { return f(std::exp(-rate * s)); });
        };
        const double charge = moment([](double e) { return (1.0 - e) * (1.0 - e); });
        const double both = moment([&](double e) { return rate * e * (1.0 - e); });
        const double current = moment([&](double e) { return rate * rate * e * e; });
        const double share = both / std::sqrt(charge);
        const double rest = std::sqrt(current - share * share);
        const double decay = std::exp(-rate * step), reach = -std::expm1(-rate * step) / rate;
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            CHECK(state[lane] ==
                  doctest::Approx(reach * start[lane] + std::sqrt(charge) * first[lane])
                      .epsilon(1e-8));
            CHECK(filter[lane] ==
                  doctest::Approx(decay * start[lane] + share * first[lane] + rest * second[lane])
                      .epsilon(1e-5)
                      .scale(std::sqrt(current)));
        }
    }
}
