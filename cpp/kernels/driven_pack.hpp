#pragma once

#include "kernels/kernels.hpp"
#include "kernels/modal_pack.hpp"

/// Modes that sources, noise generators and several temperatures drive, each moved exactly about
/// its rest: u′ = e^{−λh} u + Σ_k B_k ξ_k, with the energy from the sources beside it
/// (motion/driven_propagator.hpp). States are in double precision.
namespace ktc::KTC_INSTRUCTION_SET {

/// Sums over the moves of a tile, for a pack of replicas.
struct DrivenPosts {
    Doubles extracted{}, gained{}, supply{}, source{};  ///< −work, −(heat − source), …
};

/// One tick of one row, by the formulas of modal_pack.hpp with a rest other than β:
///     −ΔH = −(u′ − u)(½ (u′ + u) + w* − β).
KTC_INLINE void move_driven(Doubles& w, const DrivenTick& tick, std::size_t row, Doubles thermal,
                            Doubles noise, DrivenPosts& posts) {
    const DrivenMove& move = *tick.move;
    const bool unit = row < move.units;
    if (unit && tick.force_change != nullptr)
        posts.extracted = fused(all(tick.force_change[row]), w, posts.extracted);
    const Doubles rest = all(tick.rest[row]), before = w - rest;
    Doubles step;
    if (move.growth[row] > -0.5) {
        step = fused(all(move.growth[row]), before, thermal);
        w = w + step;
    } else {
        const Doubles after = fused(all(move.decay[row]), before, thermal);
        w = rest + after;
        step = after - before;
    }
    if (unit) {
        const Doubles middle = fused(all(0.5), step, before);
        posts.gained = fused(step, middle + (tick.rest[row] - tick.force[row]), posts.gained);
        posts.supply = fused(all(tick.force[row]), step, posts.supply);
    }
    if (tick.potential != nullptr)
        posts.source = fused(all(tick.potential[row]), step, posts.source);
    if (tick.share != nullptr) posts.source = fused(all(tick.share[row]), noise, posts.source);
}

/// The noise that the energy from sources has on its own, made in bundles: two numbers of a tile by
/// an address, in single precision.
class OwnNoise {
   public:
    KTC_INLINE OwnNoise(const Stream& stream, std::uint32_t element, const SourceNoise& noise)
        : stream_(stream), element_(element), noise_(noise) {}

    /// Adds the noise of the next tile.
    KTC_INLINE void add_to(DrivenPosts (&posts)[2]) {
        if (noise_.step == nullptr) return;
        for (const std::size_t end = *noise_.end++; next_ < end; ++next_) {
            if (next_ % bundle == 0) fill();
            for (std::size_t number = 0; number < 2; ++number) {
                const Doubles weight = all(noise_.weight[2 * next_ + number]);
                const float* normals = of_[next_ % bundle] + number * group_width;
                posts[0].source = fused(weight, load_doubles(normals), posts[0].source);
                posts[1].source =
                    fused(weight, load_doubles(normals + pack_width), posts[1].source);
            }
        }
    }

   private:
    KTC_OUT_OF_LINE void fill() {
        std::uint64_t steps[bundle];
        std::uint32_t elements[bundle];
        for (std::size_t i = 0; i < bundle; ++i) {
            steps[i] = noise_.step[next_ + i];
            elements[i] = element_;
        }
        NormalPair<float> pairs[bundle];
        normals_at(stream_, steps, elements, pairs);
        for (std::size_t i = 0; i < bundle; ++i) {
            store(of_[i], pairs[i].first);
            store(of_[i] + group_width, pairs[i].second);
        }
    }

    const Stream& stream_;
    std::uint32_t element_;
    SourceNoise noise_;
    std::size_t next_ = 0;
    alignas(64) float of_[bundle][2 * group_width];
};

/// Accounts of a group of sixteen replicas.
class DrivenGroup {
   public:
    KTC_INLINE DrivenGroup(const DrivenBooks& books, const OwnNoise& own)
        : books_(books), own_(own) {
        for (std::size_t half = 0; half < 2; ++half) {
            const std::size_t at = half * pack_width;
            of_[half] = PackBooks(books.modal, at);
            source_[half] = load_account(books.source + at, books.source_carry + at);
        }
    }

