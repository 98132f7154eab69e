#include "ground/dense.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "ground/error.hpp"

#include <cblas.h>
// lapacke.h falls back on C99 complex types, which C++ does not have.
#define lapack_complex_float std::complex<float>
#define lapack_complex_double std::complex<double>
#include <lapacke.h>

namespace ktc {
namespace {

static_assert(std::is_same_v<lapack_int, int>);
using Index = int;
Index index(std::size_t n) { return static_cast<Index>(n); }

CBLAS_TRANSPOSE flag(Transposed t) { return t == Transposed::yes ? CblasTrans : CblasNoTrans; }

void check_library(lapack_int info, const char* routine) {
    require(info >= 0,
            "stiffness, friction or an element is so large or so small that products of them leave "
            "the range of numbers; scale it");
    if (info != 0)
        throw std::runtime_error(std::string("LAPACK ") + routine + " failed with code " +
                                 std::to_string(info));
}

}  // namespace

void use_one_library_thread() { scipy_openblas_set_num_threads(1); }

std::string library_core() { return scipy_openblas_get_corename(); }

Matrix multiply(const Matrix& a, const Matrix& b, Transposed ta, Transposed tb) {
    const std::size_t rows = ta == Transposed::yes ? a.columns() : a.rows();
    const std::size_t inner = ta == Transposed::yes ? a.rows() : a.columns();
    const std::size_t columns = tb == Transposed::yes ? b.rows() : b.columns();
    Matrix result(rows, columns);
    scipy_cblas_dgemm(CblasRowMajor, flag(ta), flag(tb), index(rows), index(columns), index(inner),
                      1.0, a.data(), index(a.columns()), b.data(), index(b.columns()), 0.0,
                      result.data(), index(columns));
    return result;
}

std::vector<double> multiply(const Matrix& a, const std::vector<double>& x, Transposed ta) {
    std::vector<double> result(ta == Transposed::yes ? a.columns() : a.rows());
    scipy_cblas_dgemv(CblasRowMajor, flag(ta), index(a.rows()), index(a.columns()), 1.0, a.data(),
                      index(a.columns()), x.data(), 1, 0.0, result.data(), 1);
    return result;
}

Matrix transpose(const Matrix& a) {
    Matrix result(a.columns(), a.rows());
    for (std::size_t i = 0; i < a.rows(); ++i)
        for (std::size_t j = 0; j < a.columns(); ++j) result(j, i) = a(i, j);
    return result;
}

Matrix add(double scale_a, const Matrix& a, double scale_b, const Matrix& b) {
    Matrix result(a.rows(), a.columns());
    const std::size_t size = a.rows() * a.columns();
    for (std::size_t k = 0; k < size; ++k)
        result.data()[k] = scale_a * a.data()[k] + scale_b * b.data()[k];
    return result;
}

Matrix symmetrised(const Matrix& a) { return add(0.5, a, 0.5, transpose(a)); }

double norm(const Matrix& a) {
    double largest = 0.0;
    for (std::size_t i = 0; i < a.rows(); ++i) {
        double sum = 0.0;
        for (std::size_t j = 0; j < a.columns(); ++j) sum += std::abs(a(i, j));
        largest = std::max(largest, sum);
    }
    return largest;
}

void multiply_block(const Matrix& a, const double* block, double* out, std::size_t width,
                    bool accumulate) {
    scipy_cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, index(a.rows()), index(width),
                      index(a.columns()), 1.0, a.data(), index(a.columns()), block, index(width),
                      accumulate ? 1.0 : 0.0, out, index(width));
}

void add_outer_block(const double* block, std::size_t rows, std::size_t width, Matrix& out) {
    scipy_cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, index(rows), index(rows),
                      index(width), 1.0, block, index(width), block, index(width), 1.0, out.data(),
                      index(rows));
}

Matrix cholesky(const Matrix& a, const char* name) {
    Matrix lower = a;
    const lapack_int info =
        scipy_LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', index(a.rows()), lower.data(), index(a.rows()));
    require(info == 0, name, " is not positive definite: its leading minor of order ", info,
            " is not positive");
    for (std::size_t i = 0; i < a.rows(); ++i)
        for (std::size_t j = i + 1; j < a.columns(); ++j) lower(i, j) = 0.0;
    return lower;
}

Matrix solve_lower(const Matrix& lower, const Matrix& b, Transposed transposed) {
    Matrix result = b;
    scipy_cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, flag(transposed), CblasNonUnit,
                      index(b.rows()), index(b.columns()), 1.0, lower.data(),
                      index(lower.columns()), result.data(), index(b.columns()));
    return result;
}

LuFactors::LuFactors(const Matrix& a) : columns_(transpose(a)), pivots_(a.rows()) {
    const lapack_int info = scipy_LAPACKE_dgetrf(LAPACK_COL_MAJOR, index(a.rows()), index(a.rows()),
                                                 columns_.data(), index(a.rows()), pivots_.data());
    require(info == 0, "the drift is singular: a coordinate is bound by nothing");
}

std::vector<double> LuFactors::solve(std::vector<double> b) const {
    check_library(scipy_LAPACKE_dgetrs(LAPACK_COL_MAJOR, 'N', index(b.size()), 1, columns_.data(),
                                       index(b.size()), pivots_.data(), b.data(), index(b.size())),
                  "dgetrs");
    return b;
}

std::vector<double> solve(const Matrix& a, const std::vector<double>& b) {
    return LuFactors(a).solve(b);
}

