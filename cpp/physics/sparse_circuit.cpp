#include "physics/sparse_circuit.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "ground/error.hpp"

namespace ktc {
namespace {

using Rows = std::vector<std::vector<SparseEntry>>;

/// A matrix of rows that may name a column several times.
SparseMatrix collected(Rows rows, std::size_t columns) {
    std::vector<std::size_t> starts{0};
    std::vector<SparseEntry> entries;
    for (std::vector<SparseEntry>& row : rows) {
        std::stable_sort(row.begin(), row.end(), [](const SparseEntry& a, const SparseEntry& b) {
            return a.column < b.column;
        });
        for (const SparseEntry& entry : row) {
            if (entries.size() > starts.back() && entries.back().column == entry.column)
                entries.back().value += entry.value;
            else
                entries.push_back(entry);
        }
        starts.push_back(entries.size());
        std::vector<SparseEntry>().swap(row);
    }
    return {columns, std::move(starts), std::move(entries), "a matrix of elements"};
}

void add_outer(std::span<const SparseEntry> direction, double weight, Rows& rows) {
    for (const auto& [i, first] : direction)
        for (const auto& [j, second] : direction) rows[i].push_back({j, weight * first * second});
}

constexpr int most_rounds = 100;
// Errors of the rest, of scale_of_energy: of one that is found, and that rounding leaves.
constexpr double accepted = 1e-10, rounding = 1e-14;

}  // namespace

void SparseCircuit::check() const {
    const std::size_t n = units(), all = coordinates(), count = conductance.size();
    require(n > 0 && count > 0, "a circuit must have a state and a resistor");
    const auto matches = [](const SparseMatrix& matrix, std::size_t rows, std::size_t columns) {
        require(matrix.rows() == rows && matrix.columns() == columns && matrix.is_finite(),
                "elements of a circuit must have matching shapes and be finite");
    };
    matches(storage, n, n);
    matches(interconnection, all, all);
    matches(directions, count, all);
    matches(source_directions, source_directions.rows(), all);
    matches(noise_directions, noise_density.size(), all);
    require(n <= all && first_flux <= n && order.size() == all && account.size() == count,
            "elements of a circuit must have matching shapes");
    for (const std::vector<double>* values : {&conductance, &noise_density})
        for (double value : *values)
            require(std::isfinite(value) && value > 0.0,
                    "conductances and densities must be positive and finite");
    std::vector<bool> seen(all, false);
    for (std::size_t row : order) {
        require(row < all && !seen[row], "order must have every coordinate once");
        seen[row] = true;
    }
}

std::vector<std::size_t> SparseCircuit::order_of_state() const {
    std::vector<std::size_t> result;
    for (std::size_t row : order)
        if (row < units()) result.push_back(row);
    return result;
}

SparseMatrix SparseCircuit::stepped(double h) const {
    Rows rows(coordinates());
    for (std::size_t i = 0; i < units(); ++i)
        for (const SparseEntry& entry : storage.row(i)) rows[i].push_back(entry);
    for (std::size_t r = 0; r < conductance.size(); ++r)
        add_outer(directions.row(r), h * conductance[r], rows);
    for (std::size_t i = 0; i < noise_density.size(); ++i)
        add_outer(noise_directions.row(i), 0.0, rows);
    for (std::size_t i = 0; i < coordinates(); ++i)
        for (const SparseEntry& entry : interconnection.row(i))
            rows[i].push_back({entry.column, -h * entry.value});
    for (std::size_t i = first_flux; i < units(); ++i)
        for (SparseEntry& entry : rows[i]) entry.value = -entry.value;
    return collected(std::move(rows), coordinates());
}

SparseMatrix SparseCircuit::weighted(const std::vector<double>& of_resistors,
                                     const std::vector<double>& of_noises) const {
    Rows rows(coordinates());
    for (std::size_t r = 0; r < of_resistors.size(); ++r)
        add_outer(directions.row(r), of_resistors[r], rows);
    for (std::size_t i = 0; i < of_noises.size(); ++i)
        add_outer(noise_directions.row(i), of_noises[i], rows);
    return collected(std::move(rows), coordinates());
}

std::vector<double> SparseCircuit::push(const std::vector<double>& emf,
                                        const std::vector<double>& current) const {
    std::vector<double> result(coordinates(), 0.0);
    const auto add = [&](double amount, std::span<const SparseEntry> direction) {
        if (amount == 0.0) return;
        for (const auto& [i, value] : direction) result[i] += amount * value;
    };
    for (std::size_t r = 0; r < emf.size(); ++r) add(conductance[r] * emf[r], directions.row(r));
    for (std::size_t s = 0; s < current.size(); ++s) add(current[s], source_directions.row(s));
    return result;
}

void SparseCircuit::subtract_flow(const std::vector<double>& slope,
                                  std::vector<double>& left) const {
    for (std::size_t r = 0; r < conductance.size(); ++r) {
        const double flow = conductance[r] * dot(directions.row(r), slope);
        for (const auto& [i, value] : directions.row(r)) left[i] -= flow * value;
    }
    for (std::size_t i = 0; i < left.size(); ++i) left[i] += dot(interconnection.row(i), slope);
}

double SparseCircuit::root_energy(const std::vector<double>& slope) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < units(); ++i) sum += slope[i] * dot(storage.row(i), slope);
    return std::sqrt(std::max(sum, 0.0));
}

