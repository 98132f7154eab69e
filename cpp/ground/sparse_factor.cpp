#include "ground/sparse_factor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "ground/error.hpp"

namespace ktc {
namespace {

using Complex = std::complex<double>;

/// Small enough that its square vanishes beside one: imaginary parts are derivatives without error.
constexpr double infinitesimal = 1e-100;
constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

/// The elimination tree of a matrix, and the number of entries of L in every column.
struct Tree {
    std::vector<std::size_t> parent, count, mark;

    explicit Tree(std::size_t n) : parent(n, none), count(n, 0), mark(n, none) {}

    /// Adds row k, whose entry in column i < k is reached from i along the tree.
    void add(std::size_t k, std::size_t i) {
        for (; mark[i] != k; i = parent[i]) {
            if (parent[i] == none) parent[i] = k;
            ++count[i];
            mark[i] = k;
        }
    }

    /// Columns of row k of L, each behind those that it depends on, at the end of `pattern`.
    /// Returns the place of the first.
    std::size_t reach(std::size_t k, std::span<const SparseEntry> row,
                      const std::vector<std::size_t>& place, std::vector<std::size_t>& pattern) {
        std::size_t top = pattern.size();
        mark[k] = k;
        for (const SparseEntry& entry : row) {
            std::size_t i = place[entry.column], length = 0;
            if (i > k) continue;
            for (; mark[i] != k; i = parent[i]) {
                pattern[length++] = i;
                mark[i] = k;
            }
            while (length > 0) pattern[--top] = pattern[--length];
        }
        return top;
    }
};

}  // namespace

template <class Number>
SparseFactor<Number>::SparseFactor(const SparseMatrix& matrix,
                                   const std::vector<std::size_t>& order, std::string_view name,
                                   const SparseMatrix* slope)
    : order_(order), place_(order.size(), none), starts_(order.size() + 1, 0), pivots_() {
    const std::size_t n = order.size();
    require(matrix.rows() == n && n < std::numeric_limits<std::uint32_t>::max(), name,
            " must have one row per entry of its order");
    for (std::size_t k = 0; k < n; ++k) place_[order[k]] = k;
    Tree tree(n);
    for (std::size_t k = 0; k < n; ++k) {
        tree.mark[k] = k;
        for (const SparseEntry& entry : matrix.row(order[k]))
            if (place_[entry.column] < k) tree.add(k, place_[entry.column]);
    }
    for (std::size_t k = 0; k < n; ++k) starts_[k + 1] = starts_[k] + tree.count[k];
    places_.resize(starts_.back());
    values_.resize(starts_.back());
    pivots_.resize(n);

    std::fill(tree.mark.begin(), tree.mark.end(), none);
    std::vector<std::size_t> next(starts_.begin(), starts_.end() - 1), pattern(n);
    std::vector<Number> row(n, Number(0.0));
    for (std::size_t k = 0; k < n; ++k) {
        const std::size_t top = tree.reach(k, matrix.row(order[k]), place_, pattern);
        for (const SparseEntry& entry : matrix.row(order[k]))
            if (place_[entry.column] <= k) row[place_[entry.column]] += entry.value;
        if constexpr (std::is_same_v<Number, Complex>)
            for (const SparseEntry& entry : slope->row(order[k]))
                if (place_[entry.column] <= k)
                    row[place_[entry.column]] += Complex(0.0, infinitesimal * entry.value);
        eliminate(k, std::span(pattern).subspan(top), next, row);
        require(std::isfinite(std::abs(pivots_[k])) && std::abs(pivots_[k]) > 0.0, name,
                " is singular at row ", order[k]);
    }
}

template <class Number>
void SparseFactor<Number>::eliminate(std::size_t k, std::span<const std::size_t> pattern,
                                     std::vector<std::size_t>& next, std::vector<Number>& row) {
    Number pivot = std::exchange(row[k], Number(0.0));
    for (const std::size_t i : pattern) {
        const Number own = std::exchange(row[i], Number(0.0));
        for (std::size_t p = starts_[i]; p < next[i]; ++p) row[places_[p]] -= values_[p] * own;
        const Number share = own / pivots_[i];
        pivot -= share * own;
        places_[next[i]] = static_cast<std::uint32_t>(k);
        values_[next[i]++] = share;
    }
    pivots_[k] = pivot;
}

template class SparseFactor<double>;
template class SparseFactor<Complex>;

namespace {

/// Lanes that are solved together, in registers.
constexpr std::size_t lanes_at_once = 16;

/// x ← A⁻¹ x of some lanes, at most lanes_at_once, whose rows are `width` apart.
template <class Lanes>
void solve_lanes(const SparseFactor<double>& factor, double* block, std::size_t width,
                 Lanes lanes) {
    const std::size_t n = factor.rows();
    double own[lanes_at_once];
    const auto row = [&](std::size_t place) { return block + factor.row_at(place) * width; };
    for (std::size_t k = 0; k < n; ++k) {
        const auto places = factor.places(k);
        const auto column = factor.column(k);
        std::copy_n(row(k), lanes, own);
        for (std::size_t p = 0; p < places.size(); ++p) {
            double* other = row(places[p]);
            const double entry = column[p];
            for (std::size_t lane = 0; lane < lanes; ++lane) other[lane] -= entry * own[lane];
        }
    }
    for (std::size_t k = n; k-- > 0;) {
        const auto places = factor.places(k);
        const auto column = factor.column(k);
        const double pivot = factor.pivots()[k];
        const double* before = row(k);
        for (std::size_t lane = 0; lane < lanes; ++lane) own[lane] = before[lane] / pivot;
        for (std::size_t p = 0; p < places.size(); ++p) {
            const double* other = row(places[p]);
            const double entry = column[p];
            for (std::size_t lane = 0; lane < lanes; ++lane) own[lane] -= entry * other[lane];
        }
        std::copy_n(own, lanes, row(k));
    }
}

}  // namespace

void solve_block(const SparseFactor<double>& factor, double* block, std::size_t width) {
    std::size_t lane = 0;
    for (; lane + lanes_at_once <= width; lane += lanes_at_once)
        solve_lanes(factor, block + lane, width,
                    std::integral_constant<std::size_t, lanes_at_once>());
    if (lane < width) solve_lanes(factor, block + lane, width, width - lane);
}

void multiply_root(const SparseFactor<double>& factor, double* block, std::size_t width) {
    // From the last column on, whose product needs only rows that are not yet overwritten.
    for (std::size_t k = factor.rows(); k-- > 0;) {
        const auto places = factor.places(k);
        const auto column = factor.column(k);
        const double root = std::sqrt(factor.pivots()[k]);
        double* own = block + factor.row_at(k) * width;
        for (std::size_t lane = 0; lane < width; ++lane) own[lane] *= root;
        for (std::size_t p = 0; p < places.size(); ++p) {
            double* other = block + factor.row_at(places[p]) * width;
            for (std::size_t lane = 0; lane < width; ++lane) other[lane] += column[p] * own[lane];
        }
    }
}

namespace {

/// Entries of the inverse in the pattern of L and its diagonal.
struct SelectedInverse {
    explicit SelectedInverse(const SparseFactor<Complex>& own) : factor(own) {
        const std::size_t n = factor.rows();
        diagonal.resize(n);
        starts.resize(n + 1, 0);
        for (std::size_t k = 0; k < n; ++k) starts[k + 1] = starts[k] + factor.places(k).size();
        below.resize(starts.back());
        std::vector<std::size_t> found(n, none);
        for (std::size_t j = n; j-- > 0;) set_column(j, found);
    }