SymmetricEigen symmetric_eigen(const Matrix& a) {
    SymmetricEigen result{std::vector<double>(a.rows()), a};
    check_library(
        scipy_LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'L', index(a.rows()), result.vectors.data(),
                             index(a.rows()), result.values.data()),
        "dsyevd");
    return result;
}

SymmetricEigen symmetric_eigen_of_factor(const Matrix& factor) {
    const std::size_t n = factor.rows();
    Matrix columns = transpose(factor), vectors(n, n);
    std::vector<double> singular(n), statistics(6);
    check_library(scipy_LAPACKE_dgesvj(LAPACK_ROW_MAJOR, 'G', 'N', 'V', index(n), index(n),
                                       columns.data(), index(n), singular.data(), 0, vectors.data(),
                                       index(n), statistics.data()),
                  "dgesvj");
    SymmetricEigen result{std::vector<double>(n), Matrix(n, n)};
    for (std::size_t k = 0; k < n; ++k) {
        const double value = statistics[0] * singular[n - 1 - k];
        result.values[k] = value * value;
        for (std::size_t i = 0; i < n; ++i) result.vectors(i, k) = vectors(i, n - 1 - k);
    }
    return result;
}

namespace {

struct PivotedFactor {
    Matrix factor;
    std::size_t rank;
};

/// Pivoted Cholesky factor of `a` over width_i width_j, until what is left is below `tolerance`;
/// a negative one means rounding.
PivotedFactor pivoted_factor(const Matrix& a, const std::vector<double>& width, double tolerance) {
    const std::size_t n = a.rows();
    Matrix scaled(n, n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            if (width[i] > 0.0 && width[j] > 0.0) scaled(i, j) = a(i, j) / width[i] / width[j];
    std::vector<lapack_int> order(n);
    lapack_int rank = 0;
    const lapack_int info = scipy_LAPACKE_dpstrf(LAPACK_ROW_MAJOR, 'L', index(n), scaled.data(),
                                                 index(n), order.data(), &rank, tolerance);
    if (info < 0) check_library(info, "dpstrf");
    PivotedFactor result{Matrix(n, n), static_cast<std::size_t>(rank)};
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t row = static_cast<std::size_t>(order[i] - 1);
        for (std::size_t j = 0; j <= i && j < result.rank; ++j)
            result.factor(row, j) = width[row] * scaled(i, j);
    }
    return result;
}

}  // namespace

Matrix semidefinite_factor(const Matrix& a) {
    std::vector<double> width(a.rows());
    for (std::size_t i = 0; i < a.rows(); ++i) width[i] = std::sqrt(std::max(a(i, i), 0.0));
    return pivoted_factor(a, width, -1.0).factor;
}

Matrix low_rank_factor(const Matrix& a, const std::vector<double>& width) {
    const std::size_t n = a.rows();
    const double rounding = std::numeric_limits<double>::epsilon() * static_cast<double>(n);
    const PivotedFactor full = pivoted_factor(a, width, rounding);
    Matrix result(n, full.rank);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < full.rank; ++j) result(i, j) = full.factor(i, j);
    return result;
}

SemidefiniteSolver::SemidefiniteSolver(const Matrix& factor)
    : columns_(transpose(factor)), pivot_(factor.rows(), factor.rows()) {
    const std::size_t n = factor.rows();
    // The pivot of a column is in the row whose last entry is there.
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t last = n;
        while (last > 0 && factor(i, last - 1) == 0.0) --last;
        if (last-- == 0) continue;
        std::size_t& row = pivot_[last];
        if (row == n || std::abs(factor(i, last)) > std::abs(factor(row, last))) row = i;
    }
}

std::vector<double> SemidefiniteSolver::solve(std::vector<double> b) const {
    const std::size_t n = columns_.rows();
    std::vector<double> result(n, 0.0);
    for (std::size_t k = 0; k < n; ++k) {
        if (pivot_[k] == n) continue;
        result[k] = b[pivot_[k]] / columns_(k, pivot_[k]);
        for (std::size_t i = 0; i < n; ++i) b[i] -= columns_(k, i) * result[k];
    }
    return result;
}

Matrix solve_lyapunov(const Matrix& drift, const Matrix& diffusion) {
    const Index n = index(drift.rows());
    Matrix schur = drift, vectors(drift.rows(), drift.rows());
    std::vector<double> real(drift.rows()), imaginary(drift.rows());
    lapack_int selected = 0;
    check_library(scipy_LAPACKE_dgees(LAPACK_ROW_MAJOR, 'V', 'N', nullptr, n, schur.data(), n,
                                      &selected, real.data(), imaginary.data(), vectors.data(), n),
                  "dgees");
    const double slowest = *std::max_element(real.begin(), real.end());
    require(slowest < 0.0, "drift must be stable, but has an eigenvalue with real part ", slowest,
            "; every real part must be negative");
    Matrix right = multiply(multiply(vectors, diffusion, Transposed::yes), vectors);
    for (std::size_t k = 0; k < drift.rows() * drift.rows(); ++k) right.data()[k] *= -1.0;
    double scale = 1.0;
    const lapack_int info = scipy_LAPACKE_dtrsyl(LAPACK_ROW_MAJOR, 'N', 'T', 1, n, n, schur.data(),
                                                 n, schur.data(), n, right.data(), n, &scale);
    require(info == 0, "drift is too close to unstable for its stationary covariance to exist");
    const Matrix solution =
        multiply(multiply(vectors, right), vectors, Transposed::no, Transposed::yes);
    return symmetrised(add(1.0 / scale, solution, 0.0, solution));
}

}  // namespace ktc
