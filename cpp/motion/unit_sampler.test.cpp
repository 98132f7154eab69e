#include "motion/unit_sampler.hpp"

#include <cmath>
#include <initializer_list>

#include "motion/fixtures.test.hpp"
#include "motion/uniforms.hpp"

using namespace ktc;
using namespace ktc::testing;

TEST_CASE("stationary points are the zeros of the slope") {
    CHECK(UnitEnergy{2.0, 3.0, 0.0}.stationary_points() == std::vector<double>{1.5});
    check_close(UnitEnergy{-4.0, 0.0, 1.0}.stationary_points(), {-2.0, 0.0, 2.0}, 1e-15);
    check_close(UnitEnergy{0.0, 8.0, 1.0}.stationary_points(), {2.0}, 1e-15);
    const UnitEnergy tilted{-1.0, 0.2, 1.0};
    const std::vector<double> points = tilted.stationary_points();
    CHECK(points.size() == 3);
    for (const double x : points) CHECK(std::abs(-x + x * x * x - 0.2) < 1e-15);
}

TEST_CASE("draws have the moments of the Boltzmann distribution") {
    const double kT = 0.7;
    for (const UnitEnergy& energy :
         {UnitEnergy{1.5, 0.4, 0.0}, UnitEnergy{-2.0, 0.1, 1.0}, UnitEnergy{0.5, -1.0, 0.8}}) {
        double weight = 0.0, first = 0.0, second = 0.0, fourth = 0.0;
        for (double x = -8.0; x < 8.0; x += 1e-3) {
            const double p = std::exp(-energy(x) / kT);
            weight += p;
            first += p * x;
            second += p * x * x;
            fourth += p * x * x * x * x;
        }
        const UnitSampler sampler(energy, kT);
        Uniforms uniforms(whole_block(), Purpose::unit, 0, 0, 0);
        double count = 0.0, trials = 0.0, mean = 0.0, square = 0.0;
        for (int k = 0; k < 4000; ++k) {
            std::vector<double> place(group_width);
            std::copy_n(uniforms.next(), group_width, place.begin());
            const double* height = uniforms.next();
            for (std::size_t lane = 0; lane < group_width; ++lane) {
                double x = 0.0;
                ++trials;
                if (!sampler.attempt(place[lane], height[lane], x)) continue;
                ++count;
                mean += x;
                square += x * x;
            }
        }
        CHECK(count / trials > 0.85);
        const double variance = second / weight - first / weight * (first / weight);
        CHECK(std::abs(mean / count - first / weight) < 4.5 * std::sqrt(variance / count));
        const double spread = fourth / weight - second / weight * (second / weight);
        CHECK(std::abs(square / count - second / weight) < 4.5 * std::sqrt(spread / count));
    }
}

TEST_CASE("energies beyond the digits of a double are refused") {
    CHECK_THROWS_AS(UnitSampler({1.0, 1e7, 0.0}, 1.0), std::invalid_argument);
}
