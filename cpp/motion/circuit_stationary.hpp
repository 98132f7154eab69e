#pragma once

#include <memory>
#include <vector>

#include "motion/stationary_sampler.hpp"
#include "physics/sparse_circuit.hpp"

namespace ktc {

/// Draws from the stationary state of a large circuit. At one temperature it is N(S (y + b), kT S)
/// about the rest y, by a factor of S. At several temperatures, or with generators, it has no
/// closed form that is sparse; but steps of any length keep it, and steps of length 2/p multiply
/// the deviation in a mode of rate λ by (p − λ)/(p + λ), that of its covariance by the square. Some
/// thirty steps, p from the slowest rate to the fastest, leave less than 1e-12 of it (Wachspress,
/// The ADI Model Problem, ch. 1, 2013). With inductors rates are complex: passes over all p are
/// repeated until a probe has decayed.
class CircuitStationary final : public StationarySampler {
   public:
    /// Raises where so many steps would be needed that it cannot be drawn.
    CircuitStationary(std::shared_ptr<const SparseCircuit> circuit, const Controls& controls);

    double cost() const override;
    void draw(double* state, const NoiseAddress& address, Workspace& workspace,
              Watch& watch) const override;

   private:
    /// Repeats the rates until a probe has decayed.
    void repeat_rates();

    std::shared_ptr<const SparseCircuit> circuit_;
    std::vector<double> kT_, rest_, charge_, push_;
    std::vector<double> rates_;  ///< p, empty in equilibrium
    double width_ = 0.0;
    SparseFactor<double> storage_;
};

/// Rates p, spaced evenly by their logarithms from `slow` to `fast`, that multiply every deviation
/// between them by less than `left`.
std::vector<double> contracting_rates(double slow, double fast, double left);

}  // namespace ktc
