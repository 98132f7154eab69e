#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "ground/matrix.hpp"

namespace ktc {

/// K of H = ½ xᵀ K x − …, symmetric: an immutable handle, so that controls are copied from tick to
/// tick, and compared, without a look at the numbers.
class Stiffness {
   public:
    Stiffness() : Stiffness(Matrix()) {}
    explicit Stiffness(Matrix dense) : dense_(std::make_shared<const Matrix>(std::move(dense))) {}

    std::size_t rows() const { return dense_->rows(); }
    std::size_t columns() const { return dense_->columns(); }
    double operator()(std::size_t i, std::size_t j) const { return (*dense_)(i, j); }
    const Matrix& dense() const { return *dense_; }

    bool operator==(const Stiffness& other) const {
        return dense_ == other.dense_ || *dense_ == *other.dense_;
    }

   private:
    std::shared_ptr<const Matrix> dense_;
};

}  // namespace ktc
