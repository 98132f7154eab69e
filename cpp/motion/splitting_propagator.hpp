#pragma once

#include <memory>
#include <vector>

#include "motion/propagator.hpp"
#include "physics/elements.hpp"
#include "physics/energy.hpp"

namespace ktc {

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
