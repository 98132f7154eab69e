#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "ground/dense.hpp"
#include "kernels/kernels.hpp"
#include "motion/replica_block.hpp"
#include "motion/setting.hpp"
#include "motion/state_format.hpp"
#include "motion/workspace.hpp"
#include "physics/divider.test.hpp"

/// What tests of motion and engine share.
namespace ktc::testing {

using Rows = std::initializer_list<std::initializer_list<double>>;

inline Matrix matrix(Rows rows) {
    Matrix result(rows.size(), rows.begin()->size());
    double* next = result.data();
    for (const auto& row : rows) next = std::copy(row.begin(), row.end(), next);
    return result;
}

inline Network units(std::size_t count, double friction = 1.0) {
    return {Matrix::diagonal(std::vector<double>(count, friction)), {}};
}

/// Controls of units that have one resistor each.
inline Controls controls_of(Stiffness stiffness, double kT = 1.0, double bias = 0.0,
                            double quartic = 0.0) {
    const std::size_t d = stiffness.rows();
    return {std::vector<double>(d, bias), std::move(stiffness),
            std::vector<double>(d, kT),   std::vector<double>(d, quartic),
            std::vector<double>(d, 0.0),  {}};
}
inline Controls controls_of(Rows stiffness, double kT = 1.0, double bias = 0.0,
                            double quartic = 0.0) {
    return controls_of(Stiffness(matrix(stiffness)), kT, bias, quartic);
}

/// Controls of a circuit whose stiffness is fixed.
inline Controls controls_of(const SparseCircuit& circuit, std::vector<double> kT,
                            std::vector<double> emf, std::vector<double> current) {
    const std::size_t n = circuit.units();
    return {std::vector<double>(n, 0.0),
            Stiffness::inverse_of(circuit.storage, circuit.order_of_state()),
            std::move(kT),
            std::vector<double>(n, 0.0),
            std::move(emf),
            std::move(current)};
}

inline ReplicaBlock block_of(const Network& network, const Setting& setting,
                             Precision precision = Precision::full, std::size_t heat_accounts = 0) {
    return {BlockState(std::make_shared<const StateFormat>(network, setting, precision)),
            Ledger(std::make_shared<const Accounts>(heat_accounts)),
            7,
            0,
            0,
            block_width,
            0};
}

/// Different numbers in every row and lane.
inline std::vector<double> some_state(std::size_t rows, double scale = 1.0) {
    std::vector<double> state(rows * block_width);
    for (std::size_t k = 0; k < state.size(); ++k)
        state[k] = scale * (static_cast<double>((37 * k) % 101) / 50.0 - 1.0);
    return state;
}

inline void place(ReplicaBlock& block, const Setting& setting, const std::vector<double>& state) {
    std::vector<double> scratch;
    block.state.change(setting.drive->force, setting.drive->force, scratch,
                       [&](double* to) { std::copy(state.begin(), state.end(), to); });
}

inline std::vector<double> state_of(const ReplicaBlock& block, const Setting& setting,
                                    std::size_t rows) {
    std::vector<double> scratch;
    const double* state = block.state.read(setting.drive->force, scratch);
    return {state, state + rows * block_width};
}

inline NoiseAddress whole_block(std::uint64_t step = 0) {
    return {7, step, 0, 0, block_width / group_width};
}

/// H = ½ xᵀ K x − bᵀ x + ¼ Σ κ x⁴ of one lane, term by term.
inline double energy_of(const Controls& controls, const double* state, std::size_t lane) {
    double energy = 0.0;
    for (std::size_t i = 0; i < controls.bias.size(); ++i) {
        const double x = state[i * block_width + lane];
        energy += -controls.bias[i] * x + 0.25 * controls.quartic[i] * x * x * x * x;
        for (std::size_t j = 0; j < controls.bias.size(); ++j)
            energy += 0.5 * x * controls.stiffness(i, j) * state[j * block_width + lane];
    }
    return energy;
}

inline void check_close(const Matrix& found, const Matrix& expected, double tolerance = 1e-12) {
    REQUIRE(found.rows() == expected.rows());
    REQUIRE(found.columns() == expected.columns());
    for (std::size_t i = 0; i < found.rows(); ++i)
        for (std::size_t j = 0; j < found.columns(); ++j) {
            CAPTURE(i);
            CAPTURE(j);
            CHECK(std::abs(found(i, j) - expected(i, j)) <= tolerance);
        }
}

inline void check_close(const std::vector<double>& found, const std::vector<double>& expected,
                        double tolerance = 1e-12) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t k = 0; k < found.size(); ++k) {
        CAPTURE(k);
        CHECK(std::abs(found[k] - expected[k]) <= tolerance);
    }
}

}  // namespace ktc::testing
