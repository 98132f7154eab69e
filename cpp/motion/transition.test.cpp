#include "motion/transition.hpp"

#include <cmath>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

/// A damped oscillator of unit frequency: x″ = −x − γ x′.
Matrix oscillator(double gamma) { return matrix({{0.0, 1.0}, {-1.0, -gamma}}); }

}  // namespace

TEST_CASE("the transition of a damped oscillator is its closed form") {
    const double gamma = 0.6, kT = 2.0, hold = 3.7;
    const Matrix diffusion = Matrix::diagonal({0.0, 2.0 * gamma * kT});
    const Matrix stationary = Matrix::diagonal({kT, kT});
    const Transition found = linear_transition(oscillator(gamma), diffusion, stationary, hold);
    const double omega = std::sqrt(1.0 - gamma * gamma / 4.0);
    const double c = std::cos(omega * hold), s = std::sin(omega * hold) / omega;
    const double e = std::exp(-0.5 * gamma * hold);
    const Matrix decay =
        matrix({{e * (c + 0.5 * gamma * s), e * s}, {-e * s, e * (c - 0.5 * gamma * s)}});
    check_close(found.decay, decay, 1e-14);
    const Matrix carried =
        multiply(multiply(decay, stationary), decay, Transposed::no, Transposed::yes);
    check_close(found.covariance, add(1.0, stationary, -1.0, carried), 1e-13);
}

TEST_CASE("a short covariance keeps the digits of its smallest entry") {
    // x″ = noise of rate D: the variances are D t³/3, D t²/2 and D t.
    const double t = 1e-5, rate = 3.0;
    const Transition found = linear_transition(oscillator(1e-3), Matrix::diagonal({0.0, rate}),
                                               Matrix::diagonal({rate / 2e-3, rate / 2e-3}), t);
    CHECK(found.covariance(0, 0) == doctest::Approx(rate * t * t * t / 3.0).epsilon(1e-7));
    CHECK(found.covariance(0, 1) == doctest::Approx(rate * t * t / 2.0).epsilon(1e-7));
    CHECK(found.covariance(1, 1) == doctest::Approx(rate * t).epsilon(1e-7));
}

TEST_CASE("a defective drift is followed exactly") {
    const Matrix drift = matrix({{-1.0, 1.0}, {0.0, -1.0}});
    // Diffusion of the stationary covariance 1: −(F + Fᵀ).
    const Matrix diffusion = matrix({{2.0, -1.0}, {-1.0, 2.0}});
    const double hold = 2.5, e = std::exp(-hold);
    const Transition found = linear_transition(drift, diffusion, Matrix::identity(2), hold);
    check_close(found.decay, matrix({{e, hold * e}, {0.0, e}}), 1e-15);
}

TEST_CASE("the transition of one unit is that of an Ornstein–Uhlenbeck process") {
    const Controls controls = controls_of({{4.0}}, 3.0);
    const Transition found = network_transition(units(1, 2.0), controls, 0.25);
    CHECK(found.decay(0, 0) == doctest::Approx(std::exp(-0.5)));
    CHECK(found.covariance(0, 0) == doctest::Approx(0.75 * (1.0 - std::exp(-1.0))));
    CHECK(relaxed_variance(3.0, 2.0, 0.25) == doctest::Approx(3.0 * (1.0 - std::exp(-1.0))));
}
