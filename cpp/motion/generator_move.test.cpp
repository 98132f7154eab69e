#include "motion/generator_move.hpp"

#include <cmath>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

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
    move.advance(state.data(), nullptr, {0.3}, whole_block(2), 6, posts);
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
        move.advance(state.data(), filter.data(), {0.0}, whole_block(), 6, posts);
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
