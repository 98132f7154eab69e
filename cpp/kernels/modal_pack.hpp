#pragma once

#include <cmath>

#include "kernels/kernels.hpp"
#include "kernels/ledger_pack.hpp"
#include "kernels/normal_pack.hpp"

/// Independent Ornstein–Uhlenbeck processes, each moved exactly (Gillespie, Phys. Rev. E 54, 2084,
/// 1996): u′ = e^{−λh} u + √(kT (1 − e^{−2λh})) ξ about β, with their accounts. A group of replicas
/// is two packs wide in both precisions.
namespace ktc::KTC_INSTRUCTION_SET {

/// A number of a unit: the same for all replicas, or of each of them, where the numbers are
/// [unit][lane] from the lane of the group on, and `lane` that of the pack in the group.
template <bool own, class Real>
KTC_INLINE Pack<Real> number_of(const Real* numbers, std::size_t unit, std::size_t lane) {
    if constexpr (own)
        return load(numbers + unit * block_width + lane);
    else
        return all(numbers[unit]);
}

/// Sums over the moves of a tile, for a pack of replicas. Sums of sixteen amounts need no
/// compensation; only sums over tiles are compensated.
template <class Real>
struct TilePosts {
    Pack<Real> extracted{}, gained{}, supply{};  ///< −work, −heat, supply
};

/// One tick of one unit in single precision, where the state is the deviation u = w − β. An update
/// moves u by s, which is −Δβ up to rounding. Its work is ½ (u′² − u²) − ½ (β′² − β²). With
/// Δβ = D + ε, where ε is the rounding error of D, this is −Δβ β, common to all replicas, plus
///     −D u + (s + D) u′ + ε s,
/// in which no large terms cancel. Accounts are those of the moves after rounding.
template <bool own, class Real>
KTC_INLINE void move_deviation(Pack<Real>& u, const ModalTick<Real>& tick, std::size_t unit,
                               std::size_t lane, Pack<Real> noise, TilePosts<Real>& posts) {
    if (tick.force_change != nullptr) {
        const Pack<Real> change = number_of<own>(tick.force_change, unit, lane), next = u - change,
                         step = next - u;
        const Pack<Real> given =
            fused(step + change, next, number_of<own>(tick.force_rest, unit, lane) * step);
        posts.extracted = fused(change, u, posts.extracted) - given;
        u = next;
    }
    const Pack<Real> thermal = all(tick.width[unit]) * noise;
    const bool short_hold = tick.growth[unit] > Real(-0.5);
    const Pack<Real> next = short_hold ? u + fused(all(tick.growth[unit]), u, thermal)
                                       : fused(all(tick.decay[unit]), u, thermal);
    const Pack<Real> step = next - u;
    posts.gained = fused(step, fused(all(Real(0.5)), step, u), posts.gained);
    posts.supply = fused(number_of<own>(tick.force, unit, lane), step, posts.supply);
    u = next;
}

/// One tick of one unit. Each account has its own local formula:
///     work = −Δβ w,   −heat = ½ (u′ − u)(u′ + u),   ∫ bᵀdx = β (u′ − u),   u = w − β.
/// A short hold adds u′ − u to the state, which keeps the digits of u′ − u if β is far away. A long
/// hold sets the state to β + u′, without the rounding error of an earlier β.
template <bool own, class Real>
KTC_INLINE void move(Pack<Real>& w, const ModalTick<Real>& tick, std::size_t unit, std::size_t lane,
                     Pack<Real> noise, TilePosts<Real>& posts) {
    if constexpr (sizeof(Real) < sizeof(double)) {
        move_deviation<own>(w, tick, unit, lane, noise, posts);
        return;
    }
    if (tick.force_change != nullptr)
        posts.extracted = fused(number_of<own>(tick.force_change, unit, lane), w, posts.extracted);
    const Pack<Real> force = number_of<own>(tick.force, unit, lane), before = w - force;
    const Pack<Real> thermal = all(tick.width[unit]) * noise;
    if (tick.growth[unit] > Real(-0.5)) {
        const Pack<Real> step = fused(all(tick.growth[unit]), before, thermal);
        w = w + step;
        posts.gained = fused(step, fused(all(Real(0.5)), step, before), posts.gained);
        posts.supply = fused(force, step, posts.supply);
        return;
    }
    const Pack<Real> after = fused(all(tick.decay[unit]), before, thermal);
    w = force + after;
    const Pack<Real> step = after - before;
    posts.gained = fused(Real(0.5) * step, after + before, posts.gained);
    posts.supply = fused(force, step, posts.supply);
}

/// Accounts of a pack of eight replicas.
class PackBooks {
   public:
    KTC_INLINE PackBooks() = default;
    KTC_INLINE PackBooks(const ModalBooks& books, std::size_t at)
        : work_(load_account(books.work + at, books.work_carry + at)),
          heat_(load_account(books.heat + at, books.heat_carry + at)),
          supply_(load_account(books.supply + at, books.supply_carry + at)),
          turnover_(load_halves(books.turnover + at)) {}

