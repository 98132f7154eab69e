#include "engine/statistics.hpp"
#include "engine/visit.hpp"
#include "ground/dense.hpp"

namespace ktc {

/// x of a block in network units, [unit][lane].
const double* Engine::public_state(const Block& block, std::vector<double>& kept,
                                   std::vector<double>& out) const {
    const double* own = seen(block, kept);
    const Coordinates& coordinates = *setting_.coordinates;
    if (!coordinates.natural || coordinates.to_state.empty()) return own;
    out.resize(network_.dimension() * block_width);
    multiply_block(coordinates.to_state, own, out.data(), block_width);
    return out.data();
}

void Engine::observe(Statistics& statistics) const {
    const std::vector<Block>& all = blocks();
    statistics.begin(statistics.has_reference() ? std::vector<double>() : moments(false).mean);
    const std::size_t parts = statistics.plan().parts();
    const double size = static_cast<double>(all.size() * block_width * statistics.plan().units());
    run_parallel(parts, std::min(statistics.plan().threads, threads_for(size * statistics.cost())),
                 [&](std::size_t part, std::size_t worker) {
                     Statistics::Scratch& scratch = statistics.scratch(worker);
                     const auto [first, last] = statistics.blocks_of(part);
                     for (std::size_t k = first; k < last; ++k)
                         statistics.add(part, k, public_state(all[k], scratch.kept, scratch.state),
                                        all[k].begin, all[k].end, scratch);
                     statistics.end(part);
                 });
}

}  // namespace ktc
