#pragma once

#include "ground/matrix.hpp"
#include "motion/coordinates.hpp"
#include "physics/network.hpp"

namespace ktc {

/// Exact motion of a linear system over a hold: z′ = A z + c + N(0, Q).
struct Transition {
    Matrix decay;       ///< A = e^{Fh}
    Matrix covariance;  ///< Q = ∫₀ʰ e^{Fs} D e^{Fᵀs} ds
};

/// Transition of dz = F z dt + noise of covariance rate D over any hold. P is the stationary
/// covariance, F P + P Fᵀ + D = 0; F may be non-normal or defective, D singular.
Transition linear_transition(const Matrix& drift, const Matrix& diffusion, const Matrix& stationary,
                             double hold);

/// Variance of an Ornstein–Uhlenbeck process a hold after a point: kT (1 − e^{−2λh}).
double relaxed_variance(double kT, double rate, double hold);

/// Transition in natural coordinates, with P = kT·1.
Transition natural_transition(const Coordinates& coordinates, double kT, double hold);

/// Transition of the state z of a network at given stiffness and kT.
Transition network_transition(const Network& network, const Controls& controls, double hold);

}  // namespace ktc
