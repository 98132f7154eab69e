#pragma once

#include "engine/engine.hpp"
#include "engine/workers.hpp"

/// Engine's own loop over its blocks, for the files that make it up.
namespace ktc {

template <class Visit>
void Engine::for_each_block(Visit&& visit, double steps_per_unit) const {
    std::vector<Block>& all = blocks();
    const double size = static_cast<double>(all.size() * block_width * network_.dimension());
    const std::size_t threads = threads_for(size * steps_per_unit);
    std::vector<Workspace> workspaces(threads, Workspace(rows(), network_.elements().accounts()));
    run_parallel(all.size(), threads, [&](std::size_t index, std::size_t worker) {
        visit(all[index], workspaces[worker]);
    });
}

}  // namespace ktc
