#include "engine/tick_plan.hpp"

#include <cmath>

#include "motion/fixtures.test.hpp"
#include "motion/hold_propagator.hpp"

using namespace ktc;
using namespace ktc::testing;
using Steps = std::vector<std::uint64_t>;

namespace {

std::shared_ptr<const Propagator> found(PropagatorCache& cache, const Setting& setting, double hold,
                                        double longest_step = 1.0) {
    return cache.find(setting, hold, longest_step, [&] {
        return std::make_shared<const ModalPropagator<double>>(setting.coordinates->rates,
                                                               setting.controls.kT.front(), hold);
    });
}

}  // namespace

TEST_CASE("a propagator is found by all that it depends on") {
    const Network network = units(1);
    Controls controls = controls_of({{2.0}});
    const Setting first = make_setting(network, controls, Motion::exact, nullptr);
    PropagatorCache cache;
    const auto made = found(cache, first, 0.5);
    controls.bias = {3.0};
    CHECK(found(cache, make_setting(network, controls, Motion::exact, &first), 0.5) == made);
    CHECK(cache.made() == 1);
    controls.kT = {2.0};
    CHECK(found(cache, make_setting(network, controls, Motion::exact, &first), 0.5) != made);
    CHECK(found(cache, first, 0.25) != made);
    CHECK(found(cache, first, 0.5, 0.5) != made);
    CHECK(cache.made() == 4);
    // An equal stiffness in a setting of its own may differ in its coordinates.
    CHECK(found(cache, make_setting(network, controls_of({{2.0}}), Motion::exact, nullptr), 0.5) !=
          made);
}

TEST_CASE("the four propagators last used are kept") {
    const Setting setting = make_setting(units(1), controls_of({{2.0}}), Motion::exact, nullptr);
    PropagatorCache cache;
    const auto first = found(cache, setting, 1.0);
    for (const double hold : {2.0, 3.0, 4.0}) found(cache, setting, hold);
    CHECK(found(cache, setting, 1.0) == first);
    found(cache, setting, 5.0);
    CHECK(cache.made() == 5);
    CHECK(found(cache, setting, 1.0) == first);
    found(cache, setting, 2.0);
    CHECK(cache.made() == 6);
}

TEST_CASE("one large propagator is kept") {
    const Setting setting = make_setting(units(257), controls_of(Stiffness(Matrix::identity(257))),
                                         Motion::exact, nullptr);
    PropagatorCache cache;
    found(cache, setting, 1.0);
    found(cache, setting, 2.0);
    found(cache, setting, 1.0);
    CHECK(cache.made() == 3);
}

namespace {

/// A propagator that is planned, never played.
class Planned final : public Propagator {
   public:
    Planned(std::uint64_t steps, std::uint64_t at_once, std::uint64_t per_post)
        : steps_(steps), at_once_(at_once), per_post_(per_post) {}
    std::uint64_t steps() const override { return steps_; }
    std::uint64_t steps_at_once() const override { return at_once_; }
    std::uint64_t steps_per_post() const override { return per_post_; }
    double cost() const override { return 2.0; }
    std::size_t play(const TickBatch&, std::size_t, ReplicaBlock&, Workspace&) const override {
        return 1;
    }

   private:
    std::uint64_t steps_, at_once_, per_post_;
};

/// Plans for one unit; counts how many propagators were made.
struct Planner {
    Network network = units(1);
    std::uint64_t at_once = 1, per_post = 1;
    int made = 0;
    PlanPosition start{make_setting(network, controls_of({{1.0}}), Motion::split, nullptr)};
    TickSource source{
        [this](Controls controls, const Setting& previous) {
            return make_setting(network, std::move(controls), Motion::split, &previous);
        },
        [this](const Setting&, double hold) {
            ++made;
            return std::make_shared<const Planned>(steps_of(hold, 1.0), at_once, per_post);
        }};

    Chunk plan(const Waveform& waveform, const ChunkLimits& limits, PlanPosition from) const {
        return plan_chunk(waveform, source, limits, std::move(from));
    }
    /// All chunks of a waveform.
    std::vector<Chunk> plan_all(const Waveform& waveform, ChunkLimits limits) const {
        std::vector<Chunk> chunks;
        PlanPosition at = start;
        while (at.tick < waveform.holds.size()) {
            chunks.push_back(plan(waveform, limits, at));
            at = chunks.back().next;
            limits.first_step += chunks.back().steps;
            REQUIRE(chunks.size() < 1000);
        }
        return chunks;
    }
};

std::vector<std::uint64_t> steps_of_ticks(const Chunk& chunk) {
    std::vector<std::uint64_t> result;
    for (const Tick& tick : chunk.batch.ticks) result.push_back(tick.steps);
    return result;
}

// Work of one replica of cost 2.
constexpr double no_limit = 1e9, lanes = 1.0;

}  // namespace

TEST_CASE("a short waveform is one chunk of whole holds") {
    Planner planner;
    const Waveform waveform{{1.0, 2.5, 2.5, 1.0}, {}};
    const Chunk chunk = planner.plan(waveform, {4, no_limit, lanes, 0}, planner.start);
    CHECK(steps_of_ticks(chunk) == Steps{1, 3, 3, 1});
    CHECK(chunk.steps == 8);
    CHECK(chunk.next.tick == 4);
    CHECK(chunk.next.steps_left == 0);
    CHECK(chunk.duration + chunk.duration_carry == 7.0);
    CHECK(planner.made == 3);  // Equal holds in a row share their propagator.
    for (const Tick& tick : chunk.batch.ticks) {
        CHECK(tick.update == nullptr);
        CHECK(tick.drive == planner.start.setting.drive);
    }
}

