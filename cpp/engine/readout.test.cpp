#include "engine/readout.hpp"

#include <cmath>

#include "engine/ensemble.hpp"
#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

/// 150 replicas of two units at known states z, (replicas, 2).
struct Placed {
    Network network = units(2);
    Setting setting;
    Ensemble ensemble;
    std::vector<double> states;

    Placed(Motion motion, Precision precision, std::size_t threads = 1)
        : setting(make_setting(network, controls_of({{2.0, 0.5}, {0.5, 1.0}}, 1.0, 0.3), motion,
                               nullptr)),
          ensemble({10, 150}, 7, threads, 2,
                   std::make_shared<const StateFormat>(network, setting, precision),
                   std::make_shared<const Accounts>(2)),
          states(some_state(5, 2.0)) {
        states.resize(300);
        Placement(states.data(), setting).store(ensemble);
        ensemble.open_books(setting);
    }
    double energy(std::size_t replica) const {
        double state[2 * block_width] = {};
        for (std::size_t i = 0; i < 2; ++i) state[i * block_width] = states[2 * replica + i];
        return energy_of(setting.controls, state, 0);
    }
};

template <class Check>
void for_all(Check&& check) {
    for (const Motion motion : {Motion::exact, Motion::midpoint})
        for (const Precision precision : {Precision::full, Precision::single})
            check(Placed(motion, precision), precision == Precision::single ? 1e-6 : 1e-13);
}

}  // namespace

TEST_CASE("states are read as they were placed, by column") {
    for_all([](const Placed& placed, double rounding) {
        const Readout readout(placed.ensemble, placed.setting);
        std::vector<double> all(300), second(150), expected;
        readout.state(0, 2, all.data());
        check_close(all, placed.states, 10.0 * rounding);
        readout.state(1, 2, second.data());
        for (std::size_t r = 0; r < 150; ++r) expected.push_back(all[2 * r + 1]);
        CHECK(second == expected);
    });
}

TEST_CASE("moments are those of the replicas") {
    for_all([](const Placed& placed, double rounding) {
        double mean[2] = {};
        Matrix covariance(2, 2);
        for (std::size_t r = 0; r < 150; ++r)
            for (std::size_t i = 0; i < 2; ++i) mean[i] += placed.states[2 * r + i] / 150.0;
        for (std::size_t r = 0; r < 150; ++r)
            for (std::size_t i = 0; i < 2; ++i)
                for (std::size_t j = 0; j < 2; ++j)
                    covariance(i, j) += (placed.states[2 * r + i] - mean[i]) *
                                        (placed.states[2 * r + j] - mean[j]) / 150.0;
        const Readout readout(placed.ensemble, placed.setting);
        const Moments found = readout.moments(true);
        check_close(found.mean, {mean[0], mean[1]}, 10.0 * rounding);
        check_close(found.covariance, covariance, 10.0 * rounding);
        CHECK(readout.moments(false).covariance.empty());
    });
}

TEST_CASE("energies and balances are read per replica") {
    for_all([](Placed placed, double rounding) {
        const std::vector<double> work = some_state(1);
        for (ReplicaBlock& block : placed.ensemble.blocks())
            block.ledger.post(Ledger::work, work.data());
        const Readout readout(placed.ensemble, placed.setting);
        std::vector<double> energy(150), change(150), balance(150);
        readout.energy(energy.data());
        readout.energy_change(change.data());
        readout.balance(Ledger::work, balance.data());
        double largest = 0.0;
        for (std::size_t r = 0; r < 150; ++r) {
            CHECK(std::abs(energy[r] - placed.energy(r)) < 100.0 * rounding);
            CHECK(change[r] == 0.0);
            CHECK(balance[r] == work[(r + 10) % block_width]);
            const double scale = std::abs(balance[r]) + std::abs(energy[r]);
            if (scale > 0.0) largest = std::max(largest, std::abs(balance[r]) / scale);
        }
        // The work was posted, and the energy did not change.
        CHECK(readout.imbalance() == doctest::Approx(largest).epsilon(1e-5));
    });
}

TEST_CASE("an observation takes all replicas, on any number of threads") {
    std::vector<double> first;
    for (const std::size_t threads : {1, 2}) {
        const Placed placed(Motion::exact, Precision::full, threads);
        StatisticsPlan plan;
        plan.scale = {1.0, 10.0};
        plan.blocks = placed.ensemble.blocks().size();
        plan.threads = threads;
        Statistics statistics(plan);
        const Readout readout(placed.ensemble, placed.setting);
        readout.observe(statistics);
        const Statistics::Result result = statistics.result();
        CHECK(result.samples == 150);
        const Moments moments = readout.moments(true);
        check_close(result.mean, {moments.mean[0], 10.0 * moments.mean[1]});
        check_close(result.variance, {moments.covariance(0, 0), 100.0 * moments.covariance(1, 1)},
                    1e-10);
        if (first.empty()) first = result.variance;
        CHECK(result.variance == first);
    }
}
