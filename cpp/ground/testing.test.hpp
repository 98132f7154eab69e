#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <vector>

#include "ground/matrix.hpp"

/// What the unit tests share.
namespace ktc::testing {

inline Matrix matrix(std::initializer_list<std::initializer_list<double>> rows) {
    Matrix result(rows.size(), rows.size() == 0 ? 0 : rows.begin()->size());
    double* next = result.data();
    for (const auto& row : rows) next = std::copy(row.begin(), row.end(), next);
    return result;
}

/// Uniform numbers in (−1, 1). Their bits are the same with every standard library.
template <class Real = double>
std::vector<Real> numbers(std::size_t count, std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    std::vector<Real> result(count);
    for (Real& value : result)
        value = static_cast<Real>((static_cast<double>(engine() >> 11) + 0.5) * 0x1p-52 - 1.0);
    return result;
}

inline Matrix random_matrix(std::size_t rows, std::size_t columns, std::uint64_t seed) {
    Matrix result(rows, columns);
    const std::vector<double> values = numbers(rows * columns, seed);
    std::copy(values.begin(), values.end(), result.data());
    return result;
}

/// A Aᵀ/n + 1, by its definition.
inline Matrix random_positive_definite(std::size_t n, std::uint64_t seed) {
    const Matrix a = random_matrix(n, n, seed);
    Matrix result = Matrix::identity(n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            for (std::size_t k = 0; k < n; ++k)
                result(i, j) += a(i, k) * a(j, k) / static_cast<double>(n);
    return result;
}

/// Σ_k a_ik b_kj, by its definition.
inline Matrix product(const Matrix& a, const Matrix& b) {
    Matrix result(a.rows(), b.columns());
    for (std::size_t i = 0; i < a.rows(); ++i)
        for (std::size_t k = 0; k < a.columns(); ++k)
            for (std::size_t j = 0; j < b.columns(); ++j) result(i, j) += a(i, k) * b(k, j);
    return result;
}

inline Matrix transposed(const Matrix& a) {
    Matrix result(a.columns(), a.rows());
    for (std::size_t i = 0; i < a.rows(); ++i)
        for (std::size_t j = 0; j < a.columns(); ++j) result(j, i) = a(i, j);
    return result;
}

/// Largest absolute difference of two ranges of numbers.
template <class Found, class Expected>
double difference(const Found& found, const Expected& expected) {
    REQUIRE(std::size(found) == std::size(expected));
    double largest = 0.0;
    for (std::size_t i = 0; i < std::size(found); ++i) {
        const double off =
            std::abs(static_cast<double>(found[i]) - static_cast<double>(expected[i]));
        if (!(off <= largest)) largest = off;  // not-a-number, too
    }
    return largest;
}

inline double difference(const Matrix& found, const Matrix& expected) {
    REQUIRE(found.rows() == expected.rows());
    REQUIRE(found.columns() == expected.columns());
    const std::size_t size = found.rows() * found.columns();
    return difference(std::vector<double>(found.data(), found.data() + size),
                      std::vector<double>(expected.data(), expected.data() + size));
}

}  // namespace ktc::testing
