#include "motion/replica_block.hpp"

#include <cmath>
#include <limits>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

struct Stored {
    Network network = units(2);
    Setting setting;
    BlockState state;

    explicit Stored(Precision precision, Motion motion = Motion::midpoint)
        : setting(make_setting(network, controls_of({{2.0, 0.1}, {0.1, 500.0}}, 1.0, 30.0), motion,
                               nullptr)),
          state(std::make_shared<const StateFormat>(network, setting, precision)) {}
    const std::vector<double>& force() const { return setting.drive->force; }
    void write(const std::vector<double>& numbers) {
        std::vector<double> scratch;
        state.change(force(), force(), scratch,
                     [&](double* to) { std::copy(numbers.begin(), numbers.end(), to); });
    }
    std::vector<double> read(const std::vector<double>& at) const {
        std::vector<double> scratch;
        const double* from = state.read(at, scratch);
        return {from, from + 2 * block_width};
    }
};

}  // namespace

TEST_CASE("a state is read as it was written, to the rounding of its precision") {
    const std::vector<double> numbers = some_state(2, 3.0);
    for (const Motion motion : {Motion::midpoint, Motion::exact}) {
        Stored full(Precision::full, motion), single(Precision::single, motion);
        full.write(numbers);
        single.write(numbers);
        CHECK(full.read(full.force()) == numbers);
        // Natural coordinates are stored as their deviation from β, up to 30 here.
        check_close(single.read(single.force()), numbers, 33.0 * 0x1p-24);
    }
}

TEST_CASE("a change of force keeps the state and does the work −Δβ x") {
    const std::vector<double> numbers = some_state(2, 3.0), change{0.5, -0.25};
    for (const Precision precision : {Precision::full, Precision::single}) {
        Stored stored(precision, Motion::exact);
        stored.write(numbers);
        const std::vector<double> before = stored.read(stored.force());
        std::vector<double> next = stored.force();
        for (std::size_t i = 0; i < 2; ++i) next[i] += change[i];
        std::vector<double> work(block_width), expected(block_width);
        stored.state.shift_force(stored.force(), next, change, work.data());
        for (std::size_t lane = 0; lane < block_width; ++lane)
            expected[lane] = -0.5 * before[lane] + 0.25 * before[block_width + lane];
        check_close(work, expected, 1e-14);
        check_close(stored.read(next), before, 34.0 * 0x1p-24);
    }
}

TEST_CASE("a sum over a row is that of the state") {
    for (const Precision precision : {Precision::full, Precision::single}) {
        Stored stored(precision);
        stored.write(some_state(2, 3.0));
        const std::vector<double> state = stored.read(stored.force());
        double expected = 0.0;
        for (std::size_t lane = 5; lane < 61; ++lane) expected += state[block_width + lane] - 0.75;
        CHECK(stored.state.row_sum(1, stored.force(), 0.75, 5, 61) ==
              doctest::Approx(expected).epsilon(1e-13));
    }
}

TEST_CASE("only lanes in use have to be finite") {
    for (const Precision precision : {Precision::full, Precision::single}) {
        Stored stored(precision);
        std::vector<double> numbers = some_state(2);
        numbers[block_width + 10] = std::numeric_limits<double>::quiet_NaN();
        numbers[20] = std::numeric_limits<double>::infinity();
        stored.write(numbers);
        CHECK(stored.state.is_finite(11, 20));
        CHECK(stored.state.is_finite(21, 64));
        CHECK_FALSE(stored.state.is_finite(10, 20));
        CHECK_FALSE(stored.state.is_finite(11, 21));
    }
}

TEST_CASE("saved numbers are loaded exactly") {
    for (const Precision precision : {Precision::full, Precision::single}) {
        Stored first(precision), second(precision);
        first.write(some_state(2, 7.0));
        std::vector<double> saved{99.0};
        first.state.save(saved);
        REQUIRE(saved.size() == 1 + 2 * block_width);
        second.state.load(saved.data() + 1);
        CHECK(second.read(second.force()) == first.read(first.force()));
    }
}

TEST_CASE("the noise of a block is where its replicas are among those of the seed") {
    const Network network = units(1);
    const Setting setting = make_setting(network, controls_of({{1.0}}), Motion::exact, nullptr);
    ReplicaBlock block = block_of(network, setting);
    block.number = 3;
    block.step = 12;
    block.begin = 20;
    block.end = 33;
    const NoiseAddress sixteen = block.address();
    CHECK(sixteen.seed == 7);
    CHECK(sixteen.step == 12);
    CHECK(sixteen.first_group == 12);
    CHECK(sixteen.begin_group == 1);
    CHECK(sixteen.end_group == 3);
    const NoiseAddress thirty_two = block.address(32);
    CHECK(thirty_two.first_group == 6);
    CHECK(thirty_two.begin_group == 0);
    CHECK(thirty_two.end_group == 2);
}

TEST_CASE("a block diverges with its state or its heat, in lanes in use") {
    const Network network = units(1);
    const Setting setting = make_setting(network, controls_of({{1.0}}), Motion::exact, nullptr);
    ReplicaBlock block = block_of(network, setting);
    block.end = 40;
    CHECK(block.is_finite());
    std::vector<double> heat(block_width, 1.0);
    heat[40] = std::numeric_limits<double>::infinity();
    block.ledger.post(Ledger::heat, heat.data());
    CHECK(block.is_finite());
    heat[39] = std::numeric_limits<double>::infinity();
    block.ledger.post(Ledger::heat, heat.data());
    CHECK_FALSE(block.is_finite());
}
