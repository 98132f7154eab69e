#pragma once

#include <memory>

#include "motion/propagator.hpp"
#include "motion/setting.hpp"
#include "motion/state_format.hpp"

namespace ktc {

/// Propagator of a hold at a setting, for states in this format. Steps of motion that is not exact
/// are at most `longest_step` long.
std::shared_ptr<const Propagator> hold_propagator(const Network& network, const Setting& setting,
                                                  Motion motion, const StateFormat& format,
                                                  double hold, double longest_step);

}  // namespace ktc
