#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "motion/propagator.hpp"
#include "physics/sparse_circuit.hpp"

namespace ktc {

/// One step of a large circuit by its implicit midpoint. With ȳ = (∇H, u) at the mean of the states
/// before and after,
///     z′ = z + h J ȳ + Σ_r d_r δξ_r + h Σ_s a_s I_s + Σ_i a_i √(S_i h) ζ_i,
///     δξ_r = −g_r h (d_r·ȳ − e_r) + √(2 kT_r g_r h) ζ_r,
/// which takes one solution with S + ½h (G − J). Mean and covariance of the stationary state are
/// exact at any step, whatever the temperatures and sources, because this Cayley transform keeps
/// the solution of their equations; it is stable at any step, and second order in it. Energies of a
/// step are ȳ times displacements, so that the first law closes and lossless parts need no account.
class CircuitStep {
   public:
    CircuitStep(std::shared_ptr<const SparseCircuit> circuit, const std::vector<double>& kT,
                double step);

    const SparseCircuit& circuit() const { return *circuit_; }
    double step() const { return step_; }
    /// Random numbers that a step uses: elements of noise from the first one on.
    std::size_t elements() const { return width_.size() + noise_width_.size(); }
    std::size_t entries() const { return factor_.entries(); }

    /// ȳ of every lane; `charge` is S b, and `push` that of the sources.
    void find_slope(const double* state, const std::vector<double>& charge,
                    const std::vector<double>& push, const NoiseAddress& address, Purpose purpose,
                    std::size_t first_element, double* slope) const;
    /// z ← 2 S (ȳ + b) − z.
    void move(const double* slope, const std::vector<double>& charge, double* state) const;

    double width(std::size_t resistor) const { return width_[resistor]; }
    double noise_width(std::size_t noise) const { return noise_width_[noise]; }

   private:
    std::shared_ptr<const SparseCircuit> circuit_;
    double step_;
    std::vector<double> width_;        ///< √(2 kT_r g_r h)
    std::vector<double> noise_width_;  ///< √(S_i h)
    SparseFactor<double> factor_;
};

/// Steps of a large circuit through a hold. `pooled` posts all heat to one account.
///
/// Heat that flows between temperatures, by modes faster than a step, is first order in it:
/// ½h g_r Σ_s g_s (kT_r − kT_s) (d_r·(S + ½hG)⁻¹ d_s)² is missing in the mean of resistor r, and
/// the same of generators, 2 kT_s g_s → S_s. It is added, so that mean heats are second order.
std::unique_ptr<StepPropagator> circuit_propagator(std::shared_ptr<const SparseCircuit> circuit,
                                                   const std::vector<double>& kT, double hold,
                                                   double longest_step, bool pooled);

}  // namespace ktc
