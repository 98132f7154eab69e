#include "motion/modal_propagator.hpp"

#include <optional>
#include <utility>

#include "motion/transition.hpp"

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

}  // namespace ktc
