#include "engine/tick_plan.hpp"

#include <cmath>

namespace ktc {
namespace {

/// Goes over to the controls and the hold of the next tick. Returns the update, null if none.
std::shared_ptr<const ControlUpdate> begin_tick(const Waveform& waveform, const TickSource& source,
                                                PlanPosition& at) {
    std::shared_ptr<const ControlUpdate> update;
    if (waveform.control) {
        Controls controls = at.setting.controls;
        waveform.control(at.tick, controls);
        Setting next = source.setting(std::move(controls), at.setting);
        update = std::make_shared<const ControlUpdate>(at.setting, next);
        if (!next.same_motion(at.setting)) at.propagator = nullptr;
        at.setting = std::move(next);
    }
    const double hold = waveform.holds[at.tick];
    if (!at.propagator || hold != at.hold) at.propagator = source.propagator(at.setting, hold);
    at.hold = hold;
    at.steps_left = at.propagator->steps();
    return update;
}

}  // namespace

Chunk plan_chunk(const Waveform& waveform, const TickSource& source, const ChunkLimits& limits,
                 PlanPosition at) {
    Chunk chunk;
    double unit_moves = 0.0;
    const auto is_full = [&] {
        const std::size_t ticks = chunk.batch.ticks.size();
        if (ticks == 0) return limits.due();
        // Only a chunk that ends between two posts gives the same bits wherever it ends.
        if ((limits.first_step + chunk.steps) % at.propagator->steps_per_post() != 0) return false;
        return unit_moves >= limits.unit_moves || ticks >= limits.ticks || limits.due();
    };
    while (at.tick < limits.end && !is_full()) {
        Tick tick;
        if (at.steps_left == 0) tick.update = begin_tick(waveform, source, at);
        const Propagator& propagator = *at.propagator;
        const double at_once = static_cast<double>(propagator.steps_at_once());
        const double left = (limits.unit_moves - unit_moves) / (limits.lanes * propagator.cost());
        const double affordable = at_once * std::max(1.0, std::floor(left / at_once));
        tick.steps = affordable < static_cast<double>(at.steps_left)
                         ? static_cast<std::uint64_t>(affordable)
                         : at.steps_left;
        const auto steps = static_cast<double>(tick.steps);
        add_compensated(chunk.duration, chunk.duration_carry,
                        at.hold * (steps / static_cast<double>(propagator.steps())));
        unit_moves += steps * limits.lanes * propagator.cost();
        chunk.steps += tick.steps;
        at.steps_left -= tick.steps;
        if (at.steps_left == 0) ++at.tick;
        tick.propagator = at.propagator;
        tick.drive = at.setting.drive;
        chunk.batch.append(std::move(tick));
    }
    chunk.next = std::move(at);
    return chunk;
}

}  // namespace ktc
