#include "engine/statistics.hpp"

#include <algorithm>
#include <cmath>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

constexpr std::size_t blocks = 3, observations = 7, slots = 3;

/// State of a lane of a block at an observation, far from zero.
double state_at(std::size_t time, std::size_t block, std::size_t unit, std::size_t lane) {
    const double phase =
        static_cast<double>(17 * block + 5 * unit + lane) + 0.4 * static_cast<double>(time);
    return 1e4 + std::sin(phase) + 0.51 * std::cos(3.0 * phase);
}

bool in_use(std::size_t block, std::size_t lane) { return block < 2 || lane < 30; }

StatisticsPlan plan_of() {
    StatisticsPlan plan;
    plan.scale = {1.0, 2.0};
    plan.covariance = true;
    plan.edges = matrix({{9999.0, 9999.5, 10000.0, 10000.5}, {19998.0, 19999.9, 20000.0, 20001.5}});
    plan.slots = slots;
    plan.every = 4;
    plan.blocks = blocks;
    return plan;
}

Statistics::Result gathered() {
    Statistics statistics(plan_of());
    for (std::size_t time = 0; time < observations; ++time) {
        statistics.begin(statistics.has_reference() ? std::vector<double>()
                                                    : std::vector<double>{1e4, 1e4});
        for (std::size_t part = 0; part < statistics.plan().parts(); ++part) {
            const auto [first, last] = statistics.blocks_of(part);
            for (std::size_t block = first; block < last; ++block) {
                std::vector<double> state(2 * block_width);
                for (std::size_t i = 0; i < 2; ++i)
                    for (std::size_t lane = 0; lane < block_width; ++lane)
                        state[i * block_width + lane] = state_at(time, block, i, lane);
                statistics.add(part, block, state.data(), 0, block < 2 ? 64 : 30,
                               statistics.scratch(0));
            }
            statistics.end(part);
        }
    }
    return statistics.result();
}

/// Mean over all replicas and all times from `lag` on.
template <class Function>
double mean_of(Function&& f, std::size_t lag = 0) {
    double sum = 0.0, count = 0.0;
    for (std::size_t time = lag; time < observations; ++time)
        for (std::size_t block = 0; block < blocks; ++block)
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                if (!in_use(block, lane)) continue;
                sum += f(time, block, lane);
                ++count;
            }
    return sum / count;
}

}  // namespace

TEST_CASE("running statistics are those of all states together") {
    const Statistics::Result found = gathered();
    CHECK(found.observations == observations);
    CHECK(found.samples == observations * 158);
    const double scale[] = {1.0, 2.0};
    const auto value = [&](std::size_t i, std::size_t time, std::size_t block, std::size_t lane) {
        return scale[i] * (state_at(time, block, i, lane) - 1e4);
    };
    double mean[2];
    for (std::size_t i = 0; i < 2; ++i) {
        mean[i] = mean_of([&](auto... at) { return value(i, at...); });
        CHECK(std::abs(found.mean[i] - 1e4 * scale[i] - mean[i]) < 1e-11);
    }
    for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t j = 0; j < 2; ++j) {
            const double expected = mean_of([&](auto... at) {
                return (value(i, at...) - mean[i]) * (value(j, at...) - mean[j]);
            });
            CHECK(std::abs(found.covariance(i, j) - expected) < 1e-11);
            if (i == j) CHECK(found.variance[i] == found.covariance(i, i));
        }
    for (std::size_t lag = 0; lag < slots; ++lag)
        for (std::size_t i = 0; i < 2; ++i) {
            const double expected = mean_of(
                [&](std::size_t time, std::size_t block, std::size_t lane) {
                    return (value(i, time, block, lane) - mean[i]) *
                           (value(i, time - lag, block, lane) - mean[i]);
                },
                lag);
            CHECK(std::abs(found.autocovariance(lag, i) - expected) < 1e-11);
        }
}

TEST_CASE("histograms count every state, equal bins or not") {
    const Statistics::Result found = gathered();
    const StatisticsPlan plan = plan_of();
    REQUIRE(found.counts.size() == 10);
    for (std::size_t i = 0; i < 2; ++i) {
        std::vector<std::int64_t> expected(5);
        mean_of([&](std::size_t time, std::size_t block, std::size_t lane) {
            const double x = plan.scale[i] * state_at(time, block, i, lane);
            std::size_t bin = 0;
            while (bin < 4 && x >= plan.edges(i, bin)) ++bin;
            ++expected[bin];
            return 0.0;
        });
        const auto* counts = found.counts.data() + 5 * i;
        CHECK(std::vector<std::int64_t>(counts, counts + 5) == expected);
    }
}

TEST_CASE("the last bin is closed") {
    StatisticsPlan plan;
    plan.scale = {1.0};
    plan.edges = matrix({{0.0, 1.0, 2.0}});
    Statistics statistics(plan);
    std::vector<double> state(block_width, 9.0);
    const double values[] = {-0.1, 0.0, 0.999, 1.0, 2.0, 2.1};
    std::copy(std::begin(values), std::end(values), state.begin());
    statistics.begin({0.0});
    statistics.add(0, 0, state.data(), 0, 6, statistics.scratch(0));
    statistics.end(0);
    CHECK(statistics.result().counts == std::vector<std::int64_t>{1, 2, 2, 1});
}

TEST_CASE("observations are due after every so many ticks") {
    Statistics statistics(plan_of());
    CHECK(statistics.ticks_left() == 4);
    CHECK_FALSE(statistics.pass(3));
    CHECK(statistics.ticks_left() == 1);
    CHECK(statistics.pass(1));
    CHECK(statistics.ticks_left() == 4);
    CHECK(statistics.result().samples == 0);
}

TEST_CASE("parts share all blocks, and fewer where their sums are large") {
    StatisticsPlan plan = plan_of();
    plan.blocks = 1000;
    const Statistics statistics(plan);
    std::size_t next = 0;
    for (std::size_t part = 0; part < plan.parts(); ++part) {
        const auto [first, last] = statistics.blocks_of(part);
        CHECK(first == next);
        next = last;
    }
    CHECK(next == 1000);
    CHECK(plan.parts() > 32);
    plan.scale.assign(2000, 1.0);
    CHECK(plan.parts() == 4);
    CHECK(plan.bytes() > 4 * 8.0 * 2000 * 2000);
}
