#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "ground/block_width.hpp"
#include "ground/compensated_sum.hpp"
#include "ground/matrix.hpp"

namespace ktc {

/// What running statistics are to gather. Mean and variance always are.
struct StatisticsPlan {
    std::vector<double> scale;  ///< public state over the network's own, one a unit
    bool covariance = false;
    Matrix edges;             ///< ascending edges of the histograms, a row a unit; or empty
    std::size_t slots = 0;    ///< lags 0..slots−1 of the autocorrelation; 0 for none
    std::uint64_t every = 1;  ///< ticks from one observation to the next
    std::size_t blocks = 1;   ///< of replicas
    std::size_t threads = 1;

    std::size_t units() const { return scale.size(); }
    /// Tasks that a pass over all blocks is cut into, each with sums of its own. Their number
    /// depends on what is gathered and on the blocks alone, so that the bits do not depend on
    /// threads.
    std::size_t parts() const;
    /// Memory that all of it takes.
    double bytes() const;
};

/// Running statistics of the public state over time and replicas. Memory is taken once, when they
/// are made; sums are of deviations from the ensemble mean at the first observation, compensated,
/// so that they keep their digits where the mean lies far out.
class Statistics {
   public:
    explicit Statistics(StatisticsPlan plan);

    const StatisticsPlan& plan() const { return plan_; }
    std::uint64_t observations() const { return observations_; }
    /// Ticks to play before the next observation.
    std::uint64_t ticks_left() const { return plan_.every - ticks_; }
    /// Notes that ticks were played; true where an observation is due.
    bool pass(std::uint64_t ticks);

    /// Opens an observation; `mean` is that of the ensemble, and is looked at the first time only.
    void begin(const std::vector<double>& mean);
    bool has_reference() const { return !reference_.empty(); }
    /// Scratch of one worker: a block's state as it is kept, and in the coordinates of the user.
    struct Scratch {
        std::vector<double> kept, state, deviation;
    };
    Scratch& scratch(std::size_t worker) { return scratch_[worker]; }
    /// Blocks [first, second) are those of a part.
    std::pair<std::size_t, std::size_t> blocks_of(std::size_t part) const;
    /// Takes one block's replicas, lanes [begin, end); `state` is [unit][lane] in network units.
    void add(std::size_t part, std::size_t block, const double* state, std::size_t begin,
             std::size_t end, Scratch& scratch);
    void end(std::size_t part);
    /// Work of taking one block's unit, in moves of an independent unit.
    double cost() const;

    struct Result {
        std::uint64_t observations = 0, samples = 0;
        std::vector<double> mean, variance;
        Matrix covariance;                 ///< empty unless asked for
        std::vector<std::int64_t> counts;  ///< [unit][below, bins..., above]
        Matrix autocovariance;             ///< [lag][unit]; empty unless asked for
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
    /// Products of states a lag apart, and what both ends of all those pairs sum up to.
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

    StatisticsPlan plan_;
    std::uint64_t ticks_ = 0, observations_ = 0;
    std::vector<double> reference_;
    std::vector<double> inverse_width_;  ///< of a unit's bins where they are all alike; else zero
    std::vector<Part> parts_;
    std::vector<Scratch> scratch_;
    std::vector<double> past_;  ///< [block][slot][unit][lane], deviations
};

}  // namespace ktc
