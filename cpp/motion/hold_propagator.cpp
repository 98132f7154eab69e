#include "motion/hold_propagator.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "ground/dense.hpp"
#include "kernels/packed_matrix.hpp"
#include "motion/block_books.hpp"
#include "motion/circuit_step.hpp"
#include "motion/driven_propagator.hpp"
#include "motion/inertial_propagator.hpp"
#include "motion/midpoint_propagator.hpp"
#include "motion/splitting_propagator.hpp"

namespace ktc {
namespace {

std::vector<float> rounded(const std::vector<double>& values) {
    std::vector<float> result(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) result[i] = static_cast<float>(values[i]);
    return result;
}

void add_force(ModalTick<double>& modal, const Tick& tick, TickBatch&) {
    modal.force = tick.drive->rest.data();
    if (tick.update && tick.update->changes_force_alone())
        modal.force_change = tick.update->force_change().data();
}

/// In single precision the change of force is split into a float and a rest.
void add_force(ModalTick<float>& modal, const Tick& tick, TickBatch& batch) {
    const auto keep = [&](std::vector<float> numbers) {
        return batch.rounded.emplace_back(std::move(numbers)).data();
    };
    modal.force = keep(rounded(tick.drive->rest));
    if (!tick.update || !tick.update->changes_force_alone()) return;
    std::vector<double> rest = tick.update->force_change();
    const std::vector<double>& before = tick.update->rest_before();
    const float* change = keep(rounded(rest));
    for (std::size_t i = 0; i < rest.size(); ++i) {
        modal.common_work -= rest[i] * before[i];
        rest[i] -= static_cast<double>(change[i]);
    }
    modal.force_change = change;
    modal.force_rest = keep(rounded(rest));
}

/// Whether a tick begins with an update that is not of β alone.
bool reshapes(const Tick& tick) {
    return tick.update && tick.update->changes_energy() && !tick.update->changes_force_alone();
}

}  // namespace

template <class Real>
ModalPropagator<Real>::ModalPropagator(const std::vector<double>& rates, double kT, double hold) {
    for (double rate : rates) {
        decay_.push_back(static_cast<Real>(std::exp(-rate * hold)));
        growth_.push_back(static_cast<Real>(std::expm1(-rate * hold)));
        width_.push_back(static_cast<Real>(std::sqrt(relaxed_variance(kT, rate, hold))));
    }
}

namespace {

/// Ticks of one block whose replicas have forces of their own, each with a copy of them.
template <class Real>
class OwnTicks {
   public:
    OwnTicks(const std::vector<Tick>& batch, std::vector<ModalTick<Real>> modal, std::size_t first,
             std::uint64_t block)
        : ticks(std::move(modal)), numbers_(ticks.size()) {
        for (std::size_t k = 0; k < ticks.size(); ++k)
            fill(ticks[k], numbers_[k], batch[first + k], block);
    }

    /// Moves on by a group of replicas.
    void next_group() {
        constexpr std::size_t width = replicas_of_a_group<Real>;
        for (ModalTick<Real>& tick : ticks) {
            tick.force += width;
            if (tick.force_change != nullptr) tick.force_change += width;
            if (tick.force_rest != nullptr) tick.force_rest += width;
            tick.own_work += width;
        }
    }

    std::vector<ModalTick<Real>> ticks;

   private:
    struct Numbers {
        std::vector<Real> force, change, rest;
        std::vector<double> work;
    };

    static void fill(ModalTick<Real>& tick, Numbers& own, const Tick& from, std::uint64_t block) {
        const LaneNumbers force = from.drive->rest_of(block);
        const std::size_t n = force.size();
        const auto rounded = [&](const LaneNumbers& numbers) {
            std::vector<Real> result(n * block_width);
            for (std::size_t at = 0; at < result.size(); ++at)
                result[at] = static_cast<Real>(numbers(at / block_width, at % block_width));
            return result;
        };
        own.work.assign(block_width, 0.0);
        tick.own_work = own.work.data();
        own.force = rounded(force);
        tick.force = own.force.data();
        if (tick.force_change == nullptr) return;
        const LaneNumbers change = from.update->force_change_of(block);
        own.change = rounded(change);
        tick.force_change = own.change.data();
        if constexpr (sizeof(Real) < sizeof(double)) {
            const LaneNumbers before = from.update->rest_before_of(block);
            own.rest.resize(n * block_width);
            for (std::size_t at = 0; at < own.rest.size(); ++at) {
                const std::size_t i = at / block_width, lane = at % block_width;
                own.work[lane] -= change(i, lane) * before(i, lane);
                own.rest[at] =
                    static_cast<Real>(change(i, lane) - static_cast<double>(own.change[at]));
            }
            tick.force_rest = own.rest.data();
        }
    }