    /// Adds posts; `common` is work that all replicas share.
    template <class Common>
    KTC_INLINE void enter(Common common, Doubles extracted, Doubles gained, Doubles supply) {
        const Doubles work = common - extracted;
        work_.post(work);
        heat_.post(0.0 - gained);
        supply_.post(supply);
        turnover_ = cut(turnover_ + (absolute(work) + absolute(gained)));
    }

    KTC_INLINE void close(const ModalBooks& books, std::size_t at) const {
        store_account(work_, books.work + at, books.work_carry + at);
        store_account(heat_, books.heat + at, books.heat_carry + at);
        store_account(supply_, books.supply + at, books.supply_carry + at);
        store_halves(books.turnover + at, turnover_);
    }

   private:
    Account work_, heat_, supply_;
    Doubles turnover_;
};

/// Work of a tile without the state: one sum for all replicas, or one for each of a group.
template <bool own, class Real>
class CommonWork {
   public:
    KTC_INLINE void add(const ModalTick<Real>& tick) { sum_ += tick.common_work; }
    KTC_INLINE double of(std::size_t) const { return sum_; }
    KTC_INLINE void clear() { sum_ = 0.0; }

   private:
    double sum_ = 0.0;
};
template <class Real>
class CommonWork<true, Real> {
   public:
    KTC_INLINE void add(const ModalTick<Real>& tick) {
        for (std::size_t i = 0; i < packs; ++i)
            sums_[i] = sums_[i] + load(tick.own_work + i * pack_width);
    }
    KTC_INLINE Doubles of(std::size_t pack) const { return sums_[pack]; }
    KTC_INLINE void clear() {
        for (Doubles& sum : sums_) sum = Doubles{};
    }

   private:
    static constexpr std::size_t packs = 2 * lanes_of<Real> / pack_width;
    Doubles sums_[packs] = {};
};

/// Accounts of a group of replicas.
template <class Real>
class GroupBooks {
   public:
    KTC_INLINE explicit GroupBooks(const ModalBooks& books) : books_(books) {
        for (std::size_t i = 0; i < packs; ++i) of_[i] = PackBooks(books, i * pack_width);
    }
    /// Adds the posts of a tile and resets them to zero.
    template <class Common>
    KTC_INLINE void enter(Common& common, TilePosts<Real> (&posts)[2]) {
        for (std::size_t half = 0; half < 2; ++half) {
            for (std::size_t part = 0; part < packs / 2; ++part)
                of_[half * (packs / 2) + part].enter(
                    common.of(half * (packs / 2) + part), doubles_of(posts[half].extracted, part),
                    doubles_of(posts[half].gained, part), doubles_of(posts[half].supply, part));
            posts[half] = TilePosts<Real>{};
        }
        common.clear();
    }
    KTC_INLINE void close() const {
        for (std::size_t i = 0; i < packs; ++i) of_[i].close(books_, i * pack_width);
    }

   private:
    static constexpr std::size_t packs = 2 * lanes_of<Real> / pack_width;
    const ModalBooks& books_;
    PackBooks of_[packs];
};

/// Order of the noise of consecutive moves: consecutive units at one step.
struct UnitsOfStep {
    std::uint64_t step;
    std::uint32_t element;
    KTC_INLINE void advance() { ++element; }
};
/// Order of the noise: consecutive steps of one unit.
struct StepsOfUnit {
    std::uint64_t step;
    std::uint32_t element;
    KTC_INLINE void advance() { ++step; }
};
/// Order of the noise: all units at one step, then at the next.
struct UnitsOfSteps {
    std::uint64_t step;
    std::uint32_t element, units;
    KTC_INLINE void advance() {
        const bool over = ++element == units;
        element = over ? 0 : element;
        step += over ? 1 : 0;
    }
};

/// Noise of a bundle of moves, made ahead so that no move waits for its noise.
template <class Real, class Sweep>
KTC_INLINE void next_noise(const Stream& stream, Sweep& sweep, NormalPair<Real> (&out)[bundle]) {
    std::uint64_t steps[bundle];
    std::uint32_t elements[bundle];
    for (std::size_t i = 0; i < bundle; ++i, sweep.advance()) {
        steps[i] = sweep.step;
        elements[i] = sweep.element;
    }
    normals_at(stream, steps, elements, out);
}

/// Noise of a tile of moves. It is made out of line, because the compiler would otherwise
/// interleave moves and series, and run the series of the addresses one after the other.
template <class Real>
class NoiseTile {
   public:
    static constexpr std::size_t size = modal_tile;
    static_assert(size % bundle == 0);

