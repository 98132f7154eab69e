#pragma once

#include "kernels/kernels.hpp"
#include "kernels/modal_pack.hpp"

/// Modes that sources, noise generators and several temperatures drive, each moved exactly about
/// its rest: u′ = e^{−λh} u + Σ_k B_k ξ_k, with the energy from the sources beside it
/// (motion/driven_propagator.hpp). A group of replicas is two packs wide in both precisions.
namespace ktc::KTC_INSTRUCTION_SET {

template <class Real>
inline constexpr bool is_single = sizeof(Real) < sizeof(double);

/// Sums over the moves of a tile, for a pack of replicas.
template <class Real>
struct DrivenPosts {
    Pack<Real> extracted{}, gained{}, supply{}, source{};  ///< −work, −(heat − source), …
};

/// An update in single precision, where the state is the deviation u = w − w*. It moves u by s,
/// which is −Δw* up to a rounding error r = s + Δw* of the state. Its work is −Δβ (w* + u), of
/// which −Δβ w* is common to all replicas, and r (u′ + w*′ − β′).
KTC_INLINE void displace(Floats& u, const DrivenTick<float>& tick, std::size_t row,
                         DrivenPosts<float>& posts) {
    const Floats change = all(tick.rest_change[row]), next = u - change;
    const Floats rounding = ((next - u) + change) + tick.rest_rest[row];
    posts.extracted = fused(all(tick.force_change[row]), u, posts.extracted);
    posts.extracted = fused(all(tick.force_rest[row]), u, posts.extracted);
    posts.extracted = posts.extracted - rounding * (next + tick.rest[row]);
    u = next;
}

/// One tick of one row, by the formulas of modal_pack.hpp with a rest other than β:
///     −ΔH = −(u′ − u)(½ (u′ + u) + w* − β).
template <class Real>
KTC_INLINE void move_driven(Pack<Real>& w, const DrivenTick<Real>& tick, std::size_t row,
                            Pack<Real> thermal, Pack<Real> noise, DrivenPosts<Real>& posts) {
    const DrivenMove<Real>& move = *tick.move;
    const bool unit = row < move.units, updated = unit && tick.force_change != nullptr;
    const bool short_hold = move.growth[row] > Real(-0.5);
    Pack<Real> before, step;
    if constexpr (is_single<Real>) {
        if (updated) displace(w, tick, row, posts);
        before = w;
        w = short_hold ? before + fused(all(move.growth[row]), before, thermal)
                       : fused(all(move.decay[row]), before, thermal);
        step = w - before;
    } else {
        if (updated) posts.extracted = fused(all(tick.force_change[row]), w, posts.extracted);
        const Pack<Real> rest = all(tick.rest[row]);
        before = w - rest;
        if (short_hold) {
            step = fused(all(move.growth[row]), before, thermal);
            w = w + step;
        } else {
            const Pack<Real> after = fused(all(move.decay[row]), before, thermal);
            w = rest + after;
            step = after - before;
        }
    }
    if (unit) {
        const Pack<Real> middle = fused(all(Real(0.5)), step, before);
        const Real displacement =
            is_single<Real> ? tick.rest[row] : tick.rest[row] - tick.force[row];
        posts.gained = fused(step, middle + displacement, posts.gained);
        posts.supply = fused(all(tick.force[row]), step, posts.supply);
    }
    if (tick.potential != nullptr)
        posts.source = fused(all(tick.potential[row]), step, posts.source);
    if (tick.share != nullptr) posts.source = fused(all(tick.share[row]), noise, posts.source);
}

/// The noise that the energy from sources has on its own, made in bundles: two numbers of a tile by
/// a step, in single precision. One address has as many normals as two numbers of sixteen replicas
/// take, or one number of thirty-two.
template <class Real>
class OwnNoise {
   public:
    KTC_INLINE OwnNoise(const Stream& stream, std::uint32_t element, const SourceNoise& noise)
        : stream_(stream), element_(element), noise_(noise) {}

