#include <array>
#include <cmath>
#include <vector>

#include "kernels/testing.test.hpp"

using namespace ktc;
using ktc::testing::epsilon;

namespace {

constexpr StreamAddress first_step{9, Purpose::hold, 2, 0, 5};

/// Ticks of a drag at constant speed, β from 0 on, in units with λ from 1 to 2 and kT = 1.
template <class Real>
struct Drag {
    std::size_t units, count;
    std::vector<Real> force, change, decay, growth, width, rest;
    std::vector<ModalTick<Real>> ticks;

    Drag(std::size_t number, std::size_t length, double hold)
        : units(number), count(length), rest(number, Real{0}) {
        for (std::size_t k = 0; k < count; ++k)
            for (std::size_t i = 0; i < units; ++i) {
                const double rate = 1.0 + static_cast<double>(i) / static_cast<double>(units);
                const auto beta = static_cast<Real>(3.0 * hold * rate * static_cast<double>(k + 1));
                const Real before = k == 0 ? Real{0} : force[(k - 1) * units + i];
                force.push_back(beta);
                change.push_back(beta - before);
                decay.push_back(static_cast<Real>(std::exp(-rate * hold)));
                growth.push_back(static_cast<Real>(std::expm1(-rate * hold)));
                width.push_back(static_cast<Real>(std::sqrt(-std::expm1(-2.0 * rate * hold))));
            }
        for (std::size_t k = 0; k < count; ++k) {
            const std::size_t at = k * units;
            double common = 0.0;
            for (std::size_t i = 0; i < units && sizeof(Real) == 4; ++i)
                common -= double{change[at + i]} * (double{force[at + i]} - double{change[at + i]});
            ticks.push_back({&change[at], &force[at], &decay[at], &growth[at], &width[at],
                             rest.data(), common});
        }
    }
    Drag(const Drag&) = delete;
    Drag& operator=(const Drag&) = delete;
};

/// A group of replicas with its books.
template <class Real>
struct Group {
    static constexpr std::size_t width = replicas_of_a_group<Real>;
    std::vector<Real> state;
    std::array<std::array<double, width>, 3> sum{};
    std::array<std::array<UpperHalf, width>, 3> carry{};
    std::array<UpperHalf, width> turnover{};

    explicit Group(std::size_t units) : state(testing::numbers<Real>(units * width, 4)) {}

    /// Ticks from `begin` to `end`.
    void play(const Kernels& kernels, const Drag<Real>& drag, std::size_t begin, std::size_t end) {
        StreamAddress at = first_step;
        at.step += begin;
        kernels.of<Real>().modal(state.data(), width, drag.units, drag.ticks.data() + begin,
                                 end - begin, at,
                                 {sum[0].data(), carry[0].data(), sum[1].data(), carry[1].data(),
                                  sum[2].data(), carry[2].data(), turnover.data()});
    }
    double balance(std::size_t account, std::size_t lane) const {
        return sum[account][lane] + carry[account][lane];
    }
    std::vector<double> numbers() const {
        std::vector<double> result(state.begin(), state.end());
        for (const auto& each : sum) result.insert(result.end(), each.begin(), each.end());
        for (const auto& each : carry) result.insert(result.end(), each.begin(), each.end());
        result.insert(result.end(), turnover.begin(), turnover.end());
        return result;
    }
};

/// One replica in plain double precision, one formula for each account.
struct Reference {
    std::vector<double> x;
    double work = 0.0, heat = 0.0, supply = 0.0;

    template <class Real>
    Reference(const Kernels& kernels, const Drag<Real>& drag, const Group<Real>& start,
              std::size_t lane) {
        constexpr std::size_t width = replicas_of_a_group<Real>;
        for (std::size_t i = 0; i < drag.units; ++i)
            x.push_back(double{start.state[i * width + lane]});
        for (std::size_t k = 0; k < drag.count; ++k)
            for (std::size_t i = 0; i < drag.units; ++i) {
                const std::size_t at = k * drag.units + i;
                const double force = double{drag.force[at]};
                StreamAddress address = first_step;
                address.step += k;
                address.element = static_cast<std::uint32_t>(i);
                std::array<Real, width> noise;
                kernels.of<Real>().normals(address, noise.data());
                work -= double{drag.change[at]} * x[i];
                const double moved = force + double{drag.decay[at]} * (x[i] - force) +
                                     double{drag.width[at]} * double{noise[lane]};
                heat -=
                    0.5 * (moved - force) * (moved - force) - 0.5 * (x[i] - force) * (x[i] - force);
                supply += force * (moved - x[i]);
                x[i] = moved;
            }
    }
};

template <class Real>
void check_equation(const Kernels& kernels, std::size_t units, double hold) {
    const Drag<Real> drag(units, 37, hold);
    Group<Real> group(units);
    const Group<Real> start = group;
    group.play(kernels, drag, 0, drag.count);
    const double size = std::abs(double{drag.force.back()}) * 37 * epsilon<Real>;
    for (const std::size_t lane : {std::size_t{0}, std::size_t{7}, Group<Real>::width - 1}) {
        const Reference exact(kernels, drag, start, lane);
        double largest = 1.0;
        for (std::size_t i = 0; i < units; ++i) {
            // In single precision the state is the deviation from the force.
            const double force = double{drag.force[(drag.count - 1) * units + i]};
            const double found = double{group.state[i * Group<Real>::width + lane]} +
                                 (sizeof(Real) == 4 ? force : 0.0);
            CHECK(std::abs(found - exact.x[i]) <= size);
            largest = std::max(largest, 1.0 + std::abs(exact.x[i]));
        }
        const double allowed = 30.0 * size * static_cast<double>(units) * largest;
        CHECK(std::abs(group.balance(0, lane) - exact.work) <= allowed);
        CHECK(std::abs(group.balance(1, lane) - exact.heat) <= allowed);
        CHECK(std::abs(group.balance(2, lane) - exact.supply) <= allowed);
    }
}

}  // namespace

TEST_CASE_TEMPLATE("modal moves follow their equation", Real, double, float) {
    // Noise is made sixteen rows at a time: of several ticks of few units, or of some units.
    for (const Kernels* kernels : available_kernels())
        for (const std::size_t units : {1, 2, 5, 16, 17})
            for (const double hold : {0.02, 1.5}) check_equation<Real>(*kernels, units, hold);
}

TEST_CASE_TEMPLATE("books do not depend on where they are put away", Real, double, float) {
    for (const Kernels* kernels : available_kernels())
        for (const std::size_t units : {1, 3}) {
            const Drag<Real> drag(units, 11 + 64, 0.02);
            Group<Real> once(units), often(units);
            once.play(*kernels, drag, 0, drag.count);
            // Tiles end where the number of the step is a multiple of 16, and it starts from 5.
            often.play(*kernels, drag, 0, 11);
            for (std::size_t at = 11; at < drag.count; at += 16)
                often.play(*kernels, drag, at, at + 16);
            CHECK(once.numbers() == often.numbers());
        }
}

TEST_CASE_TEMPLATE("modal moves have the same bits where they are fused", Real, double, float) {
    testing::check_same_bits([](const Kernels& kernels) {
        std::vector<double> result;
        for (const double hold : {0.02, 1.5}) {
            const Drag<Real> drag(5, 40, hold);
            Group<Real> group(5);
            group.play(kernels, drag, 0, drag.count);
            const std::vector<double> numbers = group.numbers();
            result.insert(result.end(), numbers.begin(), numbers.end());
        }
        return result;
    });
}
