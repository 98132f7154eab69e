#include "motion/flow_solver.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "ground/error.hpp"

namespace ktc {
namespace {

double largest(const double* values, std::size_t count) {
    double most = 0.0;
    for (std::size_t i = 0; i < count; ++i) most = std::max(most, std::abs(values[i]));
    return most;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

/// Whether the solution for some vector grows as only that of a singular matrix does.
bool nearly_singular(const Matrix& scaled) {
    constexpr double growth = 1e13, golden = 0.6180339887498949;
    std::vector<double> probe(scaled.rows());
    for (std::size_t i = 0; i < probe.size(); ++i) {
        const double turn = golden * static_cast<double>(i + 1);
        probe[i] = 0.5 + turn - std::floor(turn);
    }
    try {
        const std::vector<double> found = solve(scaled, probe);
        const double steepest = largest(scaled.data(), probe.size() * probe.size());
        return !(steepest * largest(found.data(), found.size()) <= growth);
    } catch (const std::invalid_argument&) {
        return true;
    }
}

/// Adds to `a` what binds it along its null space, which it appends to `null`. The null spaces on
/// both sides are one, of coordinates that no resistor binds.
Matrix bound(const Matrix& a, std::vector<std::vector<double>>& null) {
    constexpr double zero = 1e-14;
    Matrix result = a;
    const SymmetricEigen squares = symmetric_eigen_of_factor(a);
    const double most = squares.values.back();
    for (std::size_t k = 0; k < a.rows() && squares.values[k] <= zero * zero * most; ++k) {
        std::vector<double>& along = null.emplace_back(a.rows());
        for (std::size_t i = 0; i < a.rows(); ++i) along[i] = squares.vectors(i, k);
        for (std::size_t i = 0; i < a.rows(); ++i)
            for (std::size_t j = 0; j < a.rows(); ++j)
                result(i, j) -= std::sqrt(most) * along[i] * along[j];
    }
    return result;
}

}  // namespace

FlowSolver::Side::Side(const Matrix& a, bool unbound) : factors_(unbound ? bound(a, null_) : a) {}

std::vector<double> FlowSolver::Side::solve(const std::vector<double>& b) const {
    constexpr double reached = 1e-9;
    for (const std::vector<double>& along : null_)
        require(std::abs(dot(along, b)) <= reached * largest(b.data(), b.size()),
                "the drift is singular: a source drives a coordinate that is bound by nothing; add "
                "a resistor there");
    return factors_.solve(b);
}

FlowSolver::FlowSolver(const Network& network, const Controls& controls)
    : unit_(network.flow().rows()) {
    const Matrix flow = network.flow();
    const Stiffness held = network.hessian(controls).densified();
    for (std::size_t i = 0; i < unit_.size(); ++i) unit_[i] = std::sqrt(held.dense()(i, i));
    Matrix scaled = flow;
    for (std::size_t i = 0; i < unit_.size(); ++i)
        for (std::size_t j = 0; j < unit_.size(); ++j) scaled(i, j) *= unit_[i] * unit_[j];
    unbound_ = nearly_singular(scaled);
    const Matrix& a = unbound_ ? scaled : flow;
    sides_.emplace_back(a, unbound_);
    sides_.emplace_back(transpose(a), unbound_);
}

std::vector<double> FlowSolver::solve(std::vector<double> b, Transposed transposed) const {
    const Side& side = sides_[transposed == Transposed::yes ? 1 : 0];
    if (!unbound_) return side.solve(b);
    for (std::size_t i = 0; i < b.size(); ++i) b[i] *= unit_[i];
    std::vector<double> result = side.solve(b);
    for (std::size_t i = 0; i < b.size(); ++i) result[i] *= unit_[i];
    return result;
}

}  // namespace ktc
