#include "motion/stationary_sampler.hpp"

#include <cmath>
#include <functional>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

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
