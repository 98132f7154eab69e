#include "motion/propagator.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ground/error.hpp"

namespace ktc {

void TickBatch::append(Tick tick) {
    own = own || tick.drive->own || (tick.update && tick.update->is_own());
    tick.propagator->prepare(tick, *this);
    ticks.push_back(std::move(tick));
}

void TickBatch::play(ReplicaBlock& block, Workspace& workspace) const {
    for (std::size_t k = 0; k < ticks.size();)
        k += ticks[k].propagator->play(*this, k, block, workspace);
}

std::size_t StepPropagator::play(const TickBatch& batch, std::size_t first, ReplicaBlock& block,
                                 Workspace& workspace) const {
    const Tick& tick = batch.ticks[first];
    const LaneNumbers rest = tick.drive->rest_of(block.number);
    if (tick.update) tick.update->apply(block, workspace);
    for (std::uint64_t step = 0; step < tick.steps; ++step, ++block.step) {
        block.state.change(rest, rest, workspace.state, [&](double* state) {
            advance(state, *tick.drive, block.address(), workspace, workspace.posts);
        });
        workspace.posts.post_to(block.ledger);
    }
    return 1;
}

std::uint64_t steps_of(double hold, double longest) {
    const double steps = std::max(1.0, std::ceil(hold / longest * (1.0 - 1e-12)));
    require(steps < 0x1p53, "dt is too small for a hold of this length; make it larger");
    return static_cast<std::uint64_t>(steps);
}

}  // namespace ktc
