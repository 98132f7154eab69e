#include "physics/energy.hpp"

#include <algorithm>

#include "ground/block_width.hpp"
#include "ground/compensated_sum.hpp"
#include "ground/dense.hpp"

namespace ktc {

void Energy::of_block(const double* state, const LaneNumbers& force, double* scratch,
                      double* energy) const {
    std::fill(energy, energy + block_width, 0.0);
    if (hessian.inverse() != nullptr) {
        of_inverse(state, force, scratch, energy);
        return;
    }
    if (hessian.is_sparse()) {
        of_sparse_block(state, force, energy);
        return;
    }
    const double* slope = state;
    if (!hessian.empty()) {
        multiply_block(hessian.dense(), state, scratch, block_width);
        slope = scratch;
    }
    double room[block_width];
    for (std::size_t i = 0; i < force.size(); ++i) {
        const double* beta = force.row(i, room);
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const std::size_t at = i * block_width + lane;
            energy[lane] += state[at] * (0.5 * slope[at] - beta[lane]);
        }
    }
    for (std::size_t i = 0; i < quartic.size(); ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const double square = state[i * block_width + lane] * state[i * block_width + lane];
            energy[lane] += 0.25 * quartic[i] * square * square;
        }
}

void Energy::of_sparse_block(const double* state, const LaneNumbers& force, double* energy) const {
    // Sums of partial sums, because a plain sum of a million terms would lose three digits.
    constexpr std::size_t rows_at_once = 512;
    double product[block_width], part[block_width], room[block_width];
    for (std::size_t first = 0; first < force.size(); first += rows_at_once) {
        std::fill(part, part + block_width, 0.0);
        const std::size_t end = std::min(force.size(), first + rows_at_once);
        for (std::size_t i = first; i < end; ++i) {
            multiply_row(hessian.sparse().row(i), state, block_width, product);
            const double* w = state + i * block_width;
            const double* beta = force.row(i, room);
            for (std::size_t lane = 0; lane < block_width; ++lane)
                part[lane] += w[lane] * (0.5 * product[lane] - beta[lane]);
            if (quartic.empty() || quartic[i] == 0.0) continue;
            for (std::size_t lane = 0; lane < block_width; ++lane)
                part[lane] += 0.25 * quartic[i] * (w[lane] * w[lane]) * (w[lane] * w[lane]);
        }
        for (std::size_t lane = 0; lane < block_width; ++lane) energy[lane] += part[lane];
    }
}

void Energy::of_inverse(const double* state, const LaneNumbers& force, double* scratch,
                        double* energy) const {
    std::copy(state, state + force.size() * block_width, scratch);
    solve_block(*hessian.inverse(), scratch, block_width);
    double carry[block_width] = {};
    for (std::size_t i = 0; i < force.size(); ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const std::size_t at = i * block_width + lane;
            add_compensated(energy[lane], carry[lane],
                            state[at] * (0.5 * scratch[at] - force(i, lane)));
        }
    for (std::size_t lane = 0; lane < block_width; ++lane) energy[lane] += carry[lane];
}

}  // namespace ktc
