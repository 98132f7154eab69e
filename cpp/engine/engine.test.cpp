#include "engine/engine.hpp"

#include <cmath>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

const Network two = units(2);

EngineOptions options_of(Motion motion, std::size_t count, std::size_t threads = 1) {
    EngineOptions options;
    options.seed = 7;
    options.range = {0, count};
    options.threads = threads;
    options.motion = motion;
    options.longest_step = 0.02;
    return options;
}

Controls controls_for(Motion motion) {
    return controls_of({{2.0, 0.4}, {0.4, 1.5}}, 1.0, 0.3, motion == Motion::exact ? 0.0 : 0.6);
}

Engine made(Motion motion, std::size_t count = 200, std::size_t threads = 1,
            Precision precision = Precision::full) {
    EngineOptions options = options_of(motion, count, threads);
    options.precision = precision;
    const std::vector<double> state(2 * count, 0.1);
    return Engine(two, controls_for(motion), options, state.data());
}

Waveform ramp(std::size_t ticks, double hold = 0.05) {
    return {std::vector<double>(ticks, hold), [](std::size_t tick, Controls& controls) {
                controls.bias[0] = 0.01 * static_cast<double>(tick % 50);
            }};
}

std::vector<double> states(Engine& engine) {
    std::vector<double> result(2 * engine.ensemble().range().count);
    engine.readout().state(0, 2, result.data());
    return result;
}

constexpr Motion motions[] = {Motion::exact, Motion::midpoint, Motion::split, Motion::pooled};

}  // namespace

TEST_CASE("a relaxing ensemble has the closed form of its mean and variance") {
    EngineOptions options = options_of(Motion::exact, 20000);
    const std::vector<double> start(20000, 3.0);
    Engine engine(units(1, 2.0), controls_of({{4.0}}, 3.0), options, start.data());
    engine.play({{0.1, 0.3}, {}}, {});
    const double decay = std::exp(-4.0 / 2.0 * 0.4), variance = 0.75 * (1.0 - decay * decay);
    const Moments found = engine.readout().moments(true);
    CHECK(std::abs(found.mean[0] - 3.0 * decay) < 4.5 * std::sqrt(variance / 20000.0));
    CHECK(std::abs(found.covariance(0, 0) - variance) < 4.5 * variance * std::sqrt(2.0 / 20000.0));
    CHECK(engine.time() == doctest::Approx(0.4).epsilon(1e-15));
    CHECK(engine.prepared() == 2);
}

TEST_CASE("replicas with a bias of their own have the bits of ensembles of one") {
    for (const Precision precision : {Precision::full, Precision::single})
        for (const Motion motion : motions) {
            const std::size_t count = 100;
            std::vector<double> rows(2 * count);
            for (std::size_t k = 0; k < rows.size(); ++k) rows[k] = 0.1 * static_cast<double>(k);
            Engine every = made(motion, count, 1, precision);
            Controls next = every.controls();
            next.own_bias = std::make_shared<const ReplicaNumbers>(0, count, 2, rows.data());
            every.set(next);
            every.play(Waveform{{0.05, 0.1}, {}}, {});
            std::vector<double> work(count), heat(count);
            every.readout().balance(Ledger::work, work.data());
            every.readout().balance(Ledger::heat, heat.data());
            for (const std::size_t replica : {0, 70}) {
                EngineOptions options = options_of(motion, 1);
                options.range.first = replica;
                options.precision = precision;
                const std::vector<double> state(2, 0.1);
                Engine alone(two, controls_for(motion), options, state.data());
                Controls own = alone.controls();
                own.bias = {rows[2 * replica], rows[2 * replica + 1]};
                alone.set(own);
                alone.play(Waveform{{0.05, 0.1}, {}}, {});
                CHECK(states(alone)[1] == states(every)[2 * replica + 1]);
                double done = 0.0, lost = 0.0;
                alone.readout().balance(Ledger::work, &done);
                alone.readout().balance(Ledger::heat, &lost);
                CHECK(done == work[replica]);
                CHECK(lost == heat[replica]);
            }
            next.own_bias = std::make_shared<const ReplicaNumbers>(0, 2, 2, rows.data());
            CHECK_THROWS_AS(every.set(next), std::invalid_argument);
        }
}

