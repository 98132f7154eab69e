#pragma once

#include <memory>

#include "motion/propagator.hpp"
#include "motion/transition.hpp"

namespace ktc {

/// Exact motion of coupled natural coordinates: u′ = A u + B ξ of the deviation u from β, as one
/// dense product [A B] (u, ξ) with B Bᵀ = Q.
std::unique_ptr<Propagator> dense_propagator(const Transition& transition);

}  // namespace ktc
