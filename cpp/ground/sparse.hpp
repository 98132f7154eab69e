#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "ground/matrix.hpp"

namespace ktc {

struct SparseEntry {
    std::size_t column;
    double value;

    bool operator==(const SparseEntry&) const = default;
};

/// Matrix of doubles in compressed rows, with ascending columns.
class SparseMatrix {
   public:
    SparseMatrix() = default;
    /// Row i has the entries [starts[i], starts[i + 1]). Raises an error about `name` if rows are
    /// not in order.
    SparseMatrix(std::size_t columns, std::vector<std::size_t> starts,
                 std::vector<SparseEntry> entries, std::string_view name);
    /// The nonzero entries of a dense matrix.
    static SparseMatrix of(const Matrix& matrix);
    /// One entry of 1 per row, in consecutive columns from `first` on.
    static SparseMatrix axes(std::size_t rows, std::size_t columns, std::size_t first);

    std::size_t rows() const { return starts_.size() - 1; }
    std::size_t columns() const { return columns_; }
    std::size_t size() const { return entries_.size(); }
    std::span<const SparseEntry> row(std::size_t i) const {
        return {entries_.data() + starts_[i], starts_[i + 1] - starts_[i]};
    }
    const std::vector<std::size_t>& starts() const { return starts_; }
    const std::vector<SparseEntry>& entries() const { return entries_; }
    /// Entry (i, j), zero if it is not stored.
    double operator()(std::size_t i, std::size_t j) const;

    Matrix dense() const;
    bool is_finite() const;

    bool operator==(const SparseMatrix&) const = default;

   private:
    std::size_t columns_ = 0;
    std::vector<std::size_t> starts_{0};
    std::vector<SparseEntry> entries_;
};

/// The nonzero entries of a vector.
std::vector<SparseEntry> entries_of(const std::vector<double>& values);
/// Product with a dense vector.
double dot(std::span<const SparseEntry> entries, const std::vector<double>& other);
/// scale_a * a + scale_b * b, without entries that cancel.
SparseMatrix add(double scale_a, const SparseMatrix& a, double scale_b, const SparseMatrix& b);
/// out = Σ_j a_j x_j of every lane, `block` row-major of `width` columns.
void multiply_row(std::span<const SparseEntry> row, const double* block, std::size_t width,
                  double* out);

/// A scaling s > 0 under which a symmetric matrix is diagonally dominant,
///     s_i a_ii ≥ Σ_{j≠i} |a_ij| s_j in every row.
/// It exists if the matrix is positive definite at any signs of its couplings (Berman, Plemmons,
/// Nonnegative Matrices in the Mathematical Sciences, ch. 6, 1979).
struct Dominance {
    std::vector<double> scale;    ///< s; empty if none was found
    std::vector<double> surplus;  ///< s_i a_ii − Σ_{j≠i} |a_ij| s_j, not negative
    /// Whether each connected part has a row with a surplus, so that the matrix is definite.
    bool definite = false;
};

/// Finds s = (1 + T + T² + …) 1 with T_ij = |a_ij|/a_ii, from at most a hundred terms.
Dominance dominance(const SparseMatrix& matrix);

}  // namespace ktc
