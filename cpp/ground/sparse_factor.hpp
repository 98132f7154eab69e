#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "ground/sparse.hpp"

namespace ktc {

/// Factor P A Pᵀ = L D Lᵀ of a symmetric sparse matrix, L of unit diagonal. It exists in any order
/// if A is positive definite, or quasi-definite, [[B, Fᵀ], [F, −E]] with B and E positive definite
/// (Vanderbei, SIAM J. Optim. 5, 100, 1995). The algorithm is LDL of Davis (ACM Trans. Math. Softw.
/// 31, 587, 2005).
template <class Number>
class SparseFactor {
   public:
    /// A = `matrix`, plus `slope` times i·10⁻¹⁰⁰ if Number is complex, with the pattern of
    /// `matrix`. `order` has the row that is eliminated first in front. Raises an error about
    /// `name` if a pivot is zero.
    SparseFactor(const SparseMatrix& matrix, const std::vector<std::size_t>& order,
                 std::string_view name, const SparseMatrix* slope = nullptr);

    std::size_t rows() const { return pivots_.size(); }
    std::size_t entries() const { return values_.size(); }
    const std::vector<Number>& pivots() const { return pivots_; }

    /// Column k of L below its diagonal, as places in the order.
    std::span<const std::uint32_t> places(std::size_t k) const {
        return {places_.data() + starts_[k], starts_[k + 1] - starts_[k]};
    }
    std::span<const Number> column(std::size_t k) const {
        return {values_.data() + starts_[k], starts_[k + 1] - starts_[k]};
    }
    std::size_t row_at(std::size_t place) const { return order_[place]; }
    std::size_t place_of(std::size_t row) const { return place_[row]; }

   private:
    /// Row k of L, whose columns are `pattern`, and its pivot, from row k of A.
    void eliminate(std::size_t k, std::span<const std::size_t> pattern,
                   std::vector<std::size_t>& next, std::vector<Number>& row);

    std::vector<std::size_t> order_, place_;
    std::vector<std::size_t> starts_;
    std::vector<std::uint32_t> places_;
    std::vector<Number> values_, pivots_;
};

/// x ← A⁻¹ x of every lane of a block, rows `width` apart.
void solve_block(const SparseFactor<double>& factor, double* block, std::size_t width);
/// x ← B x with B Bᵀ = A, which must be positive definite.
void multiply_root(const SparseFactor<double>& factor, double* block, std::size_t width);

/// d·A⁻¹ S A⁻¹ d of every row d of `directions`, whose products d dᵀ have the pattern of A, from
/// the entries of (A + iεS)⁻¹ within the pattern of L (Takahashi, Fagan, Chen, Proc. 8th PICA
/// Conf., 63, 1973).
std::vector<double> sandwiched(const SparseMatrix& matrix, const SparseMatrix& slope,
                               const std::vector<std::size_t>& order,
                               const SparseMatrix& directions);

}  // namespace ktc