TEST_CASE("a network of another friction takes over at held state, without work") {
    for (const Motion motion : motions) {
        Engine engine = made(motion);
        engine.play(ramp(3), {});
        const std::vector<double> before = states(engine);
        std::vector<double> work(200);
        engine.readout().balance(Ledger::work, work.data());
        Controls next = engine.controls();
        engine.exchange(units(2, 4.0), next);
        const std::vector<double> after = states(engine);
        for (std::size_t i = 0; i < before.size(); ++i)
            CHECK(after[i] == doctest::Approx(before[i]).epsilon(1e-13));
        std::vector<double> now(200);
        engine.readout().balance(Ledger::work, now.data());
        CHECK(now == work);
        engine.play(ramp(3), {});
        CHECK(engine.readout().imbalance() < 1e-12);
        CHECK_THROWS_AS(engine.exchange(units(3), next), std::invalid_argument);
    }
}

TEST_CASE("after an exchange a hold is that of the new network") {
    EngineOptions options = options_of(Motion::exact, 20000);
    const std::vector<double> start(20000, 3.0);
    Engine engine(units(1, 2.0), controls_of({{4.0}}, 3.0), options, start.data());
    engine.play({{0.1}, {}}, {});
    engine.exchange(units(1, 8.0), engine.controls());
    engine.play({{0.1}, {}}, {});
    const double decay = std::exp(-0.2 - 0.05), variance = 0.75 * (1.0 - decay * decay);
    const Moments found = engine.readout().moments(true);
    CHECK(std::abs(found.mean[0] - 3.0 * decay) < 4.5 * std::sqrt(variance / 20000.0));
    CHECK(std::abs(found.covariance(0, 0) - variance) < 4.5 * variance * std::sqrt(2.0 / 20000.0));
}

TEST_CASE("books close in every motion and precision") {
    for (const Motion motion : motions)
        for (const Precision precision : {Precision::full, Precision::single}) {
            if (precision == Precision::single && motion >= Motion::split) continue;
            Engine engine = made(motion, 100, 1, precision);
            CHECK(engine.play(ramp(40), {}) == 40);
            CHECK(engine.readout().imbalance() < (precision == Precision::single ? 1e-5 : 1e-12));
            Controls next = engine.controls();
            next.bias = {1.0, -1.0};
            engine.set(next);
            CHECK(engine.controls().bias == next.bias);
            std::vector<double> work(100);
            engine.readout().balance(Ledger::work, work.data());
            CHECK(work[3] != 0.0);
            engine.open_books();
            CHECK(engine.readout().imbalance() == 0.0);
        }
}

TEST_CASE("a replica does not depend on threads, chunks, or the replicas beside it") {
    for (const Motion motion : motions) {
        Engine one = made(motion), three = made(motion, 200, 3), few = made(motion, 70);
        one.play(ramp(60), {});
        three.play(ramp(60), {});
        few.play(ramp(60), {});
        const std::vector<double> all = states(one), some = states(few);
        CHECK(states(three) == all);
        CHECK(some == std::vector<double>(all.begin(), all.begin() + 140));
    }
}

TEST_CASE("an interrupted play catches up when the engine is next used") {
    for (const Motion motion : motions)
        for (const std::size_t threads : {1, 2}) {
            // Ticks of one step each. The engine asks after 30 ms, between two blocks.
            const std::size_t ticks = 1000000;
            Engine engine = made(motion, 66, threads), reference = made(motion, 66);
            const std::size_t done = engine.play(ramp(ticks, 0.02), [] { return false; });
            CHECK(done < ticks);
            reference.play(ramp(done, 0.02), {});
            CHECK(engine.time() == doctest::Approx(reference.time()).epsilon(1e-14));
            Engine copy = engine;
            CHECK(states(copy) == states(reference));
            engine.play(ramp(5), {});
            reference.play(ramp(5), {});
            CHECK(states(engine) == states(reference));
        }
}

