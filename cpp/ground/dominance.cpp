#include "ground/dominance.hpp"

#include <cmath>
#include <cstddef>
#include <limits>

namespace ktc {
namespace {

constexpr int most_terms = 100;

/// s_i a_ii − Σ_{j≠i} |a_ij| s_j of every row; what rounding left below zero counts as zero.
std::vector<double> surplus_of(const SparseMatrix& matrix, const std::vector<double>& scale,
                               bool& dominant) {
    std::vector<double> surplus(matrix.rows());
    dominant = true;
    for (std::size_t i = 0; i < matrix.rows(); ++i) {
        double own = 0.0, others = 0.0;
        for (const SparseEntry& entry : matrix.row(i))
            if (entry.column == i)
                own = entry.value * scale[i];
            else
                others += std::abs(entry.value) * scale[entry.column];
        const double rounding = 4.0 * std::numeric_limits<double>::epsilon() * own;
        surplus[i] = own - others;
        if (!(own > 0.0) || !(surplus[i] >= -rounding)) dominant = false;
        if (surplus[i] <= rounding) surplus[i] = 0.0;
    }
    return surplus;
}

bool every_part_has_surplus(const SparseMatrix& matrix, const std::vector<double>& surplus) {
    std::vector<bool> reached(matrix.rows(), false);
    std::vector<std::size_t> ahead;
    for (std::size_t i = 0; i < matrix.rows(); ++i)
        if (surplus[i] > 0.0) {
            reached[i] = true;
            ahead.push_back(i);
        }
    std::size_t count = ahead.size();
    while (!ahead.empty()) {
        const std::size_t i = ahead.back();
        ahead.pop_back();
        for (const SparseEntry& entry : matrix.row(i))
            if (entry.value != 0.0 && !reached[entry.column]) {
                reached[entry.column] = true;
                ahead.push_back(entry.column);
                ++count;
            }
    }
    return count == matrix.rows();
}

}  // namespace

Dominance dominance(const SparseMatrix& matrix) {
    const std::size_t n = matrix.rows();
    Dominance result;
    std::vector<double> scale(n, 1.0);
    for (int term = 0; term < most_terms; ++term) {
        bool dominant = false;
        std::vector<double> surplus = surplus_of(matrix, scale, dominant);
        if (dominant) {
            result.definite = every_part_has_surplus(matrix, surplus);
            result.scale = std::move(scale);
            result.surplus = std::move(surplus);
            break;
        }
        std::vector<double> next(n, 1.0);
        for (std::size_t i = 0; i < n; ++i) {
            const double own = matrix(i, i);
            if (!(own > 0.0)) return result;
            for (const SparseEntry& entry : matrix.row(i))
                if (entry.column != i) next[i] += std::abs(entry.value) * scale[entry.column] / own;
        }
        scale = std::move(next);
    }
    return result;
}

}  // namespace ktc
