#include "motion/control_update.hpp"

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

/// z of a block, [coordinate][lane].
std::vector<double> public_state(const ReplicaBlock& block, const Setting& setting) {
    const std::size_t n = setting.coordinates->dimension();
    const std::vector<double> own = state_of(block, setting, n);
    const Matrix& to_state = setting.coordinates->to_state;
    if (to_state.empty()) return own;
    std::vector<double> result(own.size());
    multiply_block(to_state, own.data(), result.data(), block_width);
    return result;
}

/// An update holds the state and books H(x; θ′) − H(x; θ).
void check_update(const Network& network, const Controls& from, const Controls& to, Motion motion,
                  Precision precision = Precision::full) {
    const Setting before = make_setting(network, from, motion, nullptr);
    const Setting after = make_setting(network, to, motion, &before);
    ReplicaBlock block = block_of(network, before, precision);
    const std::size_t n = network.dimension();
    place(block, before, some_state(n, 2.0));
    const std::vector<double> state = public_state(block, before);
    Workspace workspace(n, 0);
    const ControlUpdate update(before, after);
    CHECK(update.changes_energy());
    update.apply(block, workspace);
    const double rounding = precision == Precision::single ? 1e-6 : 1e-13;
    check_close(public_state(block, after), state, 10.0 * rounding);
    for (std::size_t lane = 0; lane < block_width; ++lane)
        CHECK(
            block.ledger.balance(Ledger::work, lane) ==
            doctest::Approx(energy_of(to, state.data(), lane) - energy_of(from, state.data(), lane))
                .epsilon(rounding));
}

}  // namespace

TEST_CASE("an update of the bias or the stiffness does its work on a held state") {
    const Network network = units(2);
    const Controls first = controls_of({{2.0, 0.3}, {0.3, 1.0}}, 1.0, 0.4);
    Controls bias = first, stiffness = first;
    bias.bias = {-1.0, 2.5};
    stiffness.bias = {0.1, 0.2};
    stiffness.stiffness = Stiffness(matrix({{1.0, -0.6}, {-0.6, 5.0}}));
    for (const Precision precision : {Precision::full, Precision::single})
        for (const Motion motion : {Motion::exact, Motion::midpoint}) {
            check_update(network, first, bias, motion, precision);
            check_update(network, first, stiffness, motion, precision);
        }
}

TEST_CASE("an update of quartic terms does its work, and of a sparse stiffness as well") {
    Controls first = controls_of({{2.0, 0.3}, {0.3, 1.0}}, 1.0, 0.4, 0.5), next = first;
    next.quartic = {1.5, 0.0};
    next.stiffness = Stiffness(matrix({{1.0, 0.0}, {0.0, 5.0}}));
    next.bias = {0.0, 1.0};
    check_update(units(2), first, next, Motion::split);
    first.stiffness = Stiffness(SparseMatrix::of(first.stiffness.dense()));
    next.stiffness = Stiffness(SparseMatrix::of(next.stiffness.dense()));
    check_update(Network(std::vector<double>(2, 1.0)), first, next, Motion::pooled);
}

TEST_CASE("an update holds momenta too") {
    const Network network(Matrix::identity(1), {2.0});
    const Setting before = make_setting(network, controls_of({{2.0}}), Motion::exact, nullptr);
    const Setting after = make_setting(network, controls_of({{3.0}}), Motion::exact, &before);
    ReplicaBlock block = block_of(network, before);
    place(block, before, some_state(2));
    const std::vector<double> state = public_state(block, before);
    Workspace workspace(2, 0);
    ControlUpdate(before, after).apply(block, workspace);
    check_close(public_state(block, after), state, 1e-14);
    CHECK(block.ledger.balance(Ledger::work, 3) == doctest::Approx(0.5 * state[3] * state[3]));
}

TEST_CASE("equal controls change nothing") {
    const Network network = units(1);
    const Setting setting =
        make_setting(network, controls_of({{2.0}}, 1.0, 1.0), Motion::exact, nullptr);
    Controls hotter = setting.controls;
    hotter.kT = {3.0};
    const ControlUpdate update(setting, make_setting(network, hotter, Motion::exact, &setting));
    CHECK_FALSE(update.changes_energy());
    CHECK_FALSE(update.changes_shape());
    CHECK_FALSE(update.changes_force_alone());
    ReplicaBlock block = block_of(network, setting);
    place(block, setting, some_state(1));
    Workspace workspace(1, 0);
    update.apply(block, workspace);
    CHECK(state_of(block, setting, 1) == some_state(1));
    CHECK(block.ledger.balance(Ledger::work, 0) == 0.0);
}
