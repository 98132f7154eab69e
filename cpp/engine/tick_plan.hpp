#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "motion/propagator.hpp"
#include "motion/setting.hpp"

namespace ktc {

/// A sequence of ticks: the duration of each hold, and the controls that change before it.
struct Waveform {
    std::vector<double> holds;
    /// Writes the controls of a tick; controls that it leaves alone are held. May be empty.
    std::function<void(std::size_t tick, Controls& controls)> control;
};

/// How to derive what a tick needs.
struct TickSource {
    std::function<Setting(Controls controls, const Setting& previous)> setting;
    std::function<std::shared_ptr<const Propagator>(const Setting& setting, double hold)>
        propagator;
};

/// Where planning stands in a waveform.
struct PlanPosition {
    Setting setting;
    std::size_t tick = 0;          ///< the next tick, or the one whose hold is under way
    std::uint64_t steps_left = 0;  ///< of a hold that is under way
    double hold = 0.0;             ///< that `propagator` was made for
    std::shared_ptr<const Propagator> propagator = nullptr;
};

/// Limits of a chunk of ticks, which is played without an interruption.
struct ChunkLimits {
    std::size_t end;           ///< the first tick that must not be in the chunk
    double unit_moves;         ///< most work, in moves of an independent unit
    double lanes;              ///< replicas that play the chunk
    std::uint64_t first_step;  ///< number of the chunk's first step since the start
    std::function<bool()> due = [] { return false; };  ///< whether to end the chunk now
    std::size_t ticks = 4096;
};

/// Ticks to play on every block before anything else happens.
struct Chunk {
    TickBatch batch;
    PlanPosition next;  ///< where the following chunk begins
    std::uint64_t steps = 0;
    double duration = 0.0, duration_carry = 0.0;  ///< their unevaluated sum is the duration
};

/// Cuts the next chunk off a waveform. A hold too long for one chunk continues in the next one,
/// after a number of steps at which its propagator allows it.
Chunk plan_chunk(const Waveform& waveform, const TickSource& source, const ChunkLimits& limits,
                 PlanPosition from);

}  // namespace ktc
