#pragma once

#include <cstddef>
#include <vector>

#include "engine/ensemble.hpp"
#include "motion/setting.hpp"
#include "motion/state_format.hpp"

namespace ktc {

/// States for all replicas of an ensemble, (replicas, dimension) row-major, to be stored at a
/// setting. Filters are left alone. It refers to its arguments.
class Placement {
   public:
    Placement(const double* states, const Setting& setting) : states_(states), setting_(setting) {}

    /// Refuses states whose energy overflows or that the format cannot hold.
    void check(const Ensemble& ensemble, const StateFormat& format);
    void store(Ensemble& ensemble);

   private:
    /// The states of a block in the coordinates of the setting, [coordinate][lane].
    const std::vector<double>& block_of(const ReplicaBlock& block);

    const double* states_;
    const Setting& setting_;
    std::vector<double> state_, natural_;
};

}  // namespace ktc
