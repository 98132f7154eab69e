#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "ground/block_width.hpp"
#include "ground/compensated_sum.hpp"
#include "ground/matrix.hpp"

namespace ktc {

/// What running statistics gather beside mean and variance.
struct StatisticsPlan {
    std::vector<double> scale;  ///< units of the user over those of the network, one per unit
    bool covariance = false;
    Matrix edges;             ///< ascending edges of the histograms, one row per unit; or empty
    std::size_t slots = 0;    ///< lags 0..slots−1 of the autocorrelation; 0 for none
    std::uint64_t every = 1;  ///< ticks between observations
    std::size_t blocks = 1;   ///< of replicas
    std::size_t threads = 1;

    std::size_t units() const { return scale.size(); }
    /// Number of tasks per observation, each with its own sums. It does not depend on the number of
    /// threads, and so neither do the bits.
    std::size_t parts() const;
    /// Memory of all sums.
    double bytes() const;
};

/// Running statistics of the state over time and replicas. All memory is allocated by the
/// constructor. Sums are compensated and taken of deviations from the ensemble mean at the first
/// observation, so that they keep their digits at any mean.
class Statistics {
   public:
    explicit Statistics(StatisticsPlan plan);

    const StatisticsPlan& plan() const { return plan_; }
    std::uint64_t observations() const { return observations_; }
    /// Ticks to play before the next observation.
    std::uint64_t ticks_left() const { return plan_.every - ticks_; }
    /// Counts ticks that were played. Returns whether an observation is due.
    bool pass(std::uint64_t ticks);

    /// Begins an observation. The first one needs the mean of the ensemble as `mean`.
    void begin(const std::vector<double>& mean);
    bool has_reference() const { return !reference_.empty(); }
    /// Scratch memory of one worker: a block's state in natural coordinates, and converted.
    struct Scratch {
        std::vector<double> natural, state, deviation;
    };
    Scratch& scratch(std::size_t worker) { return scratch_[worker]; }
    /// The blocks [first, second) of a part.
    std::pair<std::size_t, std::size_t> blocks_of(std::size_t part) const;
    /// Adds lanes [begin, end) of a block; `state` is [unit][lane] in units of the network.
    void add(std::size_t part, std::size_t block, const double* state, std::size_t begin,
             std::size_t end, Scratch& scratch);
    void end(std::size_t part);
    /// Work per unit of one replica, in moves of an independent unit.
    double cost() const;

    struct Result {
        std::uint64_t observations = 0, samples = 0;
        std::vector<double> mean, variance;
        Matrix covariance;                 ///< empty unless requested
        std::vector<std::int64_t> counts;  ///< [unit][below, bins..., above]
        Matrix autocovariance;             ///< [lag][unit]; empty unless requested
    };
    Result result() const;

   private:
    struct Sum {
        double value = 0.0, carry = 0.0;
        void add(double term) { add_compensated(value, carry, term); }
        void add(const Sum& other) {
            add(other.value);
            add(other.carry);
        }
        double total() const { return value + carry; }
    };
    /// Sums over pairs of states one lag apart: their products, and each of the two states.
    struct LagSums {
        Sum products, late, early;
    };
    struct Part {
        std::uint64_t samples = 0;
        std::vector<Sum> sum, square;
        Matrix products;
        std::vector<std::int64_t> counts;
        std::vector<LagSums> lags;      ///< [lag][unit]
        std::vector<double> slot_sums;  ///< [slot][unit]
    };

    void count(Part& part, std::size_t unit, const double* state, std::size_t replicas) const;
    void correlate(Part& part, std::size_t block, const double* deviation);
    std::size_t slot_of_lag(std::size_t lag) const;
    std::size_t lags_known() const;
    template <class Pick>
    double over_parts(Pick&& pick) const;
    Matrix covariance(double samples, const std::vector<double>& shift,
                      const std::vector<double>& variance) const;
    Matrix autocovariance(double samples, const std::vector<double>& shift) const;

    StatisticsPlan plan_;
    std::uint64_t ticks_ = 0, observations_ = 0;
    std::vector<double> reference_;
    std::vector<double> inverse_width_;  ///< of the bins of a unit if they are equal; else zero
    std::vector<Part> parts_;
    std::vector<Scratch> scratch_;
    std::vector<double> past_;  ///< [block][slot][unit][lane], deviations
};

}  // namespace ktc
