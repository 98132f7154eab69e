#pragma once

#include <cmath>
#include <vector>

#include "physics/network.hpp"

namespace ktc {

/// Natural coordinates w of a network at a given stiffness: z = T w with Tᵀ (∇²H) T = 1. Then
///     H = ½|w|² − βᵀw,   equilibrium N(β, kT·1),   β = Tᵀ(b, 0),
/// and the drift is F = T⁻¹ (J − G) T⁻ᵀ. Without inertia T also diagonalises the motion
/// (K v = λ R v): every coordinate is an independent Ornstein–Uhlenbeck process.
struct Coordinates {
    Matrix to_state;            ///< T; empty means the identity
    Matrix from_state;          ///< T⁻¹
    std::vector<double> rates;  ///< relaxation rates λ; empty with inertia
    Matrix drift;               ///< F; empty without inertia
    Matrix mobility;            ///< T⁻¹ G T⁻ᵀ, symmetric; empty without inertia
    bool natural = true;        ///< false: T = 1, and H keeps its Hessian
    std::size_t size = 0;       ///< number of coordinates if T is empty

    bool decoupled() const { return !rates.empty(); }
    std::size_t dimension() const { return to_state.empty() ? size : to_state.rows(); }

    /// β = Tᵀ(b, 0).
    std::vector<double> force(const std::vector<double>& bias) const;
};

/// The state itself, for motion by steps.
Coordinates physical_coordinates(const Network& network);

/// Raises if the stiffness is not positive definite.
Coordinates natural_coordinates(const Network& network, const Stiffness& stiffness);

/// Exact motion of a linear system over a hold: z′ = A z + c + N(0, Q).
struct Transition {
    Matrix decay;       ///< A = e^{Fh}
    Matrix covariance;  ///< Q = ∫₀ʰ e^{Fs} D e^{Fᵀs} ds
};

/// Transition of dz = F z dt + noise of covariance rate D over any hold. P is the stationary
/// covariance, F P + P Fᵀ + D = 0, or empty if it is not known exactly; F may be non-normal or
/// defective, D singular.
Transition linear_transition(const Matrix& drift, const Matrix& diffusion, const Matrix& stationary,
                             double hold);

struct Flow {
    Matrix growth;    ///< e^{Fh} − 1
    Matrix integral;  ///< ∫₀ʰ e^{Fs} ds = h Σ (Fh)ᵏ/(k + 1)!
    int doublings;
};

/// Flow of dz = F z dt, by the Taylor series of a short hold and doubling, in coordinates that are
/// multiplied by `scale` first.
Flow exact_flow(const Matrix& drift, const std::vector<double>& scale, double hold);

/// Variance of an Ornstein–Uhlenbeck process a hold after a point: kT (1 − e^{−2λh}).
double relaxed_variance(double kT, double rate, double hold);

/// ∫₀ʰ e^{−λs} ds.
double relaxed_integral(double rate, double hold);

/// Transition in natural coordinates, with P = kT·1.
Transition natural_transition(const Coordinates& coordinates, double kT, double hold);

/// Transition of the state z of a network at given stiffness and kT.
Transition network_transition(const Network& network, const Controls& controls, double hold);

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
