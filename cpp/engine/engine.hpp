#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/readout.hpp"
#include "engine/tick_plan.hpp"

namespace ktc {

/// What describes a run, beside its network and its controls.
struct EngineOptions {
    std::uint64_t seed = 0;
    ReplicaRange range;
    std::size_t threads = 1;
    Motion motion = Motion::exact;
    double longest_step = 0.0;  ///< bound of the steps of motion that is not exact
    Precision precision = Precision::full;
    std::uint64_t first_step = 0;     ///< steps of noise before the first one that is used
    std::vector<bool> kept_accounts;  ///< flags as Accounts takes them
};

/// An ensemble of replicas of one network: the only time loop. A block of replicas is carried
/// through many ticks while it is in cache.
///
/// `keep_going`, which may be empty, is asked a few dozen times per second whether to continue. A
/// call that is stopped and has no partial result throws Interrupted and changes nothing.
class Engine {
   public:
    /// Replicas start at `state`, (count, dimension) row-major, or in the stationary state if it is
    /// null.
    Engine(Network network, Controls controls, const EngineOptions& options,
           const double* state = nullptr, const std::function<bool()>& keep_going = {});

    const Controls& controls() const { return setting_.controls; }
    const Ensemble& ensemble() const { return ensemble_; }
    double time() const { return clock_.time + clock_.carry; }
    bool pooled() const { return motion_ == Motion::pooled; }
    bool itemised() const { return motion_ == Motion::split || pooled(); }
    double longest_step() const { return longest_step_; }
    void set_longest_step(double step);
    /// Number of holds prepared; holds found in the cache do not count.
    std::size_t prepared() const { return propagators_.made(); }

    /// Applies one control update and posts its work.
    void set(Controls controls);
    /// Goes on with other resistors, at held state, and applies a control update at the same time.
    /// The network must have the units, accounts, sources and generators of the present one.
    void exchange(Network network, Controls controls);
    /// Plays ticks, each an update and a hold, to the end or until `keep_going` stops it. Returns
    /// the number of complete ticks. Blocks that have not finished their ticks then catch up on the
    /// next call. `statistics` (may be null) are taken after every tick at which they are due.
    std::size_t play(const Waveform& waveform, const std::function<bool()>& keep_going,
                     Statistics* statistics = nullptr);
    /// Redraws all replicas from the stationary state at the present controls; opens new books.
    void equilibrate(const std::function<bool()>& keep_going = {});
    /// Restarts the run with these controls and state, and the same noise.
    void restart(Controls controls, const double* state,
                 const std::function<bool()>& keep_going = {});
    /// Places the replicas at `state`, (count, dimension) row-major; filters are left alone. Opens
    /// new books.
    void place(const double* state);
    void open_books() { caught_up().open_books(setting_); }

    /// The replicas at the present time, valid until the engine changes. Raises if any diverged.
    Readout readout() { return {caught_up(), setting_}; }

    /// Everything that a resumed run needs to give the same bits.
    struct Snapshot {
        std::vector<double> state;   ///< of all blocks, as stored
        std::vector<double> ledger;  ///< of all blocks
        std::uint64_t step = 0;
        double time = 0.0, time_carry = 0.0;
        Controls controls;
    };
    Snapshot snapshot();
    void restore(const Snapshot& snapshot);

   private:
    struct Clock {
        std::uint64_t step = 0;  ///< of noise
        double time = 0.0, carry = 0.0;
    };

    Setting next_setting(Controls controls, const Setting& previous) const;
    void update_to(Setting next);
    /// The ensemble after all blocks finished the ticks of an interrupted play. Noise is found by
    /// address, so that they give the same bits at any later time. Raises if any block diverged.
    Ensemble& caught_up();
    void play_block(const TickBatch& batch, ReplicaBlock& block, Workspace& workspace) const;
    /// Before all states are replaced: catches up, or drops states that diverged.
    void forget_states();
    /// Places or draws all replicas, using the first step of noise; opens new books.
    void start(const double* state, Watch& watch, bool undo);
    /// With `undo`, an interruption or an error leaves the replicas as they were.
    void draw_stationary(Watch& watch, bool undo);
    void set_clock(const Clock& clock);

    Network network_;
    Motion motion_;
    double longest_step_;
    std::uint64_t first_step_;
    Setting setting_;
    std::shared_ptr<const StateFormat> format_;
    Clock clock_;
    Ensemble ensemble_;
    std::shared_ptr<const TickBatch> unfinished_;  ///< ticks that some blocks have not played
    PropagatorCache propagators_;
};

}  // namespace ktc
