#include "motion/substep_direction.hpp"

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

const Matrix hessian = matrix({{2.0, 0.3, 0.0}, {0.3, 1.0, -0.4}, {0.0, -0.4, 3.0}});
const std::vector<double> force{0.5, -1.0, 0.25};

Energy energy_with(Stiffness stiffness) { return {std::move(stiffness), {0.7, 0.0, 0.2}}; }

std::vector<double> energies(const std::vector<double>& state) {
    std::vector<double> scratch(state.size()), result(block_width);
    energy_with(Stiffness(hessian)).of_block(state.data(), force, scratch.data(), result.data());
    return result;
}

}  // namespace

TEST_CASE("a displacement changes the energy by what it says") {
    for (const std::vector<double>& d :
         {std::vector<double>{0.0, 1.5, 0.0}, {1.0, 0.0, -2.0}, {0.3, 0.7, 0.2}}) {
        for (const bool sparse : {false, true}) {
            const Stiffness stiffness =
                sparse ? Stiffness(SparseMatrix::of(hessian)) : Stiffness(hessian);
            const SubstepDirection direction(energy_with(stiffness), d);
            std::vector<double> state = some_state(3), slope(block_width), supply(block_width);
            const std::vector<double> before = state, start = energies(state);
            std::vector<double> change(block_width), displacement = some_state(1, 0.3);
            const double pull = direction.pull(force);
            CHECK(pull == doctest::Approx(d[0] * 0.5 - d[1] + d[2] * 0.25));
            direction.slope(state.data(), pull, slope.data());
            direction.move(state.data(), displacement.data(), slope.data(), pull, change.data(),
                           supply.data());
            const std::vector<double> end = energies(state);
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                CHECK(change[lane] == doctest::Approx(end[lane] - start[lane]).epsilon(1e-12));
                CHECK(supply[lane] == doctest::Approx(pull * displacement[lane]));
                for (std::size_t i = 0; i < 3; ++i)
                    CHECK(state[i * block_width + lane] ==
                          doctest::Approx(before[i * block_width + lane] +
                                          d[i] * displacement[lane]));
            }
        }
    }
}

TEST_CASE("slope and curvature are derivatives of the quadratic energy") {
    const std::vector<double> d{1.0, 0.0, -2.0};
    const SubstepDirection direction(energy_with(Stiffness(hessian)), d);
    double curvature = 0.0;
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 3; ++j) curvature += d[i] * hessian(i, j) * d[j];
    CHECK(direction.curvature() == doctest::Approx(curvature));
    const std::vector<double> state = some_state(3);
    std::vector<double> slope(block_width);
    direction.slope(state.data(), direction.pull(force), slope.data());
    for (std::size_t lane = 0; lane < block_width; ++lane) {
        double expected = 0.0;
        for (std::size_t i = 0; i < 3; ++i) {
            double gradient = -force[i];
            for (std::size_t j = 0; j < 3; ++j)
                gradient += hessian(i, j) * state[j * block_width + lane];
            expected += d[i] * gradient;
        }
        CHECK(slope[lane] == doctest::Approx(expected).epsilon(1e-13));
    }
}

TEST_CASE("a direction along an axis knows its unit") {
    const Energy energy = energy_with(Stiffness(hessian));
    const SubstepDirection axis(energy, {0.0, 0.0, 2.0}), oblique(energy, {1.0, 1.0, 0.0}),
        linear(energy, {0.0, 1.0, 0.0});
    CHECK(axis.along_axis());
    CHECK(axis.axis() == 2);
    CHECK(axis.stride() == 2.0);
    CHECK(axis.quartic() == 0.2);
    CHECK(axis.is_quartic());
    CHECK_FALSE(oblique.along_axis());
    CHECK(oblique.is_quartic());
    CHECK_FALSE(linear.is_quartic());
}