    /// Adds the posts of a tile, with the own noise of its sources, and resets them to zero.
    KTC_INLINE void enter(DrivenPosts (&posts)[2], double steady) {
        for (std::size_t half = 0; half < 2; ++half)
            posts[half].source = posts[half].source + steady;
        own_.add_to(posts);
        for (std::size_t half = 0; half < 2; ++half) {
            DrivenPosts& own = posts[half];
            of_[half].enter(0.0, own.extracted, own.gained - own.source, own.supply);
            source_[half].post(own.source);
            own = DrivenPosts{};
        }
    }

    KTC_INLINE void close() const {
        for (std::size_t half = 0; half < 2; ++half) {
            const std::size_t at = half * pack_width;
            of_[half].close(books_.modal, at);
            store_account(source_[half], books_.source + at, books_.source_carry + at);
        }
    }

   private:
    const DrivenBooks& books_;
    OwnNoise own_;
    PackBooks of_[2];
    Account source_[2];
};

#if defined(__AVX512F__)
inline constexpr std::size_t driven_rows = driven_panel;
#else
inline constexpr std::size_t driven_rows = 2;
#endif

/// Moves `rows` rows of a panel from row `start` of it on.
template <std::size_t rows>
KTC_INLINE void move_rows(double* state, std::size_t stride, const DrivenTick& tick,
                          const DrivenPanel& panel, std::size_t start, const double* noise,
                          const double* filters, DrivenPosts (&posts)[2]) {
    const DrivenMove& move = *tick.move;
    const double* number = panel.numbers + start;
    Doubles sums[rows][2] = {};
    const auto add = [&](const double* from) {
        const Doubles low = load(from), high = load(from + pack_width);
        for (std::size_t r = 0; r < rows; ++r) {
            sums[r][0] = fused(all(number[r]), low, sums[r][0]);
            sums[r][1] = fused(all(number[r]), high, sums[r][1]);
        }
        number += panel.rows;
    };
    for (std::size_t k = 0; k < panel.depth; ++k) add(noise + (move.shared + k) * group_width);
    for (std::size_t k = 0; k < move.filters; ++k) add(filters + k * group_width);
    for (std::size_t r = 0; r < rows; ++r) {
        const std::size_t row = panel.row[start + r];
        const double* own = noise + row * group_width;
        const Doubles noises[2] = {load(own), load(own + pack_width)};
        double* at = state + row * stride;
        for (std::size_t half = 0; half < 2; ++half) {
            Doubles w = load(at + half * pack_width);
            if (move.width != nullptr)
                sums[r][half] = fused(all(move.width[row]), noises[half], sums[r][half]);
            move_driven(w, tick, row, sums[r][half], noises[half], posts[half]);
            store(at + half * pack_width, w);
        }
    }
}

template <std::size_t rows>
KTC_INLINE void move_panel(double* state, std::size_t stride, const DrivenTick& tick,
                           const DrivenPanel& panel, const double* noise, const double* filters,
                           DrivenPosts (&posts)[2]) {
    constexpr std::size_t at_once = rows < driven_rows ? rows : driven_rows;
    static_assert(rows % at_once == 0);
    for (std::size_t start = 0; start < rows; start += at_once)
        move_rows<at_once>(state, stride, tick, panel, start, noise, filters, posts);
}

/// One tick of rows with correlated noise.
KTC_INLINE void move_panels(double* state, std::size_t stride, const DrivenTick& tick,
                            const double* noise, double* filters, DrivenPosts (&posts)[2]) {
    const DrivenMove& move = *tick.move;
    for (std::size_t k = 0; k < move.filters; ++k)
        for (std::size_t half = 0; half < group_width; half += pack_width)
            store(filters + k * group_width + half, load(state + (move.units + k) * stride + half));
    for (std::size_t p = 0; p < move.panel_count; ++p) {
        const DrivenPanel& panel = move.panels[p];
        if (panel.rows == driven_panel)
            move_panel<driven_panel>(state, stride, tick, panel, noise, filters, posts);
        else if (panel.rows == 2)
            move_panel<2>(state, stride, tick, panel, noise, filters, posts);
        else
            move_panel<1>(state, stride, tick, panel, noise, filters, posts);
    }
    // Noise beside that of the rows.
    for (std::size_t k = move.units + move.filters; tick.share != nullptr && k < move.draws; ++k)
        for (std::size_t half = 0; half < 2; ++half)
            posts[half].source =
                fused(all(tick.share[k]), load(noise + k * group_width + half * pack_width),
                      posts[half].source);
}

/// One tick of rows with noise of their own.
KTC_INLINE void move_alone(double* state, std::size_t stride, const DrivenTick& tick,
                           const double* noise, DrivenPosts (&posts)[2]) {
    for (std::size_t row = 0; row < tick.move->units; ++row)
        for (std::size_t half = 0; half < 2; ++half) {
            double* at = state + row * stride + half * pack_width;
            const Doubles normals = load(noise + row * group_width + half * pack_width);
            Doubles w = load(at);
            move_driven(w, tick, row, all(tick.move->width[row]) * normals, normals, posts[half]);
            store(at, w);
        }
}

/// Normals of consecutive addresses, as many as whole bundles are.
template <class Sweep>
KTC_OUT_OF_LINE void driven_noise(const Stream& stream, Sweep sweep, std::size_t count,
                                  double* out) {
    for (std::size_t k = 0; k < count; k += bundle) {
        NormalPair<double> pairs[bundle];
        next_noise(stream, sweep, pairs);
        for (std::size_t i = 0; i < bundle; ++i) {
            store(out + (k + i) * group_width, pairs[i].first);
            store(out + (k + i) * group_width + pack_width, pairs[i].second);
        }
    }
}

/// Ticks of one row with noise of its own, whose state stays in registers.
KTC_INLINE void driven_unit(double* state, const DrivenTick* ticks, std::size_t count,
                            StreamAddress address, double* noise, const Stream& stream,
                            DrivenGroup& accounts) {
    Doubles low = load(state), high = load(state + pack_width);
    DrivenPosts posts[2];
    while (count > 0) {
        const std::size_t tile = ticks_of_tile(address.step, count);
        driven_noise(stream, StepsOfUnit{address.step, 0}, tile, noise);
        address.step += tile;
        double steady = 0.0;
        for (std::size_t k = 0; k < tile; ++k) {
            const Doubles first = load(noise + k * group_width);
            const Doubles second = load(noise + k * group_width + pack_width);
            const Doubles width = all(ticks[k].move->width[0]);
            steady += ticks[k].steady;
            move_driven(low, ticks[k], 0, width * first, first, posts[0]);
            move_driven(high, ticks[k], 0, width * second, second, posts[1]);
        }
        accounts.enter(posts, steady);
        ticks += tile;
        count -= tile;
    }
    store(state, low);
    store(state + pack_width, high);
}

KTC_INLINE void driven_units(double* state, std::size_t stride, const DrivenTick* ticks,
                             std::size_t count, StreamAddress address, double* scratch,
                             const Stream& stream, DrivenGroup& accounts) {
    const std::size_t draws = ticks->move->draws;
    const std::size_t at_once = draws < modal_tile ? modal_tile / draws : 1;
    double* noise = scratch + ticks->move->filters * group_width;
    DrivenPosts posts[2];
    double steady = 0.0;
    for (std::size_t k = 0; k < count; ++k) {
        const std::size_t made = k % at_once;
        if (made == 0) {
            const std::size_t rows = count - k < at_once ? count - k : at_once;
            const auto all_draws = static_cast<std::uint32_t>(draws);
            driven_noise(stream, UnitsOfSteps{address.step, 0, all_draws}, rows * draws, noise);
        }
        steady += ticks[k].steady;
        if (ticks[k].move->panel_count == 0)
            move_alone(state, stride, ticks[k], noise + made * draws * group_width, posts);
        else
            move_panels(state, stride, ticks[k], noise + made * draws * group_width, scratch,
                        posts);
        if (++address.step % modal_tile != 0 && k + 1 < count) continue;
        accounts.enter(posts, steady);
        steady = 0.0;
    }
}

inline void driven(double* state, std::size_t stride, const DrivenTick* ticks, std::size_t count,
                   const StreamAddress& first, const SourceNoise& own, const DrivenBooks& books,
                   double* scratch) {
    const DrivenMove& move = *ticks->move;
    const Stream stream(first);
    DrivenGroup accounts(books, {stream, static_cast<std::uint32_t>(move.draws), own});
    if (move.draws == 1 && move.panel_count == 0)
        driven_unit(state, ticks, count, first, scratch, stream, accounts);
    else
        driven_units(state, stride, ticks, count, first, scratch, stream, accounts);
    accounts.close();
}

}  // namespace ktc::KTC_INSTRUCTION_SET
