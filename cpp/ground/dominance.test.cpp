#include "ground/dominance.hpp"

#include <cmath>

#include "ground/testing.test.hpp"

using namespace ktc;
using ktc::testing::matrix;

namespace {

/// s_i a_ii − Σ_{j≠i} |a_ij| s_j, by its definition.
double surplus_of(const Matrix& a, const std::vector<double>& s, std::size_t i) {
    double sum = s[i] * a(i, i);
    for (std::size_t j = 0; j < a.columns(); ++j)
        if (j != i) sum -= std::abs(a(i, j)) * s[j];
    return sum;
}

void check_dominant(const Matrix& a) {
    const Dominance found = dominance(SparseMatrix::of(a));
    REQUIRE(found.scale.size() == a.rows());
    for (std::size_t i = 0; i < a.rows(); ++i) {
        CHECK(found.scale[i] > 0.0);
        CHECK(found.surplus[i] >= 0.0);
        CHECK(found.surplus[i] == doctest::Approx(surplus_of(a, found.scale, i)));
    }
}

}  // namespace

TEST_CASE("a dominant matrix needs no scaling") {
    const Matrix a = matrix({{2, -1, 0}, {-1, 3, 1}, {0, 1, 2}});
    check_dominant(a);
    const Dominance found = dominance(SparseMatrix::of(a));
    CHECK(found.scale == std::vector<double>(3, 1.0));
    CHECK(found.definite);
}

TEST_CASE("a matrix that is dominant under a scaling alone") {
    // The second row is not dominant: 0.3 < 0.5; s = (1, 3) makes both so.
    const Matrix a = matrix({{2, 0.5}, {0.5, 0.3}});
    check_dominant(a);
    CHECK(dominance(SparseMatrix::of(a)).definite);
}

TEST_CASE("a part without a surplus is not definite") {
    // A spring between two units that nothing holds.
    const Matrix a = matrix({{1, -1, 0}, {-1, 1, 0}, {0, 0, 1}});
    check_dominant(a);
    CHECK_FALSE(dominance(SparseMatrix::of(a)).definite);
    // Held at one end.
    CHECK(dominance(SparseMatrix::of(matrix({{2, -1}, {-1, 1}}))).definite);
}

TEST_CASE("no scaling is found for what is not positive definite") {
    CHECK(dominance(SparseMatrix::of(matrix({{1, 2}, {2, 1}}))).scale.empty());
    CHECK(dominance(SparseMatrix::of(matrix({{-1, 0}, {0, 1}}))).scale.empty());
}