    /// Adds the noise of the next tile.
    KTC_INLINE void add_to(DrivenPosts<Real> (&posts)[2]) {
        if (noise_.step == nullptr) return;
        for (const std::size_t end = *noise_.end++; next_ < end; ++next_)
            for (std::size_t number = 0; number < 2; ++number) {
                const std::size_t at = (2 * next_ + number) * replicas_of_a_group<Real>;
                if (at % (bundle * width) == 0) fill(at / width);
                const Pack<Real> weight = all(static_cast<Real>(noise_.weight[2 * next_ + number]));
                const float* normals = of_ + at % (bundle * width);
                for (std::size_t half = 0; half < 2; ++half)
                    posts[half].source = fused(
                        weight, load_as<Real>(normals + half * lanes_of<Real>), posts[half].source);
            }
    }

   private:
    static constexpr std::size_t width = replicas_of_a_group<float>;
    static constexpr std::size_t per_step = is_single<Real> ? 2 : 1;

    template <class To>
    static KTC_INLINE Pack<To> load_as(const float* from) {
        if constexpr (is_single<To>)
            return load(from);
        else
            return load_doubles(from);
    }

    /// Makes the normals of a bundle of addresses.
    KTC_OUT_OF_LINE void fill(std::size_t first) {
        std::uint64_t steps[bundle];
        std::uint32_t elements[bundle];
        for (std::size_t i = 0; i < bundle; ++i) {
            steps[i] = noise_.step[(first + i) / per_step];
            elements[i] = element_ + static_cast<std::uint32_t>((first + i) % per_step);
        }
        NormalPair<float> pairs[bundle];
        normals_at(stream_, steps, elements, pairs);
        for (std::size_t i = 0; i < bundle; ++i) {
            store(of_ + i * width, pairs[i].first);
            store(of_ + i * width + width / 2, pairs[i].second);
        }
    }

    const Stream& stream_;
    std::uint32_t element_;
    SourceNoise noise_;
    std::size_t next_ = 0;
    alignas(64) float of_[bundle * width];
};

/// Accounts of a group of replicas.
template <class Real>
class DrivenGroup {
   public:
    KTC_INLINE DrivenGroup(const DrivenBooks& books, const OwnNoise<Real>& own)
        : books_(books), own_(own) {
        for (std::size_t i = 0; i < packs; ++i) {
            const std::size_t at = i * pack_width;
            of_[i] = PackBooks(books.modal, at);
            source_[i] = load_account(books.source + at, books.source_carry + at);
        }
    }

    /// Adds the posts of a tile, with the own noise of its sources, and resets them to zero.
    KTC_INLINE void enter(DrivenPosts<Real> (&posts)[2], double steady, double common) {
        own_.add_to(posts);
        for (std::size_t i = 0; i < packs; ++i) {
            const DrivenPosts<Real>& half = posts[2 * i / packs];
            const std::size_t part = i % (packs / 2);
            const Doubles source = doubles_of(half.source, part) + steady;
            of_[i].enter(common, doubles_of(half.extracted, part),
                         doubles_of(half.gained, part) - source, doubles_of(half.supply, part));
            source_[i].post(source);
        }
        for (auto& half : posts) half = DrivenPosts<Real>{};
    }

    KTC_INLINE void close() const {
        for (std::size_t i = 0; i < packs; ++i) {
            const std::size_t at = i * pack_width;
            of_[i].close(books_.modal, at);
            store_account(source_[i], books_.source + at, books_.source_carry + at);
        }
    }

