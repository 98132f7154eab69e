#include "motion/transition.hpp"

#include <doctest/doctest.h>
#include <cmath>
#include <initializer_list>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

const Matrix stiffness = matrix({{2.0, -0.5, 0.1}, {-0.5, 1.5, 0.3}, {0.1, 0.3, 3.0}});

/// H = ½|w|²: Tᵀ ∇²H T = 1, and F = T⁻¹ (J − G) T⁻ᵀ.
void check_natural(const Network& network, const Coordinates& coordinates) {
    const Controls controls = controls_of(Stiffness(stiffness));
    const Matrix hessian = network.hessian(controls).dense();
    const std::size_t n = network.dimension();
    const Matrix& to_state = coordinates.to_state;
    check_close(multiply(to_state, multiply(hessian, to_state), Transposed::yes),
                Matrix::identity(n));
    check_close(multiply(coordinates.from_state, to_state), Matrix::identity(n));
    const Matrix flow = multiply(multiply(coordinates.from_state, network.flow()),
                                 coordinates.from_state, Transposed::no, Transposed::yes);
    if (!coordinates.decoupled()) {
        check_close(coordinates.drift, flow);
        return;
    }
    std::vector<double> drift;
    for (const double rate : coordinates.rates) drift.push_back(-rate);
    check_close(flow, Matrix::diagonal(drift));
}

}  // namespace

TEST_CASE("natural coordinates make the energy a sphere and keep the flow") {
    const Matrix friction = matrix({{1.0, 0.2, 0.0}, {0.2, 2.0, -0.3}, {0.0, -0.3, 0.7}});
    const Network dense(friction, {}), inertial(friction, {1.0, 0.5, 2.0});
    Elements elements = overdamped_elements(std::vector<double>{1.0, 2.0, 0.5});
    elements.interconnection = matrix({{0.0, 1.0, 0.0}, {-1.0, 0.0, 0.4}, {0.0, -0.4, 0.0}});
    for (const Network& network : {units(3, 2.0), dense, inertial, Network(elements)})
        check_natural(network, natural_coordinates(network, Stiffness(stiffness)));
}

TEST_CASE("uncoupled units keep their index") {
    const Coordinates found =
        natural_coordinates(units(2, 0.5), Stiffness(Matrix::diagonal({4.0, 9.0})));
    CHECK(found.rates == std::vector<double>{8.0, 18.0});
    CHECK(found.to_state == Matrix::diagonal({0.5, 1.0 / 3.0}));
    CHECK(found.force({2.0, 3.0}) == std::vector<double>{1.0, 1.0});
}

TEST_CASE("rates of very different size keep their digits") {
    // Both eigenvalues of [[1, 1], [1, 1 + e]]: the product is e, the sum 2 + e.
    const double e = 0x1p-36;
    const Coordinates found =
        natural_coordinates(units(2), Stiffness(matrix({{1.0, 1.0}, {1.0, 1.0 + e}})));
    CHECK(found.rates[0] * found.rates[1] == doctest::Approx(e).epsilon(1e-12));
}

TEST_CASE("physical coordinates are the state itself, padded with zero forces") {
    const Coordinates found = physical_coordinates(Network(Matrix::identity(1), {2.0}));
    CHECK_FALSE(found.natural);
    CHECK(found.dimension() == 2);
    CHECK(found.force({3.0}) == std::vector<double>{3.0, 0.0});
}

TEST_CASE("a stiffness without equilibrium is refused, and a sparse one as well") {
    CHECK_THROWS_AS(natural_coordinates(units(1), Stiffness(Matrix::diagonal({-1.0}))),
                    std::invalid_argument);
    CHECK_THROWS_AS(natural_coordinates(units(2), Stiffness(matrix({{1.0, 2.0}, {2.0, 1.0}}))),
                    std::invalid_argument);
    CHECK_THROWS_AS(natural_coordinates(units(1), Stiffness(SparseMatrix::axes(1, 1, 0))),
                    std::invalid_argument);
}

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

TEST_CASE("a free coordinate diffuses") {
    const Relaxation free(2.0, 0.0, 3.0, 0.5);
    CHECK(free.reach == 1.0);
    CHECK(free.width * free.width == doctest::Approx(2.0 * 3.0 * 2.0 * 0.5));
}

TEST_CASE("a stable coordinate reaches its equilibrium") {
    const Relaxation long_time(2.0, 4.0, 3.0, 1e3);
    CHECK(long_time.reach == doctest::Approx(0.25));
    CHECK(long_time.width * long_time.width == doctest::Approx(3.0 / 4.0));
}

TEST_CASE("two moves make one of twice the time, at any curvature") {
    for (const double curvature : {1.5, 1e-9, 0.0, -0.7}) {
        CAPTURE(curvature);
        const Relaxation half(0.8, curvature, 1.3, 0.4), whole(0.8, curvature, 1.3, 0.8);
        const double decay = 1.0 - curvature * half.reach;
        CHECK(whole.reach == doctest::Approx(half.reach * (1.0 + decay)).epsilon(1e-14));
        CHECK(whole.width * whole.width ==
              doctest::Approx(half.width * half.width * (1.0 + decay * decay)).epsilon(1e-14));
        CHECK(decay == doctest::Approx(std::exp(-0.8 * curvature * 0.4)).epsilon(1e-14));
    }
}
