#include "ground/sparse.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "ground/error.hpp"

namespace ktc {

SparseMatrix::SparseMatrix(std::size_t columns, std::vector<std::size_t> starts,
                           std::vector<SparseEntry> entries, std::string_view name)
    : columns_(columns), starts_(std::move(starts)), entries_(std::move(entries)) {
    require(!starts_.empty() && starts_.front() == 0 && starts_.back() == entries_.size() &&
                std::is_sorted(starts_.begin(), starts_.end()),
            name, " must have starts of rows that ascend from 0 to the number of its entries");
    for (std::size_t i = 0; i < rows(); ++i) {
        const auto entries_here = row(i);
        for (std::size_t k = 0; k < entries_here.size(); ++k)
            require(entries_here[k].column < columns_ &&
                        (k == 0 || entries_here[k - 1].column < entries_here[k].column),
                    name, " must have columns below ", columns_,
                    " that ascend in every row, but row ", i, " does not");
    }
}

SparseMatrix SparseMatrix::of(const Matrix& matrix) {
    SparseMatrix result;
    result.columns_ = matrix.columns();
    for (std::size_t i = 0; i < matrix.rows(); ++i) {
        for (std::size_t j = 0; j < matrix.columns(); ++j)
            if (matrix(i, j) != 0.0) result.entries_.push_back({j, matrix(i, j)});
        result.starts_.push_back(result.entries_.size());
    }
    return result;
}

SparseMatrix SparseMatrix::axes(std::size_t rows, std::size_t columns, std::size_t first) {
    SparseMatrix result;
    result.columns_ = columns;
    result.starts_.resize(rows + 1);
    result.entries_.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        result.entries_[i] = {first + i, 1.0};
        result.starts_[i + 1] = i + 1;
    }
    return result;
}

double SparseMatrix::operator()(std::size_t i, std::size_t j) const {
    const auto entries = row(i);
    const auto found = std::lower_bound(
        entries.begin(), entries.end(), j,
        [](const SparseEntry& entry, std::size_t column) { return entry.column < column; });
    return found != entries.end() && found->column == j ? found->value : 0.0;
}

Matrix SparseMatrix::dense() const {
    Matrix result(rows(), columns_);
    for (std::size_t i = 0; i < rows(); ++i)
        for (const SparseEntry& entry : row(i)) result(i, entry.column) = entry.value;
    return result;
}

bool SparseMatrix::is_finite() const {
    return std::all_of(entries_.begin(), entries_.end(),
                       [](const SparseEntry& entry) { return std::isfinite(entry.value); });
}

double dot(std::span<const SparseEntry> entries, const std::vector<double>& other) {
    double sum = 0.0;
    for (const auto& [i, value] : entries) sum += value * other[i];
    return sum;
}

std::vector<SparseEntry> entries_of(const std::vector<double>& values) {
    std::vector<SparseEntry> result;
    for (std::size_t i = 0; i < values.size(); ++i)
        if (values[i] != 0.0) result.push_back({i, values[i]});
    return result;
}

SparseMatrix add(double scale_a, const SparseMatrix& a, double scale_b, const SparseMatrix& b) {
    constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
    std::vector<std::size_t> starts{0};
    std::vector<SparseEntry> entries;
    for (std::size_t i = 0; i < a.rows(); ++i) {
        const auto left = a.row(i), right = b.row(i);
        for (std::size_t p = 0, q = 0; p < left.size() || q < right.size();) {
            const std::size_t at_left = p < left.size() ? left[p].column : none;
            const std::size_t at_right = q < right.size() ? right[q].column : none;
            double sum = 0.0;
            if (at_left <= at_right) sum += scale_a * left[p++].value;
            if (at_right <= at_left) sum += scale_b * right[q++].value;
            if (sum != 0.0) entries.push_back({std::min(at_left, at_right), sum});
        }
        starts.push_back(entries.size());
    }
    return {a.columns(), std::move(starts), std::move(entries), "a sum"};
}

void multiply_row(std::span<const SparseEntry> row, const double* block, std::size_t width,
                  double* out) {
    std::fill(out, out + width, 0.0);
    for (const SparseEntry& entry : row) {
        const double* other = block + entry.column * width;
        for (std::size_t lane = 0; lane < width; ++lane) out[lane] += entry.value * other[lane];
    }
}

namespace {

constexpr int most_terms = 100;

/// s_i a_ii − Σ_{j≠i} |a_ij| s_j of every row, zero where it is not above rounding.
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
