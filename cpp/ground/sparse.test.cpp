#include "ground/sparse.hpp"

#include <cmath>
#include <limits>

#include "ground/testing.test.hpp"

using namespace ktc;
using ktc::testing::difference;
using ktc::testing::matrix;

namespace {

/// A random matrix with two entries in five.
Matrix scattered(std::size_t rows, std::size_t columns, std::uint64_t seed) {
    Matrix result = testing::random_matrix(rows, columns, seed);
    for (std::size_t k = 0; k < rows * columns; ++k)
        if (k % 5 > 1) result.data()[k] = 0.0;
    return result;
}

}  // namespace

TEST_CASE("a sparse matrix holds what the dense one does") {
    const Matrix dense = scattered(4, 7, 1);
    const SparseMatrix sparse = SparseMatrix::of(dense);
    CHECK(sparse.rows() == 4);
    CHECK(sparse.columns() == 7);
    CHECK(sparse.size() == 12);
    CHECK(sparse.dense() == dense);
    for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 7; ++j) CHECK(sparse(i, j) == dense(i, j));
}

TEST_CASE("axes") {
    CHECK(SparseMatrix::axes(2, 4, 1).dense() == matrix({{0, 1, 0, 0}, {0, 0, 1, 0}}));
}

TEST_CASE("rows out of order are refused") {
    CHECK_NOTHROW(SparseMatrix(2, {0, 1, 2}, {{1, 1.0}, {0, 1.0}}, "K"));
    CHECK_THROWS_WITH(SparseMatrix(2, {0, 2, 1}, {{0, 1.0}, {1, 1.0}}, "K"),
                      doctest::Contains("K must have starts of rows that ascend"));
    CHECK_THROWS_WITH(SparseMatrix(2, {0, 2}, {{1, 1.0}, {0, 1.0}}, "K"),
                      "K must have columns below 2 that ascend in every row, but row 0 does not");
    CHECK_THROWS(SparseMatrix(2, {0, 1}, {{2, 1.0}}, "K"));
    CHECK_THROWS(SparseMatrix(2, {0, 2}, {{1, 1.0}, {1, 1.0}}, "K"));
}

TEST_CASE("a matrix is finite if all its entries are") {
    CHECK(SparseMatrix::of(matrix({{1, 2}})).is_finite());
    CHECK_FALSE(
        SparseMatrix::of(matrix({{1, std::numeric_limits<double>::infinity()}})).is_finite());
}

TEST_CASE("a sum of sparse matrices has no entries that cancel") {
    const Matrix a = scattered(5, 5, 2), b = scattered(5, 5, 3);
    Matrix expected(5, 5);
    for (std::size_t k = 0; k < 25; ++k) expected.data()[k] = 2.0 * a.data()[k] - b.data()[k];
    const SparseMatrix sum = add(2.0, SparseMatrix::of(a), -1.0, SparseMatrix::of(b));
    CHECK(sum.dense() == expected);
    CHECK(add(1.0, SparseMatrix::of(a), -1.0, SparseMatrix::of(a)).size() == 0);
}

TEST_CASE("a row times a block") {
    constexpr std::size_t width = 3;
    const Matrix a = scattered(4, 6, 4), block = testing::random_matrix(6, width, 5);
    const Matrix expected = testing::product(a, block);
    const SparseMatrix sparse = SparseMatrix::of(a);
    for (std::size_t i = 0; i < 4; ++i) {
        std::vector<double> out(width, 7.0);
        multiply_row(sparse.row(i), block.data(), width, out.data());
        CHECK(difference(out, expected.row(i)) < 1e-15);
    }
    const std::vector<SparseEntry> entries = entries_of({0.0, 3.0, 0.0, -1.0});
    CHECK(entries == std::vector<SparseEntry>{{1, 3.0}, {3, -1.0}});
}

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
