#pragma once

#include <cstdint>

#include "motion/block.hpp"
#include "motion/line.hpp"

namespace ktc {

/// One resistor acting alone: every other element rests, and the state moves along d by δ,
///     dδ = −g (s + c δ − e) dt + √(2 kT g) dW,
/// an exact one-dimensional Ornstein–Uhlenbeck move, which leaves exp(−H/kT) invariant at any step
/// when H is quadratic. A quartic unit relaxes in its quartic potential for half of the step before
/// and half after it, w′ = w/√(1 + 2gκd² w² t), which is second order in the step. All that the
/// energy changes by, besides what the source e delivers, is this resistor's heat.
class Bath {
   public:
    struct Resistor {
        double conductance, kT;
        std::size_t account;
    };
    /// Raises where a quartic unit does not lie along the line alone.
    Bath(Line line, const Resistor& resistor, double step);

    /// `element` is where its noise is.
    void advance(double* state, const std::vector<double>& force, double emf,
                 const NoiseAddress& address, std::uint32_t element, Posts& posts) const;

   private:
    Line line_;
    Resistor resistor_;
    double reach_, width_;  ///< δ = −(s − e) reach + width ξ
    double quartic_rate_;
};

}  // namespace ktc
