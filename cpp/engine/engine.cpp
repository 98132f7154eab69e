#include "engine/engine.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "engine/visit.hpp"
#include "ground/dense.hpp"
#include "ground/error.hpp"
#include "kernels/kernels.hpp"
#include "motion/midpoint.hpp"
#include "motion/splitting.hpp"

namespace ktc {
namespace {

// Below this a thread costs more to wake than it saves.
constexpr double unit_steps_worth_a_thread = 3e4;
// Squares of as many thermal widths, and sums of them, are within single precision.
constexpr double largest_single = 1e17;

}  // namespace

Engine::Engine(Network network, Controls controls, std::uint64_t seed, ReplicaRange range,
               std::size_t threads, Motion motion, double longest_step, const double* state,
               Precision precision, const std::vector<bool>& kept_accounts,
               const std::function<bool()>& keep_going)
    : network_(std::move(network)),
      motion_(motion),
      longest_step_(longest_step),
      precision_(precision),
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
    setting_ = setting_at(std::move(controls), nullptr);
    unit_ = units_of_state();
    nowhere_.assign(rows(), 0.0);
    if (precision_ == Precision::single) require_single(setting_);
    const auto accounts =
        std::make_shared<const Accounts>(itemised() ? heat_accounts() : 0, kept_accounts);

    const std::uint64_t last = range_.first + range_.count;
    blocks_.reserve(range_.count / block_width + 2);
    for (std::uint64_t number = range_.first / block_width; number * block_width < last; ++number) {
        const std::uint64_t start = number * block_width;
        const std::uint64_t begin = std::max(range_.first, start);
        const std::uint64_t end = std::min<std::uint64_t>(last, start + block_width);
        blocks_.push_back({BlockState(rows(), precision_), Ledger(accounts), number, step_,
                           static_cast<std::size_t>(begin - start),
                           static_cast<std::size_t>(end - start),
                           static_cast<std::size_t>(begin - range_.first)});
    }
    Watch watch(keep_going);
    start(state, watch, false);
}

