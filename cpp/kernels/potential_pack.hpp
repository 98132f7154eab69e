#pragma once

#include "kernels/midpoint_pack.hpp"
#include "kernels/normal_pack.hpp"
#include "kernels/potential_view.hpp"

/// On-site potentials of the replicas of a block, evaluated in double precision
/// (physics/potential.hpp).
namespace ktc::KTC_INSTRUCTION_SET {

/// V, V′ and V″.
struct PotentialValues {
    Doubles energy, slope, curvature;
};

/// Where the sign of `condition` is negative a, elsewhere b.
KTC_INLINE Doubles where_negative(Doubles condition, Doubles a, Doubles b) {
    const Words mask = std::uint64_t{0} - (as_words(condition) >> std::uint64_t{63});
    return as_doubles((as_words(a) & mask) | (as_words(b) & (mask ^ ~std::uint64_t{0})));
}

/// Sine and cosine of πq/2. The nearest integer of |q| < 2⁵¹ is in the low bits of q + 1.5·2⁵².
KTC_INLINE void sine_cosine(Doubles q, Doubles& sine, Doubles& cosine) {
    constexpr double magic = 0x1.8p52;
    const Doubles shifted = q + magic;
    const Words turns = as_words(shifted);
    const Doubles y[1] = {q - (shifted - magic)};
    const Doubles square[1] = {y[0] * y[0]};
    Doubles s[1], c[1];
    polynomial(NormalSeries<double>::sine, square, s);
    polynomial(NormalSeries<double>::cosine, square, c);
    s[0] = s[0] * y[0];
    // Odd quarter turns exchange both; bit 1 of the turns, or of the turns plus one, is the sign.
    exchange(s[0], c[0], turns << std::uint64_t{62});
    sine = turn_sign(s[0], turns << std::uint64_t{62});
    cosine = turn_sign(c[0], (turns + std::uint64_t{1}) << std::uint64_t{62});
}

struct PolynomialPotential {
    const PotentialView& v;
    KTC_INLINE PotentialValues operator()(Doubles x) const {
        Doubles energy = all(v.numbers[polynomial_degree - 1]), slope = all(0.0), half = all(0.0);
        for (std::size_t k = polynomial_degree; k-- > 0;) {
            half = fused(half, x, slope);
            slope = fused(slope, x, energy);
            energy = fused(energy, x, all(k > 0 ? v.numbers[k - 1] : 0.0));
        }
        return {energy, slope, 2.0 * half};
    }
};

struct CosinePotential {
    double amplitude, quarters, wave;
    explicit CosinePotential(const PotentialView& v)
        : amplitude(v.numbers[0]),
          quarters(4.0 / v.numbers[1]),
          wave(6.283185307179586 / v.numbers[1]) {}
    KTC_INLINE PotentialValues operator()(Doubles x) const {
        Doubles sine, cosine;
        sine_cosine(quarters * x, sine, cosine);
        const Doubles energy = amplitude * cosine;
        return {energy, (-amplitude * wave) * sine, (-wave * wave) * energy};
    }
};

/// Two parabolas less ½kx², k(½c₁² + c₁|c₀|) − kc₁|x − c₀|.
struct ParabolasPotential {
    double center, pull, highest;
    explicit ParabolasPotential(const PotentialView& v)
        : center(v.numbers[1]), pull(v.numbers[0] * v.numbers[2]) {
        highest = pull * (0.5 * v.numbers[2] + (center < 0.0 ? -center : center));
    }
    KTC_INLINE PotentialValues operator()(Doubles x) const {
        const Doubles side = x - center;
        return {highest - pull * absolute(side), where_negative(side, all(pull), all(-pull)),
                all(0.0)};
    }
};

/// Places are searched lane by lane.
struct TablePotential {
    double scale;
    SplineView spline;
    explicit TablePotential(const PotentialView& v) : scale(v.numbers[0]), spline(v.spline) {}