    template <class Sweep>
    KTC_OUT_OF_LINE void fill(const Stream& stream, Sweep sweep, std::size_t count) {
        for (std::size_t k = 0; k < count; k += bundle) {
            NormalPair<Real> pairs[bundle];
            next_noise(stream, sweep, pairs);
            for (std::size_t i = 0; i < bundle; ++i) {
                store(of_[k + i], pairs[i].first);
                store(of_[k + i] + lanes_of<Real>, pairs[i].second);
            }
        }
    }
    KTC_INLINE NormalPair<Real> operator[](std::size_t k) const {
        return {load(of_[k]), load(of_[k] + lanes_of<Real>)};
    }

   private:
    alignas(64) Real of_[size][2 * lanes_of<Real>];
};

/// Number of ticks until the next post. Tiles end at fixed step numbers, so that sums depend on
/// how many steps are played at once only through the last tile of a call.
KTC_INLINE std::size_t ticks_of_tile(std::uint64_t step, std::size_t left) {
    const std::size_t whole = modal_tile - static_cast<std::size_t>(step % modal_tile);
    return left < whole ? left : whole;
}

/// Ticks of a single unit, whose state stays in registers.
template <bool own, class Real>
KTC_INLINE void modal_unit(Real* state, const ModalTick<Real>* ticks, std::size_t count,
                           StreamAddress address, const ModalBooks& books) {
    const Stream stream(address);
    GroupBooks<Real> accounts(books);
    Pack<Real> low = load(state), high = load(state + lanes_of<Real>);
    TilePosts<Real> posts[2];
    NoiseTile<Real> noise;
    CommonWork<own, Real> common;
    while (count > 0) {
        const std::size_t tile = ticks_of_tile(address.step, count);
        noise.fill(stream, StepsOfUnit{address.step, 0}, tile);
        address.step += tile;
        for (std::size_t k = 0; k < tile; ++k) {
            common.add(ticks[k]);
            move<own>(low, ticks[k], 0, 0, noise[k].first, posts[0]);
            move<own>(high, ticks[k], 0, lanes_of<Real>, noise[k].second, posts[1]);
        }
        accounts.enter(common, posts);
        ticks += tile;
        count -= tile;
    }
    store(state, low);
    store(state + lanes_of<Real>, high);
    accounts.close();
}

template <bool own, class Real>
KTC_INLINE void modal_units(Real* state, std::size_t stride, std::size_t units,
                            const ModalTick<Real>* ticks, std::size_t count, StreamAddress address,
                            const ModalBooks& books) {
    const Stream stream(address);
    GroupBooks<Real> accounts(books);
    TilePosts<Real> posts[2];
    NoiseTile<Real> noise;
    CommonWork<own, Real> common;
    // A tile holds the noise of several ticks of few units, or of some units of one tick.
    const std::size_t at_once = units < noise.size ? noise.size / units : 1;
    for (std::size_t k = 0; k < count; ++k) {
        common.add(ticks[k]);
        const std::size_t made = k % at_once;
        for (std::size_t start = 0; start < units; start += noise.size) {
            const std::size_t stop = units - start < noise.size ? units - start : noise.size;
            if (at_once == 1) {
                const auto first = static_cast<std::uint32_t>(start);
                noise.fill(stream, UnitsOfStep{address.step, first}, stop);
            } else if (made == 0) {
                const std::size_t rows = count - k < at_once ? count - k : at_once;
                const auto all_units = static_cast<std::uint32_t>(units);
                noise.fill(stream, UnitsOfSteps{address.step, 0, all_units}, rows * units);
            }
            for (std::size_t i = 0; i < stop; ++i) {
                Real* row = state + (start + i) * stride;
                const NormalPair<Real> normals = noise[made * stop + i];
                Pack<Real> low = load(row), high = load(row + lanes_of<Real>);
                move<own>(low, ticks[k], start + i, 0, normals.first, posts[0]);
                move<own>(high, ticks[k], start + i, lanes_of<Real>, normals.second, posts[1]);
                store(row, low);
                store(row + lanes_of<Real>, high);
            }
        }
        if (++address.step % modal_tile == 0) accounts.enter(common, posts);
    }
    accounts.enter(common, posts);
    accounts.close();
}

/// Ticks of replicas with forces of their own. It is out of line so that the ticks of a shared
/// force keep their registers.
template <class Real>
KTC_OUT_OF_LINE void modal_own(Real* state, std::size_t stride, std::size_t units,
                               const ModalTick<Real>* ticks, std::size_t count,
                               const StreamAddress& first, const ModalBooks& books) {
    modal_units<true>(state, stride, units, ticks, count, first, books);
}

template <class Real>
void modal_of(Real* state, std::size_t stride, std::size_t units, const ModalTick<Real>* ticks,
              std::size_t count, const StreamAddress& first, const ModalBooks& books) {
    if (count > 0 && ticks->own_work != nullptr)
        modal_own(state, stride, units, ticks, count, first, books);
    else if (units == 1)
        modal_unit<false>(state, ticks, count, first, books);
    else
        modal_units<false>(state, stride, units, ticks, count, first, books);
}

}  // namespace ktc::KTC_INSTRUCTION_SET
