#include "physics/elements.hpp"

#include <limits>

#include "ground/testing.test.hpp"

using namespace ktc;
using ktc::testing::difference;
using ktc::testing::matrix;
using ktc::testing::product;

namespace {

/// Two nodes: a resistor from the first to ground and one between both.
Elements two_nodes() {
    Elements elements;
    elements.directions = SparseMatrix::of(matrix({{1, 0}, {1, -1}}));
    elements.conductance = {0.5, 2.0};
    elements.account = {0, 3};
    elements.source_directions = Matrix(0, 2);
    elements.noise_directions = matrix({{0, 1}, {1, 1}});
    elements.noise_density = {1.0, 2.0};
    elements.noise_rate = {0.0, 5.0};
    return elements;
}

}  // namespace

TEST_CASE("what elements are") {
    const Elements elements = two_nodes();
    CHECK_NOTHROW(elements.check());
    CHECK(elements.dimension() == 2);
    CHECK(elements.accounts() == 4);
    CHECK(elements.filters() == 1);
    CHECK_FALSE(elements.along_axes());
    // ½ (1,0)(1,0)ᵀ + 2 (1,−1)(1,−1)ᵀ
    CHECK(elements.mobility() == matrix({{2.5, -2}, {-2, 2}}));
}

TEST_CASE("a weighted outer product along axes and along others") {
    const SparseMatrix axes = SparseMatrix::of(matrix({{0, 3}, {1, 0}, {0, 1}}));
    CHECK(weighted_outer(axes, {2.0, 5.0, 1.0}) == matrix({{5, 0}, {0, 19}}));
    const Matrix rows = testing::random_matrix(4, 3, 1);
    const std::vector<double> weights = {1.0, 0.0, 2.0, 0.25};
    Matrix expected(3, 3);
    for (std::size_t r = 0; r < 4; ++r)
        for (std::size_t i = 0; i < 3; ++i)
            for (std::size_t j = 0; j < 3; ++j)
                expected(i, j) += weights[r] * rows(r, i) * rows(r, j);
    CHECK(difference(weighted_outer(SparseMatrix::of(rows), weights), expected) < 1e-15);
}

TEST_CASE("overdamped units: a resistor each has mobility 1/R") {
    const Elements dense = overdamped_elements(Matrix::diagonal({2.0, 4.0}));
    const Elements sparse = overdamped_elements(std::vector<double>{2.0, 4.0});
    for (const Elements& elements : {dense, sparse}) {
        CHECK(elements.mobility() == Matrix::diagonal({0.5, 0.25}));
        CHECK(elements.along_axes());
        CHECK(elements.account == std::vector<std::size_t>{0, 1});
        CHECK(elements.interconnection.empty());
    }
}

TEST_CASE("a dense friction matrix: mobility times friction is one, in one account") {
    const Matrix friction = testing::random_positive_definite(5, 2);
    const Elements elements = overdamped_elements(friction);
    CHECK(difference(product(elements.mobility(), friction), Matrix::identity(5)) < 1e-13);
    CHECK(elements.accounts() == 1);
    CHECK(elements.conductance == std::vector<double>(5, 1.0));
}

TEST_CASE("inertia: friction acts on the momenta, J turns positions into them") {
    const Matrix friction = matrix({{2, 1}, {1, 2}});
    const Elements elements = inertial_elements(friction);
    CHECK(elements.dimension() == 4);
    CHECK(elements.interconnection ==
          matrix({{0, 0, 1, 0}, {0, 0, 0, 1}, {-1, 0, 0, 0}, {0, -1, 0, 0}}));
    CHECK(difference(elements.mobility(),
                     matrix({{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 2, 1}, {0, 0, 1, 2}})) < 1e-15);
    CHECK(inertial_elements(Matrix::diagonal({3.0})).conductance == std::vector<double>{3.0});
}

TEST_CASE("elements that do not fit are refused") {
    const auto refused = [](auto&& spoil, const char* message) {
        Elements bad = two_nodes();
        spoil(bad);
        CHECK_THROWS_WITH(bad.check(), doctest::Contains(message));
    };
    const double nan = std::numeric_limits<double>::quiet_NaN();
    refused([](Elements& e) { e.conductance[0] = 0.0; }, "conductance must be positive");
    refused([](Elements& e) { e.conductance.pop_back(); }, "directions must have 1 rows");
    refused([](Elements& e) { e.account.push_back(0); }, "account must have one entry");
    refused([&](Elements& e) { e.noise_directions(0, 0) = nan; }, "noise_directions must be");
    refused([](Elements& e) { e.noise_density[1] = -1.0; }, "noise density must be positive");
    refused([](Elements& e) { e.noise_rate[1] = -1.0; }, "noise_rate must be finite");
    refused([](Elements& e) { e.source_directions = Matrix(1, 3); }, "source_directions must have");
    refused([](Elements& e) { e.interconnection = matrix({{0, 1}, {1, 0}}); }, "antisymmetric");
    refused([](Elements& e) { e.active.flow = Matrix(1, 1); }, "flow must have");
    refused([](Elements& e) { e = Elements{}; }, "at least one resistor");
}