   private:
    static constexpr std::size_t packs = replicas_of_a_group<Real> / pack_width;
    const DrivenBooks& books_;
    OwnNoise<Real> own_;
    PackBooks of_[packs];
    Account source_[packs];
};

#if defined(__AVX512F__)
inline constexpr std::size_t driven_rows = driven_panel;
#else
inline constexpr std::size_t driven_rows = 2;
#endif

/// Moves `rows` rows of a panel from row `start` of it on.
template <std::size_t rows, class Real>
KTC_INLINE void move_rows(Real* state, std::size_t stride, const DrivenTick<Real>& tick,
                          const DrivenPanel<Real>& panel, std::size_t start, const Real* noise,
                          const Real* filters, DrivenPosts<Real> (&posts)[2]) {
    constexpr std::size_t lanes = lanes_of<Real>, group = 2 * lanes;
    const DrivenMove<Real>& move = *tick.move;
    const Real* number = panel.numbers + start;
    Pack<Real> sums[rows][2] = {};
    const auto add = [&](const Real* from) {
        const Pack<Real> low = load(from), high = load(from + lanes);
        for (std::size_t r = 0; r < rows; ++r) {
            sums[r][0] = fused(all(number[r]), low, sums[r][0]);
            sums[r][1] = fused(all(number[r]), high, sums[r][1]);
        }
        number += panel.rows;
    };
    for (std::size_t k = 0; k < panel.depth; ++k) add(noise + (move.shared + k) * group);
    for (std::size_t k = 0; k < move.filters; ++k) add(filters + k * group);
    for (std::size_t r = 0; r < rows; ++r) {
        const std::size_t row = panel.row[start + r];
        const Real* own = noise + row * group;
        const Pack<Real> noises[2] = {load(own), load(own + lanes)};
        Real* at = state + row * stride;
        for (std::size_t half = 0; half < 2; ++half) {
            Pack<Real> w = load(at + half * lanes);
            if (move.width != nullptr)
                sums[r][half] = fused(all(move.width[row]), noises[half], sums[r][half]);
            move_driven(w, tick, row, sums[r][half], noises[half], posts[half]);
            store(at + half * lanes, w);
        }
    }
}

template <std::size_t rows, class Real>
KTC_INLINE void move_panel(Real* state, std::size_t stride, const DrivenTick<Real>& tick,
                           const DrivenPanel<Real>& panel, const Real* noise, const Real* filters,
                           DrivenPosts<Real> (&posts)[2]) {
    constexpr std::size_t at_once = rows < driven_rows ? rows : driven_rows;
    static_assert(rows % at_once == 0);
    for (std::size_t start = 0; start < rows; start += at_once)
        move_rows<at_once>(state, stride, tick, panel, start, noise, filters, posts);
}

/// One tick of rows with correlated noise.
template <class Real>
KTC_INLINE void move_panels(Real* state, std::size_t stride, const DrivenTick<Real>& tick,
                            const Real* noise, Real* filters, DrivenPosts<Real> (&posts)[2]) {
    constexpr std::size_t lanes = lanes_of<Real>, group = 2 * lanes;
    const DrivenMove<Real>& move = *tick.move;
    for (std::size_t k = 0; k < move.filters; ++k)
        for (std::size_t at = 0; at < group; at += lanes)
            store(filters + k * group + at, load(state + (move.units + k) * stride + at));
    for (std::size_t p = 0; p < move.panel_count; ++p) {
        const DrivenPanel<Real>& panel = move.panels[p];
        if (panel.rows == driven_panel)
            move_panel<driven_panel>(state, stride, tick, panel, noise, filters, posts);
        else if (panel.rows == 4)
            move_panel<4>(state, stride, tick, panel, noise, filters, posts);
        else if (panel.rows == 2)
            move_panel<2>(state, stride, tick, panel, noise, filters, posts);
        else
            move_panel<1>(state, stride, tick, panel, noise, filters, posts);
    }
    // Noise beside that of the rows.
    for (std::size_t k = move.units + move.filters; tick.share != nullptr && k < move.draws; ++k)
        for (std::size_t half = 0; half < 2; ++half)
            posts[half].source = fused(all(tick.share[k]), load(noise + k * group + half * lanes),
                                       posts[half].source);
}

/// One tick of rows with noise of their own.
template <class Real>
KTC_INLINE void move_alone(Real* state, std::size_t stride, const DrivenTick<Real>& tick,
                           const Real* noise, DrivenPosts<Real> (&posts)[2]) {
    constexpr std::size_t lanes = lanes_of<Real>;
    for (std::size_t row = 0; row < tick.move->units; ++row)
        for (std::size_t half = 0; half < 2; ++half) {
            Real* at = state + row * stride + half * lanes;
            const Pack<Real> normals = load(noise + (2 * row + half) * lanes);
            Pack<Real> w = load(at);
            move_driven(w, tick, row, all(tick.move->width[row]) * normals, normals, posts[half]);
            store(at, w);
        }
}

/// Normals of consecutive addresses, as many as whole bundles are.
template <class Real, class Sweep>
KTC_OUT_OF_LINE void driven_noise(const Stream& stream, Sweep sweep, std::size_t count, Real* out) {
    constexpr std::size_t lanes = lanes_of<Real>;
    for (std::size_t k = 0; k < count; k += bundle) {
        NormalPair<Real> pairs[bundle];
        next_noise(stream, sweep, pairs);
        for (std::size_t i = 0; i < bundle; ++i) {
            store(out + (k + i) * 2 * lanes, pairs[i].first);
            store(out + (k + i) * 2 * lanes + lanes, pairs[i].second);
        }
    }
}

/// Ticks of one row with noise of its own, whose state stays in registers.
template <class Real>
KTC_INLINE void driven_unit(Real* state, const DrivenTick<Real>* ticks, std::size_t count,
                            StreamAddress address, Real* noise, const Stream& stream,
                            DrivenGroup<Real>& accounts) {
    constexpr std::size_t lanes = lanes_of<Real>;
    Pack<Real> low = load(state), high = load(state + lanes);
    DrivenPosts<Real> posts[2];
    while (count > 0) {
        const std::size_t tile = ticks_of_tile(address.step, count);
        driven_noise(stream, StepsOfUnit{address.step, 0}, tile, noise);
        address.step += tile;
        double steady = 0.0, common = 0.0;
        for (std::size_t k = 0; k < tile; ++k) {
            const Pack<Real> first = load(noise + 2 * k * lanes);
            const Pack<Real> second = load(noise + (2 * k + 1) * lanes);
            const Pack<Real> width = all(ticks[k].move->width[0]);
            steady += ticks[k].steady;
            common += ticks[k].common_work;
            move_driven(low, ticks[k], 0, width * first, first, posts[0]);
            move_driven(high, ticks[k], 0, width * second, second, posts[1]);
        }
        accounts.enter(posts, steady, common);
        ticks += tile;
        count -= tile;
    }
    store(state, low);
    store(state + lanes, high);
}

template <class Real>
KTC_INLINE void driven_units(Real* state, std::size_t stride, const DrivenTick<Real>* ticks,
                             std::size_t count, StreamAddress address, Real* scratch,
                             const Stream& stream, DrivenGroup<Real>& accounts) {
    constexpr std::size_t group = replicas_of_a_group<Real>;
    const std::size_t draws = ticks->move->draws;
    const std::size_t at_once = draws < driven_draws ? driven_draws / draws : 1;
    Real* noise = scratch + ticks->move->filters * group;
    DrivenPosts<Real> posts[2];
    double steady = 0.0, common = 0.0;
    for (std::size_t k = 0; k < count; ++k) {
        const std::size_t made = k % at_once;
        if (made == 0) {
            const std::size_t rows = count - k < at_once ? count - k : at_once;
            const auto all_draws = static_cast<std::uint32_t>(draws);
            driven_noise(stream, UnitsOfSteps{address.step, 0, all_draws}, rows * draws, noise);
        }
        steady += ticks[k].steady;
        common += ticks[k].common_work;
        const Real* normals = noise + made * draws * group;
        if (ticks[k].move->panel_count == 0)
            move_alone(state, stride, ticks[k], normals, posts);
        else
            move_panels(state, stride, ticks[k], normals, scratch, posts);
        if (++address.step % modal_tile != 0 && k + 1 < count) continue;
        accounts.enter(posts, steady, common);
        steady = common = 0.0;
    }
}

template <class Real>
void driven(Real* state, std::size_t stride, const DrivenTick<Real>* ticks, std::size_t count,
            const StreamAddress& first, const SourceNoise& own, const DrivenBooks& books,
            Real* scratch) {
    const DrivenMove<Real>& move = *ticks->move;
    const Stream stream(first);
    DrivenGroup<Real> accounts(books, {stream, static_cast<std::uint32_t>(move.draws), own});
    if (move.draws == 1 && move.panel_count == 0)
        driven_unit(state, ticks, count, first, scratch, stream, accounts);
    else
        driven_units(state, stride, ticks, count, first, scratch, stream, accounts);
    accounts.close();
}

}  // namespace ktc::KTC_INSTRUCTION_SET
