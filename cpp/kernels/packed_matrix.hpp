#pragma once

#include <algorithm>

#include "ground/matrix.hpp"
#include "kernels/kernels.hpp"

namespace ktc {

/// A matrix that multiplies many blocks of replicas, stored in the order in which kernels read it:
/// groups of product_depth columns; in each, panels of product_panel rows, the last panel padded
/// with zeros; in each panel, column by column.
template <class Real>
class PackedMatrix {
   public:
    PackedMatrix() = default;
    /// entry(i, j) in double precision, rounded to Real.
    template <class Entry>
    PackedMatrix(std::size_t rows, std::size_t columns, Entry&& entry) : shape_{rows, columns} {
        const std::size_t padded = (rows + product_panel - 1) / product_panel * product_panel;
        panels_ = Aligned<Real>(padded * columns);
        Real* next = panels_.data();
        for (std::size_t start = 0; start < columns; start += product_depth)
            for (std::size_t panel = 0; panel < rows; panel += product_panel)
                for (std::size_t j = start; j < std::min(columns, start + product_depth); ++j)
                    for (std::size_t i = panel; i < panel + product_panel; ++i)
                        *next++ = i < rows ? static_cast<Real>(entry(i, j)) : Real{0};
    }
    explicit PackedMatrix(const Matrix& a)
        : PackedMatrix(a.rows(), a.columns(), [&a](auto i, auto j) { return a(i, j); }) {}

    /// out = A block, both [row][lane] of one block of replicas. They may not overlap.
    void multiply(const Real* block, Real* out) const {
        kernels().of<Real>().multiply(shape_, panels_.data(), block, out);
    }
    /// x ← (y − x) + A y
    void move(const Real* y, Real* x) const {
        kernels().of<Real>().multiply_move(shape_, panels_.data(), y, x);
    }

   private:
    ProductShape shape_{0, 0};
    Aligned<Real> panels_;
};

}  // namespace ktc
