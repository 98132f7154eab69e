#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/precision.hpp"
#include "engine/propagator_cache.hpp"
#include "engine/statistics.hpp"
#include "engine/update.hpp"
#include "engine/workspaces.hpp"
#include "ground/watch.hpp"
#include "motion/block.hpp"
#include "motion/propagator.hpp"
#include "motion/stationary.hpp"
#include "physics/ledger.hpp"
#include "physics/network.hpp"

namespace ktc {

/// Replicas [first, first + count) of all the replicas that a seed has.
struct ReplicaRange {
    std::uint64_t first = 0;
    std::size_t count = 0;
};

/// Mean and second central moment over the replicas, in the coordinates of the state z.
struct Moments {
    std::vector<double> mean;
    Matrix covariance;  ///< empty unless asked for
};

/// What changes from tick to tick; absent controls stay as they are.
struct Waveform {
    std::vector<double> holds;
    std::function<void(std::size_t tick, Controls& controls)> control;
};

/// An ensemble of replicas of one network: the only time loop, the only threads. State lies as
/// [coordinate][replica] in blocks, and a block is carried through many ticks while it is in cache.
class Engine {
   public:
    /// `longest_step` bounds the steps of split motion; exact motion has none. Replicas start at
    /// `state`, (count, dimension) row-major, or in the stationary state where it is null.
    /// `kept_accounts` are flags as Accounts takes them. Throws Interrupted where `keep_going` says
    /// no while they are drawn.
    Engine(Network network, Controls controls, std::uint64_t seed, ReplicaRange range,
           std::size_t threads, Motion motion = Motion::exact, double longest_step = 0.0,
           const double* state = nullptr, Precision precision = Precision::full,
           const std::vector<bool>& kept_accounts = {},
           const std::function<bool()>& keep_going = {});

    const Network& network() const { return network_; }
    const Controls& controls() const { return setting_.controls; }
    std::size_t blocks_of_replicas() const { return blocks_.size(); }
    std::size_t threads() const { return threads_; }
    ReplicaRange range() const { return range_; }
    std::uint64_t seed() const { return seed_; }
    double time() const { return time_ + time_carry_; }

    double longest_step() const { return longest_step_; }
    void set_longest_step(double step);
    /// One control update: books work.
    void set(Controls controls);
    /// Plays ticks, each an update and a hold, until the end or until `keep_going` says no, which
    /// is asked a few dozen times a second. Returns how many ticks were done; replicas that a stop
    /// left short of them catch up when the engine is next used. `statistics`, which may be null,
    /// are taken after every tick in which they are due.
    std::size_t play(const Waveform& waveform, const std::function<bool()>& keep_going,
                     Statistics* statistics = nullptr);
    /// Draws all replicas afresh from the stationary state at the present controls; opens new
    /// books. Where `keep_going` says no, all is as it was, and Interrupted is thrown; it is asked
    /// where many draws make one: quartic units and sparse networks.
    void equilibrate(const std::function<bool()>& keep_going = {});
    /// Back to how it was made with these controls and state, with the same noise; as equilibrate
    /// where `keep_going` says no.
    void restart(Controls controls, const double* state,
                 const std::function<bool()>& keep_going = {});
    /// Places the replicas; `state` is (count, dimension) row-major. Filters go on as they were.
    /// Opens new books.
    void place(const double* state);
    void open_books();

    /// Writes coordinates [begin, end) of z as (count, end − begin) row-major.
    void read(std::size_t begin, std::size_t end, double* out) const;
    Moments moments(bool with_covariance) const;
    void energy(double* out) const;
    bool itemised() const { return motion_ == Motion::split || pooled(); }
    bool pooled() const { return motion_ == Motion::pooled; }
    /// Heat accounts that the books keep: the network's, or one for all.
    std::size_t heat_accounts() const { return pooled() ? 1 : network_.elements().accounts(); }
    Precision precision() const { return precision_; }
    void balance(std::size_t account, double* out) const;
    void energy_change(double* out) const;
    double imbalance() const;
    /// How many holds were prepared; the others found theirs prepared.
    std::size_t prepared() const { return propagators_.made(); }

    /// Everything that a resumed run needs to give the same bits.
    struct Snapshot {
        std::vector<double> state;   ///< natural coordinates, all blocks
        std::vector<double> ledger;  ///< all books
        std::uint64_t step = 0;
        double time = 0.0, time_carry = 0.0;
        Controls controls;
    };
    Snapshot snapshot() const;
    void restore(const Snapshot& snapshot);

   private:
    struct Block {
        BlockState state;
        Ledger ledger;
        std::uint64_t number;    ///< among all blocks of the seed
        std::uint64_t step;      ///< the engine's, but for a block that has yet to catch up
        std::size_t begin, end;  ///< lanes that hold replicas of ours
        std::size_t first_row;   ///< row of the first of them in outputs
        bool lost = false;       ///< whether its state or books left the range of numbers
    };
    /// One update and some steps of one hold, ready to be applied to any block.
    struct Tick {
        std::shared_ptr<const Update> update;
        std::shared_ptr<const Propagator> propagator;
        Drive drive;
        std::uint64_t steps = 1;
        // Where the state is in single precision:
        std::vector<float> single_force, single_change, single_rest;
        std::vector<double> force_before;
        double common_work = 0.0;
    };

