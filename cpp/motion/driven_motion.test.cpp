#include "motion/driven_motion.hpp"

#include <cmath>

#include "motion/fixtures.test.hpp"
#include "physics/motion.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

/// A circuit of every element: two resistors at two temperatures with EMFs, one more between the
/// coordinates, a rotation, a current source, white and filtered noise.
Network circuit() {
    Elements e;
    e.interconnection = matrix({{0.0, 0.7, 0.0}, {-0.7, 0.0, 0.2}, {0.0, -0.2, 0.0}});
    e.directions = SparseMatrix::of(matrix({{1.0, 0.0, 0.0}, {0.0, 0.5, -1.0}, {0.3, 0.0, 1.0}}));
    e.conductance = {0.8, 0.4, 1.5};
    e.account = {0, 1, 1};
    e.source_directions = matrix({{0.2, 1.0, 0.0}});
    e.noise_directions = matrix({{1.0, 0.0, 0.4}, {0.0, 1.0, 0.0}});
    e.noise_density = {0.3, 0.5};
    e.noise_rate = {0.0, 1.7};
    return Network(e);
}

Controls controls_of_circuit() {
    return {
        {0.1, 0.0, -0.2}, Stiffness(matrix({{2.0, 0.3, 0.0}, {0.3, 1.0, 0.1}, {0.0, 0.1, 0.5}})),
        {1.0, 0.2},       {0.0, 0.0, 0.0},
        {0.5, -1.0, 0.0}, {0.8}};
}

std::shared_ptr<const SourceFlow> source_of(const Network& network, const Controls& controls) {
    const FlowSolver solver(network, controls);
    return source_flow(network, controls, natural_coordinates(network, controls.stiffness),
                       &solver);
}

/// Map and noise covariance of (v, y) over a hold, without the steady part.
struct Joint {
    Matrix map, covariance;
};

Joint joint(double hold) {
    const Network network = circuit();
    const Controls controls = controls_of_circuit();
    const Coordinates coordinates = natural_coordinates(network, controls.stiffness);
    const DrivenMotion motion = driven_motion(network, controls, coordinates);
    const DrivenTransition moved = driven_transition(motion, hold);
    const auto source = source_move(source_of(network, controls), moved);
    CHECK(source->steady == doctest::Approx(source->flow->power * hold));
    const std::size_t n = moved.decay.rows();
    Matrix map(n + 1, n + 1), noise(n + 1, n + 1);
    map(n, n) = 1.0;
    noise(n, n) = source->width;
    for (std::size_t j = 0; j < n; ++j) {
        noise(n, j) = source->noise[j];
        map(n, j) = -source->potential[j];
        for (std::size_t i = 0; i < n; ++i) {
            map(i, j) = moved.decay(i, j);
            noise(i, j) = moved.factor(i, j);
            map(n, j) += source->potential[i] * moved.decay(i, j);
            noise(n, j) += source->potential[i] * moved.factor(i, j);
        }
    }
    return {map, multiply(noise, noise, Transposed::no, Transposed::yes)};
}

}  // namespace

TEST_CASE("active elements: EMFs as sources with their own readings are the same motion") {
    const Network passive = circuit();
    const Controls controls = controls_of_circuit();
    Elements e = passive.elements();
    const auto resistor = [&](std::size_t r) { return e.directions.dense().row(r); };
    e.active.flow = passive.flow();
    e.interconnection = Matrix();
    // The current e_r g_r drives, and its power is e_r (−g_r d_r·∇H + g_r e_r + noise).
    Matrix drives(3, 3), readings(3, 3);
    e.active.conductance = Matrix(3, 3);
    e.active.noise = Matrix(3, 3);
    for (std::size_t i = 0; i < 3; ++i) {
        drives(0, i) = readings(0, i) = e.source_directions(0, i);
        for (std::size_t r = 0; r < 2; ++r) {
            drives(r + 1, i) = e.conductance[r] * resistor(r)[i];
            readings(r + 1, i) = -drives(r + 1, i);
            e.active.conductance(r + 1, r + 1) = e.conductance[r];
            e.active.noise(r + 1, r) = 1.0;
        }
    }
    e.source_directions = drives;
    e.active.readings = readings;
    const Network active(e);
    Controls driven = controls;
    driven.current = {controls.current[0], controls.emf[0], controls.emf[1]};
    driven.emf = {0.0, 0.0, 0.0};
    CHECK(active.is_driven(driven));
    CHECK_THROWS_WITH(check_motion(active, driven, Motion::split),
                      doctest::Contains("active elements"));
    const auto flow_of = [](const Network& network, const Controls& at) {
        return source_of(network, at);
    };
    const auto one = flow_of(passive, controls), other = flow_of(active, driven);
    CHECK(other->power == doctest::Approx(one->power).epsilon(1e-13));
    CHECK(other->diffusion == doctest::Approx(one->diffusion).epsilon(1e-13));
    for (std::size_t k = 0; k < one->potential.size(); ++k) {
        CHECK(other->potential[k] == doctest::Approx(one->potential[k]).epsilon(1e-12));
        CHECK(other->correlation[k] == doctest::Approx(one->correlation[k]).epsilon(1e-12));
    }
    for (std::size_t k = 0; k < one->displacement.size(); ++k)
        CHECK(other->displacement[k] == doctest::Approx(one->displacement[k]).epsilon(1e-12));
}