    /// Z_ij = −Σ_k L_kj Z_ik over the pattern of column j, and Z_jj = 1/D_j − Σ_k L_kj Z_kj.
    void set_column(std::size_t j, std::vector<std::size_t>& found) {
        const auto places = factor.places(j);
        const auto column = factor.column(j);
        Complex* own = below.data() + starts[j];
        for (std::size_t p = 0; p < places.size(); ++p) found[places[p]] = p;
        for (std::size_t p = 0; p < places.size(); ++p) {
            const std::size_t k = places[p];
            own[p] -= column[p] * diagonal[k];
            const auto rows = factor.places(k);
            for (std::size_t q = 0; q < rows.size(); ++q) {
                const std::size_t at = found[rows[q]];
                if (at == none) continue;
                const Complex entry = below[starts[k] + q];
                own[at] -= column[p] * entry;
                own[p] -= column[at] * entry;
            }
        }
        diagonal[j] = 1.0 / factor.pivots()[j];
        for (std::size_t p = 0; p < places.size(); ++p) {
            diagonal[j] -= column[p] * own[p];
            found[places[p]] = none;
        }
    }

    Complex operator()(std::size_t i, std::size_t j) const {
        const std::size_t low = std::min(factor.place_of(i), factor.place_of(j));
        const std::size_t high = std::max(factor.place_of(i), factor.place_of(j));
        if (low == high) return diagonal[low];
        const auto places = factor.places(low);
        const auto at = std::lower_bound(places.begin(), places.end(), high);
        require(at != places.end() && *at == high, "an entry lies outside the factor");
        return below[starts[low] + static_cast<std::size_t>(at - places.begin())];
    }

    const SparseFactor<Complex>& factor;
    std::vector<Complex> diagonal, below;
    std::vector<std::size_t> starts;
};

}  // namespace

std::vector<double> sandwiched(const SparseMatrix& matrix, const SparseMatrix& slope,
                               const std::vector<std::size_t>& order,
                               const SparseMatrix& directions) {
    const SparseFactor<Complex> factor(matrix, order, "the matrix of a step", &slope);
    const SelectedInverse inverse(factor);
    std::vector<double> result;
    for (std::size_t r = 0; r < directions.rows(); ++r) {
        double sum = 0.0;
        for (const auto& [i, first] : directions.row(r))
            for (const auto& [j, second] : directions.row(r))
                sum -= first * second * inverse(i, j).imag();
        result.push_back(sum / infinitesimal);
    }
    return result;
}

}  // namespace ktc
