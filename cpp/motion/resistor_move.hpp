#pragma once

#include <cstdint>

#include "motion/noise_address.hpp"
#include "motion/posts.hpp"
#include "motion/substep_direction.hpp"

namespace ktc {

/// Sub-step of one resistor: the state moves along d by δ,
///     dδ = −g (s + c δ − e) dt + √(2 kT g) dW,
/// an exact one-dimensional Ornstein–Uhlenbeck move, which leaves exp(−H/kT) of a quadratic H
/// invariant at any step. A quartic unit relaxes in its quartic potential for half of the step
/// before and half after it, w′ = w/√(1 + 2gκd² w² t), which is second order in the step. The
/// energy change without the work of the source e is the heat of this resistor.
class ResistorMove {
   public:
    struct Resistor {
        double conductance, kT;
        std::size_t account;
    };
    /// Raises if the direction moves a quartic unit together with others.
    ResistorMove(SubstepDirection direction, const Resistor& resistor, double step);

    /// `element` is the element of its noise address.
    void advance(double* state, const std::vector<double>& force, double emf,
                 const NoiseAddress& address, std::uint32_t element, Posts& posts) const;

   private:
    SubstepDirection direction_;
    Resistor resistor_;
    double reach_, width_;  ///< δ = −(s − e) reach + width ξ
    double quartic_rate_;
};

}  // namespace ktc
