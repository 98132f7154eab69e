#pragma once

#include <cstddef>
#include <vector>

#include "engine/ensemble.hpp"
#include "engine/statistics.hpp"

namespace ktc {

/// Mean and second central moment over the replicas, in the coordinates of the state z.
struct Moments {
    std::vector<double> mean;
    Matrix covariance;  ///< empty unless requested
};

/// Reads replicas that stand at a setting. It refers to both and is valid while neither changes.
class Readout {
   public:
    Readout(const Ensemble& ensemble, const Setting& setting)
        : ensemble_(ensemble), setting_(setting) {}

    /// Writes coordinates [begin, end) of z as (replicas, end − begin) row-major.
    void state(std::size_t begin, std::size_t end, double* out) const;
    Moments moments(bool with_covariance) const;
    /// Writes one number per replica.
    void energy(double* out) const;
    void energy_change(double* out) const;
    void balance(std::size_t account, double* out) const;
    /// Largest imbalance of the books.
    double imbalance() const;
    /// Takes one observation.
    void observe(Statistics& statistics) const;

   private:
    template <class Visit>
    void for_each_replica(Visit&& visit) const;
    Matrix covariance(const std::vector<double>& natural_mean) const;
    LaneNumbers rest_of(const ReplicaBlock& block) const {
        return setting_.drive->rest_of(block.number);
    }
    /// State z of a block, [coordinate][lane], in place or in `out`.
    const double* state_of(const ReplicaBlock& block, std::vector<double>& natural,
                           std::vector<double>& out) const;

    const Ensemble& ensemble_;
    const Setting& setting_;
};

}  // namespace ktc
