#include "physics/sparse_circuit.hpp"

#include <algorithm>
#include <cmath>
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

constexpr int most_rounds = 400;

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

double SparseCircuit::unbalance(const std::vector<double>& slope, std::vector<double>& left) const {
    std::vector<double> size(left.size());
    for (std::size_t i = 0; i < left.size(); ++i) size[i] = std::abs(left[i]);
    const auto subtract = [&](std::size_t i, double amount) {
        left[i] -= amount;
        size[i] += std::abs(amount);
    };
    for (std::size_t r = 0; r < conductance.size(); ++r) {
        const double flow = conductance[r] * dot(directions.row(r), slope);
        for (const auto& [i, value] : directions.row(r)) subtract(i, flow * value);
    }
    for (std::size_t i = 0; i < left.size(); ++i)
        for (const auto& [j, value] : interconnection.row(i)) subtract(i, -value * slope[j]);
    double worst = 0.0;
    for (std::size_t i = 0; i < left.size(); ++i)
        if (left[i] != 0.0) worst = std::max(worst, std::abs(left[i]) / size[i]);
    return worst;
}

std::vector<double> SparseCircuit::rest_slope(const std::vector<double>& emf,
                                              const std::vector<double>& current) const {
    std::vector<double> result(coordinates(), 0.0);
    const std::vector<double> pushed = push(emf, current);
    if (std::all_of(pushed.begin(), pushed.end(), [](double p) { return p == 0.0; })) return result;
    // A step of implicit Euler of many times the slowest one solves for the rest, and the next ones
    // refine it.
    const double h = (interconnection.size() > 0 ? 1e4 : 1e8) / slowest;
    const SparseFactor<double> factor(stepped(h), order, "the conductances of the circuit");
    double least = INFINITY;
    for (int round = 0, idle = 0; round < most_rounds; ++round) {
        std::vector<double> left = pushed;
        const double worst = unbalance(result, left);
        // Rounding limits the refinement.
        idle = worst < 0.5 * least ? 0 : idle + 1;
        least = std::min(least, worst);
        if (worst < 1e-15 || (idle > 2 && least < 1e-11)) return result;
        for (std::size_t i = 0; i < left.size(); ++i) left[i] *= is_flux(i) ? -h : h;
        solve_block(factor, left.data(), 1);
        for (std::size_t i = 0; i < left.size(); ++i) result[i] += left[i];
    }
    refuse("the rest of the circuit under its sources was not found in ", most_rounds,
           " steps; give the emulator a state to start from");
}

std::vector<double> multiply(const SparseMatrix& matrix, const std::vector<double>& vector) {
    std::vector<double> result(matrix.rows());
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = dot(matrix.row(i), vector);
    return result;
}

}  // namespace ktc
