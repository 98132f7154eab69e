#pragma once

#include "kernels/pack_bits.hpp"

/// 1/√s by additions and multiplications alone: the processor's own root and division take several
/// times as long, and one at a time.
namespace ktc::KTC_INSTRUCTION_SET {

/// Half the exponent, and a mantissa to 3.5 % (Lomont, Fast inverse square root, Purdue, 2003).
KTC_INLINE Doubles inverse_root_estimate(Doubles s) {
    return as_doubles(std::uint64_t{0x5FE6EB50C7B537A9} - (as_words(s) >> std::uint64_t{1}));
}
KTC_INLINE Floats inverse_root_estimate(Floats s) {
    return as_floats(std::uint32_t{0x5F375A86} - (as_half_words(s) >> std::uint32_t{1}));
}

/// For normal s > 0, to two units in the last place: with e = s y² − 1 the series
/// y (1 − e/2 + 3e²/8 − …) triples the digits at each turn.
template <class Real>
KTC_INLINE Pack<Real> inverse_root(Pack<Real> s) {
    Pack<Real> y = inverse_root_estimate(s);
    for (int turn = 0; turn < (sizeof(Real) == sizeof(double) ? 3 : 2); ++turn) {
        const Pack<Real> e = fused(s * y, y, all(Real{-1}));
        y = fused(y * e, fused(all(Real(0.375)), e, all(Real(-0.5))), y);
    }
    return y;
}

}  // namespace ktc::KTC_INSTRUCTION_SET
