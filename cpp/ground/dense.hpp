#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ground/matrix.hpp"

/// Dense linear algebra by BLAS and LAPACK. A matrix that multiplies many blocks is packed instead
/// (kernels/packed_matrix.hpp). Products of replica blocks have one fixed width and run on the
/// calling thread, so that their bits do not depend on the number of replicas or threads.
namespace ktc {

/// Limits the library to one thread per call, because the engine runs threads of its own.
void use_one_library_thread();
/// Name of the processor whose kernels the library uses.
std::string library_core();

enum class Transposed { no, yes };

Matrix multiply(const Matrix& a, const Matrix& b, Transposed a_transposed = Transposed::no,
                Transposed b_transposed = Transposed::no);
std::vector<double> multiply(const Matrix& a, const std::vector<double>& x,
                             Transposed a_transposed = Transposed::no);
Matrix transpose(const Matrix& a);
/// scale_a * a + scale_b * b
Matrix add(double scale_a, const Matrix& a, double scale_b, const Matrix& b);
/// (a + aᵀ)/2, for matrices that are symmetric up to rounding.
Matrix symmetrised(const Matrix& a);
/// Largest absolute row sum, ‖a‖_∞.
double norm(const Matrix& a);

/// out = a * block (+ out where `accumulate`), with `block` and `out` row-major, `width` columns.
void multiply_block(const Matrix& a, const double* block, double* out, std::size_t width,
                    bool accumulate = false);
/// out += block * blockᵀ, with `block` row-major of `rows` rows and `width` columns.
void add_outer_block(const double* block, std::size_t rows, std::size_t width, Matrix& out);

/// Lower triangular L with L Lᵀ = a. Raises an error about `name` if `a` is not positive definite.
Matrix cholesky(const Matrix& a, const char* name);
/// L⁻¹ b, or L⁻ᵀ b, for lower triangular L.
Matrix solve_lower(const Matrix& lower, const Matrix& b, Transposed transposed = Transposed::no);

/// Triangular factors of a square matrix a, to solve several equations. Raises if a is singular.
class LuFactors {
   public:
    explicit LuFactors(const Matrix& a);
    /// a⁻¹ b
    std::vector<double> solve(std::vector<double> b) const;

   private:
    Matrix columns_;
    std::vector<int> pivots_;
};
std::vector<double> solve(const Matrix& a, const std::vector<double>& b);

struct SymmetricEigen {
    std::vector<double> values;  ///< ascending
    Matrix vectors;              ///< one eigenvector per column
};
SymmetricEigen symmetric_eigen(const Matrix& a);
/// Eigendecomposition of f fᵀ from its factor f. Each eigenvalue is exact to its own rounding, even
/// if the rows of f differ by many decades; symmetric_eigen is exact to the rounding of the largest
/// one, at a sixth of the cost (one-sided Jacobi; Demmel, Veselić, SIAM J. Matrix Anal. Appl. 13,
/// 1204, 1992).
SymmetricEigen symmetric_eigen_of_factor(const Matrix& factor);

/// B with B Bᵀ = a for a positive semidefinite covariance, entries to the rounding of √(a_ii a_jj):
/// pivoted Cholesky at unit diagonal. Pivots that rounding made negative count as zero.
Matrix semidefinite_factor(const Matrix& a);
/// The same with few columns: B Bᵀ = a to the rounding of width_i width_j, with no more columns
/// than that takes.
Matrix low_rank_factor(const Matrix& a, const std::vector<double>& width);
/// Solutions x of B x = b of such a factor B, for b in its range; other parts of b are left out.
class SemidefiniteSolver {
   public:
    SemidefiniteSolver() = default;
    explicit SemidefiniteSolver(const Matrix& factor);
    std::vector<double> solve(std::vector<double> b) const;

   private:
    Matrix columns_;                  ///< Bᵀ
    std::vector<std::size_t> pivot_;  ///< row of the pivot of each column; the size if none
};

/// Solution P of F P + P Fᵀ + D = 0, for any F whose eigenvalues lie in the left half plane
/// (Bartels, Stewart, Commun. ACM 15, 820, 1972). Raises if F is not stable.
Matrix solve_lyapunov(const Matrix& drift, const Matrix& diffusion);

}  // namespace ktc
