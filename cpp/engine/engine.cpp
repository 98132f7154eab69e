#include "engine/engine.hpp"

#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "ground/dense.hpp"
#include "ground/error.hpp"
#include "motion/hold_propagator.hpp"
#include "motion/stationary_sampler.hpp"

namespace ktc {
namespace {

// Work of a chunk per thread, in moves of an independent unit: some tens of milliseconds.
constexpr double unit_moves_at_once = 1e7;
// Work of an update of the controls or the books, per coordinate.
constexpr double cost_of_update = 0.2;

void check(const Network& network, const EngineOptions& options) {
    const ReplicaRange& range = options.range;
    require(range.count > 0, "replicas must be at least 1");
    require(range.first < max_replicas && range.count <= max_replicas - range.first,
            "first_replica + replicas must not exceed 2^33, the replicas that a seed has");
    require(network.dimension() <= max_elements, "a network has at most 2^28 coordinates");
    require(options.threads > 0, "threads must be at least 1");
    require(is_exact(options.motion) || options.longest_step > 0.0, "dt must be positive");
}

}  // namespace

Engine::Engine(Network network, Controls controls, const EngineOptions& options,
               const double* state, const std::function<bool()>& keep_going)
    : network_(std::move(network)),
      motion_(options.motion),
      longest_step_(options.longest_step),
      first_step_(options.first_step) {
    check(network_, options);
    use_one_library_thread();
    setting_ = make_setting(network_, std::move(controls), motion_, nullptr);
    format_ = std::make_shared<const StateFormat>(network_, setting_, options.precision);
    const std::size_t heat_accounts = pooled() ? 1 : network_.elements().accounts();
    ensemble_ = Ensemble(
        options.range, options.seed, options.threads, heat_accounts, format_,
        std::make_shared<const Accounts>(itemised() ? heat_accounts : 0, options.kept_accounts,
                                         motion_ == Motion::driven));
    Watch watch(keep_going);
    set_clock({first_step_});
    start(state, watch, false);
}

Setting Engine::next_setting(Controls controls, const Setting& previous) const {
    require(!controls.own_bias || controls.own_bias->count() == ensemble_.range().count,
            "bias of each replica must have one row per replica");
    Setting setting = make_setting(network_, std::move(controls), motion_, &previous);
    format_->check(setting);
    return setting;
}

void Engine::set_longest_step(double step) {
    require(!is_exact(motion_) && std::isfinite(step) && step > 0.0, "dt must be positive");
    longest_step_ = step;
}

void Engine::set_clock(const Clock& clock) {
    clock_ = clock;
    ensemble_.set_step(clock.step);
}

Ensemble& Engine::caught_up() {
    if (const auto batch = std::exchange(unfinished_, nullptr))
        ensemble_.for_each_block(static_cast<double>(batch->ticks.size()),
                                 [&](ReplicaBlock& block, Workspace& workspace) {
                                     if (block.step < clock_.step)
                                         play_block(*batch, block, workspace);
                                 });
    if (ensemble_.any_diverged())
        throw std::overflow_error("a state left the range of numbers before time " +
                                  std::to_string(time()) +
                                  ": dt is unstable for this network; make it smaller, and "
                                  "reset, equilibrate or write a state");
    return ensemble_;
}

void Engine::play_block(const TickBatch& batch, ReplicaBlock& block, Workspace& workspace) const {
    batch.play(block, workspace);
    block.diverged = !is_exact(motion_) && !block.is_finite();
}

void Engine::set(Controls controls) { update_to(next_setting(std::move(controls), setting_)); }

void Engine::update_to(Setting next) {
    const ControlUpdate update(setting_, next);
    if (update.changes_energy())
        caught_up().for_each_block(cost_of_update, [&](ReplicaBlock& block, Workspace& workspace) {
            update.apply(block, workspace);
        });
    setting_ = std::move(next);
}

void Engine::exchange(Network network, Controls controls) {
    const Elements &held = network_.elements(), &given = network.elements();
    require(network.dimension() == network_.dimension() && network.units() == network_.units() &&
                network.is_sparse() == network_.is_sparse() &&
                given.accounts() == held.accounts() && given.resistors() == held.resistors() &&
                given.sources() == held.sources() && given.noise_rate == held.noise_rate &&
                given.is_active() == held.is_active(),
            "a network that takes the place of another one must differ in its resistors alone");
    Setting next = make_setting(network, std::move(controls), motion_, &setting_, true);
    format_->check(next);
    update_to(std::move(next));
    network_ = std::move(network);
    propagators_ = PropagatorCache();
}

std::size_t Engine::play(const Waveform& waveform, const std::function<bool()>& keep_going,
                         Statistics* statistics) {
    const std::vector<double>& holds = waveform.holds;
    for (double hold : holds)
        require(std::isfinite(hold) && hold > 0.0, "every hold must be positive and finite");
    require(std::isfinite(std::accumulate(holds.begin(), holds.end(), time())),
            "duration is so long that the time leaves the range of numbers; make it shorter");
    const TickSource source{[this](Controls controls, const Setting& previous) {
                                return next_setting(std::move(controls), previous);
                            },
                            [this](const Setting& setting, double hold) {
                                return propagators_.find(setting, hold, longest_step_, [&] {
                                    return hold_propagator(network_, setting, motion_, *format_,
                                                           hold, longest_step_);
                                });
                            }};
    Watch watch(keep_going);
    PlanPosition at{setting_};
    while (at.tick < holds.size() && !watch.stopped()) {
        const std::size_t before = at.tick, left = holds.size() - before;
        const bool observed = statistics != nullptr && statistics->ticks_left() <= left;
        ChunkLimits limits{before + (observed ? statistics->ticks_left() : left),
                           unit_moves_at_once * static_cast<double>(ensemble_.threads()),
                           ensemble_.lanes(), clock_.step, [&] { return watch.due(); }};
        Chunk chunk = plan_chunk(waveform, source, limits, std::move(at));
        at = std::move(chunk.next);
        watch.look();
        caught_up().for_each_block(static_cast<double>(chunk.steps),
                                   [&](ReplicaBlock& block, Workspace& workspace) {
                                       if (watch.stopped()) return;
                                       play_block(chunk.batch, block, workspace);
                                       watch.look();
                                   });
        if (waveform.control) setting_ = at.setting;
        clock_.step += chunk.steps;
        add_compensated(clock_.time, clock_.carry, chunk.duration);
        add_compensated(clock_.time, clock_.carry, chunk.duration_carry);
        if (watch.stopped())
            unfinished_ = std::make_shared<const TickBatch>(std::move(chunk.batch));
        else if (statistics != nullptr && statistics->pass(at.tick - before))
            readout().observe(*statistics);
    }
    if (!watch.stopped()) caught_up();
    return at.tick;
}

void Engine::forget_states() {
    if (!ensemble_.any_diverged()) {
        caught_up();
        return;
    }
    unfinished_ = nullptr;
    ensemble_.forget_divergence();
    ensemble_.set_step(clock_.step);
}

void Engine::place(const double* state) {
    Placement placement(state, setting_);
    placement.check(ensemble_, *format_);
    forget_states();
    placement.store(ensemble_);
    open_books();
}

void Engine::start(const double* state, Watch& watch, bool undo) {
    if (state == nullptr) {
        draw_stationary(watch, undo);
        return;
    }
    forget_states();
    std::vector<double> scratch;
    for (ReplicaBlock& block : ensemble_.blocks()) {
        const LaneNumbers rest = setting_.drive->rest_of(block.number);
        block.state.change(rest, rest, scratch, [&](double* at) {
            draw_filters(network_.elements(), at, block.address());
        });
    }
    ensemble_.set_step(++clock_.step);
    place(state);
}

void Engine::restart(Controls controls, const double* state,
                     const std::function<bool()>& keep_going) {
    Setting first = next_setting(std::move(controls), setting_);
    if (!ensemble_.any_diverged()) caught_up();
    Watch watch(keep_going);
    const Clock before = clock_;
    const Setting held = std::exchange(setting_, std::move(first));
    set_clock({first_step_});
    try {
        start(state, watch, true);
    } catch (...) {
        setting_ = held;
        set_clock(before);
        throw;
    }
}

void Engine::equilibrate(const std::function<bool()>& keep_going) {
    Watch watch(keep_going);
    draw_stationary(watch, true);
}

void Engine::draw_stationary(Watch& watch, bool undo) {
    const auto sampler = stationary_sampler(network_, setting_);
    // A short draw is not interrupted: a copy of the states might not fit in memory.
    const bool interruptible = sampler->is_iterative() || !undo;
    std::vector<ReplicaBlock>& blocks = ensemble_.blocks();
    std::vector<BlockState> states;
    std::vector<bool> diverged;
    diverged.reserve(blocks.size());
    for (const ReplicaBlock& block : blocks) diverged.push_back(block.diverged);
    try {
        forget_states();
        if (undo && sampler->is_iterative())
            for (const ReplicaBlock& block : blocks) states.push_back(block.state);
        const auto draw = [&](ReplicaBlock& block, Workspace& workspace) {
            if (interruptible && watch.stopped()) return;
            const LaneNumbers rest = setting_.drive->rest_of(block.number);
            block.state.change(rest, rest, workspace.state, [&](double* state) {
                sampler->draw(state, block.address(), workspace, watch);
            });
            ++block.step;
            if (interruptible) watch.look();
        };
        ensemble_.for_each_block(sampler->cost(), draw, interruptible ? &watch : nullptr);
        if (interruptible && watch.stopped()) throw Interrupted();
    } catch (...) {
        for (std::size_t k = 0; k < blocks.size(); ++k) {
            if (k < states.size()) std::swap(blocks[k].state, states[k]);
            blocks[k].step = clock_.step;
            blocks[k].diverged = diverged[k];
        }
        throw;
    }
    ++clock_.step;
    open_books();
}

Engine::Snapshot Engine::snapshot() {
    Snapshot result{{}, {}, clock_.step, clock_.time, clock_.carry, setting_.controls};
    for (const ReplicaBlock& block : caught_up().blocks()) {
        block.state.save(result.state);
        const std::vector<double> packed = block.ledger.pack();
        result.ledger.insert(result.ledger.end(), packed.begin(), packed.end());
    }
    return result;
}

void Engine::restore(const Snapshot& snapshot) {
    std::vector<ReplicaBlock>& blocks = ensemble_.blocks();
    const std::size_t size = ensemble_.rows() * block_width;
    const std::size_t books = blocks.front().ledger.packed_size();
    require(snapshot.state.size() == blocks.size() * size &&
                snapshot.ledger.size() == blocks.size() * books,
            "the saved state belongs to a network or an ensemble of another size");
    setting_ = next_setting(snapshot.controls, setting_);
    unfinished_ = nullptr;
    set_clock({snapshot.step, snapshot.time, snapshot.time_carry});
    for (std::size_t k = 0; k < blocks.size(); ++k) {
        blocks[k].state.load(snapshot.state.data() + k * size);
        blocks[k].ledger.unpack(snapshot.ledger.data() + k * books);
        blocks[k].diverged = false;
    }
}

}  // namespace ktc
