#include "engine/ensemble.hpp"

#include <atomic>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

struct Made {
    Network network = units(2);
    Setting setting = make_setting(network, controls_of({{2.0, 0.5}, {0.5, 1.0}}, 1.0, 0.3),
                                   Motion::split, nullptr);
    Ensemble ensemble;
    explicit Made(ReplicaRange range, std::size_t threads = 1)
        : ensemble(range, 7, threads, 2,
                   std::make_shared<const StateFormat>(network, setting, Precision::full),
                   std::make_shared<const Accounts>(2)) {}
};

}  // namespace

TEST_CASE("replicas lie in the blocks of the seed that hold them") {
    const Made made({40, 200});
    const std::vector<ReplicaBlock>& blocks = made.ensemble.blocks();
    REQUIRE(blocks.size() == 4);
    const std::size_t begin[] = {40, 0, 0, 0}, end[] = {64, 64, 64, 48}, row[] = {0, 24, 88, 152};
    for (std::size_t k = 0; k < 4; ++k) {
        CHECK(blocks[k].number == k);
        CHECK(blocks[k].begin == begin[k]);
        CHECK(blocks[k].end == end[k]);
        CHECK(blocks[k].first_row == row[k]);
    }
    CHECK(made.ensemble.lanes() == 256.0);
    CHECK(Made({128, 1}).ensemble.blocks().front().number == 2);
}

TEST_CASE("every block is worked on once, on any number of threads") {
    for (const std::size_t threads : {1, 3}) {
        Made made({0, 1000}, threads);
        std::atomic<std::size_t> calls{0};
        made.ensemble.for_each_block(1e9, [&](ReplicaBlock& block, Workspace& workspace) {
            ++block.step;
            ++calls;
            CHECK(workspace.posts.heat_per_account.size() == 2 * block_width);
        });
        CHECK(calls == 16);
        for (const ReplicaBlock& block : made.ensemble.blocks()) CHECK(block.step == 1);
    }
}

TEST_CASE("little work takes few threads") {
    const Made made({0, 1000}, 8);
    CHECK(made.ensemble.threads_for(100.0) == 1);
    CHECK(made.ensemble.threads_for(1e5) == 3);
    CHECK(made.ensemble.threads_for(1e9) == 8);
}

TEST_CASE("books open at the energy of each replica") {
    Made made({0, 64});
    ReplicaBlock& block = made.ensemble.blocks().front();
    const std::vector<double> state = some_state(2);
    place(block, made.setting, state);
    const std::vector<double> ones(block_width, 1.0);
    block.ledger.post(Ledger::work, ones.data());
    made.ensemble.open_books(made.setting);
    for (std::size_t lane = 0; lane < block_width; ++lane) {
        CHECK(block.ledger.opening_energy(lane) ==
              doctest::Approx(energy_of(made.setting.controls, state.data(), lane)));
        CHECK(block.ledger.balance(Ledger::work, lane) == 0.0);
    }
}

TEST_CASE("a copy moves by itself, and divergence is forgotten when asked") {
    Made made({0, 100});
    made.ensemble.for_each_block(1.0, [](ReplicaBlock& block, Workspace&) { block.step = 4; });
    Ensemble copy = made.ensemble;
    copy.set_step(9);
    copy.blocks()[1].diverged = true;
    CHECK(made.ensemble.blocks()[1].step == 4);
    CHECK_FALSE(made.ensemble.any_diverged());
    CHECK(copy.any_diverged());
    copy.forget_divergence();
    CHECK_FALSE(copy.any_diverged());
    copy.for_each_block(1.0, [](ReplicaBlock& block, Workspace&) { CHECK(block.step == 9); });
}

namespace {

struct FourReplicas {
    Network network = units(1);
    Setting setting = make_setting(network, controls_of({{4.0}}, 1.0, 2.0), Motion::exact, nullptr);
    StateFormat format;
    Ensemble ensemble;
    explicit FourReplicas(Precision precision)
        : format(network, setting, precision),
          ensemble({62, 4}, 7, 1, 1, std::make_shared<const StateFormat>(format),
                   std::make_shared<const Accounts>(0)) {}
};

}  // namespace

TEST_CASE("states are stored in the coordinates of the setting, in the lanes of their replicas") {
    FourReplicas made(Precision::full);
    const std::vector<double> states{1.0, 2.0, 3.0, 4.0};
    Placement placement(states.data(), made.setting);
    placement.check(made.ensemble, made.format);
    placement.store(made.ensemble);
    std::vector<double> first(block_width), second(block_width);
    first[62] = 2.0;  // w = √k x
    first[63] = 4.0;
    second[0] = 6.0;
    second[1] = 8.0;
    CHECK(state_of(made.ensemble.blocks()[0], made.setting, 1) == first);
    CHECK(state_of(made.ensemble.blocks()[1], made.setting, 1) == second);
}

TEST_CASE("states that cannot be stored are refused") {
    const auto check = [](double x, Precision precision) {
        const FourReplicas made(precision);
        const std::vector<double> states{0.0, 0.0, 0.0, x};
        Placement(states.data(), made.setting).check(made.ensemble, made.format);
    };
    CHECK_NOTHROW(check(1e100, Precision::full));
    CHECK_THROWS_AS(check(1e151, Precision::full), std::invalid_argument);
    CHECK_NOTHROW(check(1e16, Precision::single));
    CHECK_THROWS_AS(check(1e17, Precision::single), std::invalid_argument);
}
