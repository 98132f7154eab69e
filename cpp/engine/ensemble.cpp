#include "engine/ensemble.hpp"

#include <cmath>

#include "ground/dense.hpp"
#include "ground/error.hpp"

namespace ktc {
namespace {

// A thread costs more to wake than less work than this saves.
constexpr double unit_moves_per_thread = 3e4;

}  // namespace

Ensemble::Ensemble(ReplicaRange range, std::uint64_t seed, std::size_t threads,
                   std::size_t heat_accounts, const std::shared_ptr<const StateFormat>& format,
                   const std::shared_ptr<const Accounts>& accounts)
    : range_(range), threads_(threads), rows_(format->rows()), heat_accounts_(heat_accounts) {
    const std::uint64_t last = range.first + range.count;
    blocks_.reserve(range.count / block_width + 2);
    for (std::uint64_t number = range.first / block_width; number * block_width < last; ++number) {
        const std::uint64_t start = number * block_width;
        const std::uint64_t begin = std::max(range.first, start);
        const std::uint64_t end = std::min<std::uint64_t>(last, start + block_width);
        blocks_.push_back({BlockState(format), Ledger(accounts), seed, number,
                           static_cast<std::size_t>(begin - start),
                           static_cast<std::size_t>(end - start),
                           static_cast<std::size_t>(begin - range.first)});
    }
}

void Ensemble::forget_divergence() {
    workspaces_.clear();
    for (ReplicaBlock& block : blocks_) block.diverged = false;
}

void Ensemble::open_books(const Setting& setting) {
    for_each_block(0.2, [&](ReplicaBlock& block, Workspace& workspace) {
        double energy[block_width];
        setting.energy_of(block.state.read(setting.drive->rest_of(block.number), workspace.state),
                          block.number, workspace, energy);
        block.ledger.open(energy);
    });
}

std::size_t Ensemble::threads_for(double unit_moves) const {
    const double useful = std::max(1.0, unit_moves / unit_moves_per_thread);
    return useful < static_cast<double>(threads_) ? static_cast<std::size_t>(useful) : threads_;
}

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
        setting_.energy_of(state.data(), block.number, workspace, energy);
        for (double value : energy)
            require(std::abs(value) <= largest_energy,
                    "state is so far out that its energy overflows");
        format.check_state(setting_, block.number, state);
    }
}

void Placement::store(Ensemble& ensemble) {
    std::vector<double> scratch;
    for (ReplicaBlock& block : ensemble.blocks()) {
        const std::vector<double>& state = block_of(block);
        const LaneNumbers rest = setting_.drive->rest_of(block.number);
        block.state.change(rest, rest, scratch,
                           [&](double* at) { std::copy(state.begin(), state.end(), at); });
    }
}

}  // namespace ktc
