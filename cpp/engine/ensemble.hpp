#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/workers.hpp"
#include "ground/watch.hpp"
#include "motion/replica_block.hpp"

namespace ktc {

/// Replicas [first, first + count) of all replicas of a seed.
struct ReplicaRange {
    std::uint64_t first = 0;
    std::size_t count = 0;
};

/// The replicas of an engine in blocks, and the threads that work on them.
class Ensemble {
   public:
    Ensemble() = default;
    /// All states are zero and all books empty.
    Ensemble(ReplicaRange range, std::uint64_t seed, std::size_t threads, std::size_t heat_accounts,
             const std::shared_ptr<const StateFormat>& format,
             const std::shared_ptr<const Accounts>& accounts);

    ReplicaRange range() const { return range_; }
    std::size_t threads() const { return threads_; }
    std::size_t heat_accounts() const { return heat_accounts_; }
    std::size_t rows() const { return rows_; }
    std::vector<ReplicaBlock>& blocks() { return blocks_; }
    const std::vector<ReplicaBlock>& blocks() const { return blocks_; }
    /// Lanes of all blocks.
    double lanes() const { return static_cast<double>(blocks_.size() * block_width); }

    bool any_diverged() const {
        return std::any_of(blocks_.begin(), blocks_.end(),
                           [](const ReplicaBlock& block) { return block.diverged; });
    }
    /// Before all states are replaced: clears diverged states from flags and scratch memory.
    void forget_divergence();
    void set_step(std::uint64_t step) {
        for (ReplicaBlock& block : blocks_) block.step = step;
    }
    void open_books(const Setting& setting);

    /// As many threads as this work, in moves of an independent unit, is worth.
    std::size_t threads_for(double unit_moves) const;
    /// Calls work(block, workspace) for every block, in parallel. `cost` is the work per coordinate
    /// in moves of an independent unit. While the calling thread waits it looks at `watch`.
    template <class Work>
    void for_each_block(double cost, Work&& work, Watch* watch = nullptr) {
        const std::size_t threads = threads_for(lanes() * static_cast<double>(rows_) * cost);
        while (workspaces_.size() < std::min(threads, blocks_.size()))
            workspaces_.emplace_back(rows_, heat_accounts_);
        const auto task = [&](std::size_t index, std::size_t worker) {
            work(blocks_[index], workspaces_[worker]);
        };
        if (watch == nullptr)
            run_parallel(blocks_.size(), threads, task);
        else
            run_parallel(blocks_.size(), threads, task, [&] { watch->look(); });
    }

   private:
    /// One per thread; a copy of an ensemble gets its own.
    struct Workspaces : std::vector<Workspace> {
        Workspaces() = default;
        Workspaces(const Workspaces&) : Workspaces() {}
        Workspaces(Workspaces&&) = default;
        Workspaces& operator=(Workspaces&&) = default;
    };

    ReplicaRange range_;
    std::size_t threads_ = 1, rows_ = 0, heat_accounts_ = 0;
    std::vector<ReplicaBlock> blocks_;
    Workspaces workspaces_;
};

/// States for all replicas of an ensemble, (replicas, dimension) row-major, to be stored at a
/// setting. Filters are left alone. It refers to its arguments.
class Placement {
   public:
    Placement(const double* states, const Setting& setting) : states_(states), setting_(setting) {}

    /// Refuses states whose energy overflows or that the format cannot hold.
    void check(const Ensemble& ensemble, const StateFormat& format);
    void store(Ensemble& ensemble);

   private:
    /// The states of a block in the coordinates of the setting, [coordinate][lane].
    const std::vector<double>& block_of(const ReplicaBlock& block);

    const double* states_;
    const Setting& setting_;
    std::vector<double> state_, natural_;
};

}  // namespace ktc
