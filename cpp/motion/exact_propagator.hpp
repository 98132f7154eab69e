#pragma once

#include <memory>

#include "ground/precision.hpp"
#include "motion/coordinates.hpp"
#include "motion/propagator.hpp"

namespace ktc {

/// The exact propagator of a linear network in natural coordinates: mode by mode where the motion
/// decouples, at a cost O(d) per replica, and by dense products otherwise.
std::unique_ptr<Propagator> exact_propagator(const Coordinates& coordinates, double kT, double hold,
                                             Precision precision);

}  // namespace ktc