TEST_CASE("two holds make a hold twice as long, of state and source energy") {
    for (const double hold : {1e-3, 0.3, 2.0, 500.0}) {
        const Joint once = joint(hold), twice = joint(2.0 * hold);
        const Matrix carried = multiply(multiply(once.map, once.covariance), once.map,
                                        Transposed::no, Transposed::yes);
        const double size = norm(twice.covariance);
        check_close(multiply(once.map, once.map), twice.map, 1e-12);
        check_close(add(1.0, carried, 1.0, once.covariance), twice.covariance, 1e-12 * size);
    }
}

TEST_CASE("a short hold follows the equation of motion") {
    const Network network = circuit();
    const Controls controls = controls_of_circuit();
    const Coordinates coordinates = natural_coordinates(network, controls.stiffness);
    const DrivenMotion motion = driven_motion(network, controls, coordinates);
    const auto flow = source_of(network, controls);
    const double hold = 1e-6;
    const Joint moved = joint(hold);
    const Elements& e = network.elements();
    const std::size_t n = 3;
    // dy = Σ e g (e − d·∇H) dt + I a·∇H dt + Σ e √(2 kT g) dW.
    double power = 0.0, spread = 0.0;
    std::vector<double> shared(n, 0.0), gain(n, 0.0);
    for (std::size_t r = 0; r < e.resistors(); ++r) {
        const std::vector<double> d = e.directions.dense().row(r);
        const std::vector<double> own = multiply(coordinates.from_state, d);
        const double current = controls.emf[r] * e.conductance[r];
        const double rate = 2.0 * controls.kT[e.account[r]] * current;
        power += current * controls.emf[r];
        spread += rate * controls.emf[r];
        for (std::size_t i = 0; i < n; ++i) {
            shared[i] += rate * own[i];
            gain[i] -= current * own[i];
        }
    }
    const std::vector<double> fed = multiply(coordinates.from_state, e.source_directions.row(0));
    for (std::size_t i = 0; i < n; ++i) gain[i] += controls.current[0] * fed[i];
    for (std::size_t i = 0; i < n; ++i) power += gain[i] * flow->displacement[i];
    CHECK(flow->power == doctest::Approx(power));
    CHECK(moved.covariance(4, 4) / hold == doctest::Approx(spread).epsilon(1e-4));
    for (std::size_t i = 0; i < n; ++i) {
        CHECK(moved.map(4, i) / hold == doctest::Approx(gain[i]).epsilon(1e-4));
        CHECK(moved.covariance(4, i) / hold == doctest::Approx(shared[i]).epsilon(1e-4));
    }
    // The rest is where the drift vanishes: F (w* − β) = −push.
    std::vector<double> push(n, 0.0);
    for (std::size_t r = 0; r < e.resistors(); ++r) {
        const std::vector<double> own =
            multiply(coordinates.from_state, e.directions.dense().row(r));
        for (std::size_t i = 0; i < n; ++i) push[i] -= controls.emf[r] * e.conductance[r] * own[i];
    }
    for (std::size_t i = 0; i < n; ++i) push[i] -= controls.current[0] * fed[i];
    check_close(multiply(coordinates.drift, flow->displacement), push);
}

TEST_CASE("without sources there is no flow of energy from them") {
    Controls controls = controls_of_circuit();
    controls.emf = {0.0, 0.0, 0.0};
    controls.current = {0.0};
    const Network network = circuit();
    CHECK(source_of(network, controls) == nullptr);
}
