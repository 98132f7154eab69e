#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "ground/error.hpp"
#include "ground/lane_numbers.hpp"
#include "ground/sparse_factor.hpp"
#include "physics/potential.hpp"

namespace ktc {

/// Most units of a sparse network for dense algebra: 4096² doubles are 128 MiB.
inline constexpr std::size_t most_dense_units = 4096;

/// Symmetric K of H = ½ xᵀ K x − …, dense or sparse, or the inverse of a sparse matrix, which is
/// not sparse itself. It is a handle to immutable numbers, so that copies of controls are cheap to
/// make and to compare.
class Stiffness {
   public:
    Stiffness() : Stiffness(Matrix()) {}
    explicit Stiffness(Matrix dense) : dense_(std::make_shared<const Matrix>(std::move(dense))) {}
    explicit Stiffness(SparseMatrix sparse)
        : sparse_(std::make_shared<const SparseMatrix>(std::move(sparse))) {}
    /// K = S⁻¹, with S factorised in a given order.
    static Stiffness inverse_of(SparseMatrix storage, const std::vector<std::size_t>& order) {
        Stiffness result(std::move(storage));
        result.inverse_ = std::make_shared<const SparseFactor<double>>(*result.sparse_, order,
                                                                       "the capacitances");
        for (double pivot : result.inverse_->pivots())
            require(pivot > 0.0, "capacitances and inductances must be positive definite");
        return result;
    }

    bool is_sparse() const { return sparse_ != nullptr; }
    bool empty() const { return !is_sparse() && dense_->empty(); }
    std::size_t rows() const { return is_sparse() ? sparse_->rows() : dense_->rows(); }
    std::size_t columns() const { return is_sparse() ? sparse_->columns() : dense_->columns(); }
    /// Entry (i, j); of the inverse of S, 1/S_ii on the diagonal, which bounds its own.
    double operator()(std::size_t i, std::size_t j) const {
        if (inverse_ != nullptr) return i == j ? 1.0 / (*sparse_)(i, i) : 0.0;
        return is_sparse() ? (*sparse_)(i, j) : (*dense_)(i, j);
    }
    /// The matrix of a dense stiffness, and of a sparse one; neither has the other kind. That of an
    /// inverse is S, and its factor is `inverse`, null otherwise.
    const Matrix& dense() const { return *dense_; }
    const SparseMatrix& sparse() const { return *sparse_; }
    const SparseFactor<double>* inverse() const { return inverse_.get(); }
    /// This stiffness as a dense one.
    Stiffness densified() const { return is_sparse() ? Stiffness(sparse_->dense()) : *this; }

    bool operator==(const Stiffness& other) const {
        if (dense_ == other.dense_ && sparse_ == other.sparse_) return true;
        if (is_sparse() != other.is_sparse()) return false;
        return is_sparse() ? *sparse_ == *other.sparse_ : *dense_ == *other.dense_;
    }

   private:
    std::shared_ptr<const Matrix> dense_;
    std::shared_ptr<const SparseMatrix> sparse_;
    std::shared_ptr<const SparseFactor<double>> inverse_;
};

/// Largest energy of an initial state or of a bias, so that products of energies do not overflow.
inline constexpr double largest_energy = 1e300;

/// The stored energy in the coordinates w of the state of an engine,
///     H = ½ wᵀ A w − βᵀ w + ¼ Σ_i κ_i w_i⁴ + Σ_i V_i(w_i).
/// The force β is an argument because it changes from tick to tick.
struct Energy {
    Stiffness hessian;            ///< A; empty means the identity (natural coordinates)
    std::vector<double> quartic;  ///< κ; empty means zero
    /// V; empty means zero.
    OnSite potential{};  // NOLINT(readability-redundant-member-init)

    /// H of every lane of a block with force β; `scratch` has the size of `state`, and is not used
    /// if A is sparse and not an inverse.
    void of_block(const double* state, const LaneNumbers& force, double* scratch,
                  double* energy) const;

   private:
    void of_sparse_block(const double* state, const LaneNumbers& force, double* energy) const;
    void of_inverse(const double* state, const LaneNumbers& force, double* scratch,
                    double* energy) const;
};

}  // namespace ktc
