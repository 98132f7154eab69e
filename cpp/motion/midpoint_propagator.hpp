#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/packed_matrix.hpp"
#include "motion/propagator.hpp"

namespace ktc {

/// Midpoint steps of overdamped units with one resistor each, at one temperature, with any
/// couplings and quartic terms. A step moves all units by one product with a (d, d) matrix and
/// takes one normal per unit. It is symmetric (Strang, SIAM J. Numer. Anal. 5, 506, 1968),
///     half of the quartic relaxation, x/√(1 + κgh x²), exact;
///     the linear motion by its midpoint,  x′ = x − hG K (x + x′)/2 + hG b + √(2kT G h) ξ;
///     the other half,
/// and adjacent halves of consecutive steps are merged. The midpoint leaves exp(−H/kT) of a
/// quadratic H invariant at any step: its noise kT (1 − a²)/k equals the variance lost by
/// a = (1 − y)/(1 + y), y = hgk/2. With quartic terms averages are second order in the step. Solved
/// for x′,
///     x′ = x + η + D (2x + η),   η = hG b + √(2kT G h) ξ,   D = −(1 + hGK/2)⁻¹ hGK/2.
/// The linear motion of units without couplings is their exact Ornstein–Uhlenbeck move instead.
///
/// At one temperature and without sources the heat is −ΔH, posted for several steps at once, from x
/// to x′, as
///     −Σ Δx_i ((K x̄)_i − b_i + ¼ κ_i (x_i + x′_i)(x_i² + x′_i²)),   x̄ = (x + x′)/2.
template <class Real>
class MidpointPropagator final : public Propagator {
   public:
    /// Moves states stored as Real, coordinate i in units of unit[i].
    MidpointPropagator(const Elements& elements, std::shared_ptr<const Energy> energy, double kT,
                       double hold, double longest_step, const std::vector<double>& unit);

    std::uint64_t steps() const override { return steps_; }
    /// An interruption splits a merged relaxation: it is allowed rarely, but several times per
    /// second with thousands of units.
    std::uint64_t steps_at_once() const override;
    double cost() const override;
    std::size_t play(const TickBatch& batch, std::size_t first, ReplicaBlock& block,
                     Workspace& workspace) const override;
    /// Moves a state by at most steps_at_once() steps, and fills heat and supply.
    void advance(Real* state, const LaneNumbers& force, const NoiseAddress& address,
                 std::uint64_t steps, Workspace& workspace, Posts& posts) const;

   private:
    /// Shift of every unit by its force in a step, [unit] or [unit][lane].
    struct Push {
        std::vector<Real> numbers;
        bool own;
        const Real* of(std::size_t unit, std::size_t lane) const {
            return numbers.data() + (own ? unit * block_width + lane : unit);
        }
    };
    Push push_by(const LaneNumbers& force) const;
    void step_uncoupled(Real* state, const Push& push, const NoiseAddress& at,
                        std::uint64_t steps) const;
    void step_coupled(Real* state, const Push& push, NoiseAddress address, std::uint64_t steps,
                      Real* sums) const;
    void post(const Real* before, const Real* after, const LaneNumbers& force, Workspace& workspace,
              Posts& posts) const;

    std::shared_ptr<const Energy> energy_;
    std::uint64_t steps_;
    bool uncoupled_;
    std::vector<double> unit_, quartic_, reach_;
    // Factors of a step, in the units of the state.
    std::vector<Real> width_, rate_, half_rate_, growth_;
    PackedMatrix<Real> response_;     ///< D; empty without couplings
    PackedMatrix<double> stiffness_;  ///< K; empty without couplings
};

}  // namespace ktc
