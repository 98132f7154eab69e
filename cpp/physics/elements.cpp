#include "physics/elements.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "ground/dense.hpp"
#include "ground/error.hpp"

namespace ktc {
namespace {

void check_directions(const SparseMatrix& directions, std::size_t rows, std::size_t n,
                      std::string_view name) {
    require(directions.rows() == rows && (rows == 0 || directions.columns() == n), name,
            " must have ", rows, " rows of ", n, " numbers");
    require(directions.is_finite(), name, " must be finite");
}

bool along_axes(const SparseMatrix& directions) {
    for (std::size_t r = 0; r < directions.rows(); ++r)
        if (directions.row(r).size() != 1) return false;
    return true;
}

/// One resistor per unit, each in its own account. A dense R gives resistors of unit conductance
/// along the rows of a factor of R, or of R⁻¹ if `inverse`, in one account. Coordinates of units
/// start at `first`.
Elements of_units(const Matrix& friction, std::size_t n, std::size_t first, bool inverse) {
    const std::size_t d = friction.rows();
    const bool dense = !friction.is_diagonal();
    Elements result;
    result.directions = SparseMatrix::axes(d, n, first);
    if (dense) {
        // R = L Lᵀ = Σ_k l_k l_kᵀ with columns l_k of L, or R⁻¹ with rows of L⁻¹. Unlike principal
        // axes, these keep the digits of weak resistors beside strong ones.
        const Matrix lower = cholesky(friction, "friction");
        const Matrix rows = inverse ? solve_lower(lower, Matrix::identity(d)) : transpose(lower);
        Matrix directions(d, n);
        for (std::size_t r = 0; r < d; ++r)
            for (std::size_t i = 0; i < d; ++i) directions(r, first + i) = rows(r, i);
        result.directions = SparseMatrix::of(directions);
    }
    for (std::size_t r = 0; r < d; ++r) {
        const double own = inverse ? 1.0 / friction(r, r) : friction(r, r);
        result.conductance.push_back(dense ? 1.0 : own);
        result.account.push_back(dense ? 0 : r);
    }
    return result;
}

}  // namespace

Matrix weighted_outer(const SparseMatrix& directions, const std::vector<double>& weights) {
    const std::size_t n = directions.columns();
    if (along_axes(directions)) {
        Matrix result(n, n);
        for (std::size_t r = 0; r < directions.rows(); ++r) {
            const auto [column, value] = directions.row(r).front();
            result(column, column) += weights[r] * value * value;
        }
        return result;
    }
    const Matrix plain = directions.dense();
    Matrix weighted = plain;
    for (std::size_t r = 0; r < plain.rows(); ++r)
        for (std::size_t i = 0; i < n; ++i) weighted(r, i) *= weights[r];
    return symmetrised(multiply(weighted, plain, Transposed::yes));
}

std::size_t Elements::accounts() const {
    return account.empty() ? 0 : 1 + *std::max_element(account.begin(), account.end());
}

std::size_t Elements::filters() const {
    return static_cast<std::size_t>(std::count_if(noise_rate.begin(), noise_rate.end(),
                                                  [](double rate) { return rate > 0.0; }));
}

bool Elements::along_axes() const { return ktc::along_axes(directions); }

Matrix Elements::mobility() const { return weighted_outer(directions, conductance); }

void Elements::check() const {
    const std::size_t n = dimension();
    require(resistors() > 0, "a network must have at least one resistor");
    check_directions(directions, resistors(), n, "directions");
    for (double g : conductance)
        require(std::isfinite(g) && g > 0.0, "conductance must be positive and finite");
    require(account.size() == resistors(), "account must have one entry per resistor");
    check_directions(SparseMatrix::of(source_directions), sources(), n, "source_directions");
    check_directions(SparseMatrix::of(noise_directions), noises(), n, "noise_directions");
    for (double density : noise_density)
        require(std::isfinite(density) && density > 0.0,
                "noise density must be positive and finite");
    require(noise_rate.size() == noises(), "noise_rate must have one entry per noise");
    for (double rate : noise_rate)
        require(std::isfinite(rate) && rate >= 0.0, "noise_rate must be finite and not negative");
    if (is_active()) {
        require(interconnection.empty(), "active elements have no interconnection apart from flow");
        check_directions(SparseMatrix::of(active.flow), n, n, "flow");
        check_directions(SparseMatrix::of(active.readings), sources(), n, "readings");
        check_directions(SparseMatrix::of(active.conductance), sources(), sources(),
                         "reading_conductance");
        check_directions(SparseMatrix::of(active.noise), sources(), resistors(), "reading_noise");
    }
    if (interconnection.empty()) return;
    check_directions(SparseMatrix::of(interconnection), n, n, "interconnection");
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j <= i; ++j)
            require(interconnection(i, j) == -interconnection(j, i),
                    "interconnection must be antisymmetric");
}

Elements overdamped_elements(const Matrix& friction) {
    return of_units(friction, friction.rows(), 0, true);
}

Elements overdamped_elements(const std::vector<double>& friction) {
    const std::size_t d = friction.size();
    Elements result;
    result.directions = SparseMatrix::axes(d, d, 0);
    for (std::size_t r = 0; r < d; ++r) {
        result.conductance.push_back(1.0 / friction[r]);
        result.account.push_back(r);
    }
    return result;
}

Elements inertial_elements(const Matrix& friction) {
    const std::size_t d = friction.rows();
    Elements result = of_units(friction, 2 * d, d, false);
    result.interconnection = Matrix(2 * d, 2 * d);
    for (std::size_t i = 0; i < d; ++i) {
        result.interconnection(i, d + i) = 1.0;
        result.interconnection(d + i, i) = -1.0;
    }
    return result;
}

}  // namespace ktc
