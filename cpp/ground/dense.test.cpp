#include "ground/dense.hpp"

#include <cmath>

#include "ground/testing.test.hpp"

using namespace ktc;
using ktc::testing::difference;
using ktc::testing::matrix;
using ktc::testing::product;
using ktc::testing::random_matrix;
using ktc::testing::random_positive_definite;
using ktc::testing::transposed;

TEST_CASE("products of matrices and vectors") {
    const Matrix a = random_matrix(3, 5, 1), b = random_matrix(5, 4, 2);
    const Matrix expected = product(a, b);
    CHECK(difference(multiply(a, b), expected) < 1e-15);
    CHECK(difference(multiply(transposed(a), b, Transposed::yes), expected) < 1e-15);
    CHECK(difference(multiply(a, transposed(b), Transposed::no, Transposed::yes), expected) <
          1e-15);
    CHECK(difference(multiply(transposed(a), transposed(b), Transposed::yes, Transposed::yes),
                     expected) < 1e-15);
    const std::vector<double> x = testing::numbers(5, 3);
    Matrix column(5, 1);
    std::copy(x.begin(), x.end(), column.data());
    const Matrix image = product(a, column);
    CHECK(difference(multiply(a, x), transposed(image).row(0)) < 1e-15);
    CHECK(difference(multiply(transposed(a), x, Transposed::yes), transposed(image).row(0)) <
          1e-15);
}

TEST_CASE("sums, norms and symmetry") {
    const Matrix a = matrix({{1, -4}, {2, 3}});
    CHECK(transpose(a) == matrix({{1, 2}, {-4, 3}}));
    CHECK(symmetrised(a) == matrix({{1, -1}, {-1, 3}}));
    CHECK(add(2.0, a, -1.0, a) == a);
    CHECK(norm(a) == 5.0);
}

TEST_CASE("products with blocks") {
    constexpr std::size_t width = 7;
    const Matrix a = random_matrix(4, 3, 4), block = random_matrix(3, width, 5);
    const Matrix expected = product(a, block);
    Matrix out(4, width);
    multiply_block(a, block.data(), out.data(), width);
    CHECK(difference(out, expected) < 1e-15);
    multiply_block(a, block.data(), out.data(), width, true);
    CHECK(difference(out, add(2.0, expected, 0.0, expected)) < 2e-15);
    Matrix outer = Matrix::identity(3);
    add_outer_block(block.data(), 3, width, outer);
    CHECK(difference(outer, add(1.0, product(block, transposed(block)), 1.0, Matrix::identity(3))) <
          1e-14);
}

TEST_CASE("Cholesky's factor") {
    const Matrix a = random_positive_definite(6, 6), lower = cholesky(a, "K");
    CHECK(difference(product(lower, transposed(lower)), a) < 1e-14);
    for (std::size_t i = 0; i < 6; ++i)
        for (std::size_t j = i + 1; j < 6; ++j) CHECK(lower(i, j) == 0.0);
    const Matrix b = random_matrix(6, 2, 7);
    CHECK(difference(product(lower, solve_lower(lower, b)), b) < 1e-14);
    CHECK(difference(product(transposed(lower), solve_lower(lower, b, Transposed::yes)), b) <
          1e-14);
    CHECK_THROWS_WITH(cholesky(matrix({{1, 2}, {2, 1}}), "K"),
                      "K is not positive definite: its leading minor of order 2 is not positive");
}

TEST_CASE("linear equations") {
    const std::vector<double> x = solve(matrix({{0, 2}, {4, 1}}), {2.0, 9.0});
    CHECK(difference(x, std::vector<double>{2.0, 1.0}) < 1e-15);
    CHECK_THROWS_WITH(solve(matrix({{1, 1}, {1, 1}}), {1.0, 1.0}), doctest::Contains("singular"));
}

TEST_CASE("eigenvalues of a symmetric matrix") {
    const SymmetricEigen two = symmetric_eigen(matrix({{2, 1}, {1, 2}}));
    CHECK(difference(two.values, std::vector<double>{1.0, 3.0}) < 1e-15);
    const Matrix a = random_positive_definite(7, 8);
    const SymmetricEigen found = symmetric_eigen(a);
    const Matrix scaled = product(found.vectors, Matrix::diagonal(found.values));
    CHECK(difference(product(a, found.vectors), scaled) < 1e-14);
    CHECK(difference(product(transposed(found.vectors), found.vectors), Matrix::identity(7)) <
          1e-14);
}

TEST_CASE("eigenvalues of a factor keep the digits of the small ones") {
    // f fᵀ of f = diag(1e-9, 1) [[3, 4], [4, -3]]/5: the axes, up to 1e-9.
    const Matrix factor = matrix({{0.6e-9, 0.8e-9}, {0.8, -0.6}});
    const SymmetricEigen found = symmetric_eigen_of_factor(factor);
    CHECK(found.values[0] == doctest::Approx(1e-18).epsilon(1e-14));
    CHECK(found.values[1] == doctest::Approx(1.0).epsilon(1e-14));
    CHECK(std::abs(found.vectors(0, 0)) == doctest::Approx(1.0));
    CHECK(std::abs(found.vectors(1, 1)) == doctest::Approx(1.0));
}

TEST_CASE("a factor of a singular covariance") {
    const Matrix a = matrix({{4, 2, 0}, {2, 1, 0}, {0, 0, 1e-20}});
    const Matrix factor = semidefinite_factor(a);
    CHECK(difference(product(factor, transposed(factor)), a) < 1e-15);
    CHECK(product(factor, transposed(factor))(2, 2) == doctest::Approx(1e-20));
    CHECK(semidefinite_factor(Matrix(2, 2)) == Matrix(2, 2));
}

TEST_CASE("Lyapunov's equation") {
    // A scalar: 2 f p + d = 0. A non-normal drift: its residue.
    CHECK(solve_lyapunov(matrix({{-2}}), matrix({{3}}))(0, 0) == doctest::Approx(0.75));
    const Matrix drift = matrix({{-1, 5, 0}, {0, -2, 3}, {0, 0, -0.5}});
    const Matrix diffusion = Matrix::diagonal({1.0, 0.0, 2.0});
    const Matrix p = solve_lyapunov(drift, diffusion);
    const Matrix fp = product(drift, p);
    CHECK(difference(add(-1.0, fp, -1.0, transposed(fp)), diffusion) < 1e-13);
    CHECK(p == transposed(p));
    CHECK_THROWS_WITH(solve_lyapunov(matrix({{0.5}}), matrix({{1}})),
                      "drift must be stable, but has an eigenvalue with real part 0.500000; every "
                      "real part must be negative");
}

TEST_CASE("the library works on the calling thread") {
    use_one_library_thread();
    CHECK_FALSE(library_core().empty());
}

TEST_CASE("a factor of low rank has as many columns as rounding needs") {
    const Matrix narrow = random_matrix(20, 3, 5);
    const Matrix a = multiply(narrow, narrow, Transposed::no, Transposed::yes);
    const std::vector<double> width(20, 2.0);
    const Matrix factor = low_rank_factor(a, width);
    CHECK(factor.rows() == 20);
    CHECK(factor.columns() == 3);
    const Matrix found = multiply(factor, factor, Transposed::no, Transposed::yes);
    for (std::size_t i = 0; i < 20; ++i)
        for (std::size_t j = 0; j < 20; ++j) CHECK(std::abs(found(i, j) - a(i, j)) < 1e-13);
    CHECK(low_rank_factor(a, std::vector<double>(20, 1e12)).columns() <= 1);
}
