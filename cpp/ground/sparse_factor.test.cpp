#include "ground/sparse_factor.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "ground/dense.hpp"

using namespace ktc;

namespace {

/// Springs of a ring with chords, and weights on its diagonal; the last rows of `negative` are
/// negated, which leaves a quasi-definite matrix.
Matrix ring(std::size_t n, std::size_t negative = 0) {
    Matrix result(n, n);
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t next = (i + 1) % n, far = (i + 3) % n;
        for (const std::size_t j : {next, far}) {
            const double spring = 0.5 + 0.1 * static_cast<double>(i + j);
            result(i, j) -= spring;
            result(j, i) -= spring;
            result(i, i) += spring;
            result(j, j) += spring;
        }
        result(i, i) += 0.3;
    }
    for (std::size_t i = n - negative; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            if (j >= n - negative) result(i, j) = -result(i, j);
    return result;
}

const std::vector<std::size_t> order{3, 0, 7, 5, 1, 8, 2, 6, 4};

std::vector<double> numbers(std::size_t count) {
    std::vector<double> result(count);
    for (std::size_t k = 0; k < count; ++k)
        result[k] = std::sin(1.0 + 7.0 * static_cast<double>(k));
    return result;
}

}  // namespace

TEST_CASE("solutions of definite and quasi-definite matrices") {
    for (const std::size_t negative : {0, 4}) {
        const Matrix dense = ring(9, negative);
        const SparseFactor<double> factor(SparseMatrix::of(dense), order, "ring");
        const std::vector<double> wanted = numbers(18);
        std::vector<double> block(18, 0.0);
        for (std::size_t i = 0; i < 9; ++i)
            for (std::size_t j = 0; j < 9; ++j)
                for (std::size_t lane = 0; lane < 2; ++lane)
                    block[2 * i + lane] += dense(i, j) * wanted[2 * j + lane];
        solve_block(factor, block.data(), 2);
        for (std::size_t k = 0; k < block.size(); ++k)
            CHECK(block[k] == doctest::Approx(wanted[k]).epsilon(1e-12));
    }
}

TEST_CASE("a root times its transpose is the matrix") {
    const Matrix dense = ring(9);
    const SparseFactor<double> factor(SparseMatrix::of(dense), order, "ring");
    Matrix root = Matrix::identity(9);
    multiply_root(factor, root.data(), 9);
    const Matrix square = multiply(root, root, Transposed::no, Transposed::yes);
    for (std::size_t i = 0; i < 9; ++i)
        for (std::size_t j = 0; j < 9; ++j)
            CHECK(square(i, j) == doctest::Approx(dense(i, j)).epsilon(1e-12));
}

TEST_CASE("products with inverses on both sides") {
    const Matrix dense = ring(9);
    Matrix slope = dense;
    for (std::size_t i = 0; i < 9; ++i) slope(i, i) += 0.1 * static_cast<double>(i);
    const SparseMatrix directions(9, {0, 2, 3}, {{0, 1.0}, {1, -2.0}, {4, 3.0}}, "directions");
    const std::vector<double> found =
        sandwiched(SparseMatrix::of(dense), SparseMatrix::of(slope), order, directions);
    const Matrix plain = directions.dense();
    for (std::size_t r = 0; r < 2; ++r) {
        const std::vector<double> reached = solve(dense, plain.row(r));
        const std::vector<double> weighted = multiply(slope, reached);
        double sum = 0.0;
        for (std::size_t i = 0; i < 9; ++i) sum += reached[i] * weighted[i];
        CHECK(found[r] == doctest::Approx(sum).epsilon(1e-12));
    }
}

TEST_CASE("a singular matrix is refused") {
    const SparseMatrix singular = SparseMatrix::of(Matrix(9, 9));
    CHECK_THROWS_WITH(SparseFactor<double>(singular, order, "ring"), "ring is singular at row 3");
}
