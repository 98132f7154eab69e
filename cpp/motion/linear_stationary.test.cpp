#include "motion/linear_stationary.hpp"

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

Matrix covariance_of(const LinearStationary& state) {
    return multiply(state.factor, state.factor, Transposed::no, Transposed::yes);
}

}  // namespace

TEST_CASE("an equilibrium has mean K⁻¹b and covariance kT K⁻¹") {
    Controls controls = controls_of({{2.0, 0.5}, {0.5, 1.0}}, 3.0);
    controls.bias = {1.0, -2.0};
    const LinearStationary found = linear_stationary(units(2), controls);
    check_close(found.mean, {2.0 / 1.75, -4.5 / 1.75});
    check_close(covariance_of(found),
                matrix({{3.0 / 1.75, -1.5 / 1.75}, {-1.5 / 1.75, 6.0 / 1.75}}));
}

TEST_CASE("two temperatures solve the Lyapunov equation of drift and diffusion") {
    const Network network = units(2, 0.5);
    Controls controls = controls_of({{2.0, 0.5}, {0.5, 1.0}});
    controls.kT = {1.0, 4.0};
    const Matrix covariance = covariance_of(linear_stationary(network, controls));
    const Matrix moved = multiply(network.drift(controls), covariance);
    check_close(add(1.0, add(1.0, moved, 1.0, transpose(moved)), 1.0, network.diffusion(controls)),
                Matrix(2, 2));
}

TEST_CASE("a source shifts the mean") {
    Controls controls = controls_of({{2.0}}, 1.0, 0.6);
    controls.emf = {0.4};
    check_close(linear_stationary(units(1), controls).mean, {0.5});
}

TEST_CASE("filtered noise adds its closed-form variance") {
    // x′ = −x + j, j of variance ½ λ S and rate λ: ⟨x²⟩ = kT + ½ S λ/(1 + λ), ⟨x j⟩ = ½ S λ/(1 + λ)
    // λ.
    const double density = 0.6, rate = 3.0;
    Elements elements = overdamped_elements(std::vector<double>{1.0});
    elements.noise_directions = matrix({{1.0}});
    elements.noise_density = {density};
    elements.noise_rate = {rate};
    const Matrix found =
        covariance_of(linear_stationary(Network(elements), controls_of({{1.0}}, 0.8)));
    const double driven = 0.5 * density * rate / (1.0 + rate);
    CHECK(found(0, 0) == doctest::Approx(0.8 + driven));
    CHECK(found(0, 1) == doctest::Approx(driven));
    CHECK(found(1, 1) == doctest::Approx(0.5 * rate * density));
}

TEST_CASE("an unstable network is refused") {
    CHECK_THROWS_AS(linear_stationary(units(1), controls_of({{-1.0}})), std::invalid_argument);
}
