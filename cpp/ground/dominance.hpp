#pragma once

#include <vector>

#include "ground/sparse.hpp"

namespace ktc {

/// A scaling s > 0 under which a symmetric matrix is diagonally dominant,
///     s_i a_ii ≥ Σ_{j≠i} |a_ij| s_j in every row,
/// which exists for all that stay positive definite whatever the signs of their couplings (Berman,
/// Plemmons, Nonnegative Matrices in the Mathematical Sciences, ch. 6, 1979).
struct Dominance {
    std::vector<double> scale;    ///< s; empty where none was found
    std::vector<double> surplus;  ///< s_i a_ii − Σ_{j≠i} |a_ij| s_j, not negative
    /// Whether every connected part has a row with a surplus: then the matrix is positive definite.
    bool definite = false;
};

/// s = (1 + T + T² + …) 1 with T_ij = |a_ij|/a_ii, as far as it takes, at most a hundred terms.
Dominance dominance(const SparseMatrix& matrix);

}  // namespace ktc