    std::vector<Numbers> numbers_;
};

bool is_own(const Tick& tick) { return tick.drive->own || (tick.update && tick.update->is_own()); }

}  // namespace

template <class Real>
void ModalPropagator<Real>::prepare(Tick& tick, TickBatch& batch) const {
    ModalTick<Real> modal{nullptr, nullptr, decay_.data(), growth_.data(), width_.data()};
    add_force(modal, tick, batch);
    auto& ticks = std::get<std::vector<ModalTick<Real>>>(batch.modal);
    ticks.resize(batch.ticks.size());  // those of other propagators stay empty
    ticks.push_back(modal);
}

template <class Real>
std::size_t ModalPropagator<Real>::play(const TickBatch& batch, std::size_t first,
                                        ReplicaBlock& block, Workspace& workspace) const {
    const auto& modal = std::get<std::vector<ModalTick<Real>>>(batch.modal);
    const Tick& begin = batch.ticks[first];
    if (reshapes(begin)) begin.update->apply(block, workspace);
    std::size_t last = first + 1;
    while (last < modal.size() && modal[last].decay != nullptr && !reshapes(batch.ticks[last]))
        ++last;
    constexpr std::size_t width = replicas_of_a_group<Real>;
    const NoiseAddress at = block.address(width);
    BlockBooks books(block.ledger);
    const auto begin_at = batch.ticks.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end_at = batch.ticks.begin() + static_cast<std::ptrdiff_t>(last);
    std::optional<OwnTicks<Real>> own;
    if (batch.own && std::any_of(begin_at, end_at, is_own)) {
        own.emplace(batch.ticks,
                    std::vector<ModalTick<Real>>(modal.begin() + static_cast<std::ptrdiff_t>(first),
                                                 modal.begin() + static_cast<std::ptrdiff_t>(last)),
                    first, block.number);
        for (std::size_t g = 0; g < at.begin_group; ++g) own->next_group();
    }
    for (std::size_t g = at.begin_group; g < at.end_group; ++g) {
        const std::size_t lane = g * width;
        kernels().of<Real>().modal(block.state.numbers<Real>() + lane, block_width, decay_.size(),
                                   own ? own->ticks.data() : modal.data() + first, last - first,
                                   at.stream(Purpose::hold, g), books.modal(lane));
        if (own) own->next_group();
    }
    block.step += last - first;
    return last - first;
}

template class ModalPropagator<double>;
template class ModalPropagator<float>;

namespace {

class DensePropagator final : public Propagator {
   public:
    explicit DensePropagator(DrivenTransition transition)
        : transition_(std::move(transition)), rows_(transition_.decay.rows()) {
        const Matrix &decay = transition_.decay, &noise = transition_.factor;
        step_ = PackedMatrix<double>(rows_, 2 * rows_, [&](std::size_t i, std::size_t j) {
            return j < rows_ ? decay(i, j) : noise(i, j - rows_);
        });
        unit_.assign(rows_ - transition_.filter_unit.size(), 1.0);
        unit_.insert(unit_.end(), transition_.filter_unit.begin(), transition_.filter_unit.end());
        for (double unit : unit_) per_unit_.push_back(1.0 / unit);
    }

    double cost() const override {
        const auto n = static_cast<double>(rows_);
        return n + n * (n / 8.0);
    }

    void prepare(Tick& tick, TickBatch& batch) const override {
        const auto& flow = tick.drive->source;
        if (!flow) return;
        const Tick* before = batch.ticks.empty() ? nullptr : &batch.ticks.back();
        const bool same = before && before->source && before->source->flow == flow &&
                          before->propagator == tick.propagator;
        tick.source = same ? before->source : source_move(flow, transition_);
    }

    std::size_t play(const TickBatch& batch, std::size_t first, ReplicaBlock& block,
                     Workspace& workspace) const override {
        const Tick& tick = batch.ticks[first];
        const LaneNumbers rest = tick.drive->rest_of(block.number);
        if (tick.update) tick.update->apply(block, workspace);
        block.state.change(rest, rest, workspace.state, [&](double* state) {
            advance(state, tick, block.address(), workspace);
        });
        ++block.step;
        workspace.posts.post_to(block.ledger);
        if (tick.source) block.ledger.post(Ledger::source, workspace.posts.source);
        return 1;
    }

