#include "motion/coordinates.hpp"

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
