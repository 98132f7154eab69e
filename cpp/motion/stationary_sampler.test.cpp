#include "motion/stationary_sampler.hpp"

#include <cmath>
#include <functional>

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

namespace {

const std::function<bool()> always;

std::unique_ptr<const StationarySampler> sampler_of(const Network& network,
                                                    const Controls& controls, Motion motion) {
    return stationary_sampler(network, make_setting(network, controls, motion, nullptr));
}

std::vector<double> drawn(const StationarySampler& sampler, std::size_t rows) {
    Watch watch(always);
    Workspace workspace(rows, 0);
    std::vector<double> state(rows * block_width);
    sampler.draw(state.data(), whole_block(2), workspace, watch);
    return state;
}

std::vector<double> normals(std::size_t row) {
    std::vector<double> result(block_width);
    row_of_normals(whole_block(2), Purpose::equilibrium, row, result.data());
    return result;
}

}  // namespace

TEST_CASE("natural coordinates are normal about the force") {
    const auto sampler = sampler_of(units(1), controls_of({{4.0}}, 2.25, 3.0), Motion::exact);
    CHECK_FALSE(sampler->is_iterative());
    std::vector<double> expected = normals(0);
    for (double& value : expected) value = 1.5 + 1.5 * value;
    check_close(drawn(*sampler, 1), expected);
}

TEST_CASE("a driven linear network is drawn from its normal stationary state") {
    Controls controls = controls_of({{4.0}}, 2.25, 3.0);
    controls.emf = {1.0};
    std::vector<double> expected = normals(0);
    for (double& value : expected) value = 1.0 + 0.75 * value;
    check_close(drawn(*sampler_of(units(1), controls, Motion::split), 1), expected);
}

TEST_CASE("quartic and sparse networks are drawn iteratively") {
    CHECK(sampler_of(units(1), controls_of({{1.0}}, 1.0, 0.0, 1.0), Motion::midpoint)
              ->is_iterative());
    const Network sparse(std::vector<double>(2, 1.0));
    const Stiffness stiffness(SparseMatrix::axes(2, 2, 0));
    CHECK(sampler_of(sparse, controls_of(stiffness), Motion::pooled)->cost() == 100.0);
    CHECK(sampler_of(sparse, controls_of(stiffness, 1.0, 0.0, 1.0), Motion::pooled)->cost() == 1.0);
}

TEST_CASE("what has no stationary state in closed form is refused") {
    Controls controls = controls_of({{1.0, 0.0}, {0.0, 1.0}}, 1.0, 0.0, 1.0);
    controls.kT = {1.0, 2.0};
    CHECK_THROWS_AS(sampler_of(units(2), controls, Motion::split), std::invalid_argument);
    const std::size_t d = most_dense_units + 1;
    Controls hot = controls_of(Stiffness(SparseMatrix::axes(d, d, 0)));
    hot.kT[0] = 2.0;
    CHECK_THROWS_AS(sampler_of(Network(std::vector<double>(d, 1.0)), hot, Motion::split),
                    std::invalid_argument);
}

TEST_CASE("filters are drawn with variance ½ λ S") {
    Elements elements = overdamped_elements(std::vector<double>{1.0});
    elements.noise_directions = matrix({{1.0}, {1.0}, {1.0}});
    elements.noise_density = {0.5, 0.25, 1.0};
    elements.noise_rate = {2.0, 0.0, 8.0};
    std::vector<double> state(3 * block_width, 5.0), expected(block_width, 5.0);
    draw_filters(elements, state.data(), whole_block(2));
    for (const double value : normals(1)) expected.push_back(std::sqrt(0.5) * value);
    for (const double value : normals(2)) expected.push_back(2.0 * value);
    check_close(state, expected);
}