double SparseCircuit::scale_of_energy(const std::vector<double>& slope,
                                      const std::vector<double>& emf,
                                      const std::vector<double>& current) const {
    double volts = 0.0, amperes = 0.0, farads = 0.0, henries = 0.0;
    const auto raise = [](double& largest, double value) {
        largest = std::max(largest, std::abs(value));
    };
    for (std::size_t i = 0; i < coordinates(); ++i) raise(is_flux(i) ? amperes : volts, slope[i]);
    for (std::size_t i = 0; i < units(); ++i) raise(is_flux(i) ? henries : farads, storage(i, i));
    for (std::size_t r = 0; r < conductance.size(); ++r) {
        if (directions.row(r).empty()) continue;
        const double own = r < emf.size() ? emf[r] : 0.0;
        raise(volts, own);
        raise(amperes, conductance[r] * (dot(directions.row(r), slope) - own));
    }
    for (double value : current) raise(amperes, value);
    return std::hypot(root_energy(slope), std::sqrt(farads) * volts, std::sqrt(henries) * amperes);
}

namespace {

/// Whether (G − J) y = `pushed` holds in every row beside the sizes of its terms, or to rounding
/// beside the largest current or voltage, where that of a node is its current over its conductance.
bool balances(const SparseCircuit& circuit, const std::vector<double>& pushed,
              const std::vector<double>& slope) {
    std::vector<double> left = pushed, size(pushed.size()), siemens(pushed.size());
    circuit.subtract_flow(slope, left);
    for (std::size_t i = 0; i < size.size(); ++i) {
        size[i] = std::abs(pushed[i]);
        for (const auto& [j, value] : circuit.interconnection.row(i))
            size[i] += std::abs(value * slope[j]);
    }
    for (std::size_t r = 0; r < circuit.conductance.size(); ++r) {
        double terms = 0.0;
        for (const auto& [i, value] : circuit.directions.row(r))
            terms += circuit.conductance[r] * std::abs(value * slope[i]);
        for (const auto& [i, value] : circuit.directions.row(r)) {
            size[i] += terms * std::abs(value);
            siemens[i] += circuit.conductance[r] * value * value;
        }
    }
    double amperes = 0.0, volts = 0.0;
    for (std::size_t i = 0; i < size.size(); ++i) {
        double& largest = circuit.is_flux(i) ? volts : amperes;
        largest = std::max(largest, size[i]);
        if (siemens[i] > 0.0) volts = std::max(volts, size[i] / siemens[i]);
    }
    for (std::size_t i = 0; i < size.size(); ++i) {
        const double largest = circuit.is_flux(i) ? volts : amperes;
        if (!(std::abs(left[i]) <= accepted * size[i] + rounding * largest)) return false;
    }
    return true;
}

/// Solves (G − J) y = `pushed`; whether it is solved. A step of implicit Euler of many times the
/// slowest one solves for the rest, and the next ones refine it. In the norm of energy, the error
/// after a step is at most 1/(h·slowest − 1) of that before, which the step thus measures. Rounding
/// may spoil the factor of a long step, which then contracts nothing; a shorter one is better
/// conditioned.
bool refine(const SparseCircuit& circuit, double h, const std::vector<double>& pushed,
            const std::vector<double>& emf, const std::vector<double>& current,
            std::vector<double>& slope) {
    const SparseFactor<double> factor(circuit.stepped(h), circuit.order,
                                      "the conductances of the circuit");
    std::fill(slope.begin(), slope.end(), 0.0);
    double least = INFINITY;
    for (int round = 0; round < most_rounds; ++round) {
        std::vector<double> step = pushed;
        circuit.subtract_flow(slope, step);
        for (std::size_t i = 0; i < step.size(); ++i) step[i] *= circuit.is_flux(i) ? -h : h;
        solve_block(factor, step.data(), 1);
        const double error = circuit.root_energy(step);
        if (!std::isfinite(error)) return false;
        if (error >= 0.5 * least) {
            const double scale = circuit.scale_of_energy(slope, emf, current);
            if (round == 1 && least > rounding * scale) return false;
            if (least <= accepted * scale) return balances(circuit, pushed, slope);
        }
        least = std::min(least, error);
        for (std::size_t i = 0; i < step.size(); ++i) slope[i] += step[i];
    }
    return false;
}

}  // namespace

std::vector<double> SparseCircuit::rest_slope(std::vector<double> emf,
                                              std::vector<double> current) const {
    std::vector<double> result(coordinates(), 0.0);
    // Squares of the largest and the least sources would overflow or vanish.
    double largest = 0.0;
    for (std::vector<double>* values : {&emf, &current})
        for (double value : *values) largest = std::max(largest, std::abs(value));
    const int exponent = largest > 0.0 ? std::ilogb(largest) : 0;
    for (std::vector<double>* values : {&emf, &current})
        for (double& value : *values) value = std::scalbn(value, -exponent);
    const std::vector<double> pushed = push(emf, current);
    if (std::all_of(pushed.begin(), pushed.end(), [](double p) { return p == 0.0; })) return result;
    for (double reach : {interconnection.size() > 0 ? 1e4 : 1e8, 1e2, 1e1}) {
        try {
            if (!refine(*this, reach / slowest, pushed, emf, current, result)) continue;
        } catch (const std::invalid_argument&) {  // the factor is singular by rounding
            continue;
        }
        for (double& value : result) value = std::scalbn(value, exponent);
        return result;
    }
    refuse(
        "the rest of the circuit under its sources was not found, because its conductances and "
        "inductances lie too far apart; give the emulator a state to start from");
}

std::vector<double> multiply(const SparseMatrix& matrix, const std::vector<double>& vector) {
    std::vector<double> result(matrix.rows());
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = dot(matrix.row(i), vector);
    return result;
}

}  // namespace ktc
