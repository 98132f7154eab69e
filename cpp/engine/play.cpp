#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "engine/visit.hpp"
#include "ground/compensated_sum.hpp"
#include "ground/error.hpp"
#include "ground/watch.hpp"
#include "motion/midpoint.hpp"

namespace ktc {
namespace {

// Ticks are prepared and played in chunks of this size, which take some tens of milliseconds.
constexpr double unit_steps_at_once = 1e7;
constexpr std::size_t ticks_at_once = 4096;

std::vector<float> rounded(const std::vector<double>& values) {
    std::vector<float> result(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) result[i] = static_cast<float>(values[i]);
    return result;
}

}  // namespace

double Engine::unit_steps_of(std::uint64_t steps) const {
    const double n = static_cast<double>(rows());
    double products = setting_.coordinates->decoupled() ? 0.0 : n / 8.0;
    if (itemised()) products += static_cast<double>(network_.elements().resistors());
    if (network_.is_sparse())
        products = 2.0 + static_cast<double>(setting_.controls.stiffness.sparse().size()) / n;
    return static_cast<double>(steps) * static_cast<double>(blocks_.size() * block_width) *
           (n + n * products);
}

void Engine::move(Block& block, const std::vector<Tick>& ticks, const ModalTicks& modal,
                  Workspace& workspace) const {
    const bool single = precision_ == Precision::single;
    for (std::size_t k = 0; k < ticks.size();) {
        const Tick& tick = ticks[k];
        const bool by_modes = tick.propagator->modes() != nullptr;
        if (tick.update && tick.update->changes_energy() &&
            (!by_modes || tick.update->changes_shape())) {
            apply(*tick.update, block, workspace, single ? tick.force_before : tick.drive.force,
                  tick.drive.force);
        }
        if (by_modes) {
            k += single ? play_modes(block, ticks, modal.single, k)
                        : play_modes(block, ticks, modal.full, k);
            continue;
        }
        ++k;
        if (tick.propagator->midpoint() == nullptr)
            step_by_itself(block, tick, workspace);
        else if (single)
            step_together<float>(block, tick, workspace);
        else
            step_together<double>(block, tick, workspace);
    }
    block.lost = may_be_lost() && !finite(block);
}

void Engine::step_by_itself(Block& block, const Tick& tick, Workspace& workspace) const {
    Posts& posts = workspace.posts;
    for (std::uint64_t step = 0; step < tick.steps; ++step) {
        change(block, workspace, tick.drive.force, tick.drive.force, [&](double* state) {
            tick.propagator->advance(state, tick.drive, address(block), workspace, posts);
        });
        ++block.step;
        block.ledger.post(Ledger::heat, posts.heat);
        block.ledger.post(Ledger::supply, posts.supply);
        if (tick.propagator->itemised()) post_items(block.ledger, posts);
    }
}

template <class Real>
void Engine::step_together(Block& block, const Tick& tick, Workspace& workspace) const {
    const Midpoint& midpoint = *tick.propagator->midpoint();
    Posts& posts = workspace.posts;
    for (std::uint64_t left = tick.steps; left > 0;) {
        const std::uint64_t steps = std::min(left, midpoint.steps_at_once());
        midpoint.play(block.state.numbers<Real>(), tick.drive.force,
                      address(block, replicas_of_a_group<Real>), steps, workspace, posts);
        block.step += steps;
        block.ledger.post(Ledger::heat, posts.heat);
        block.ledger.post(Ledger::supply, posts.supply);
        left -= steps;
    }
}

void Engine::post_items(Ledger& ledger, const Posts& posts) const {
    if (posts.has_source) ledger.post(Ledger::source, posts.source);
    if (posts.has_injected) ledger.post(Ledger::injected, posts.injected);
    if (posts.has_shadow) ledger.post(Ledger::shadow, posts.shadow);
    ledger.post(Ledger::entropy, posts.entropy);
    for (std::size_t account = 0; account < heat_accounts(); ++account)
        ledger.post(Ledger::first_heat + account,
                    posts.heat_per_account.data() + account * block_width);
}

bool Engine::finite(const Block& block) const {
    double sum = 0.0;
    std::vector<double> scratch;
    const double* state = seen(block, scratch);
    for (std::size_t row = 0; row < rows(); ++row)
        for (std::size_t lane = block.begin; lane < block.end; ++lane)
            sum += 0.0 * state[row * block_width + lane];
    for (std::size_t lane = block.begin; lane < block.end; ++lane)
        sum += 0.0 * block.ledger.balance(Ledger::heat, lane) +
               0.0 * block.ledger.balance(Ledger::shadow, lane);
    return sum == 0.0;
}

std::size_t Engine::play(const Waveform& waveform, const std::function<bool()>& keep_going,
                         Statistics* statistics) {
    const std::size_t total = waveform.holds.size();
    for (double hold : waveform.holds)
        require(std::isfinite(hold) && hold > 0.0, "every hold must be positive and finite");
    require(std::isfinite(std::accumulate(waveform.holds.begin(), waveform.holds.end(), time())),
            "duration is so long that the time leaves the range of numbers; make it shorter");
    std::shared_ptr<const Propagator> propagator;
    Setting setting = setting_;
    double last_hold = 0.0;
    std::uint64_t steps_left = 0;

    Watch watch(keep_going);
    std::size_t done = 0;
    while (done < total && !watch.stopped()) {
        std::vector<Tick> ticks;
        double unit_steps = 0.0, duration = 0.0, carry = 0.0;
        std::uint64_t steps = 0;
        const double budget = unit_steps_at_once * static_cast<double>(threads_);
        const std::size_t before = done;
        const std::uint64_t unobserved = statistics == nullptr ? total : statistics->ticks_left();
        const std::size_t stop = unobserved < total - done ? done + unobserved : total;
        // Modes are booked by tiles: a chunk ends with one, whatever the clock says, so that the
        // books do not depend on it.
        const auto within_tile = [&] {
            return !ticks.empty() && propagator->modes() && (step_ + steps) % modal_tile != 0;
        };
        while (done < stop && (ticks.empty() || unit_steps < budget || within_tile()) &&
               ((ticks.size() < ticks_at_once && !watch.due()) || within_tile())) {
            const double hold = waveform.holds[done];
            std::vector<double> force_before;
            if (precision_ == Precision::single) force_before = setting.drive.force;
            Tick tick;
            if (steps_left == 0) {
                if (waveform.control) {
                    Controls controls = setting.controls;
                    waveform.control(done, controls);
                    Setting next = setting_at(std::move(controls), &setting);
                    tick.update = std::make_shared<const Update>(network_, setting, next);
                    if (!next.same_shape(setting) || next.controls.kT != setting.controls.kT)
                        propagator = nullptr;
                    setting = std::move(next);
                }
                if (!propagator || hold != last_hold) propagator = propagator_for(setting, hold);
                last_hold = hold;
                steps_left = propagator->steps();
            }
            const double at_once = static_cast<double>(propagator->steps_at_once());
            const double affordable =
                at_once *
                std::max(1.0, std::floor((budget - unit_steps) / unit_steps_of(1) / at_once));
            tick.steps = affordable < static_cast<double>(steps_left)
                             ? static_cast<std::uint64_t>(affordable)
                             : steps_left;
            tick.propagator = propagator;
            tick.drive = setting.drive;
            if (precision_ == Precision::single) {
                tick.single_force = rounded(tick.drive.force);
                if (tick.update) {
                    tick.single_change = rounded(tick.update->force_change());
                    std::vector<double> rest = tick.update->force_change();
                    for (std::size_t i = 0; i < rest.size(); ++i) {
                        tick.common_work -= rest[i] * force_before[i];
                        rest[i] -= static_cast<double>(tick.single_change[i]);
                    }
                    tick.single_rest = rounded(rest);
                    tick.force_before = std::move(force_before);
                }
            }
            add_compensated(duration, carry,
                            hold * (static_cast<double>(tick.steps) /
                                    static_cast<double>(propagator->steps())));
            unit_steps += unit_steps_of(tick.steps);
            steps += tick.steps;
            steps_left -= tick.steps;
            if (steps_left == 0) ++done;
            ticks.push_back(std::move(tick));
        }
        watch.look();
        const ModalTicks modal = modal_ticks(ticks);
        for_each_block(
            [&](Block& block, Workspace& workspace) {
                if (watch.stopped()) return;
                move(block, ticks, modal, workspace);
                watch.look();
            },
            unit_steps / unit_steps_of(1));
        if (waveform.control) setting_ = setting;
        step_ += steps;
        add_compensated(time_, time_carry_, duration);
        add_compensated(time_, time_carry_, carry);
        if (watch.stopped())
            unfinished_ = std::move(ticks);
        else if (statistics != nullptr && statistics->pass(done - before))
            observe(*statistics);
    }
    if (!watch.stopped()) blocks();
    return done;
}

}  // namespace ktc
