#include "motion/hold_propagator.hpp"

#include <cmath>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

constexpr double kT = 1.4, hold = 0.3;

/// One unit, whose bias goes through 32 values: the ticks, and a block at the first setting.
struct Run {
    Network network = units(1);
    std::vector<Setting> settings;
    TickBatch batch;
    std::vector<double> normals;  ///< of every tick, [tick][lane]

    template <class Real>
    explicit Run(Real) {
        Controls controls = controls_of({{2.0}}, kT);
        settings.push_back(make_setting(network, controls, Motion::exact, nullptr));
        const auto propagator = std::make_shared<const ModalPropagator<Real>>(
            settings.front().coordinates->rates, kT, hold);
        for (std::uint64_t tick = 0; tick < 32; ++tick) {
            controls.bias[0] = std::sin(static_cast<double>(tick));
            const Setting& before = settings.back();
            Setting next = make_setting(network, controls, Motion::exact, &before);
            batch.append(
                {std::make_shared<const ControlUpdate>(before, next), propagator, next.drive, 1});
            settings.push_back(std::move(next));
            for (std::size_t g = 0; g * replicas_of_a_group<Real> < block_width; ++g) {
                Real group[replicas_of_a_group<Real>];
                kernels().of<Real>().normals({7, Purpose::hold, g, 0, tick}, group);
                normals.insert(normals.end(), group, group + replicas_of_a_group<Real>);
            }
        }
    }

    void check(Precision precision, double rounding) {
        ReplicaBlock block = block_of(network, settings.front(), precision);
        place(block, settings.front(), some_state(1));
        std::vector<double> w = state_of(block, settings.front(), 1);
        std::vector<double> work(block_width), heat(block_width), supply(block_width);
        Workspace workspace(1, 0);
        batch.play(block, workspace);
        const double decay = std::exp(-2.0 * hold);
        const double width = std::sqrt(kT * (1.0 - decay * decay));
        for (std::size_t tick = 0; tick < 32; ++tick)
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                const double beta = settings[tick + 1].drive->force[0];
                work[lane] -= (beta - settings[tick].drive->force[0]) * w[lane];
                const double after =
                    beta + decay * (w[lane] - beta) + width * normals[tick * block_width + lane];
                heat[lane] += 0.5 * (w[lane] * w[lane] - after * after) - beta * (w[lane] - after);
                supply[lane] += beta * (after - w[lane]);
                w[lane] = after;
            }
        check_close(state_of(block, settings.back(), 1), w, rounding);
        CHECK(block.step == 32);
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            CHECK(std::abs(block.ledger.balance(Ledger::work, lane) - work[lane]) < rounding);
            CHECK(std::abs(block.ledger.balance(Ledger::heat, lane) - heat[lane]) < rounding);
            CHECK(std::abs(block.ledger.balance(Ledger::supply, lane) - supply[lane]) < rounding);
        }
    }
};

}  // namespace

TEST_CASE("modes move and book as a plain loop over ticks does") {
    Run(0.0).check(Precision::full, 1e-12);
    Run(0.0f).check(Precision::single, 1e-4);
}

TEST_CASE("accounts that are not kept do not change the motion") {
    Run run(0.0);
    const Setting& first = run.settings.front();
    ReplicaBlock all = block_of(run.network, first), heat = block_of(run.network, first);
    heat.ledger = Ledger(std::make_shared<const Accounts>(
        0, std::vector<bool>{false, true, false, false, false, false, false, false}));
    Workspace workspace(1, 0);
    run.batch.play(all, workspace);
    run.batch.play(heat, workspace);
    CHECK(state_of(heat, first, 1) == state_of(all, first, 1));
    CHECK(heat.ledger.balance(Ledger::heat, 11) == all.ledger.balance(Ledger::heat, 11));
    CHECK(heat.ledger.balance(Ledger::work, 11) == 0.0);
}

