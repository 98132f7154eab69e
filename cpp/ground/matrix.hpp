#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace ktc {

/// Dense row-major matrix of doubles: storage and indexing only. Its algebra is in dense.hpp.
class Matrix {
   public:
    Matrix() = default;
    Matrix(std::size_t rows, std::size_t columns)
        : rows_(rows), columns_(columns), values_(rows * columns, 0.0) {}

    static Matrix diagonal(const std::vector<double>& entries) {
        Matrix result(entries.size(), entries.size());
        for (std::size_t i = 0; i < entries.size(); ++i) result(i, i) = entries[i];
        return result;
    }
    static Matrix identity(std::size_t size) { return diagonal(std::vector<double>(size, 1.0)); }

    std::size_t rows() const { return rows_; }
    std::size_t columns() const { return columns_; }
    bool empty() const { return values_.empty(); }

    double& operator()(std::size_t i, std::size_t j) { return values_[i * columns_ + j]; }
    double operator()(std::size_t i, std::size_t j) const { return values_[i * columns_ + j]; }
    double* data() { return values_.data(); }
    const double* data() const { return values_.data(); }

    std::vector<double> row(std::size_t i) const {
        return {data() + i * columns_, data() + (i + 1) * columns_};
    }

    bool operator==(const Matrix&) const = default;

    bool is_diagonal() const {
        for (std::size_t i = 0; i < rows_; ++i)
            for (std::size_t j = 0; j < columns_; ++j)
                if (i != j && (*this)(i, j) != 0.0) return false;
        return true;
    }

   private:
    std::size_t rows_ = 0, columns_ = 0;
    std::vector<double> values_;
};

/// Numbers aligned to a cache line, so that no vector register is loaded from two lines. They are
/// not initialised, so that memory that is not used is not allocated by the system.
template <class T>
class Aligned {
   public:
    Aligned() = default;
    explicit Aligned(std::size_t size)
        : values_(static_cast<T*>(::operator new[](size * sizeof(T), line))) {}
    T* data() { return values_.get(); }
    const T* data() const { return values_.get(); }

   private:
    static constexpr std::align_val_t line{64};
    struct Free {
        void operator()(T* values) const { ::operator delete[](values, line); }
    };
    std::unique_ptr<T[], Free> values_;
};

}  // namespace ktc