std::vector<Engine::Block>& Engine::blocks() const {
    if (!unfinished_.empty()) {
        const std::vector<Tick> ticks = std::exchange(unfinished_, {});
        const ModalTicks modal = modal_ticks(ticks);
        for_each_block(
            [&](Block& block, Workspace& workspace) {
                if (block.step < step_) move(block, ticks, modal, workspace);
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
    if (!any_lost()) {
        blocks();
        return;
    }
    unfinished_.clear();
    workspaces_.clear();  // They may hold what is no number.
    for (Block& block : blocks_) {
        block.lost = false;
        block.step = step_;
    }
}

std::shared_ptr<const Propagator> Engine::propagator_for(const Setting& setting,
                                                         double hold) const {
    const std::vector<double>& kT = setting.controls.kT;
    return propagators_.find(
        setting, hold, longest_step_, [&]() -> std::shared_ptr<const Propagator> {
            if (motion_ == Motion::exact)
                return exact_propagator(*setting.coordinates, kT.front(), hold);
            if (motion_ == Motion::midpoint)
                return std::make_shared<const Midpoint>(network_.elements(), setting.energy,
                                                        kT.front(), hold, longest_step_, precision_,
                                                        unit_);
            return splitting_propagator(network_.elements(), *setting.energy, kT, hold,
                                        longest_step_, pooled());
        });
}

Setting Engine::setting_at(Controls controls, const Setting* previous) const {
    Setting setting = make_setting(network_, std::move(controls), motion_, previous);
    if (precision_ == Precision::single && !unit_.empty()) require_single(setting);
    return setting;
}

void Engine::require_single(const Setting& setting) const {
    const double kT = *std::max_element(setting.controls.kT.begin(), setting.controls.kT.end());
    const double width = motion_ == Motion::exact ? std::sqrt(kT) : kT;
    for (std::size_t i = 0; i < setting.drive.force.size(); ++i)
        require(std::abs(setting.drive.force[i]) * unit_[i] <= largest_single * width,
                "bias is more than 1e17 thermal widths away, beyond what float32 can hold; make it "
                "smaller, or take dtype='float64'");
}

std::vector<double> Engine::units_of_state() const {
    std::vector<double> unit(rows(), 1.0);
    if (precision_ == Precision::full) return unit;
    const Controls& controls = setting_.controls;
    const double kT = *std::max_element(controls.kT.begin(), controls.kT.end());
    require(kT > 1e-30 && kT < 1e30,
            "float32 needs kT between 1e-30 and 1e30, so that energies stay within its range; "
            "take other units, or float64");
    if (motion_ == Motion::exact) return unit;
    for (std::size_t i = 0; i < network_.units(); ++i) {
        const double quartic = controls.quartic[i];
        const double curvature = std::abs(controls.stiffness(i, i)) + std::sqrt(kT * quartic);
        if (curvature > 0.0) unit[i] = std::exp2(std::round(0.5 * std::log2(kT / curvature)));
    }
    for (std::size_t i = 0; i < network_.inertia().size(); ++i)
        unit[network_.units() + i] =
            std::exp2(std::round(0.5 * std::log2(kT * network_.inertia()[i])));
    return unit;
}

const double* Engine::seen(const Block& block, std::vector<double>& scratch) const {
    if (precision_ == Precision::full) return block.state.full();
    scratch.resize(rows() * block_width);
    block.state.widen(frame(setting_.drive.force), scratch.data());
    return scratch.data();
}

NoiseAddress Engine::address(const Block& block, std::size_t group) const {
    return {seed_, block.step, block.number * (block_width / group), block.begin / group,
            (block.end + group - 1) / group};
}

std::size_t Engine::threads_for(double unit_steps) const {
    const double useful = std::max(1.0, unit_steps / unit_steps_worth_a_thread);
    return useful < static_cast<double>(threads_) ? static_cast<std::size_t>(useful) : threads_;
}

void Engine::open_books() {
    for_each_block(
        [&](Block& block, Workspace& workspace) {
            double energy[block_width];
            block_energy(setting_, seen(block, workspace.state), workspace, energy);
            block.ledger.open(energy);
        },
        0.2);
}

void Engine::set_longest_step(double step) {
    require(motion_ != Motion::exact && std::isfinite(step) && step > 0.0, "dt must be positive");
    longest_step_ = step;
}

void Engine::set(Controls controls) {
    Setting next = setting_at(std::move(controls), &setting_);
    const Update update(network_, setting_, next);
    if (update.changes_energy())
        for_each_block(
            [&](Block& block, Workspace& workspace) {
                apply(update, block, workspace, setting_.drive.force, next.drive.force);
            },
            0.2);
    setting_ = std::move(next);
}

void Engine::apply(const Update& update, Block& block, Workspace& workspace,
                   const std::vector<double>& before, const std::vector<double>& after) const {
    double work[block_width];
    if (precision_ == Precision::single && !update.changes_shape())
        block.state.reframe(frame(before), frame(after), update.force_change(), work);
    else
        change(block, workspace, before, after,
               [&](double* state) { update.apply(state, workspace, work); });
    block.ledger.post(Ledger::work, work);
}

void Engine::place(const double* state) {
    const std::size_t n = network_.dimension();
    Workspace workspace(rows(), 0);
    const Matrix& from_state = setting_.coordinates->from_state;
    std::vector<double> own(n * block_width);
    std::vector<double> public_state(from_state.empty() ? 0 : n * block_width);
    const auto load = [&](const Block& block) {
        std::vector<double>& placed = from_state.empty() ? own : public_state;
        std::fill(placed.begin(), placed.end(), 0.0);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t lane = block.begin; lane < block.end; ++lane)
                placed[i * block_width + lane] =
                    state[(block.first_row + lane - block.begin) * n + i];
        if (!from_state.empty())
            multiply_block(from_state, public_state.data(), own.data(), block_width);
    };
    double energy[block_width];
    for (const Block& block : blocks_) {
        load(block);
        block_energy(setting_, own.data(), workspace, energy);
        for (double value : energy)
            require(std::abs(value) <= largest_energy,
                    "state is so far out that its energy overflows");
    }
    if (precision_ == Precision::single) {
        const SingleFrame frame = this->frame(setting_.drive.force);
        const double width =
            motion_ == Motion::exact ? std::sqrt(setting_.controls.kT.front()) : 1.0;
        for (const Block& block : blocks_) {
            load(block);
            for (std::size_t k = 0; k < own.size(); ++k)
                require(std::abs(own[k] - frame.offset[k / block_width]) <=
                            largest_single * width * frame.unit[k / block_width],
                        "state is more than 1e17 thermal widths out, beyond what float32 can hold; "
                        "make it smaller, or take dtype='float64'");
        }
    }
    recover();
    for (Block& block : blocks_) {
        load(block);
        change(block, workspace, [&](double* at) { std::copy(own.begin(), own.end(), at); });
    }
    open_books();
}

}  // namespace ktc
