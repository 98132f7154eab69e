#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <vector>

#include "motion/control_update.hpp"

namespace ktc {

class Propagator;

/// A control update and some steps of one hold, to be played on any block.
struct Tick {
    std::shared_ptr<const ControlUpdate> update;  ///< null if the controls are held
    std::shared_ptr<const Propagator> propagator;
    std::shared_ptr<const Drive> drive;
    std::uint64_t steps = 1;
    std::shared_ptr<const SourceMove> source = nullptr;  ///< set by a propagator that needs it
};

/// Consecutive ticks, prepared once and then played on every block.
struct TickBatch {
    std::vector<Tick> ticks;
    /// The ticks as the kernels of independent and driven modes read them, and the numbers they
    /// point to.
    std::tuple<std::vector<ModalTick<double>>, std::vector<ModalTick<float>>> modal;
    std::tuple<std::vector<DrivenTick<double>>, std::vector<DrivenTick<float>>> driven;
    std::vector<std::vector<float>> rounded;
    bool own = false;  ///< whether replicas have forces of their own at any tick

    void append(Tick tick);
    void play(ReplicaBlock& block, Workspace& workspace) const;
};

/// The contract of every integrator: play ticks, which begin with an update and go through some of
/// the equal steps of a hold, on a block of replicas.
class Propagator {
   public:
    virtual ~Propagator() = default;
    /// Steps of a hold, each at its own noise address.
    virtual std::uint64_t steps() const { return 1; }
    /// A hold may be interrupted only after multiples of this number of steps.
    virtual std::uint64_t steps_at_once() const { return 1; }
    /// A batch should end where the number of steps since the start is a multiple of this, because
    /// posts are rounded there.
    virtual std::uint64_t steps_per_post() const { return 1; }
    /// Work of one step of one replica, in moves of an independent unit.
    virtual double cost() const = 0;
    /// Adds to a tick, which will be the next of a batch, or to the batch what moves read of it.
    virtual void prepare(Tick&, TickBatch&) const {}
    /// Plays tick `first` of a batch, or more of those that follow in one call of a kernel. Returns
    /// how many it played. Lanes not in use stay finite.
    virtual std::size_t play(const TickBatch& batch, std::size_t first, ReplicaBlock& block,
                             Workspace& workspace) const = 0;
};

/// A propagator whose steps move a state in double precision and are posted one by one.
class StepPropagator : public Propagator {
   public:
    std::size_t play(const TickBatch& batch, std::size_t first, ReplicaBlock& block,
                     Workspace& workspace) const final;
    /// Moves one step; `state` is [coordinate][lane], followed by [filter][lane].
    virtual void advance(double* state, const Drive& drive, const NoiseAddress& address,
                         Workspace& workspace, Posts& posts) const = 0;
};

/// Number of equal steps, none longer than `longest`, that make a hold. Raises if there are too
/// many to count.
std::uint64_t steps_of(double hold, double longest);

}  // namespace ktc