TEST_CASE("a chunk ends before the tick at which something else is due") {
    Planner planner;
    const Waveform waveform{std::vector<double>(10, 1.0), {}};
    const Chunk first = planner.plan(waveform, {3, no_limit, lanes, 0}, planner.start);
    CHECK(first.next.tick == 3);
    const Chunk second = planner.plan(waveform, {10, no_limit, lanes, 3}, first.next);
    CHECK(second.batch.ticks.size() == 7);
    CHECK(planner.made == 1);
}

TEST_CASE("a chunk ends when its work or its ticks are used up, or its time is") {
    Planner planner;
    const Waveform waveform{std::vector<double>(10, 1.0), {}};
    ChunkLimits work{10, 5.0, lanes, 0};
    CHECK(planner.plan(waveform, work, planner.start).batch.ticks.size() == 3);
    ChunkLimits ticks{10, no_limit, lanes, 0};
    ticks.ticks = 4;
    CHECK(planner.plan(waveform, ticks, planner.start).batch.ticks.size() == 4);
    int asked = 0;
    ChunkLimits time{10, no_limit, lanes, 0, [&] { return ++asked > 2; }};
    CHECK(planner.plan(waveform, time, planner.start).batch.ticks.size() == 2);
    CHECK(planner.plan(waveform, time, planner.start).batch.ticks.empty());
}

TEST_CASE("a long hold is cut where its propagator allows it") {
    for (const std::uint64_t at_once : {1, 16}) {
        CAPTURE(at_once);
        Planner planner;
        planner.at_once = at_once;
        const Waveform waveform{{100.0, 1.0}, {}};
        // Work for 20 steps.
        const std::vector<Chunk> chunks = planner.plan_all(waveform, {2, 40.0, lanes, 0});
        std::uint64_t steps = 0;
        double duration = 0.0;
        for (std::size_t k = 0; k < chunks.size(); ++k) {
            steps += chunks[k].steps;
            duration += chunks[k].duration + chunks[k].duration_carry;
            if (k + 1 < chunks.size()) CHECK(chunks[k].next.steps_left % at_once == 100 % at_once);
        }
        CHECK(steps == 101);
        CHECK(duration == doctest::Approx(101.0).epsilon(1e-14));
        CHECK(steps_of_ticks(chunks[0]) == (at_once == 1 ? Steps{20} : Steps{16, 16}));
        CHECK(planner.made == 2);
    }
}

TEST_CASE("a step that costs more than a chunk is planned too") {
    Planner planner;
    const Waveform waveform{{3.0}, {}};
    for (const Chunk& chunk : planner.plan_all(waveform, {1, 1.0, 1e6, 0}))
        CHECK(steps_of_ticks(chunk) == Steps{1});
}

TEST_CASE("chunks end between posts, whatever their limits are") {
    Planner planner;
    planner.per_post = 16;
    const Waveform waveform{std::vector<double>(100, 1.0), {}};
    ChunkLimits limits{100, 5.0, lanes, 5};
    std::vector<std::uint64_t> found;
    for (const Chunk& chunk : planner.plan_all(waveform, limits)) found.push_back(chunk.steps);
    CHECK(found == Steps{11, 16, 16, 16, 16, 16, 9});
}

TEST_CASE("each tick has the update and the drive of its controls") {
    Planner planner;
    const Waveform waveform{{1.0, 1.0, 1.0, 1.0, 3.0}, [](std::size_t tick, Controls& controls) {
                                if (tick == 1) controls.bias = {5.0};
                                if (tick == 2) controls.stiffness = Stiffness(Matrix(1, 1));
                                if (tick == 2) controls.quartic = {1.0};
                                if (tick == 3) controls.kT = {2.0};
                            }};
    // The second chunk begins in the last hold.
    const Chunk first = planner.plan(waveform, {5, 10.0, lanes, 0}, planner.start);
    const std::vector<Tick>& ticks = first.batch.ticks;
    REQUIRE(ticks.size() == 5);
    CHECK_FALSE(ticks[0].update->changes_energy());
    CHECK(ticks[1].update->changes_force_alone());
    CHECK(ticks[1].update->rest_before() == std::vector<double>{0.0});
    CHECK(ticks[1].drive->force == std::vector<double>{5.0});
    CHECK(ticks[2].update->changes_shape());
    CHECK(ticks[2].drive->force == std::vector<double>{5.0});
    CHECK_FALSE(ticks[3].update->changes_energy());
    // A stiffness, a temperature and a hold need their own propagators.
    CHECK(planner.made == 4);
    CHECK(ticks[0].propagator == ticks[1].propagator);
    CHECK(ticks[1].propagator != ticks[2].propagator);
    CHECK(ticks[2].propagator != ticks[3].propagator);
    CHECK(first.next.tick == 4);
    CHECK(first.next.steps_left == 2);
    const Chunk second = planner.plan(waveform, {5, no_limit, lanes, 5}, first.next);
    CHECK(steps_of_ticks(second) == Steps{2});
    CHECK(second.batch.ticks[0].update == nullptr);
    CHECK(second.batch.ticks[0].propagator == ticks[4].propagator);
    CHECK(second.next.setting.controls.kT == std::vector<double>{2.0});
}
