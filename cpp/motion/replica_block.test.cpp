#include "motion/replica_block.hpp"

#include <limits>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

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
