#pragma once

#include <memory>
#include <vector>

#include "motion/propagator.hpp"
#include "motion/substeps.hpp"

namespace ktc {

/// Sub-step of the motion without resistors and generators, dz = J ∇H dt + Σ_s a_s I_s dt. The
/// quadratic part, current sources included, moves exactly by e^{JAh}; quartic units kick their
/// momenta for half of the step before and half after it, which is symplectic and second order in
/// the step. The work of the current sources is posted as source. The energy error of the splitting
/// is posted as shadow work: its average vanishes, and without quartic units it is rounding.
class LosslessMove {
   public:
    LosslessMove(const Elements& elements, const Energy& energy, double step);

    bool idle() const { return interconnection_.empty() && sources_.empty(); }
    /// `force` is that of the block.
    void advance(double* state, const Drive& drive, const LaneNumbers& force, Workspace& workspace,
                 Posts& posts) const;

   private:
    void inject(double* state, const Drive& drive, const LaneNumbers& force, double time,
                Posts& posts) const;
    void rotate(double* state, const Drive& drive, const LaneNumbers& force, bool with_sources,
                Workspace& workspace, Posts& posts) const;
    /// What the force and the sources add to the state in a step, in a block [coordinate][lane].
    void offset(const Drive& drive, const LaneNumbers& force, bool with_sources,
                double* block) const;
    void kick(double* state, const LaneNumbers& force, Posts& posts) const;

    Matrix interconnection_, sources_;
    Stiffness hessian_;
    Matrix growth_;    ///< e^{JAh} − 1
    Matrix integral_;  ///< ∫₀ʰ e^{JAs} ds
    std::vector<double> quartic_;
    std::vector<SubstepDirection> kicks_;  ///< one per quartic unit, along its column of J
    std::vector<std::size_t> kicked_by_;
    double step_;
    std::vector<SubstepDirection> injections_;  ///< one per current source
};

/// The splitting integrator, for quartic units, several temperatures, sources, injected noise, and
/// heat per resistor. One step is
///     generators ½, lossless motion ½, resistors in turn ½, the same backwards,
/// where every sub-step is exact and changes one account (Strang, SIAM J. Numer. Anal. 5, 506,
/// 1968; Leimkuhler, Matthews, Molecular Dynamics, ch. 7, 2015). Averages are second order in the
/// step; at one temperature exp(−H/kT) of a quadratic network is invariant at any step. `pooled`
/// posts all heat to one account.
std::unique_ptr<StepPropagator> splitting_propagator(const Elements& elements, const Energy& energy,
                                                     const std::vector<double>& kT, double hold,
                                                     double longest_step, bool pooled = false);

}  // namespace ktc
