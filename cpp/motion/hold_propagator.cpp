#include "motion/hold_propagator.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "ground/dense.hpp"
#include "kernels/packed_matrix.hpp"
#include "motion/midpoint_propagator.hpp"
#include "motion/splitting_propagator.hpp"

namespace ktc {
namespace {

/// Destination of the posts to accounts that the ledger does not keep.
struct Spill {
    double sums[Ledger::source][block_width] = {};
    UpperHalf carries[Ledger::source][block_width] = {};
    UpperHalf turnover[block_width] = {};
};

std::vector<float> rounded(const std::vector<double>& values) {
    std::vector<float> result(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) result[i] = static_cast<float>(values[i]);
    return result;
}

void add_force(ModalTick<double>& modal, const Tick& tick, TickBatch&) {
    modal.force = tick.drive->force.data();
    if (tick.update && tick.update->changes_force_alone())
        modal.force_change = tick.update->force_change().data();
}

/// In single precision the change of force is split into a float and a rest.
void add_force(ModalTick<float>& modal, const Tick& tick, TickBatch& batch) {
    const auto keep = [&](std::vector<float> numbers) {
        return batch.rounded.emplace_back(std::move(numbers)).data();
    };
    modal.force = keep(rounded(tick.drive->force));
    if (!tick.update || !tick.update->changes_force_alone()) return;
    std::vector<double> rest = tick.update->force_change();
    const std::vector<double>& before = tick.update->force_before();
    const float* change = keep(rounded(rest));
    for (std::size_t i = 0; i < rest.size(); ++i) {
        modal.common_work -= rest[i] * before[i];
        rest[i] -= static_cast<double>(change[i]);
    }
    modal.force_change = change;
    modal.force_rest = keep(rounded(rest));
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

template <class Real>
void ModalPropagator<Real>::prepare(const Tick& tick, TickBatch& batch) const {
    ModalTick<Real> modal{nullptr, nullptr, decay_.data(), growth_.data(), width_.data()};
    add_force(modal, tick, batch);
    std::get<std::vector<ModalTick<Real>>>(batch.modal).push_back(modal);
}

template <class Real>
std::size_t ModalPropagator<Real>::play(const TickBatch& batch, std::size_t first,
                                        ReplicaBlock& block, Workspace& workspace) const {
    const auto reshapes = [&](std::size_t k) {
        const auto& update = batch.ticks[k].update;
        return update && update->changes_shape();
    };
    if (reshapes(first)) batch.ticks[first].update->apply(block, workspace);
    std::size_t last = first + 1;
    while (last < batch.ticks.size() && !reshapes(last)) ++last;
    constexpr std::size_t width = replicas_of_a_group<Real>;
    const NoiseAddress at = block.address(width);
    const Accounts& kept = block.ledger.accounts();
    const auto& modal = std::get<std::vector<ModalTick<Real>>>(batch.modal);
    std::optional<Spill> spill;
    if (!kept.complete()) spill.emplace();
    for (std::size_t g = at.begin_group; g < at.end_group; ++g) {
        const std::size_t lane = g * width;
        const auto sums = [&](Ledger::Account account) {
            return lane + (kept.keeps(account) ? block.ledger.sums(account) : spill->sums[account]);
        };
        const auto carries = [&](Ledger::Account account) {
            return lane +
                   (kept.keeps(account) ? block.ledger.carries(account) : spill->carries[account]);
        };
        kernels().of<Real>().modal(
            block.state.numbers<Real>() + lane, block_width, decay_.size(), modal.data() + first,
            last - first, at.stream(Purpose::hold, g),
            {sums(Ledger::work), carries(Ledger::work), sums(Ledger::heat), carries(Ledger::heat),
             sums(Ledger::supply), carries(Ledger::supply),
             lane + (kept.close() ? block.ledger.turnover() : spill->turnover)});
    }
    block.step += last - first;
    return last - first;
}

template class ModalPropagator<double>;
template class ModalPropagator<float>;

namespace {

class DensePropagator final : public StepPropagator {
   public:
    explicit DensePropagator(const Transition& transition) : dimension_(transition.decay.rows()) {
        const Matrix noise = semidefinite_factor(transition.covariance);
        step_ = PackedMatrix<double>(dimension_, 2 * dimension_, [&](std::size_t i, std::size_t j) {
            return j < dimension_ ? transition.decay(i, j) : noise(i, j - dimension_);
        });
    }

    double cost() const override {
        const auto n = static_cast<double>(dimension_);
        return n + n * (n / 8.0);
    }

    /// Posts −ΔH = ½ (u − u′)(u + u′) and ∫ bᵀdx = β (u′ − u), each by its own formula.
    void advance(double* state, const Drive& drive, const NoiseAddress& address,
                 Workspace& workspace, Posts& posts) const override {
        const std::vector<double>& force = drive.force;
        const std::size_t n = dimension_;
        double* deviation = workspace.first.data();
        double* noise = deviation + n * block_width;
        double* moved = workspace.second.data();
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t lane = 0; lane < block_width; ++lane)
                deviation[i * block_width + lane] = state[i * block_width + lane] - force[i];
            row_of_normals(address, Purpose::hold, i, noise + i * block_width);
        }
        step_.multiply(deviation, moved);
        std::fill(std::begin(posts.heat), std::end(posts.heat), 0.0);
        std::fill(std::begin(posts.supply), std::end(posts.supply), 0.0);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                const std::size_t at = i * block_width + lane;
                const double before = deviation[at], after = moved[at];
                posts.heat[lane] += 0.5 * (before - after) * (before + after);
                posts.supply[lane] += force[i] * (after - before);
                state[at] = force[i] + after;
            }
    }

   private:
    std::size_t dimension_;
    PackedMatrix<double> step_;
};

}  // namespace

std::unique_ptr<Propagator> dense_propagator(const Transition& transition) {
    return std::make_unique<DensePropagator>(transition);
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
    if (motion == Motion::midpoint) return in_precision(midpoint);
    if (motion != Motion::exact)
        return splitting_propagator(elements, *setting.energy, kT, hold, longest_step,
                                    motion == Motion::pooled);
    if (coordinates.decoupled()) return in_precision(modal);
    return dense_propagator(natural_transition(coordinates, kT.front(), hold));
}

}  // namespace ktc
