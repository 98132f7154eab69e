#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "ground/sparse.hpp"

namespace ktc {

/// Dense algebra of a sparse network stops here: 4096² doubles are 128 MiB.
inline constexpr std::size_t most_dense_units = 4096;

/// K of H = ½ xᵀ K x − …, symmetric, dense or sparse: an immutable handle, so that controls are
/// copied from tick to tick, and compared, without a look at the numbers.
class Stiffness {
   public:
    Stiffness() : Stiffness(Matrix()) {}
    explicit Stiffness(Matrix dense) : dense_(std::make_shared<const Matrix>(std::move(dense))) {}
    explicit Stiffness(SparseMatrix sparse)
        : sparse_(std::make_shared<const SparseMatrix>(std::move(sparse))) {}

    bool is_sparse() const { return sparse_ != nullptr; }
    bool empty() const { return !is_sparse() && dense_->empty(); }
    std::size_t rows() const { return is_sparse() ? sparse_->rows() : dense_->rows(); }
    std::size_t columns() const { return is_sparse() ? sparse_->columns() : dense_->columns(); }
    double operator()(std::size_t i, std::size_t j) const {
        return is_sparse() ? (*sparse_)(i, j) : (*dense_)(i, j);
    }
    /// Of a dense one, and of a sparse one: each has its own kind alone.
    const Matrix& dense() const { return *dense_; }
    const SparseMatrix& sparse() const { return *sparse_; }
    /// The same numbers as a dense matrix.
    Stiffness densified() const { return is_sparse() ? Stiffness(sparse_->dense()) : *this; }

    bool operator==(const Stiffness& other) const {
        if (dense_ == other.dense_ && sparse_ == other.sparse_) return true;
        if (is_sparse() != other.is_sparse()) return false;
        return is_sparse() ? *sparse_ == *other.sparse_ : *dense_ == *other.dense_;
    }

   private:
    std::shared_ptr<const Matrix> dense_;
    std::shared_ptr<const SparseMatrix> sparse_;
};

/// Energies of a start and of a bias below this leave room for those of their products.
inline constexpr double largest_energy = 1e300;

/// The stored energy in the coordinates w that an engine keeps its state in:
///     H = ½ wᵀ A w − βᵀ w + ¼ Σ_i κ_i w_i⁴.
/// The one place where it is written down. β changes from tick to tick and is handed in.
struct Energy {
    Stiffness hessian;            ///< A; empty means the identity (natural coordinates)
    std::vector<double> quartic;  ///< κ; empty means zero

    /// H of every lane of a block with force β; `scratch` holds as many numbers as `state`, and is
    /// not touched where A is sparse.
    void of_block(const double* state, const std::vector<double>& force, double* scratch,
                  double* energy) const;

   private:
    void of_sparse_block(const double* state, const std::vector<double>& force,
                         double* energy) const;
};

}  // namespace ktc