   private:
    /// Posts −ΔH = (w − w′)(½ (w + w′) − β), ∫ bᵀdx = β (w′ − w), and the energy of sources, each
    /// by its own formula; heat is −ΔH and that energy. The states are those before and after as
    /// they are stored: where w* is far away, their rounding would outweigh the heat.
    void advance(double* state, const Tick& tick, const NoiseAddress& address,
                 Workspace& workspace) const {
        const Drive& drive = *tick.drive;
        const LaneNumbers rest = drive.rest_of(address.block());
        const LaneNumbers force = drive.force_of(address.block());
        const std::size_t coordinates = drive.force.size();
        double rest_room[block_width], force_room[block_width];
        Posts& posts = workspace.posts;
        double* deviation = workspace.first.data();
        double* noise = deviation + rows_ * block_width;
        double* moved = workspace.second.data();
        for (std::size_t i = 0; i < rows_; ++i) {
            const double* center = rest.row(i, rest_room);
            for (std::size_t lane = 0; lane < block_width; ++lane)
                deviation[i * block_width + lane] =
                    (state[i * block_width + lane] - center[lane]) * per_unit_[i];
            row_of_normals(address, Purpose::hold, i, noise + i * block_width);
        }
        step_.multiply(deviation, moved);
        std::fill(std::begin(posts.heat), std::end(posts.heat), 0.0);
        std::fill(std::begin(posts.supply), std::end(posts.supply), 0.0);
        if (tick.source) feed(*tick.source, address, deviation, moved, posts);
        for (std::size_t i = 0; i < coordinates; ++i) {
            const double *center = rest.row(i, rest_room), *beta = force.row(i, force_room);
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                const std::size_t at = i * block_width + lane;
                const double before = state[at], after = center[lane] + moved[at];
                posts.heat[lane] += (before - after) * (0.5 * (before + after) - beta[lane]);
                posts.supply[lane] += beta[lane] * (after - before);
                state[at] = after;
            }
        }
        for (std::size_t at = coordinates * block_width; at < rows_ * block_width; ++at)
            state[at] = unit_[at / block_width] * moved[at];
    }

    /// Adds the energy of sources to heat, and posts it.
    void feed(const SourceMove& source, const NoiseAddress& address, const double* deviation,
              const double* moved, Posts& posts) const {
        double own[block_width];
        row_of_normals(address, Purpose::hold, rows_, own);
        const double* noise = deviation + rows_ * block_width;
        for (std::size_t lane = 0; lane < block_width; ++lane)
            posts.source[lane] = source.steady + source.width * own[lane];
        for (std::size_t i = 0; i < rows_; ++i)
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                const std::size_t at = i * block_width + lane;
                posts.source[lane] +=
                    source.potential[i] * (moved[at] - deviation[at]) + source.noise[i] * noise[at];
            }
        for (std::size_t lane = 0; lane < block_width; ++lane)
            posts.heat[lane] += posts.source[lane];
    }

    DrivenTransition transition_;
    std::size_t rows_;
    std::vector<double> unit_, per_unit_;  ///< of the rows of the state, and their inverses
    PackedMatrix<double> step_;
};

}  // namespace

std::unique_ptr<Propagator> dense_propagator(const Transition& transition) {
    return std::make_unique<DensePropagator>(DrivenTransition{
        0.0, transition.decay, semidefinite_factor(transition.covariance), {}, {}, {}});
}

std::shared_ptr<const Propagator> hold_propagator(const Network& network, const Setting& setting,
                                                  Motion motion, const StateFormat& format,
                                                  double hold, double longest_step) {
    const Elements& elements = network.elements();
    const Coordinates& coordinates = *setting.coordinates;
    const std::vector<double>& kT = setting.controls.kT;
    const auto in_precision = [&](auto&& make) { return format.single() ? make(0.0f) : make(0.0); };
    const auto modal = [&]<class Real>(Real) -> std::shared_ptr<const Propagator> {
        return std::make_shared<ModalPropagator<Real>>(coordinates.rates, kT.front(), hold);
    };
    const auto midpoint = [&]<class Real>(Real) -> std::shared_ptr<const Propagator> {
        return std::make_shared<MidpointPropagator<Real>>(elements, setting.energy, kT.front(),
                                                          hold, longest_step, format.units());
    };
    if (motion == Motion::midpoint && network.has_inertia())
        return std::make_shared<InertialPropagator>(network, setting, hold, longest_step);
    if (motion == Motion::midpoint) return in_precision(midpoint);
    if (network.circuit())
        return circuit_propagator(network.circuit(), kT, hold, longest_step,
                                  motion == Motion::pooled);
    if (!is_exact(motion))
        return splitting_propagator(elements, *setting.energy, kT, hold, longest_step,
                                    motion == Motion::pooled);
    const bool driven = network.is_driven(setting.controls);
    if (coordinates.decoupled() && (driven || (motion == Motion::driven && !format.single())))
        return driven_propagator(network, setting, format, hold);
    if (driven) {
        const DrivenMotion about_rest = driven_motion(network, setting.controls, coordinates);
        return std::make_shared<DensePropagator>(driven_transition(about_rest, hold));
    }
    if (coordinates.decoupled()) return in_precision(modal);
    return dense_propagator(natural_transition(coordinates, kT.front(), hold));
}

}  // namespace ktc
