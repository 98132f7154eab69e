#pragma once

#include <cstdint>

#include "motion/block.hpp"
#include "motion/line.hpp"

namespace ktc {

/// One noise source acting alone: charge injected along a, without drift and without a bath. White
/// noise of two-sided density S injects N(0, S h); behind a low-pass filter of rate λ = 2πΔf the
/// current j is dj = −λ j dt + λ√S dW, moved exactly together with its integral. What the energy
/// changes by was injected.
class Generator {
   public:
    /// `rate` 0 means white noise.
    Generator(Line line, double density, double rate, double step);

    /// `filter` is the current j of every lane, null for white noise. Uses two elements from
    /// `element` on.
    void advance(double* state, double* filter, const std::vector<double>& force,
                 const NoiseAddress& address, std::uint32_t element, Posts& posts) const;

   private:
    Line line_;
    double decay_ = 0.0, reach_ = 0.0;  ///< j′ = decay j + …, charge = reach j + …
    double charge_width_, filter_width_ = 0.0, filter_share_ = 0.0;
};

}  // namespace ktc
