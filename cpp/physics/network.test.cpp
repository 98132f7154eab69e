#include "physics/network.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "ground/testing.test.hpp"
#include "physics/motion.hpp"

using namespace ktc;
using ktc::testing::difference;
using ktc::testing::matrix;

namespace {

Controls controls_of(Matrix stiffness, std::size_t accounts, double kT = 1.0) {
    const std::size_t d = stiffness.rows();
    return {
        std::vector<double>(d), Stiffness(std::move(stiffness)), std::vector<double>(accounts, kT),
        std::vector<double>(d), std::vector<double>(accounts),   {}};
}

}  // namespace

TEST_CASE("drift and diffusion of overdamped units are R⁻¹K and 2kT R⁻¹") {
    const Network network(Matrix::diagonal({2.0, 4.0}), {});
    const Controls controls = controls_of(matrix({{2.0, 0.5}, {0.5, 1.0}}), 2, 3.0);
    CHECK(difference(network.flow(), Matrix::diagonal({-0.5, -0.25})) < 1e-14);
    CHECK(difference(network.drift(controls), matrix({{-1.0, -0.25}, {-0.125, -0.25}})) < 1e-14);
    CHECK(difference(network.diffusion(controls), Matrix::diagonal({3.0, 1.5})) < 1e-14);
}

TEST_CASE("a dense friction matrix has its inverse as mobility") {
    // R⁻¹ of [[2, 1], [1, 1]] is [[1, −1], [−1, 2]].
    const Network network(matrix({{2.0, 1.0}, {1.0, 1.0}}), {});
    CHECK(difference(network.flow(), matrix({{-1.0, 1.0}, {1.0, -2.0}})) < 1e-14);
    CHECK(network.elements().accounts() == 1);
    Controls controls = controls_of(Matrix::identity(2), 1, 0.5);
    controls.emf = {0.0, 0.0};
    CHECK(difference(network.diffusion(controls), matrix({{1.0, -1.0}, {-1.0, 2.0}})) < 1e-14);
}

TEST_CASE("drift and diffusion with inertia act on the momenta") {
    const Network network(Matrix::diagonal({3.0}), {2.0});
    const Controls controls = controls_of(Matrix::diagonal({5.0}), 1, 0.25);
    CHECK(network.dimension() == 2);
    // dx = p/M dt, dp = −(K x + R p/M) dt + √(2kT R) dW
    CHECK(difference(network.drift(controls), matrix({{0.0, 0.5}, {-5.0, -1.5}})) < 1e-14);
    CHECK(difference(network.diffusion(controls), matrix({{0.0, 0.0}, {0.0, 1.5}})) < 1e-14);
}

TEST_CASE("drift and diffusion of a circuit with generators") {
    Elements elements;
    elements.interconnection = matrix({{0.0, 1.0}, {-1.0, 0.0}});
    Matrix directions(2, 2);
    directions(0, 0) = 1.0;
    directions(1, 0) = 1.0, directions(1, 1) = -1.0;
    elements.directions = SparseMatrix::of(directions);
    elements.conductance = {0.5, 2.0};
    elements.account = {0, 1};
    elements.source_directions = Matrix(0, 2);
    elements.noise_directions = matrix({{0.0, 3.0}, {1.0, 0.0}});
    elements.noise_density = {0.25, 7.0};
    elements.noise_rate = {0.0, 1.0};  // the second is filtered, which is no white noise
    const Network network(elements);
    Controls controls = controls_of(Matrix::diagonal({2.0, 1.0}), 2);
    controls.kT = {1.0, 3.0};
    // G = ½ (1,0)(1,0)ᵀ + 2 (1,−1)(1,−1)ᵀ
    CHECK(difference(network.flow(), matrix({{-2.5, 3.0}, {1.0, -2.0}})) < 1e-14);
    CHECK(difference(network.drift(controls), matrix({{-5.0, 3.0}, {2.0, -2.0}})) < 1e-14);
    CHECK(difference(network.diffusion(controls), matrix({{13.0, -12.0}, {-12.0, 14.25}})) < 1e-14);
    CHECK_FALSE(network.moves_together(controls));
    CHECK(network.elements().filters() == 1);
}

TEST_CASE("controls that do not fit are refused") {
    const Network network(Matrix::diagonal({1.0, 1.0}), {});
    const Controls good = controls_of(Matrix::identity(2), 2);
    CHECK_NOTHROW(network.check(good));
    const auto refused = [&](auto&& spoil, const std::string& message) {
        Controls bad = good;
        spoil(bad);
        CHECK_THROWS_WITH(network.check(bad), doctest::Contains(message.c_str()));
    };
    const double nan = std::numeric_limits<double>::quiet_NaN();
    refused([](Controls& c) { c.bias.pop_back(); }, "bias must have 2 entries, but has 1");
    refused([&](Controls& c) { c.bias[1] = nan; }, "bias must be finite");
    refused([](Controls& c) { c.kT[0] = -1.0; }, "kT must not be negative");
    refused([](Controls& c) { c.kT = {0.0, 0.0}; }, "kT must be positive");
    refused([](Controls& c) { c.quartic[0] = -1.0; }, "quartic must not be negative");
    refused([](Controls& c) { c.stiffness = Stiffness(Matrix(2, 3)); }, "stiffness");
    refused([](Controls& c) { c.stiffness = Stiffness(SparseMatrix::axes(2, 2, 0)); },
            "stiffness must be");
    refused([](Controls& c) { c.emf.clear(); }, "emf must have 2 entries, but has 0");
    refused([](Controls& c) { c.current.push_back(0.0); }, "current must have 0 entries");
}

TEST_CASE("quartic units need resistors of their own") {
    const Network shared(matrix({{2.0, 1.0}, {1.0, 2.0}}), {});
    Controls controls = controls_of(Matrix::identity(2), 1);
    controls.emf = {0.0, 0.0};
    CHECK_NOTHROW(shared.check(controls));
    controls.quartic = {0.0, 0.5};
    CHECK_THROWS_WITH(shared.check(controls),
                      doctest::Contains("quartic is 0.500000 at unit 1, but quartic units need"));
}

TEST_CASE("friction and inertia must be physical") {
    CHECK_THROWS_WITH(Network(matrix({{1.0, 2.0}, {2.0, 1.0}}), {}),
                      doctest::Contains("friction is not positive definite"));
    CHECK_THROWS_WITH(Network(Matrix(2, 3), {}), doctest::Contains("square"));
    CHECK_THROWS_WITH(Network(Matrix::identity(2), {1.0}), doctest::Contains("inertia"));
    CHECK_THROWS_WITH(Network(Matrix::identity(1), {-1.0}), doctest::Contains("inertia"));
    CHECK_THROWS_WITH(Network(std::vector<double>{1.0, 0.0}), doctest::Contains("friction"));
}
