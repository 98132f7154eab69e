#include "motion/dense_propagator.hpp"

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

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
