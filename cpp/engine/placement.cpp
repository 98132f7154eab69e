#include "engine/placement.hpp"

#include <algorithm>
#include <cmath>

#include "ground/dense.hpp"
#include "ground/error.hpp"

namespace ktc {

const std::vector<double>& Placement::block_of(const ReplicaBlock& block) {
    const Matrix& from_state = setting_.coordinates->from_state;
    const std::size_t n = setting_.coordinates->dimension();
    state_.assign(n * block_width, 0.0);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t lane = block.begin; lane < block.end; ++lane)
            state_[i * block_width + lane] =
                states_[(block.first_row + lane - block.begin) * n + i];
    if (from_state.empty()) return state_;
    natural_.resize(state_.size());
    multiply_block(from_state, state_.data(), natural_.data(), block_width);
    return natural_;
}

void Placement::check(const Ensemble& ensemble, const StateFormat& format) {
    Workspace workspace(ensemble.rows(), 0);
    double energy[block_width];
    for (const ReplicaBlock& block : ensemble.blocks()) {
        const std::vector<double>& state = block_of(block);
        setting_.energy_of(state.data(), workspace, energy);
        for (double value : energy)
            require(std::abs(value) <= largest_energy,
                    "state is so far out that its energy overflows");
        format.check_state(setting_, state);
    }
}

void Placement::store(Ensemble& ensemble) {
    const std::vector<double>& force = setting_.drive->force;
    std::vector<double> scratch;
    for (ReplicaBlock& block : ensemble.blocks()) {
        const std::vector<double>& state = block_of(block);
        block.state.change(force, force, scratch,
                           [&](double* at) { std::copy(state.begin(), state.end(), at); });
    }
}

}  // namespace ktc