    /// All blocks, level with one another. Noise is found by address, so that blocks which an
    /// interrupted play left behind catch up at any later time with the same bits.
    std::vector<Block>& blocks() const;
    /// Where its noise is, `group` replicas sharing their words.
    NoiseAddress address(const Block& block, std::size_t group = group_width) const;
    std::shared_ptr<const Propagator> propagator_for(const Setting& setting, double hold) const;
    /// Coordinates of a block's state, those of filters included.
    std::size_t rows() const { return network_.dimension() + network_.elements().filters(); }
    /// Draws or places the replicas, the first step of the noise; opens books.
    void start(const double* state, Watch& watch, bool undo);
    /// Where it is to be undone, an interruption or error leaves the replicas as they were.
    void draw_stationary(Watch& watch, bool undo);
    /// Draws every replica by draw_state(block, state, workspace), a step of the noise, and opens
    /// new books.
    template <class Draw>
    void draw_all(Draw&& draw_state, double steps_per_unit, Watch* watch, bool undo);
    void draw(const Block& block, double* state, const Stationary& stationary,
              Workspace& workspace) const;
    void draw_filters(const Block& block, double* state) const;
    /// The block's state in double precision: the state itself, or a copy in `scratch`.
    const double* seen(const Block& block, std::vector<double>& scratch) const;
    /// The block's state in the coordinates of the network, [coordinate][lane]: its own where those
    /// are the same, or `out`.
    const double* public_state(const Block& block, std::vector<double>& kept,
                               std::vector<double>& out) const;
    void observe(Statistics& statistics) const;
    /// Calls work(double* state) and keeps what it makes of the block's state.
    template <class Work>
    void change(Block& block, Workspace& workspace, Work&& work) const;
    /// The same where the force changes with it.
    template <class Work>
    void change(Block& block, Workspace& workspace, const std::vector<double>& before,
                const std::vector<double>& after, Work&& work) const;
    /// One control update of a block, from one force to another; books work.
    void apply(const Update& update, Block& block, Workspace& workspace,
               const std::vector<double>& before, const std::vector<double>& after) const;
    /// What numbers in single precision mean where this force holds.
    SingleFrame frame(const std::vector<double>& force) const {
        return {unit_, motion_ == Motion::exact ? force : nowhere_};
    }
    void require_single(const Setting& setting) const;
    Setting setting_at(Controls controls, const Setting* previous) const;
    std::vector<double> units_of_state() const;
    /// What a step of the whole ensemble costs, in moves of one independent unit.
    double unit_steps_of(std::uint64_t steps) const;
    /// Plays the ticks from `first` on that move independent modes at the coordinates of the first,
    /// all accounts in the kernel's registers; returns how many there were.
    template <class Real>
    std::size_t play_modes(Block& block, const std::vector<Tick>& ticks,
                           const std::vector<ModalTick<Real>>& modal, std::size_t first) const;
    template <class Real>
    ModalTick<Real> modal_tick(const Tick& tick) const;
    /// The ticks as the kernels of independent modes take them, which all blocks share. They point
    /// into the ticks.
    struct ModalTicks {
        std::vector<ModalTick<double>> full;
        std::vector<ModalTick<float>> single;
    };
    ModalTicks modal_ticks(const std::vector<Tick>& ticks) const;
    void post_items(Ledger& ledger, const Posts& posts) const;
    bool finite(const Block& block) const;
    /// Exact moves cannot leave the range of numbers.
    bool may_be_lost() const { return motion_ != Motion::exact; }
    bool any_lost() const {
        return std::any_of(blocks_.begin(), blocks_.end(),
                           [](const Block& block) { return block.lost; });
    }
    /// Before all blocks are filled anew: lost ones may be used again.
    void recover();
    std::size_t threads_for(double unit_steps) const;
    void move(Block& block, const std::vector<Tick>& ticks, const ModalTicks& modal,
              Workspace& workspace) const;
    template <class Real>
    void step_together(Block& block, const Tick& tick, Workspace& workspace) const;
    void step_by_itself(Block& block, const Tick& tick, Workspace& workspace) const;
    template <class Visit>
    void for_each_block(Visit&& visit, double steps_per_unit, Watch* watch = nullptr) const;
    template <class Visit>
    void for_each_replica(Visit&& visit) const;

    Network network_;
    Motion motion_;
    double longest_step_;
    Precision precision_;
    Setting setting_;
    std::vector<double> unit_, nowhere_;  ///< what one in single precision stands for, and zero
    std::uint64_t seed_;
    ReplicaRange range_;
    std::size_t threads_;
    std::uint64_t step_ = 0;
    double time_ = 0.0, time_carry_ = 0.0;
    mutable std::vector<Block> blocks_;
    mutable std::vector<Tick> unfinished_;  ///< what some blocks have yet to do
    mutable PropagatorCache propagators_;
    mutable Workspaces workspaces_;
};

}  // namespace ktc
