#include "engine/ensemble.hpp"

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
        setting.energy_of(block.state.read(setting.drive->force, workspace.state), workspace,
                          energy);
        block.ledger.open(energy);
    });
}

std::size_t Ensemble::threads_for(double unit_moves) const {
    const double useful = std::max(1.0, unit_moves / unit_moves_per_thread);
    return useful < static_cast<double>(threads_) ? static_cast<std::size_t>(useful) : threads_;
}

}  // namespace ktc
