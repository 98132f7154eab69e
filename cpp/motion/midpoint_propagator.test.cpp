#include "motion/midpoint_propagator.hpp"

#include <cmath>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

std::shared_ptr<const Energy> energy_of_units(const Matrix& stiffness,
                                              const std::vector<double>& quartic) {
    return std::make_shared<const Energy>(Energy{Stiffness(stiffness), quartic});
}

const Matrix coupled = matrix({{2.0, 0.4, -0.2}, {0.4, 1.5, 0.3}, {-0.2, 0.3, 1.0}});
const std::vector<double> ones(3, 1.0), force{0.3, -0.5, 0.2};

template <class Real>
std::vector<Real> moved(const MidpointPropagator<Real>& propagator, std::vector<Real> state,
                        std::uint64_t steps, Posts& posts,
                        const std::vector<double>& beta = force) {
    Workspace workspace(state.size() / block_width, 0);
    const NoiseAddress address{7, 5, 0, 0, block_width / replicas_of_a_group<Real>};
    propagator.advance(state.data(), beta, address, steps, workspace, posts);
    return state;
}

}  // namespace

TEST_CASE("two states with the same noise approach by the midpoint matrix") {
    // x′ − y′ = (1 + hGK/2)⁻¹ (1 − hGK/2) (x − y), here with G = 1/2.
    const double step = 0.3;
    const MidpointPropagator<double> propagator(units(3, 2.0).elements(),
                                                energy_of_units(coupled, {}), 1.3, step, 1.0, ones);
    Posts posts;
    const std::vector<double> x = some_state(3), zero(3 * block_width, 0.0);
    const std::vector<double> a = moved(propagator, x, 1, posts),
                              b = moved(propagator, zero, 1, posts);
    for (std::size_t lane = 0; lane < block_width; ++lane)
        for (std::size_t i = 0; i < 3; ++i) {
            double change = 0.0;
            for (std::size_t j = 0; j < 3; ++j) {
                const double after = a[j * block_width + lane] - b[j * block_width + lane];
                change -= 0.25 * step * coupled(i, j) * (x[j * block_width + lane] + after);
            }
            CHECK(a[i * block_width + lane] - b[i * block_width + lane] ==
                  doctest::Approx(x[i * block_width + lane] + change).epsilon(1e-12));
        }
}

TEST_CASE("uncoupled linear units move by their exact Ornstein–Uhlenbeck step") {
    const double k = 1.6, kT = 1.7, step = 0.6;
    const MidpointPropagator<double> propagator(
        units(1).elements(), energy_of_units(Matrix::diagonal({k}), {}), kT, step, 1.0, {1.0});
    Posts posts;
    const std::vector<double> before = some_state(1);
    const std::vector<double> after = moved(propagator, before, 1, posts, {0.8});
    std::vector<double> noise(block_width);
    row_of_normals(whole_block(5), Purpose::hold, 0, noise.data());
    const double decay = std::exp(-k * step), rest = 0.8 / k;
    const double width = std::sqrt(kT / k * (1.0 - decay * decay));
    for (std::size_t lane = 0; lane < block_width; ++lane)
        CHECK(after[lane] ==
              doctest::Approx(rest + decay * (before[lane] - rest) + width * noise[lane]));
}

TEST_CASE("cold quartic units relax exactly") {
    // Without stiffness: x/√(1 + 2κght x²) over any number of steps.
    for (const bool together : {false, true}) {
        const Matrix stiffness = together ? matrix({{0.0, 1e-30}, {1e-30, 0.0}}) : Matrix(2, 2);
        const MidpointPropagator<double> propagator(units(2).elements(),
                                                    energy_of_units(stiffness, {2.0, 0.0}), 1e-30,
                                                    0.5, 0.1, {1.0, 1.0});
        CHECK(propagator.steps() == 5);
        Posts posts;
        const std::vector<double> before = some_state(2);
        const std::vector<double> after = moved(propagator, before, 5, posts, {0.0, 0.0});
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const double x = before[lane];
            CHECK(after[lane] == doctest::Approx(x / std::sqrt(1.0 + 2.0 * 2.0 * 0.5 * x * x)));
            CHECK(after[block_width + lane] == doctest::Approx(before[block_width + lane]));
        }
    }
}