    KTC_INLINE std::size_t interval(double x) const {
        const double *knots = spline.knots, place = x - knots[0];
        if (!(place >= 0.0)) return 0;
        std::size_t low = 0, high = spline.count;  // knots[low] ≤ x < knots[high]
        if (spline.per_spacing > 0.0) {
            const double near = place * spline.per_spacing;
            if (!(near < static_cast<double>(spline.count))) return spline.count;
            low = static_cast<std::size_t>(near);
            // Rounding may be off by one.
            if (low > 0 && x < knots[low]) --low;
            if (low + 1 < spline.count && x >= knots[low + 1]) ++low;
            return low + 1;
        }
        while (high - low > 1) {
            const std::size_t middle = (low + high) / 2;
            (x < knots[middle] ? high : low) = middle;
        }
        return low + 1;
    }
    KTC_INLINE PotentialValues operator()(Doubles at) const {
        double x[pack_width], c[4][pack_width];
        store(x, at);
        for (std::size_t lane = 0; lane < pack_width; ++lane) {
            const std::size_t k = interval(x[lane]);
            x[lane] -= spline.knots[k > 0 ? k - 1 : 0];
            for (std::size_t n = 0; n < 4; ++n) c[n][lane] = spline.coefficients[4 * k + n];
        }
        const Doubles t = load(x), c1 = load(c[1]), c2 = load(c[2]), c3 = load(c[3]);
        return {scale * fused(fused(fused(c3, t, c2), t, c1), t, load(c[0])),
                scale * fused(fused(3.0 * c3, t, 2.0 * c2), t, c1),
                scale * fused(6.0 * c3, t, 2.0 * c2)};
    }
};

/// Calls work(potential) with a functor of the kind of a view; not for no potential.
template <class Work>
KTC_INLINE void with_potential(const PotentialView& view, Work&& work) {
    switch (view.kind) {
        case PotentialKind::none:
            break;
        case PotentialKind::polynomial:
            work(PolynomialPotential{view});
            break;
        case PotentialKind::cosine:
            work(CosinePotential(view));
            break;
        case PotentialKind::two_parabolas:
            work(ParabolasPotential(view));
            break;
        case PotentialKind::table:
            work(TablePotential(view));
            break;
    }
}

/// Displacement of dx/ds = −V′ over s = `reach`, second order: −s V′/(1 + ½ s V″), which stays
/// bounded however stiff V is, and −s V′ (1 − ½ s V″) where V is concave.
template <class Potential>
KTC_INLINE Doubles relaxation(const Potential& potential, Doubles x, double reach) {
    const PotentialValues at = potential(x);
    const Doubles half = (0.5 * reach) * at.curvature;
    const Doubles change = (-reach) * at.slope;
    return change * where_negative(half, 1.0 - half, 1.0 / (1.0 + absolute(half)));
}

KTC_INLINE void store_doubles(double* to, Doubles value) { store(to, value); }
KTC_INLINE void store_doubles(float* to, Doubles value) {
    double lanes[pack_width];
    store(lanes, value);
    for (std::size_t i = 0; i < pack_width; ++i) to[i] = static_cast<float>(lanes[i]);
}

template <class Real>
void potential_relax(const PotentialView& view, double unit, double reach, std::size_t count,
                     Real* x) {
    const double per_unit = 1.0 / unit;
    with_potential(view, [&](const auto& potential) {
        for (std::size_t k = 0; k < count; k += pack_width) {
            const Doubles own = load_doubles(x + k);
            const Doubles moved = relaxation(potential, unit * own, reach);
            store_doubles(x + k, fused(all(per_unit), moved, own));
        }
    });
}

template <class Real>
void potential_energy(const PotentialView& view, double unit, double sign, std::size_t count,
                      const Real* x, double* energy) {
    with_potential(view, [&](const auto& potential) {
        for (std::size_t k = 0; k < count; k += pack_width)
            store(energy + k,
                  load(energy + k) + sign * potential(unit * load_doubles(x + k)).energy);
    });
}

inline void potential_slope(const PotentialView& view, std::size_t count, const double* x,
                            double* slope, double* curvature) {
    with_potential(view, [&](const auto& potential) {
        for (std::size_t k = 0; k < count; k += pack_width) {
            const PotentialValues at = potential(load(x + k));
            store(slope + k, at.slope);
            store(curvature + k, at.curvature);
        }
    });
}

/// Steps of an uncoupled unit: half a relaxation in V, half a quartic one, the linear motion, and
/// the same backwards; halves of V of adjacent steps are merged.
template <class Real>
void potential_uncoupled(Real* x, std::size_t steps, const PotentialView& view,
                         const MidpointUnit<Real>& factors, double reach, double unit,
                         StreamAddress address) {
    constexpr std::size_t count = 2 * lanes_of<Real>;
    const Stream stream(address);
    potential_relax(view, unit, 0.5 * reach, count, x);
    NoiseTile<Real> noise;
    for (std::size_t start = 0; start < steps; start += noise.size) {
        const std::size_t stop = steps - start < noise.size ? steps - start : noise.size;
        noise.fill(stream, StepsOfUnit{address.step, address.element}, stop);
        address.step += stop;
        for (std::size_t k = 0; k < stop; ++k) {
            for (std::size_t half = 0; half < 2; ++half) {
                Real* own = x + half * lanes_of<Real>;
                const Pack<Real> state = relaxed(load(own), factors.half_rate);
                const Pack<Real> push =
                    factors.own ? load(factors.push + half * lanes_of<Real>) : all(*factors.push);
                const Pack<Real> kick =
                    fused(all(factors.width), half == 0 ? noise[k].first : noise[k].second, push);
                store(own,
                      relaxed(state + fused(all(factors.growth), state, kick), factors.half_rate));
            }
            const double share = start + k + 1 < steps ? 1.0 : 0.5;
            potential_relax(view, unit, share * reach, count, x);
        }
    }
}

/// Steps of a unit with inertia; its second noise is that of `momentum`, and halves of the kicks of
/// adjacent steps are merged.
template <class Slope>
KTC_INLINE void inertial_steps(const Slope& slope, double* x, double* p, std::size_t steps,
                               const InertialUnit& unit, StreamAddress address,
                               std::uint32_t momentum) {
    const Stream stream(address);
    Doubles place[2] = {load(x), load(x + pack_width)}, speed[2] = {load(p), load(p + pack_width)};
    const auto kick = [&](double time) {
        for (std::size_t k = 0; k < 2; ++k) speed[k] = speed[k] - time * slope(place[k]);
    };
    kick(0.5 * unit.step);
    NoiseTile<double> first, second;
    for (std::size_t start = 0; start < steps; start += first.size) {
        const std::size_t stop = steps - start < first.size ? steps - start : first.size;
        first.fill(stream, StepsOfUnit{address.step, address.element}, stop);
        second.fill(stream, StepsOfUnit{address.step, momentum}, stop);
        address.step += stop;
        for (std::size_t n = 0; n < stop; ++n) {
            const NormalPair<double> one = first[n], other = second[n];
            const Doubles xi[2] = {one.first, one.second}, eta[2] = {other.first, other.second};
            const auto moved = [&](std::size_t row, std::size_t k) {
                const Doubles noise =
                    fused(all(unit.spread[2 * row]), xi[k],
                          fused(all(unit.spread[2 * row + 1]), eta[k], all(unit.push[row])));
                return fused(all(unit.decay[2 * row]), place[k],
                             fused(all(unit.decay[2 * row + 1]), speed[k], noise));
            };
            for (std::size_t k = 0; k < 2; ++k) {
                const Doubles next = moved(0, k);
                speed[k] = moved(1, k);
                place[k] = next;
            }
            kick((start + n + 1 < steps ? 1.0 : 0.5) * unit.step);
        }
    }
    for (std::size_t k = 0; k < 2; ++k) {
        store(x + k * pack_width, place[k]);
        store(p + k * pack_width, speed[k]);
    }
}

inline void inertial_uncoupled(double* x, double* p, std::size_t steps, const PotentialView& view,
                               const InertialUnit& unit, StreamAddress address,
                               std::uint32_t momentum) {
    const auto cubic = [&](Doubles at) { return (unit.quartic * at) * (at * at); };
    if (view.kind == PotentialKind::none)
        inertial_steps(cubic, x, p, steps, unit, address, momentum);
    with_potential(view, [&](const auto& potential) {
        const auto slope = [&](Doubles at) { return potential(at).slope + cubic(at); };
        inertial_steps(slope, x, p, steps, unit, address, momentum);
    });
}

}  // namespace ktc::KTC_INSTRUCTION_SET
