#pragma once

#include <cstddef>
#include <vector>

#include "ground/matrix.hpp"

namespace ktc {

/// What can be programmed while a network runs. The stored energy of state z = x, or (x, p), is
///     H = ½ xᵀ K x − bᵀ x + ½ pᵀ M⁻¹ p.
struct Controls {
    std::vector<double> bias;  ///< b, one entry a unit
    Matrix stiffness;          ///< K, symmetric positive definite
    double kT = 1.0;           ///< k_B T of every resistor

    bool operator==(const Controls&) const = default;
};

/// What cannot be programmed: the circuit itself, in the one equation of every circuit,
///     dz = (J − G) ∇H dt + √(2 kT G) dW,
/// with lossless interconnection J = −Jᵀ and mobility G of the resistors (Freitas, Delvenne,
/// Esposito, Phys. Rev. X 10, 031005, 2020). Overdamped: z = x, J = 0, G = R⁻¹.
/// With inertia: z = (x, p), J the symplectic block, G = diag(0, R).
class Network {
   public:
    /// `friction` R is (d, d) symmetric positive definite; `inertia` M has d entries, or none.
    Network(Matrix friction, std::vector<double> inertia);

    std::size_t units() const { return friction_.rows(); }
    /// Length of the state z: d, or 2d with inertia.
    std::size_t dimension() const { return has_inertia() ? 2 * units() : units(); }
    bool has_inertia() const { return !inertia_.empty(); }
    const Matrix& friction() const { return friction_; }
    const std::vector<double>& inertia() const { return inertia_; }

    /// Refuses controls of the wrong shape, not finite, or whose energy confines nothing.
    void check(const Controls& controls) const;

   private:
    Matrix friction_;
    std::vector<double> inertia_;
};

}  // namespace ktc
