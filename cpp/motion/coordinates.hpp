#pragma once

#include <vector>

#include "ground/matrix.hpp"
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

}  // namespace ktc
