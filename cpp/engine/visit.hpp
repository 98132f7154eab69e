#pragma once

#include <algorithm>

#include "engine/engine.hpp"
#include "engine/workers.hpp"

/// Engine's own loop over its blocks, for the files that make it up.
namespace ktc {

template <class Work>
void Engine::change(Block& block, Workspace& workspace, Work&& work) const {
    change(block, workspace, setting_.drive.force, setting_.drive.force, work);
}

template <class Work>
void Engine::change(Block& block, Workspace& workspace, const std::vector<double>& before,
                    const std::vector<double>& after, Work&& work) const {
    if (precision_ == Precision::full) {
        work(block.state.full());
        return;
    }
    workspace.state.resize(rows() * block_width);
    block.state.widen(frame(before), workspace.state.data());
    work(workspace.state.data());
    block.state.narrow(frame(after), workspace.state.data());
}

/// A team is the blocks whose numbers among all of the seed have the same quotient: who moves
/// together does not depend on which of them are ours.
template <class Visit>
void Engine::for_each_team(Visit&& visit, double steps_per_unit) const {
    std::vector<Block>& all = blocks();
    const std::size_t team = team_size();
    const std::uint64_t first = all.front().number, first_team = first / team;
    const auto teams = static_cast<std::size_t>(all.back().number / team - first_team + 1);
    const double size = static_cast<double>(all.size() * block_width * network_.dimension());
    const std::size_t threads = threads_for(size * steps_per_unit);
    workspaces_.provide(std::min(threads, teams), rows(), heat_accounts());
    run_parallel(teams, threads, [&](std::size_t index, std::size_t worker) {
        const std::uint64_t start = (first_team + index) * team;
        const auto begin = static_cast<std::size_t>(start > first ? start - first : 0);
        const auto end = static_cast<std::size_t>(start + team - first);
        visit(std::span(all).subspan(begin, std::min(end, all.size()) - begin),
              workspaces_[worker]);
    });
}

template <class Visit>
void Engine::for_each_block(Visit&& visit, double steps_per_unit, Watch* watch) const {
    std::vector<Block>& all = blocks();
    const double size = static_cast<double>(all.size() * block_width * network_.dimension());
    const std::size_t threads = threads_for(size * steps_per_unit);
    workspaces_.provide(std::min(threads, all.size()), rows(), heat_accounts());
    const auto task = [&](std::size_t index, std::size_t worker) {
        visit(all[index], workspaces_[worker]);
    };
    if (watch == nullptr)
        run_parallel(all.size(), threads, task);
    else
        run_parallel(all.size(), threads, task, [&] { watch->look(); });
}

}  // namespace ktc