TEST_CASE("heat is the loss of energy, and supply the work of the force") {
    for (const Matrix& stiffness : {coupled, Matrix::diagonal({1.0, 2.0, 3.0})}) {
        Controls controls = controls_of(Stiffness(stiffness));
        controls.bias = force;
        controls.quartic = {0.5, 0.0, 0.8};
        const MidpointPropagator<double> propagator(units(3).elements(),
                                                    energy_of_units(stiffness, controls.quartic),
                                                    1.0, 0.4, 0.05, ones);
        Posts posts;
        const std::vector<double> x = some_state(3), y = moved(propagator, x, 8, posts);
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            CHECK(-posts.heat[lane] == doctest::Approx(energy_of(controls, y.data(), lane) -
                                                       energy_of(controls, x.data(), lane))
                                           .epsilon(1e-11)
                                           .scale(1.0));
            double supply = 0.0;
            for (std::size_t i = 0; i < 3; ++i)
                supply += force[i] * (y[i * block_width + lane] - x[i * block_width + lane]);
            CHECK(posts.supply[lane] == doctest::Approx(supply).epsilon(1e-11).scale(1.0));
        }
    }
}

TEST_CASE("units of the state change nothing but the rounding") {
    const auto energy = energy_of_units(coupled, {0.5, 0.0, 0.8});
    const std::vector<double> unit{0.5, 2.0, 0.25};
    const MidpointPropagator<double> plain(units(3).elements(), energy, 1.0, 0.4, 0.05, ones),
        scaled(units(3).elements(), energy, 1.0, 0.4, 0.05, unit);
    const std::vector<double> x = some_state(3);
    std::vector<double> in_units = x;
    for (std::size_t k = 0; k < x.size(); ++k) in_units[k] /= unit[k / block_width];
    Posts first, second;
    const std::vector<double> a = moved(plain, x, 8, first), b = moved(scaled, in_units, 8, second);
    for (std::size_t k = 0; k < x.size(); ++k)
        CHECK(b[k] * unit[k / block_width] == doctest::Approx(a[k]));
    CHECK(second.heat[9] == doctest::Approx(first.heat[9]));
}

TEST_CASE("steps of single precision are those of double precision, but for noise and rounding") {
    const auto energy = energy_of_units(coupled, {0.5, 0.0, 0.8});
    const MidpointPropagator<float> propagator(units(3).elements(), energy, 1e-20, 0.4, 0.05, ones);
    const MidpointPropagator<double> reference(units(3).elements(), energy, 1e-20, 0.4, 0.05, ones);
    const std::vector<double> x = some_state(3);
    Posts posts;
    const std::vector<double> a = moved(reference, x, 8, posts);
    const std::vector<float> b =
        moved(propagator, std::vector<float>(x.begin(), x.end()), 8, posts);
    for (std::size_t k = 0; k < x.size(); ++k)
        CHECK(static_cast<double>(b[k]) == doctest::Approx(a[k]).epsilon(1e-5).scale(1.0));
}

TEST_CASE("a step too long for an unstable stiffness is refused") {
    const auto make = [](const Matrix& stiffness) {
        return MidpointPropagator<double>(units(2).elements(), energy_of_units(stiffness, {}), 1.0,
                                          1000.0, 1000.0, {1.0, 1.0});
    };
    CHECK_THROWS_AS(make(matrix({{1.0, 2.0}, {2.0, 1.0}})), std::invalid_argument);
    CHECK_THROWS_AS(make(Matrix::diagonal({-1.0, 1.0})), std::invalid_argument);
}
