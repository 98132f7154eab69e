#pragma once

#include "kernels/modal_pack.hpp"

/// Midpoint steps of the units of a group of replicas, without their matrix product
/// (motion/midpoint_propagator.hpp).
namespace ktc::KTC_INSTRUCTION_SET {

// 1/√s by additions and multiplications, because the square root and the division of a processor
// take several times as long and are not pipelined.

/// Estimate of 1/√s to 3.5 % from its bits (Lomont, Fast inverse square root, Purdue, 2003).
KTC_INLINE Doubles inverse_root_estimate(Doubles s) {
    return as_doubles(std::uint64_t{0x5FE6EB50C7B537A9} - (as_words(s) >> std::uint64_t{1}));
}
KTC_INLINE Floats inverse_root_estimate(Floats s) {
    return as_floats(std::uint32_t{0x5F375A86} - (as_half_words(s) >> std::uint32_t{1}));
}

/// 1/√s of normal s > 0 to two units in the last place. With e = s y² − 1 the series
/// y (1 − e/2 + 3e²/8 − …) triples the number of digits in each iteration.
template <class Real>
KTC_INLINE Pack<Real> inverse_root(Pack<Real> s) {
    Pack<Real> y = inverse_root_estimate(s);
    for (int turn = 0; turn < (sizeof(Real) == sizeof(double) ? 3 : 2); ++turn) {
        const Pack<Real> e = fused(s * y, y, all(Real{-1}));
        y = fused(y * e, fused(all(Real(0.375)), e, all(Real(-0.5))), y);
    }
    return y;
}

/// Exact relaxation in the energy κx⁴/4 over a time t: x/√(1 + r x²), r = 2κgt.
template <class Real>
KTC_INLINE Pack<Real> relaxed(Pack<Real> x, Real rate) {
    if (rate == Real{0}) return x;
    return x * inverse_root<Real>(fused(rate * x, x, all(Real{1})));
}

template <class Real>
KTC_INLINE void midpoint_pack(Real* x, Real* y, Real rate, Real width, Pack<Real> push,
                              Pack<Real> noise) {
    const Pack<Real> state = relaxed(load(x), rate);
    store(x, state);
    store(y, fused(all(Real{2}), state, fused(all(width), noise, push)));
}

template <bool own, class Real>
KTC_INLINE void midpoint_prepared(Real* x, Real* y, std::size_t units,
                                  const MidpointStep<Real>& step, StreamAddress address) {
    constexpr std::size_t half = lanes_of<Real>;
    const Stream stream(address);
    NoiseTile<Real> noise;
    for (std::size_t start = 0; start < units; start += noise.size) {
        const std::size_t stop = units - start < noise.size ? units - start : noise.size;
        noise.fill(stream, UnitsOfStep{address.step, static_cast<std::uint32_t>(start)}, stop);
        for (std::size_t i = 0; i < stop; ++i) {
            const std::size_t unit = start + i;
            Real *state = x + unit * block_width, *sum = y + unit * block_width;
            const Real rate = step.rate[unit], width = step.width[unit];
            midpoint_pack(state, sum, rate, width, number_of<own>(step.push, unit, 0),
                          noise[i].first);
            midpoint_pack(state + half, sum + half, rate, width,
                          number_of<own>(step.push, unit, half), noise[i].second);
        }
    }
}

template <class Real>
void midpoint_prepare(Real* x, Real* y, std::size_t units, const MidpointStep<Real>& step,
                      StreamAddress address) {
    if (step.own)
        midpoint_prepared<true>(x, y, units, step, address);
    else
        midpoint_prepared<false>(x, y, units, step, address);
}

template <class Real>
void midpoint_relax(Real* x, std::size_t units, const Real* rate) {
    for (std::size_t i = 0; i < units; ++i)
        for (Real* at = x + i * block_width; at < x + (i + 1) * block_width; at += lanes_of<Real>)
            store(at, relaxed(load(at), rate[i]));
}

/// Steps of an uncoupled unit, whose state stays in registers.
template <bool own, class Real>
KTC_INLINE void midpoint_alone(Real* x, std::size_t steps, const MidpointUnit<Real>& unit,
                               StreamAddress address) {
    const Stream stream(address);
    Pack<Real> low = relaxed(load(x), unit.half_rate);
    Pack<Real> high = relaxed(load(x + lanes_of<Real>), unit.half_rate);
    const Pack<Real> low_push = number_of<own>(unit.push, 0, 0);
    const Pack<Real> high_push = number_of<own>(unit.push, 0, lanes_of<Real>);
    const auto advance = [&unit](Pack<Real> state, Pack<Real> noise, Pack<Real> push, Real rate) {
        const Pack<Real> kick = fused(all(unit.width), noise, push);
        return relaxed(state + fused(all(unit.growth), state, kick), rate);
    };
    NoiseTile<Real> noise;
    for (std::size_t start = 0; start < steps; start += noise.size) {
        const std::size_t stop = steps - start < noise.size ? steps - start : noise.size;
        noise.fill(stream, StepsOfUnit{address.step, address.element}, stop);
        address.step += stop;
        for (std::size_t k = 0; k < stop; ++k) {
            const Real rate = start + k + 1 < steps ? unit.rate : unit.half_rate;
            low = advance(low, noise[k].first, low_push, rate);
            high = advance(high, noise[k].second, high_push, rate);
        }
    }
    store(x, low);
    store(x + lanes_of<Real>, high);
}

template <class Real>
void midpoint_uncoupled(Real* x, std::size_t steps, const MidpointUnit<Real>& unit,
                        StreamAddress address) {
    if (unit.own)
        midpoint_alone<true>(x, steps, unit, address);
    else
        midpoint_alone<false>(x, steps, unit, address);
}

template <class Real>
void midpoint_mean(const Real* before, const Real* after, std::size_t units, const double* unit,
                   double* mean) {
    for (std::size_t i = 0; i < units; ++i)
        for (std::size_t lane = 0; lane < block_width; lane += pack_width)
            store(mean + i * block_width + lane,
                  (0.5 * unit[i]) * (load_doubles(before + i * block_width + lane) +
                                     load_doubles(after + i * block_width + lane)));
}

template <bool own, class Real>
KTC_INLINE void midpoint_posted(const Real* before, const Real* after, const double* slope,
                                std::size_t units, const MidpointPost& post, double* heat,
                                double* supply) {
    for (std::size_t lane = 0; lane < block_width; lane += pack_width) {
        Doubles heats = all(0.0), supplies = all(0.0);
        for (std::size_t i = 0; i < units; ++i) {
            const Doubles was = post.unit[i] * load_doubles(before + i * block_width + lane);
            const Doubles is = post.unit[i] * load_doubles(after + i * block_width + lane);
            const Doubles change = is - was, force = number_of<own>(post.force, i, lane);
            const Doubles quartic = (0.25 * post.quartic[i]) * (was + is) * (was * was + is * is);
            heats = heats - change * (load(slope + i * block_width + lane) - force + quartic);
            supplies = supplies + force * change;
        }
        store(heat + lane, heats);
        store(supply + lane, supplies);
    }
}

template <class Real>
void midpoint_post(const Real* before, const Real* after, const double* slope, std::size_t units,
                   const MidpointPost& post, double* heat, double* supply) {
    if (post.own)
        midpoint_posted<true>(before, after, slope, units, post, heat, supply);
    else
        midpoint_posted<false>(before, after, slope, units, post, heat, supply);
}

}  // namespace ktc::KTC_INSTRUCTION_SET
