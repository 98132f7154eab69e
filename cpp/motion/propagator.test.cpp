#include "motion/propagator.hpp"

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

/// Adds the step to the state and posts one unit of heat.
class Counting final : public StepPropagator {
   public:
    double cost() const override { return 1.0; }
    void advance(double* state, const Drive& drive, const NoiseAddress& address, Workspace&,
                 Posts& posts) const override {
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            state[lane] += static_cast<double>(address.step) + drive.force[0];
            posts.heat[lane] = 1.0;
        }
    }
};

}  // namespace

TEST_CASE("every tick applies its update once and moves and posts all its steps") {
    const Network network = units(1);
    const Setting first = make_setting(network, controls_of({{1.0}}), Motion::split, nullptr);
    const Setting second =
        make_setting(network, controls_of({{1.0}}, 1.0, 100.0), Motion::split, &first);
    const auto counting = std::make_shared<const Counting>();
    TickBatch batch;
    batch.append({nullptr, counting, first.drive, 3});
    batch.append({std::make_shared<const ControlUpdate>(first, second), counting, second.drive, 2});
    for (const Precision precision : {Precision::full, Precision::single}) {
        ReplicaBlock block = block_of(network, first, precision);
        block.step = 10;
        Workspace workspace(1, 0);
        batch.play(block, workspace);
        CHECK(block.step == 15);
        CHECK(state_of(block, second, 1) ==
              std::vector<double>(block_width, 10.0 + 11.0 + 12.0 + 113.0 + 114.0));
        CHECK(block.ledger.balance(Ledger::heat, 5) == 5.0);
        CHECK(block.ledger.balance(Ledger::work, 5) == -100.0 * (10.0 + 11.0 + 12.0));
    }
}

TEST_CASE("a hold is cut into the fewest equal steps that are short enough") {
    CHECK(steps_of(1.0, 2.0) == 1);
    CHECK(steps_of(1.0, 0.1) == 10);
    CHECK(steps_of(1.0, 0.099) == 11);
    CHECK(steps_of(0.3, 0.1) == 3);
    CHECK_THROWS_AS(steps_of(1.0, 1e-17), std::invalid_argument);
}
