#include <optional>
#include <type_traits>
#include <vector>

#include "engine/engine.hpp"
#include "kernels/kernels.hpp"

namespace ktc {
namespace {

/// Where a kernel that books all accounts at once posts those that are not kept.
struct Spill {
    double sums[Ledger::source][block_width] = {};
    UpperHalf carries[Ledger::source][block_width] = {};
    UpperHalf turnover[block_width] = {};
};

}  // namespace

template <class Real>
ModalTick<Real> Engine::modal_tick(const Tick& tick) const {
    const ModesOf<Real>& modes = tick.propagator->modes()->template of<Real>();
    const auto numbers = [&](const std::vector<double>& full, const std::vector<float>& single) {
        if constexpr (std::is_same_v<Real, float>)
            return single.data();
        else
            return full.data();
    };
    ModalTick<Real> result{nullptr, numbers(tick.drive.force, tick.single_force),
                           modes.decay.data(), modes.growth.data(), modes.width.data()};
    if (tick.update && tick.update->changes_energy() && !tick.update->changes_shape()) {
        result.force_change = numbers(tick.update->force_change(), tick.single_change);
        if constexpr (std::is_same_v<Real, float>) result.force_rest = tick.single_rest.data();
        result.common_work = tick.common_work;
    }
    return result;
}

Engine::ModalTicks Engine::modal_ticks(const std::vector<Tick>& ticks) const {
    ModalTicks result;
    for (const Tick& tick : ticks) {
        if (tick.propagator->modes() == nullptr) return {};
        if (precision_ == Precision::single)
            result.single.push_back(modal_tick<float>(tick));
        else
            result.full.push_back(modal_tick<double>(tick));
    }
    return result;
}

template <class Real>
std::size_t Engine::play_modes(Block& block, const std::vector<Tick>& ticks,
                               const std::vector<ModalTick<Real>>& modal, std::size_t first) const {
    const auto reshapes = [](const Tick& tick) {
        return tick.update && tick.update->changes_shape();
    };
    std::size_t last = first + 1;
    while (last < ticks.size() && !reshapes(ticks[last])) ++last;
    const std::size_t count = last - first;
    constexpr std::size_t width = replicas_of_a_group<Real>;
    const NoiseAddress at = address(block, width);
    Ledger& books = block.ledger;
    const Accounts& kept = books.accounts();
    std::optional<Spill> spill;
    if (!kept.complete()) spill.emplace();
    for (std::size_t g = at.begin_group; g < at.end_group; ++g) {
        const std::size_t lane = g * width;
        const auto sums = [&](Ledger::Account account) {
            return lane + (kept.keeps(account) ? books.sums(account) : spill->sums[account]);
        };
        const auto carries = [&](Ledger::Account account) {
            return lane + (kept.keeps(account) ? books.carries(account) : spill->carries[account]);
        };
        kernels().of<Real>().modal(
            block.state.numbers<Real>() + lane, block_width, rows(), modal.data() + first, count,
            {seed_, Purpose::hold, at.first_group + g, 0, at.step},
            {sums(Ledger::work), carries(Ledger::work), sums(Ledger::heat), carries(Ledger::heat),
             sums(Ledger::supply), carries(Ledger::supply),
             lane + (kept.close() ? books.turnover() : spill->turnover)});
    }
    block.step += count;
    return count;
}

template std::size_t Engine::play_modes(Block&, const std::vector<Tick>&,
                                        const std::vector<ModalTick<double>>&, std::size_t) const;
template std::size_t Engine::play_modes(Block&, const std::vector<Tick>&,
                                        const std::vector<ModalTick<float>>&, std::size_t) const;

}  // namespace ktc
