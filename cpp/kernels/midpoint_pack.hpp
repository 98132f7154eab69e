#pragma once

#include "kernels/kernels.hpp"
#include "kernels/modal_pack.hpp"
#include "kernels/normal_pack.hpp"

/// What motion/midpoint.hpp does to each unit of sixteen replicas between two products.
namespace ktc::KTC_LEVEL {

/// Relaxation in κx⁴/4 alone, exact: x/√(1 + r x²), r = 2κg times its time.
KTC_INLINE Doubles relaxed(Doubles x, double rate) {
    if (rate == 0.0) return x;
    return x / square_root(fused(rate * x, x, all(1.0)));
}

/// x ← x + η + D y is (y − x) + D y, as y = 2x + η.
KTC_INLINE void midpoint_pack(double* x, double* y, const double* z, double rate, double width,
                              double push, Doubles noise) {
    Doubles state = load(x);
    if (z != nullptr) state = (load(y) - state) + load(z);
    state = relaxed(state, rate);
    store(x, state);
    store(y, fused(all(2.0), state, fused(all(width), noise, all(push))));
}

inline void midpoint_go(double* x, double* y, const double* z, std::size_t stride,
                        std::size_t units, const MidpointStep& step, StreamAddress address) {
    const Stream stream(address);
    for (std::size_t start = 0; start < units; start += bundle) {
        NormalPair<double> noise[bundle];
        address.element = static_cast<std::uint32_t>(start);
        next_noise(stream, address, 0, 1, noise);
        const std::size_t stop = units - start < bundle ? units - start : bundle;
        for (std::size_t i = 0; i < stop; ++i) {
            const std::size_t unit = start + i;
            double *own = x + unit * block_width, *sum = y + unit * stride;
            const double* moved = z == nullptr ? nullptr : z + unit * stride;
            midpoint_pack(own, sum, moved, step.rate[unit], step.width[unit], step.push[unit],
                          noise[i].first);
            midpoint_pack(own + pack_width, sum + pack_width,
                          moved == nullptr ? nullptr : moved + pack_width, step.rate[unit],
                          step.width[unit], step.push[unit], noise[i].second);
        }
    }
}

inline void midpoint_end(double* x, const double* y, const double* z, std::size_t stride,
                         std::size_t units, const double* rate) {
    for (std::size_t i = 0; i < units; ++i)
        for (std::size_t at = 0; at < group_width; at += pack_width) {
            double* own = x + i * block_width + at;
            const Doubles state =
                (load(y + i * stride + at) - load(own)) + load(z + i * stride + at);
            store(own, relaxed(state, rate[i]));
        }
}

/// A unit without couplings: its steps stay in registers.
inline void midpoint_alone(double* x, std::size_t steps, const MidpointUnit& unit,
                           StreamAddress address) {
    Doubles low = relaxed(load(x), unit.half_rate);
    Doubles high = relaxed(load(x + pack_width), unit.half_rate);
    const auto advance = [&unit](Doubles state, Doubles noise, double rate) {
        const Doubles kick = fused(all(unit.width), noise, all(unit.push));
        return relaxed(state + fused(all(unit.growth), state, kick), rate);
    };
    const Stream stream(address);
    for (std::size_t start = 0; start < steps; start += bundle) {
        NormalPair<double> noise[bundle];
        next_noise(stream, address, 1, 0, noise);
        const std::size_t stop = steps - start < bundle ? steps - start : bundle;
        address.step += stop;
        for (std::size_t k = 0; k < stop; ++k) {
            const double rate = start + k + 1 < steps ? unit.rate : unit.half_rate;
            low = advance(low, noise[k].first, rate);
            high = advance(high, noise[k].second, rate);
        }
    }
    store(x, low);
    store(x + pack_width, high);
}

}  // namespace ktc::KTC_LEVEL
