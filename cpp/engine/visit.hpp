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
