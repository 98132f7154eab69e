#pragma once

#include <vector>

#include "motion/posts.hpp"
#include "motion/setting.hpp"
#include "motion/substep_direction.hpp"
#include "motion/workspace.hpp"
#include "physics/elements.hpp"
#include "physics/energy.hpp"

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
    void advance(double* state, const Drive& drive, Workspace& workspace, Posts& posts) const;

   private:
    void inject(double* state, const Drive& drive, double time, Posts& posts) const;
    void rotate(double* state, const Drive& drive, bool with_sources, Workspace& workspace,
                Posts& posts) const;
    void kick(double* state, const std::vector<double>& force, Posts& posts) const;

    Matrix interconnection_, sources_;
    Stiffness hessian_;
    Matrix growth_;    ///< e^{JAh} − 1
    Matrix integral_;  ///< ∫₀ʰ e^{JAs} ds
    std::vector<double> quartic_;
    std::vector<SubstepDirection> kicks_;  ///< one per quartic unit, along its column of J
    std::vector<std::size_t> kicked_by_;
    double step_;
    std::vector<SubstepDirection> injections_;  ///< one a current source
};

}  // namespace ktc
