#pragma once

#include <cstdint>

#include "motion/noise_address.hpp"
#include "motion/posts.hpp"
#include "motion/substep_direction.hpp"

namespace ktc {

/// Sub-step of one noise generator, which injects charge along a without drift or dissipation.
/// White noise of two-sided density S injects N(0, S h). Behind a low-pass filter of rate λ = 2πΔf
/// the current obeys dj = −λ j dt + λ√S dW and is moved exactly together with its integral. The
/// energy change is posted as injected.
class GeneratorMove {
   public:
    /// `rate` 0 means white noise.
    GeneratorMove(SubstepDirection direction, double density, double rate, double step);

    /// `filter` is the current j of every lane, null for white noise. The noise has two elements,
    /// `element` and the next.
    void advance(double* state, double* filter, const std::vector<double>& force,
                 const NoiseAddress& address, std::uint32_t element, Posts& posts) const;

   private:
    SubstepDirection direction_;
    double decay_ = 0.0, reach_ = 0.0;  ///< j′ = decay j + …, charge = reach j + …
    double charge_width_, filter_width_ = 0.0, filter_share_ = 0.0;
};

}  // namespace ktc
