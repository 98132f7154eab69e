#pragma once

#include <optional>
#include <vector>

#include "motion/block.hpp"
#include "motion/line.hpp"
#include "physics/elements.hpp"
#include "physics/energy.hpp"

namespace ktc {

/// The motion without resistors and generators, dz = J ∇H dt + Σ_s a_s I_s dt. Its quadratic part
/// is moved exactly, e^{JAh} with its current sources; quartic units kick their momenta for half a
/// step before and after it, which is symplectic and second order in the step. What the current
/// sources delivered is posted as source, and what else the energy changed by, as the quartic part
/// is split from the rest, as shadow work: it averages out, and is zero but for rounding without
/// quartic units.
class Lossless {
   public:
    Lossless(const Elements& elements, const Energy& energy, double step);

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
    std::vector<Line> kicks_;  ///< one a quartic unit, along the column of J that it pushes
    std::vector<std::size_t> kicked_by_;
    double step_;
    std::vector<Line> injections_;  ///< one a current source
};

}  // namespace ktc
