#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "motion/propagator.hpp"

namespace ktc {

/// The last few propagators by the hold they were made for. Controllers keep holding the same shape
/// for the same time, and preparing a hold may take thousands of times as long as its motion.
class PropagatorCache {
   public:
    /// The propagator of a hold at `setting`, or make() if it is not among the last ones.
    template <class Make>
    std::shared_ptr<const Propagator> find(const Setting& setting, double hold, double longest_step,
                                           Make&& make) {
        const auto known = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
            return entry.hold == hold && entry.longest_step == longest_step &&
                   entry.setting.same_motion(setting);
        });
        if (known != entries_.end()) {
            std::rotate(entries_.begin(), known, known + 1);
            return entries_.front().propagator;
        }
        const std::size_t most =
            setting.coordinates->dimension() > large_dimension ? 1 : most_entries;
        while (entries_.size() >= most) entries_.pop_back();
        ++made_;
        entries_.insert(entries_.begin(), {setting, hold, longest_step, make()});
        return entries_.front().propagator;
    }

    /// How many were made.
    std::size_t made() const { return made_; }

   private:
    static constexpr std::size_t most_entries = 4;
    /// Dense propagators with more coordinates than this take megabytes each.
    static constexpr std::size_t large_dimension = 256;

    struct Entry {
        Setting setting;  // kept alive, so that no other shape can have the same address
        double hold, longest_step;
        std::shared_ptr<const Propagator> propagator;
    };
    std::size_t made_ = 0;
    std::vector<Entry> entries_;  ///< the last used first
};

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
