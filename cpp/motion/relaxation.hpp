#pragma once

#include <cmath>

namespace ktc {

/// Exact move of one coordinate, dx = −g (s + c x) dt + √(2 kT g) dW, over a time t (Uhlenbeck,
/// Ornstein, Phys. Rev. 36, 823, 1930): x′ = x − reach (s + c x) + width ξ, with
///     reach = (1 − e^{−gct})/c,   width² = kT (1 − e^{−2gct})/c.
/// The curvature c may be zero or negative.
struct Relaxation {
    double reach, width;

    Relaxation(double conductance, double curvature, double kT, double time) {
        const double exponent = conductance * curvature * time;
        reach = conductance * time * mean_decay(exponent);
        width = std::sqrt(2.0 * kT * conductance * time * mean_decay(2.0 * exponent));
    }

   private:
    /// (1 − e^{−y})/y
    static double mean_decay(double y) { return y == 0.0 ? 1.0 : -std::expm1(-y) / y; }
};

}  // namespace ktc
