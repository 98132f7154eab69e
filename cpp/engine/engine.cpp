#include "engine/engine.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "engine/watch.hpp"
#include "engine/workers.hpp"
#include "ground/dense.hpp"
#include "ground/error.hpp"
#include "ground/normal.hpp"
#include "kernels/kernels.hpp"
#include "motion/quartic_equilibrium.hpp"
#include "motion/splitting.hpp"

namespace ktc {
namespace {

// Below this a thread costs more to start than it saves.
constexpr double unit_steps_worth_a_thread = 3e5;
// Ticks are prepared and played in chunks of this size, which take some tens of milliseconds.
constexpr double unit_steps_at_once = 4e6;
constexpr std::size_t ticks_at_once = 4096;

}  // namespace

Engine::Engine(Network network, Controls controls, std::uint64_t seed, ReplicaRange range,
               std::size_t threads, Motion motion, double longest_step, const double* state)
    : network_(std::move(network)),
      motion_(motion),
      longest_step_(longest_step),
      seed_(seed),
      range_(range),
      threads_(threads) {
    require(range_.count > 0, "replicas must be at least 1");
    require(range_.first < max_replicas && range_.count <= max_replicas - range_.first,
            "first_replica + replicas must not exceed 2^33, the replicas that a seed has");
    require(network_.dimension() <= max_elements, "a network has at most 2^28 coordinates");
    require(threads_ > 0, "threads must be at least 1");
    require(motion_ == Motion::exact || longest_step_ > 0.0, "dt must be positive");
    use_one_library_thread();
    setting_ = make_setting(network_, std::move(controls), motion_, nullptr);
    const std::size_t heat_accounts = itemised() ? network_.elements().accounts() : 0;

    const std::uint64_t last = range_.first + range_.count;
    for (std::uint64_t number = range_.first / block_width; number * block_width < last; ++number) {
        const std::uint64_t start = number * block_width;
        const std::uint64_t begin = std::max(range_.first, start);
        const std::uint64_t end = std::min<std::uint64_t>(last, start + block_width);
        blocks_.push_back({std::vector<double>(rows() * block_width, 0.0), Ledger(heat_accounts),
                           number, step_, static_cast<std::size_t>(begin - start),
                           static_cast<std::size_t>(end - start),
                           static_cast<std::size_t>(begin - range_.first)});
    }
    if (state == nullptr) {
        equilibrate();
        return;
    }
    // The first step's noise is for drawing a state.
    ++step_;
    for (Block& block : blocks_) {
        draw_filters(block);
        ++block.step;
    }
    place(state);
}

std::vector<Engine::Block>& Engine::blocks() const {
    if (!unfinished_.empty()) {
        const std::vector<Tick> ticks = std::exchange(unfinished_, {});
        for_each_block(
            [&](Block& block, Workspace& workspace) {
                if (block.step < step_) move(block, ticks, workspace);
            },
            static_cast<double>(ticks.size()));
    }
    for (const Block& block : blocks_)
        if (block.lost)
            throw std::overflow_error("a state left the range of numbers before time " +
                                      std::to_string(time()) +
                                      ": dt is unstable for this network; make it smaller, and "
                                      "reset, equilibrate or write a state");
    return blocks_;
}

void Engine::recover() {
    const bool lost =
        std::any_of(blocks_.begin(), blocks_.end(), [](const Block& block) { return block.lost; });
    if (!lost) {
        blocks();
        return;
    }
    unfinished_.clear();
    for (Block& block : blocks_) {
        block.lost = false;
        block.step = step_;
    }
}

std::shared_ptr<const Propagator> Engine::propagator_for(const Setting& setting,
                                                         double hold) const {
    const std::vector<double>& kT = setting.controls.kT;
    if (motion_ == Motion::exact) return exact_propagator(*setting.coordinates, kT.front(), hold);
    return splitting_propagator(network_.elements(), *setting.energy, kT, hold, longest_step_);
}

NoiseAddress Engine::address(const Block& block) const {
    return {seed_, block.step, block.number * (block_width / group_width),
            block.begin / group_width, (block.end + group_width - 1) / group_width};
}

std::size_t Engine::threads_for(double unit_steps) const {
    const double useful = std::max(1.0, unit_steps / unit_steps_worth_a_thread);
    return useful < static_cast<double>(threads_) ? static_cast<std::size_t>(useful) : threads_;
}

template <class Visit>
void Engine::for_each_block(Visit&& visit, double steps_per_unit) const {
    std::vector<Block>& all = blocks();
    const double size = static_cast<double>(all.size() * block_width * network_.dimension());
    const std::size_t threads = threads_for(size * steps_per_unit);
    std::vector<Workspace> workspaces(threads, Workspace(rows(), network_.elements().accounts()));
    run_parallel(all.size(), threads, [&](std::size_t index, std::size_t worker) {
        visit(all[index], workspaces[worker]);
    });
}

template <class Visit>
void Engine::for_each_replica(Visit&& visit) const {
    for (const Block& block : blocks())
        for (std::size_t lane = block.begin; lane < block.end; ++lane)
            visit(block, lane, block.first_row + lane - block.begin);
}

void Engine::draw(Block& block, const Stationary& stationary, Workspace& workspace) const {
    const NoiseAddress at = address(block);
    const bool natural = setting_.coordinates->natural;
    double* normals = natural ? block.state.data() : workspace.first.data();
    for (std::size_t i = 0; i < rows(); ++i)
        for (std::size_t g = at.begin_group; g < at.end_group; ++g)
            normals16({seed_, Purpose::equilibrium, at.first_group + g,
                       static_cast<std::uint32_t>(i), at.step},
                      normals + i * block_width + g * group_width);
    if (!natural) multiply_block(stationary.factor, normals, block.state.data(), block_width);
    const double width = natural ? std::sqrt(setting_.controls.kT.front()) : 1.0;
    const std::vector<double>& mean = natural ? setting_.drive.force : stationary.mean;
    for (std::size_t i = 0; i < rows(); ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            double& w = block.state[i * block_width + lane];
            w = mean[i] + width * w;
        }
}

/// Currents of low-pass filters, N(0, ½ λ S), whatever they drive.
void Engine::draw_filters(Block& block) const {
    const Elements& elements = network_.elements();
    const NoiseAddress at = address(block);
    std::size_t row = network_.dimension();
    for (std::size_t k = 0; k < elements.noises(); ++k) {
        if (elements.noise_rate[k] == 0.0) continue;
        const double width = std::sqrt(0.5 * elements.noise_rate[k] * elements.noise_density[k]);
        double* filter = block.state.data() + row * block_width;
        for (std::size_t g = at.begin_group; g < at.end_group; ++g)
            normals16({seed_, Purpose::equilibrium, at.first_group + g,
                       static_cast<std::uint32_t>(row), at.step},
                      filter + g * group_width);
        for (std::size_t lane = 0; lane < block_width; ++lane) filter[lane] *= width;
        ++row;
    }
}

void Engine::equilibrate() {
    const Controls& controls = setting_.controls;
    if (controls.has_quartic()) {
        require(
            controls.isothermal() && !controls.has_sources() && network_.elements().noises() == 0,
            "quartic units at several temperatures, or driven by sources, have no stationary "
            "state in closed form; give the emulator a state to start from");
        const QuarticEquilibrium equilibrium(network_, controls);
        recover();
        for_each_block(
            [&](Block& block, Workspace&) {
                equilibrium.draw(block.state.data(), address(block));
                ++block.step;
            },
            static_cast<double>(1 + equilibrium.sweeps()));
    } else {
        const Stationary stationary =
            setting_.coordinates->natural ? Stationary{} : stationary_state(network_, controls);
        for_each_block(
            [&](Block& block, Workspace& workspace) {
                draw(block, stationary, workspace);
                ++block.step;
            },
            1.0);
    }
    ++step_;
    open_books();
}

void Engine::open_books() {
    for_each_block(
        [&](Block& block, Workspace& workspace) {
            double energy[block_width];
            block_energy(setting_, block.state.data(), workspace, energy);
            block.ledger.open(energy);
        },
        0.2);
}

void Engine::set_longest_step(double step) {
    require(itemised() && std::isfinite(step) && step > 0.0, "dt must be positive");
    longest_step_ = step;
}

void Engine::set(const Controls& controls) {
    Setting next = make_setting(network_, controls, motion_, &setting_);
    const Update update(network_, setting_, next);
    if (update.changes_energy())
        for_each_block(
            [&](Block& block, Workspace& workspace) {
                double work[block_width];
                update.apply(block.state.data(), workspace, work);
                block.ledger.post(Ledger::work, work);
            },
            0.2);
    setting_ = std::move(next);
}

double Engine::unit_steps_of(std::uint64_t steps) const {
    const double n = static_cast<double>(rows());
    double products = setting_.coordinates->decoupled() ? 0.0 : n / 8.0;
    if (itemised()) products += static_cast<double>(network_.elements().resistors());
    return static_cast<double>(steps) * static_cast<double>(blocks_.size() * block_width) *
           (n + n * products);
}

void Engine::move(Block& block, const std::vector<Tick>& ticks, Workspace& workspace) const {
    double work[block_width];
    Posts& posts = workspace.posts;
    for (std::size_t k = 0; k < ticks.size();) {
        if (const std::size_t played = play_modes(block, ticks, k)) {
            k += played;
            continue;
        }
        const Tick& tick = ticks[k++];
        if (tick.update && tick.update->changes_energy()) {
            tick.update->apply(block.state.data(), workspace, work);
            block.ledger.post(Ledger::work, work);
        }
        for (std::uint64_t step = 0; step < tick.steps; ++step) {
            tick.propagator->advance(block.state.data(), tick.drive, address(block), workspace,
                                     posts);
            ++block.step;
            block.ledger.post(Ledger::heat, posts.heat);
            block.ledger.post(Ledger::supply, posts.supply);
            if (tick.propagator->itemised()) post_items(block.ledger, posts);
        }
    }
    block.lost = itemised() && !finite(block);
}

std::size_t Engine::play_modes(Block& block, const std::vector<Tick>& ticks,
                               std::size_t first) const {
    std::vector<ModalTick> run;
    for (std::size_t k = first; k < ticks.size(); ++k) {
        const Tick& tick = ticks[k];
        const Modes* modes = tick.propagator->modes();
        const bool reshaped = tick.update && tick.update->changes_shape();
        if (modes == nullptr || reshaped) break;
        run.push_back({tick.update ? tick.update->force_change() : nullptr, tick.drive.force.data(),
                       modes->decay.data(), modes->growth.data(), modes->width.data()});
    }
    if (run.empty()) return 0;
    const NoiseAddress at = address(block);
    Ledger& books = block.ledger;
    for (std::size_t g = at.begin_group; g < at.end_group; ++g) {
        const std::size_t lane = g * group_width;
        kernels().modal(block.state.data() + lane, block_width, rows(), run.data(), run.size(),
                        {seed_, Purpose::hold, at.first_group + g, 0, at.step},
                        {books.sums(Ledger::work) + lane, books.carries(Ledger::work) + lane,
                         books.sums(Ledger::heat) + lane, books.carries(Ledger::heat) + lane,
                         books.sums(Ledger::supply) + lane, books.carries(Ledger::supply) + lane,
                         books.turnover() + lane});
    }
    block.step += run.size();
    return run.size();
}

void Engine::post_items(Ledger& ledger, const Posts& posts) const {
    if (posts.has_source) ledger.post(Ledger::source, posts.source);
    if (posts.has_injected) ledger.post(Ledger::injected, posts.injected);
    if (posts.has_shadow) ledger.post(Ledger::shadow, posts.shadow);
    ledger.post(Ledger::entropy, posts.entropy);
    for (std::size_t account = 0; account < network_.elements().accounts(); ++account)
        ledger.post(Ledger::first_heat + account,
                    posts.heat_per_account.data() + account * block_width);
}

bool Engine::finite(const Block& block) const {
    double sum = 0.0;
    for (double value : block.state) sum += 0.0 * value;
    for (std::size_t lane = block.begin; lane < block.end; ++lane)
        sum += 0.0 * block.ledger.balance(Ledger::heat, lane) +
               0.0 * block.ledger.balance(Ledger::shadow, lane);
    return sum == 0.0;
}

std::size_t Engine::play(const Waveform& waveform, const std::function<bool()>& keep_going) {
    const std::size_t total = waveform.holds.size();
    for (double hold : waveform.holds)
        require(std::isfinite(hold) && hold > 0.0, "every hold must be positive and finite");
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
        while (done < total && (ticks.empty() || unit_steps < budget) &&
               ticks.size() < ticks_at_once && !watch.due()) {
            const double hold = waveform.holds[done];
            Tick tick;
            if (steps_left == 0) {
                if (waveform.control) {
                    Controls controls = setting.controls;
                    waveform.control(done, controls);
                    Setting next = make_setting(network_, std::move(controls), motion_, &setting);
                    tick.update = std::make_shared<const Update>(network_, setting, next);
                    if (!next.same_shape(setting) || next.controls.kT != setting.controls.kT)
                        propagator = nullptr;
                    setting = std::move(next);
                }
                if (!propagator || hold != last_hold) propagator = propagator_for(setting, hold);
                last_hold = hold;
                steps_left = propagator->steps();
            }
            const double affordable = std::max(1.0, (budget - unit_steps) / unit_steps_of(1));
            tick.steps = affordable < static_cast<double>(steps_left)
                             ? static_cast<std::uint64_t>(affordable)
                             : steps_left;
            tick.propagator = propagator;
            tick.drive = setting.drive;
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
        for_each_block(
            [&](Block& block, Workspace& workspace) {
                if (watch.stopped()) return;
                move(block, ticks, workspace);
                watch.look();
            },
            unit_steps / unit_steps_of(1));
        setting_ = setting;
        step_ += steps;
        add_compensated(time_, time_carry_, duration);
        add_compensated(time_, time_carry_, carry);
        if (watch.stopped()) unfinished_ = std::move(ticks);
    }
    if (!watch.stopped()) blocks();
    return done;
}

void Engine::place(const double* state) {
    const std::size_t n = network_.dimension();
    Workspace workspace(rows(), 0);
    std::vector<double> public_state(n * block_width), own(n * block_width);
    const auto load = [&](const Block& block) {
        std::fill(public_state.begin(), public_state.end(), 0.0);
        for (std::size_t lane = block.begin; lane < block.end; ++lane)
            for (std::size_t i = 0; i < n; ++i)
                public_state[i * block_width + lane] =
                    state[(block.first_row + lane - block.begin) * n + i];
        multiply_block(setting_.coordinates->from_state, public_state.data(), own.data(),
                       block_width);
    };
    double energy[block_width];
    for (const Block& block : blocks_) {
        load(block);
        block_energy(setting_, own.data(), workspace, energy);
        for (double value : energy)
            require(std::abs(value) <= largest_energy,
                    "state is so far out that its energy overflows");
    }
    recover();
    for (Block& block : blocks_) {
        load(block);
        std::copy(own.begin(), own.end(), block.state.begin());
    }
    open_books();
}

void Engine::read(std::size_t begin, std::size_t end, double* out) const {
    const std::size_t n = network_.dimension(), rows = end - begin;
    std::vector<double> public_state(n * block_width);
    for (const Block& block : blocks()) {
        multiply_block(setting_.coordinates->to_state, block.state.data(), public_state.data(),
                       block_width);
        for (std::size_t lane = block.begin; lane < block.end; ++lane)
            for (std::size_t i = begin; i < end; ++i)
                out[(block.first_row + lane - block.begin) * rows + i - begin] =
                    public_state[i * block_width + lane];
    }
}

void Engine::energy(double* out) const {
    double energy[block_width];
    Workspace workspace(rows(), 0);
    for (const Block& block : blocks()) {
        block_energy(setting_, block.state.data(), workspace, energy);
        std::copy(energy + block.begin, energy + block.end, out + block.first_row);
    }
}

void Engine::balance(std::size_t account, double* out) const {
    for_each_replica([&](const Block& block, std::size_t lane, std::size_t row) {
        out[row] = block.ledger.balance(account, lane);
    });
}

void Engine::energy_change(double* out) const {
    energy(out);
    for_each_replica([&](const Block& block, std::size_t lane, std::size_t row) {
        out[row] -= block.ledger.opening_energy(lane);
    });
}

double Engine::imbalance() const {
    std::vector<double> now(range_.count);
    energy(now.data());
    double largest = 0.0;
    for_each_replica([&](const Block& block, std::size_t lane, std::size_t row) {
        const double own = block.ledger.imbalance(now[row], lane);
        if (!(own <= largest) && !std::isnan(largest)) largest = own;
    });
    return largest;
}

Engine::Snapshot Engine::snapshot() const {
    Snapshot result{{}, {}, step_, time_, time_carry_, setting_.controls};
    for (const Block& block : blocks()) {
        result.state.insert(result.state.end(), block.state.begin(), block.state.end());
        const std::vector<double> packed = block.ledger.pack();
        result.ledger.insert(result.ledger.end(), packed.begin(), packed.end());
    }
    return result;
}

void Engine::restore(const Snapshot& snapshot) {
    const std::size_t size = rows() * block_width;
    const std::size_t books = blocks_.front().ledger.packed_size();
    require(snapshot.state.size() == blocks_.size() * size &&
                snapshot.ledger.size() == blocks_.size() * books,
            "the saved state belongs to a network or an ensemble of another size");
    setting_ = make_setting(network_, snapshot.controls, motion_, &setting_);
    step_ = snapshot.step;
    time_ = snapshot.time;
    time_carry_ = snapshot.time_carry;
    unfinished_.clear();
    for (std::size_t k = 0; k < blocks_.size(); ++k) {
        std::copy_n(snapshot.state.begin() + static_cast<std::ptrdiff_t>(k * size), size,
                    blocks_[k].state.begin());
        blocks_[k].ledger.unpack(snapshot.ledger.data() + k * books);
        blocks_[k].step = step_;
        blocks_[k].lost = false;
    }
}

}  // namespace ktc
