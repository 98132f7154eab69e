#include "physics/potential.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>

#include "ground/block_width.hpp"
#include "kernels/kernels.hpp"

using namespace ktc;

namespace {

/// V = ¼x⁴ at three knots of unequal spacing as any cubic pieces; only their evaluation is tested.
const SplineTable table{
    {-1.0, 0.5, 2.0},
    {1.0, -2.0, 0.7, 0.0, 1.0, -2.0, 0.7, 0.1, -0.4, 0.3, 1.2, -0.2, 0.5, 2.0, 0.9, 0.0}};

OnSite some_potentials() {
    const Potentials potentials(
        {PotentialKind::polynomial, PotentialKind::cosine, PotentialKind::two_parabolas,
         PotentialKind::none, PotentialKind::table},
        {table});
    const std::vector<double> numbers{0.1,  -1.0, 0.2, 0.3, -0.05, 0.02, 0.0,
                                      0.01, 1.5,  1.3, 1.2, -0.3,  1.4,  0.8};
    potentials.check(numbers);
    CHECK(potentials.size() == numbers.size());
    CHECK(potentials.springs(numbers) == std::vector<double>{-2.0, 0.0, 1.2, 0.0, 0.0});
    return potentials.at(numbers, 5);
}

}  // namespace

TEST_CASE("kernels of every level agree with the formulas") {
    const OnSite potentials = some_potentials();
    double x[block_width];
    for (std::size_t lane = 0; lane < block_width; ++lane)
        x[lane] = 0.11 * static_cast<double>(lane) - 3.5;
    for (const Kernels* kernels : available_kernels())
        for (std::size_t unit = 0; unit < 5; ++unit) {
            const PotentialView* view = potentials.at(unit);
            CHECK((view == nullptr) == (unit == 3));
            if (view == nullptr) continue;
            double energy[block_width] = {}, slope[block_width], curvature[block_width];
            kernels->full.potential_energy(*view, 1.0, 1.0, block_width, x, energy);
            kernels->potential_slope(*view, block_width, x, slope, curvature);
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                const PotentialAt at = evaluate(*view, x[lane]);
                CHECK(energy[lane] == doctest::Approx(at.energy).epsilon(1e-12));
                CHECK(slope[lane] == doctest::Approx(at.slope).epsilon(1e-12));
                CHECK(curvature[lane] == doctest::Approx(at.curvature).epsilon(1e-12));
            }
        }
}

TEST_CASE("slopes are derivatives of energies") {
    const OnSite potentials = some_potentials();
    const double h = 1e-5;
    for (const std::size_t unit : {0, 1, 2, 4})
        for (const double x : {-2.3, -0.7, 0.3, 1.1, 2.6}) {
            const PotentialView& view = *potentials.at(unit);
            const double rise = evaluate(view, x + h).energy - evaluate(view, x - h).energy;
            CHECK(evaluate(view, x).slope == doctest::Approx(rise / (2.0 * h)).epsilon(1e-7));
        }
}

TEST_CASE("a relaxation is second order in its time") {
    // x′ = −V′ of V = x⁴: x/√(1 + 8x²t).
    PotentialView view{PotentialKind::polynomial, {0.0, 0.0, 0.0, 1.0}, {}};
    double last = 0.0;
    for (const double step : {0.02, 0.01}) {
        double x[block_width] = {};
        x[0] = 1.0;
        for (int k = 0; k < std::lround(0.4 / step); ++k)
            kernels().full.potential_relax(view, 1.0, step, block_width, x);
        const double error = std::abs(x[0] - 1.0 / std::sqrt(1.0 + 8.0 * 0.4));
        if (last > 0.0) CHECK(last / error > 3.5);
        last = error;
    }
}

TEST_CASE("numbers that no potential has are refused") {
    const Potentials cosine({PotentialKind::cosine}, {});
    CHECK_THROWS_AS(cosine.check({1.0}), std::invalid_argument);
    CHECK_THROWS_AS(cosine.check({1.0, 0.0}), std::invalid_argument);
    CHECK_THROWS_AS(cosine.check({std::nan(""), 1.0}), std::invalid_argument);
    CHECK_THROWS_AS(Potentials({PotentialKind::table}, {}), std::invalid_argument);
    SplineTable uneven = table;
    uneven.knots[2] = 0.0;
    CHECK_THROWS_AS(Potentials({PotentialKind::table}, {uneven}), std::invalid_argument);
    CHECK_THROWS_AS(potential_named("quintic"), std::invalid_argument);
}
