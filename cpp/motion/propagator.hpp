#pragma once

#include <memory>

#include "motion/block.hpp"
#include "motion/coordinates.hpp"

namespace ktc {

/// The one contract of every integrator: move a block of replicas over a hold at held controls,
/// and post the heat and the supply of that move.
class Propagator {
   public:
    virtual ~Propagator() = default;
    /// `state` is [coordinate][lane] in natural coordinates, `force` the β of those coordinates.
    /// Lanes outside the address's groups are left alone or filled with finite numbers.
    virtual void advance(double* state, const double* force, const NoiseAddress& address,
                         Workspace& workspace, Posts& posts) const = 0;
};

/// The exact propagator of a linear network: coordinate by coordinate where the motion decouples
/// (O(d) a replica), by dense products otherwise.
std::unique_ptr<Propagator> exact_propagator(const Coordinates& coordinates, double kT,
                                             double hold);

}  // namespace ktc
