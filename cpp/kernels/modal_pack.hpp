#pragma once

#include "kernels/kernels.hpp"
#include "kernels/normal_pack.hpp"

/// Independent Ornstein–Uhlenbeck processes, each moved exactly (Gillespie, Phys. Rev. E 54, 2084,
/// 1996): u′ = e^{−λh} u + √(kT (1 − e^{−2λh})) ξ about β, with all their books.
namespace ktc::KTC_LEVEL {

/// An account of eight replicas while it is in registers; see add_compensated.
class Account {
   public:
    KTC_INLINE Account(double* sum, double* carry, std::size_t offset)
        : sum_at_(sum + offset),
          carry_at_(carry + offset),
          sum_(load(sum_at_)),
          carry_(load(carry_at_)) {}
    KTC_INLINE void post(Doubles amount) { add_compensated(sum_, carry_, amount); }
    KTC_INLINE void close() const {
        store(sum_at_, sum_);
        store(carry_at_, carry_);
    }

   private:
    double *sum_at_, *carry_at_;
    Doubles sum_, carry_;
};

/// Half a group: the books of eight replicas.
struct Half {
    Account work, heat, supply;
    double* turnover_at;
    Doubles turnover;

    KTC_INLINE Half(const ModalBooks& books, std::size_t offset)
        : work(books.work, books.work_carry, offset),
          heat(books.heat, books.heat_carry, offset),
          supply(books.supply, books.supply_carry, offset),
          turnover_at(books.turnover + offset),
          turnover(load(turnover_at)) {}
    KTC_INLINE void close() const {
        work.close();
        heat.close();
        supply.close();
        store(turnover_at, turnover);
    }
};

/// What one hold adds to the books of eight replicas.
struct HoldPosts {
    Doubles heat, supply;
};

/// Heat and supply of a move from deviation u to u′ about β, both by their own local formula:
///     −ΔH = ½ (u − u′)(u + u′),   ∫ bᵀdx = β (u′ − u).
/// A short hold adds u′ − u to the state, whose digits are then its own where β is far away; a long
/// one sets it to β + u′, which forgets how far away it was.
KTC_INLINE void move(double* w, const ModalTick& tick, std::size_t unit, Doubles noise,
                     HoldPosts& posts) {
    const double force = tick.force[unit];
    const Doubles before = load(w) - force, thermal = tick.width[unit] * noise;
    if (tick.growth[unit] > -0.5) {
        const Doubles step = tick.growth[unit] * before + thermal;
        posts.heat = posts.heat - step * (before + 0.5 * step);
        posts.supply = posts.supply + force * step;
        store(w, load(w) + step);
        return;
    }
    const Doubles after = tick.decay[unit] * before + thermal;
    posts.heat = posts.heat + 0.5 * (before - after) * (before + after);
    posts.supply = posts.supply + force * (after - before);
    store(w, force + after);
}

KTC_INLINE void update(const double* state, std::size_t stride, std::size_t units,
                       const double* force_change, Half& half) {
    Doubles work = all(0.0);
    for (std::size_t i = 0; i < units; ++i)
        work = work - force_change[i] * load(state + i * stride);
    half.work.post(work);
    half.turnover = half.turnover + absolute(work);
}

KTC_INLINE void book(const HoldPosts& posts, Half& half) {
    half.heat.post(posts.heat);
    half.turnover = half.turnover + absolute(posts.heat);
    half.supply.post(posts.supply);
}

/// Noise of the next moves, made ahead of them: no move waits for its own.
struct NoiseTile {
    static constexpr std::size_t size = 16;
    NormalPair of[size];
};

/// Noise of `count` moves from an address on, each one `step` and `element` further.
KTC_INLINE void fill(NoiseTile& tile, const Stream& stream, const StreamAddress& address,
                     std::size_t count, std::uint64_t step, std::uint32_t element) {
    for (std::size_t k = 0; k < count; k += bundle) {
        std::uint64_t steps[bundle];
        std::uint32_t elements[bundle];
        NormalPair normals[bundle];
        for (std::size_t i = 0; i < bundle; ++i) {
            steps[i] = address.step + (k + i) * step;
            elements[i] = address.element + static_cast<std::uint32_t>(k + i) * element;
        }
        normals_at(stream, steps, elements, normals);
        for (std::size_t i = 0; i < bundle; ++i) tile.of[k + i] = normals[i];
    }
}

/// A single unit, many ticks: its state stays in registers, too.
inline void modal_unit(double* state, const ModalTick* ticks, std::size_t count,
                       StreamAddress address, const ModalBooks& books) {
    Half low(books, 0), high(books, pack_width);
    const Stream stream(address);
    NoiseTile tile;
    for (std::size_t start = 0; start < count; start += NoiseTile::size) {
        const std::size_t stop = count - start < NoiseTile::size ? count - start : NoiseTile::size;
        fill(tile, stream, address, stop, 1, 0);
        address.step += stop;
        for (std::size_t k = 0; k < stop; ++k) {
            const ModalTick& tick = ticks[start + k];
            if (tick.force_change != nullptr) {
                update(state, 0, 1, tick.force_change, low);
                update(state + pack_width, 0, 1, tick.force_change, high);
            }
            HoldPosts low_posts{all(0.0), all(0.0)}, high_posts = low_posts;
            move(state, tick, 0, tile.of[k].first, low_posts);
            move(state + pack_width, tick, 0, tile.of[k].second, high_posts);
            book(low_posts, low);
            book(high_posts, high);
        }
    }
    low.close();
    high.close();
}

inline void modal(double* state, std::size_t stride, std::size_t units, const ModalTick* ticks,
                  std::size_t count, const StreamAddress& first, const ModalBooks& books) {
    if (units == 1) {
        modal_unit(state, ticks, count, first, books);
        return;
    }
    Half low(books, 0), high(books, pack_width);
    const Stream stream(first);
    NoiseTile tile;
    StreamAddress address = first;
    for (std::size_t k = 0; k < count; ++k, ++address.step) {
        const ModalTick& tick = ticks[k];
        if (tick.force_change != nullptr) {
            update(state, stride, units, tick.force_change, low);
            update(state + pack_width, stride, units, tick.force_change, high);
        }
        HoldPosts low_posts{all(0.0), all(0.0)}, high_posts = low_posts;
        for (std::size_t start = 0; start < units; start += NoiseTile::size) {
            const std::size_t stop =
                units - start < NoiseTile::size ? units - start : NoiseTile::size;
            address.element = static_cast<std::uint32_t>(start);
            fill(tile, stream, address, stop, 0, 1);
            for (std::size_t i = 0; i < stop; ++i) {
                double* w = state + (start + i) * stride;
                move(w, tick, start + i, tile.of[i].first, low_posts);
                move(w + pack_width, tick, start + i, tile.of[i].second, high_posts);
            }
        }
        book(low_posts, low);
        book(high_posts, high);
    }
    low.close();
    high.close();
}

}  // namespace ktc::KTC_LEVEL