TEST_CASE("a snapshot resumes with the same bits") {
    for (const Motion motion : motions) {
        Engine engine = made(motion), other = made(motion, 200, 2);
        engine.play(ramp(20), {});
        const Engine::Snapshot snapshot = engine.snapshot();
        engine.play(ramp(20), {});
        other.restore(snapshot);
        CHECK(other.time() == doctest::Approx(1.0));
        other.play(ramp(20), {});
        CHECK(states(other) == states(engine));
        Engine smaller = made(motion, 100);
        CHECK_THROWS_AS(smaller.restore(snapshot), std::invalid_argument);
    }
}

TEST_CASE("a restart repeats the run, and drawing a state continues it") {
    for (const Motion motion : {Motion::exact, Motion::midpoint}) {
        Engine engine(two, controls_for(motion), options_of(motion, 100));
        const std::vector<double> first = states(engine);
        engine.play(ramp(10), {});
        const std::vector<double> second = states(engine);
        engine.restart(controls_for(motion), nullptr);
        CHECK(states(engine) == first);
        CHECK(engine.time() == 0.0);
        engine.play(ramp(10), {});
        CHECK(states(engine) == second);
        engine.equilibrate();
        CHECK(engine.time() == doctest::Approx(0.5));
        CHECK(states(engine) != first);
        CHECK(engine.readout().imbalance() == 0.0);
    }
}

TEST_CASE("a divergent run says so until its states are replaced") {
    EngineOptions options = options_of(Motion::split, 10);
    options.longest_step = 5.0;
    const std::vector<double> far(20, 30.0), near(20, 0.1);
    Engine engine(Network(Matrix::identity(1), {1.0}), controls_of({{1.0}}, 1.0, 0.0, 1.0), options,
                  far.data());
    CHECK_THROWS_AS(engine.play({{500.0}, {}}, {}), std::overflow_error);
    CHECK_THROWS_AS(engine.readout(), std::overflow_error);
    CHECK_THROWS_AS(engine.snapshot(), std::overflow_error);
    engine.set_longest_step(0.01);
    engine.place(near.data());
    engine.play({{0.1}, {}}, {});
    CHECK(engine.readout().imbalance() < 1e-12);
}

TEST_CASE("statistics observe the ticks at which they are due") {
    Engine engine = made(Motion::exact, 100);
    StatisticsPlan plan;
    plan.scale = {1.0, 1.0};
    plan.every = 3;
    plan.blocks = engine.ensemble().blocks().size();
    Statistics statistics(plan);
    engine.play(ramp(10), {}, &statistics);
    CHECK(statistics.result().observations == 3);
    engine.play(ramp(2), {}, &statistics);
    CHECK(statistics.result().observations == 4);
    CHECK(std::abs(statistics.result().mean[0]) < 1.0);
}

TEST_CASE("what describes a run is checked before it is made") {
    const auto refused = [](auto&& change) {
        EngineOptions options = options_of(Motion::midpoint, 10);
        change(options);
        CHECK_THROWS_AS(Engine(two, controls_for(Motion::midpoint), options),
                        std::invalid_argument);
    };
    refused([](EngineOptions& options) { options.range.count = 0; });
    refused([](EngineOptions& options) { options.range.first = max_replicas; });
    refused([](EngineOptions& options) { options.threads = 0; });
    refused([](EngineOptions& options) { options.longest_step = 0.0; });
    refused([](EngineOptions& options) { options.motion = Motion::exact; });
    Engine engine = made(Motion::exact);
    CHECK_THROWS_AS(engine.set_longest_step(0.1), std::invalid_argument);
    CHECK_THROWS_AS(engine.play({{1.0, -1.0}, {}}, {}), std::invalid_argument);
    CHECK_THROWS_AS(engine.play({{1e308, 1e308}, {}}, {}), std::invalid_argument);
    CHECK(engine.time() == 0.0);
}
