#include <cmath>
#include <vector>

#include "ground/block_width.hpp"
#include "kernels/testing.test.hpp"

using namespace ktc;
using ktc::testing::epsilon;

namespace {

constexpr StreamAddress here{3, Purpose::hold, 1, 0, 40};

/// x/√(1 + r x²), the exact relaxation in κx⁴/4.
double relaxed(double x, double rate) { return x / std::sqrt(1.0 + rate * x * x); }

template <class Real>
std::vector<Real> noise_at(const Kernels& kernels, std::uint64_t step, std::size_t element) {
    StreamAddress at = here;
    at.step = step;
    at.element = static_cast<std::uint32_t>(element);
    std::vector<Real> noise(replicas_of_a_group<Real>);
    kernels.of<Real>().normals(at, noise.data());
    return noise;
}

}  // namespace

TEST_CASE_TEMPLATE("a step relaxes x and prepares y = 2x + noise", Real, double, float) {
    constexpr std::size_t units = 18, group = replicas_of_a_group<Real>;
    for (const Kernels* kernels : available_kernels()) {
        const auto start = testing::numbers<Real>(units * block_width, 1);
        const auto width = testing::numbers<Real>(units, 2),
                   push = testing::numbers<Real>(units, 3);
        auto rate = testing::numbers<Real>(units, 4);
        for (Real& each : rate) each = std::max(each, Real{0});  // some have no quartic term
        std::vector<Real> x = start, y(units * block_width, Real{5});
        kernels->of<Real>().midpoint_prepare(x.data(), y.data(), units,
                                             {rate.data(), width.data(), push.data()}, here);
        double worst = 0.0;
        for (std::size_t i = 0; i < units; ++i) {
            const auto noise = noise_at<Real>(*kernels, here.step, i);
            for (std::size_t lane = 0; lane < group; ++lane) {
                const std::size_t at = i * block_width + lane;
                const double state = relaxed(double{start[at]}, double{rate[i]});
                const double sum =
                    2.0 * state + double{width[i]} * double{noise[lane]} + double{push[i]};
                worst = std::max(
                    {worst, std::abs(double{x[at]} - state), std::abs(double{y[at]} - sum) / 8.0});
            }
            // Other groups of the block are left alone.
            for (std::size_t lane = group; lane < block_width; ++lane) {
                CHECK(x[i * block_width + lane] == start[i * block_width + lane]);
                CHECK(y[i * block_width + lane] == Real{5});
            }
        }
        CHECK(worst <= 4 * epsilon<Real>);
    }
}

TEST_CASE_TEMPLATE("relaxation of a block", Real, double, float) {
    for (const Kernels* kernels : available_kernels()) {
        const auto start = testing::numbers<Real>(2 * block_width, 5);
        const std::vector<Real> rate = {Real{0}, Real(2.5)};
        std::vector<Real> x = start;
        kernels->of<Real>().midpoint_relax(x.data(), 2, rate.data());
        for (std::size_t k = 0; k < x.size(); ++k) {
            const double exact = relaxed(double{start[k]}, double{rate[k / block_width]});
            CHECK(std::abs(double{x[k]} - exact) <= 3 * epsilon<Real> * std::abs(exact));
        }
    }
}

TEST_CASE_TEMPLATE("steps of a unit that nothing couples to", Real, double, float) {
    constexpr std::size_t group = replicas_of_a_group<Real>, steps = 37, element = 6;
    const auto pushes = testing::numbers<Real>(group, 10);
    const auto steps_of_a_unit = [&pushes](const Kernels* kernels, bool own) {
        const MidpointUnit<Real> unit{Real(-0.1), Real(0.4), pushes.data(),
                                      Real(0.2),  Real(0.1), own};
        const auto start = testing::numbers<Real>(group, 6);
        std::vector<Real> x = start;
        StreamAddress at = here;
        at.element = element;
        kernels->of<Real>().midpoint_uncoupled(x.data(), steps, unit, at);
        std::vector<double> exact(start.begin(), start.end());
        for (double& state : exact) state = relaxed(state, double{unit.half_rate});
        for (std::size_t k = 0; k < steps; ++k) {
            const auto noise = noise_at<Real>(*kernels, here.step + k, element);
            for (std::size_t lane = 0; lane < group; ++lane)
                exact[lane] = relaxed(exact[lane] + double{unit.growth} * exact[lane] +
                                          double{unit.width} * double{noise[lane]} +
                                          double{pushes[own ? lane : 0]},
                                      k + 1 < steps ? double{unit.rate} : double{unit.half_rate});
        }
        CHECK(testing::difference(x, exact) <= 20 * epsilon<Real>);
    };
    for (const Kernels* kernels : available_kernels())
        for (bool own : {false, true}) steps_of_a_unit(kernels, own);
}

TEST_CASE_TEMPLATE("heat and supply of a move", Real, double, float) {
    constexpr std::size_t units = 3;
    const std::vector<double> unit = {1.0, 0.5, 4.0}, quartic = {0.0, 2.0, 0.1};
    const auto forces = testing::numbers(units * block_width, 11);
    const auto books_of_a_move = [&](const Kernels* kernels, bool own) {
        const auto force = [&forces, own](std::size_t i, std::size_t lane) {
            return forces[own ? i * block_width + lane : i];
        };
        const auto before = testing::numbers<Real>(units * block_width, 7);
        const auto after = testing::numbers<Real>(units * block_width, 8);
        const auto slope = testing::numbers(units * block_width, 9);
        std::vector<double> mean(units * block_width), heat(block_width), supply(block_width);
        kernels->of<Real>().midpoint_mean(before.data(), after.data(), units, unit.data(),
                                          mean.data());
        kernels->of<Real>().midpoint_post(before.data(), after.data(), slope.data(), units,
                                          {unit.data(), forces.data(), quartic.data(), own},
                                          heat.data(), supply.data());
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            double lost = 0.0, supplied = 0.0;
            for (std::size_t i = 0; i < units; ++i) {
                const std::size_t at = i * block_width + lane;
                const double was = unit[i] * double{before[at]}, is = unit[i] * double{after[at]};
                CHECK(mean[at] == doctest::Approx(0.5 * (was + is)).epsilon(1e-15));
                const double power = 0.25 * quartic[i] * (std::pow(is, 4) - std::pow(was, 4));
                lost -= (is - was) * (slope[at] - force(i, lane)) + power;
                supplied += force(i, lane) * (is - was);
            }
            CHECK(heat[lane] == doctest::Approx(lost).epsilon(1e-12));
            CHECK(supply[lane] == doctest::Approx(supplied).epsilon(1e-12));
        }
    };
    for (const Kernels* kernels : available_kernels())
        for (bool own : {false, true}) books_of_a_move(kernels, own);
}

TEST_CASE_TEMPLATE("midpoint steps have the same bits where they are fused", Real, double, float) {
    testing::check_same_bits([](const Kernels& kernels) {
        auto x = testing::numbers<Real>(replicas_of_a_group<Real>, 6);
        const auto push = static_cast<Real>(0.05);
        kernels.of<Real>().midpoint_uncoupled(
            x.data(), 100, {Real(-0.1), Real(0.4), &push, Real(0.2), Real(0.1)}, here);
        return x;
    });
}