TEST_CASE("a change of stiffness between two ticks is applied to the state") {
    const Network network = units(1);
    const Setting before = make_setting(network, controls_of({{2.0}}, kT), Motion::exact, nullptr);
    const Setting after = make_setting(network, controls_of({{8.0}}, kT), Motion::exact, &before);
    const auto make = [&](const Setting& setting) {
        return std::make_shared<const ModalPropagator<double>>(setting.coordinates->rates, 1e-300,
                                                               hold);
    };
    TickBatch batch;
    batch.append({nullptr, make(before), before.drive, 1});
    batch.append(
        {std::make_shared<const ControlUpdate>(before, after), make(after), after.drive, 1});
    ReplicaBlock block = block_of(network, before);
    const std::vector<double> state = some_state(1);
    place(block, before, state);
    Workspace workspace(1, 0);
    batch.play(block, workspace);
    std::vector<double> expected;  // w = √k x
    for (const double w : state)
        expected.push_back(2.0 * w * std::exp(-2.0 * hold) * std::exp(-8.0 * hold));
    check_close(state_of(block, after, 1), expected, 1e-14);
}

TEST_CASE("coupled motion is A u + B ξ of the deviation from the force, with B Bᵀ = Q") {
    const Network network(matrix({{1.0, 0.3}, {0.3, 2.0}}), {1.0, 0.5});
    Controls controls = controls_of({{2.0, 0.3}, {0.3, 1.0}});
    controls.bias = {0.7, -0.4};
    controls.kT = {1.5};
    controls.emf = std::vector<double>(network.elements().resistors());
    const Setting setting = make_setting(network, controls, Motion::exact, nullptr);
    const std::vector<double>& force = setting.drive->force;
    const Transition transition = natural_transition(*setting.coordinates, 1.5, 0.8);
    TickBatch batch;
    batch.append({nullptr, dense_propagator(transition), setting.drive, 1});
    ReplicaBlock block = block_of(network, setting);
    const std::vector<double> before = some_state(4);
    place(block, setting, before);
    Workspace workspace(4, 0);
    batch.play(block, workspace);
    const std::vector<double> after = state_of(block, setting, 4);
    const Matrix factor = semidefinite_factor(transition.covariance);
    check_close(multiply(factor, factor, Transposed::no, Transposed::yes), transition.covariance);
    std::vector<double> noise(4 * block_width), expected(4 * block_width);
    for (std::size_t i = 0; i < 4; ++i)
        row_of_normals(whole_block(), Purpose::hold, i, &noise[i * block_width]);
    for (std::size_t lane = 0; lane < block_width; ++lane) {
        double heat = 0.0, supply = 0.0;
        for (std::size_t i = 0; i < 4; ++i) {
            double u = 0.0;
            for (std::size_t j = 0; j < 4; ++j)
                u += transition.decay(i, j) * (before[j * block_width + lane] - force[j]) +
                     factor(i, j) * noise[j * block_width + lane];
            const double start = before[i * block_width + lane], end = force[i] + u;
            expected[i * block_width + lane] = end;
            heat += 0.5 * (start * start - end * end) - force[i] * (start - end);
            supply += force[i] * (end - start);
        }
        CHECK(block.ledger.balance(Ledger::heat, lane) == doctest::Approx(heat).scale(1.0));
        CHECK(block.ledger.balance(Ledger::supply, lane) == doctest::Approx(supply).scale(1.0));
    }
    check_close(after, expected);
}

TEST_CASE("every motion has its propagator, in either precision") {
    const Network network = units(2), inertial(Matrix::identity(2), {1.0, 1.0});
    const Controls controls = controls_of({{2.0, 0.3}, {0.3, 1.0}});
    const auto make = [&](const Network& of, Motion motion, Precision precision) {
        const Setting setting = make_setting(of, controls, motion, nullptr);
        const StateFormat format(of, setting, precision);
        return hold_propagator(of, setting, motion, format, 1.0, 0.001);
    };
    for (const Precision precision : {Precision::full, Precision::single}) {
        const auto modes = make(network, Motion::exact, precision);
        CHECK(modes->steps() == 1);
        CHECK(modes->steps_per_post() == 16);
        CHECK(modes->cost() == 2.0);
        const auto dense = make(inertial, Motion::exact, precision);
        CHECK(dense->steps() == 1);
        CHECK(dense->steps_per_post() == 1);
        CHECK(dense->cost() == 6.0);
        const auto midpoint = make(network, Motion::midpoint, precision);
        CHECK(midpoint->steps() == 1000);
        CHECK(midpoint->steps_at_once() == 128);
    }
    for (const Motion motion : {Motion::split, Motion::pooled}) {
        const auto split = make(inertial, motion, Precision::full);
        CHECK(split->steps() == 1000);
        CHECK(split->steps_at_once() == 1);
    }
}
