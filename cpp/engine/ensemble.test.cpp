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
