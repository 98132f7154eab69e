#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ground/matrix.hpp"
#include "ground/precision.hpp"
#include "kernels/packed_matrix.hpp"
#include "motion/block.hpp"
#include "motion/propagator.hpp"
#include "physics/elements.hpp"
#include "physics/energy.hpp"

namespace ktc {

/// Overdamped units that have one resistor each, all at one temperature, with any couplings and
/// quartic terms: all units at once, one product with a (d, d) matrix and one normal per unit a
/// step. A step is symmetric (Strang, SIAM J. Numer. Anal. 5, 506, 1968),
///     half of the quartic relaxation, x/√(1 + κgh x²), exact;
///     the linear motion by its midpoint,  x′ = x − hG K (x + x′)/2 + hG b + √(2kT G h) ξ;
///     the other half,
/// and halves of neighbouring steps are one. The midpoint leaves exp(−H/kT) invariant at any step
/// where H is quadratic: its kT (1 − a²)/k of noise is what a = (1 − y)/(1 + y), y = hgk/2, loses.
/// With quartic terms averages are second order in the step. Solved for x′,
///     x′ = x + η + D (2x + η),   η = hG b + √(2kT G h) ξ,   D = −(1 + hGK/2)⁻¹ hGK/2.
/// Units without couplings move linearly by their exact Ornstein–Uhlenbeck move instead.
///
/// One temperature and no source: the heat is −ΔH, posted between x and x′ some steps later as
///     −Σ Δx_i ((K x̄)_i − b_i + ¼ κ_i (x_i + x′_i)(x_i² + x′_i²)),   x̄ = (x + x′)/2.
class Midpoint final : public Propagator {
   public:
    /// For states in `precision` alone, where one of a coordinate stands for its entry of `unit`.
    Midpoint(const Elements& elements, std::shared_ptr<const Energy> energy, double kT, double hold,
             double longest_step, Precision precision, const std::vector<double>& unit);

    std::uint64_t steps() const override { return steps_; }
    /// Where a hold may be left, halves of neighbouring steps are not made one: rarely, and yet
    /// some times a second where there are thousands of units.
    std::uint64_t steps_at_once() const override;
    const Midpoint* midpoint() const override { return this; }
    void advance(double* state, const Drive& drive, const NoiseAddress& address,
                 Workspace& workspace, Posts& posts) const override;

    /// Moves a block `steps` steps on, at most steps_at_once(), and posts heat and supply.
    template <class Real>
    void play(Real* state, const std::vector<double>& force, const NoiseAddress& address,
              std::uint64_t steps, Workspace& workspace, Posts& posts) const;

   private:
    /// What a step multiplies by, in the units of the state.
    template <class Real>
    struct Parameters {
        std::vector<Real> width, rate, half_rate, growth;
        std::vector<double> unit;     ///< what one of the state stands for
        PackedMatrix<Real> response;  ///< D; empty without couplings
    };

    template <class Real>
    Parameters<Real> parameters(const std::vector<double>& unit, const Matrix& response) const;
    template <class Real>
    const Parameters<Real>& own() const;
    template <class Real>
    std::vector<Real> push_of(const std::vector<double>& force) const;
    template <class Real>
    void step_alone(Real* state, const std::vector<Real>& push, const NoiseAddress& at,
                    std::uint64_t steps) const;
    template <class Real>
    void step_together(Real* state, const std::vector<Real>& push, NoiseAddress address,
                       std::uint64_t steps, Real* sums) const;
    template <class Real>
    void post(const Real* before, const Real* after, const std::vector<double>& force,
              Workspace& workspace, Posts& posts) const;

    std::shared_ptr<const Energy> energy_;
    std::uint64_t steps_;
    double step_;
    bool uncoupled_;
    std::vector<double> mobility_, quartic_, reach_, thermal_;
    PackedMatrix<double> stiffness_;
    Parameters<double> full_;
    Parameters<float> single_;
};

}  // namespace ktc
