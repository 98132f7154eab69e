#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <type_traits>
#include <vector>

#include "kernels/testing.test.hpp"

using namespace ktc;

namespace {

template <class Real>
constexpr std::size_t group = replicas_of_a_group<Real>;

/// Rows with a triangular matrix of noise, two filters at the end, and changing forces and sources;
/// what the kernel reads of it.
template <class Real>
struct Drive {
    static constexpr bool single = std::is_same_v<Real, float>;
    static constexpr std::size_t count = 37, filters = 2;
    std::size_t units, rows, draws;
    bool correlated;
    std::vector<Real> decay, growth, width, force, change, rest, potential, share, numbers;
    std::vector<Real> force_rest, rest_change, rest_rest;  // in single precision
    std::vector<std::size_t> order;
    std::vector<DrivenPanel<Real>> panels;
    DrivenMove<Real> move{};
    std::vector<DrivenTick<Real>> ticks;

    Drive(std::size_t number, bool with_panels)
        : units(number),
          rows(number + (with_panels ? filters : 0)),
          draws(rows + (with_panels ? 1 : 0)),
          correlated(with_panels),
          force(testing::numbers<Real>(count * rows, 1)),
          change(testing::numbers<Real>(count * rows, 2)),
          rest(testing::numbers<Real>(count * rows, 3)),
          potential(testing::numbers<Real>(count * rows, 5)),
          share(testing::numbers<Real>(count * draws, 6)),
          force_rest(testing::numbers<Real>(count * rows, 7)),
          rest_change(testing::numbers<Real>(count * rows, 8)),
          rest_rest(testing::numbers<Real>(count * rows, 9)) {
        for (std::size_t i = 0; i < rows; ++i) {
            const double rate = 0.1 + 0.4 * static_cast<double>(i);  // short and long holds
            decay.push_back(static_cast<Real>(std::exp(-rate)));
            growth.push_back(static_cast<Real>(std::expm1(-rate)));
            width.push_back(static_cast<Real>(std::sqrt(-std::expm1(-2.0 * rate))));
            order.push_back(rows - 1 - i);
        }
        move = {units,
                correlated ? filters : 0,
                draws,
                decay.data(),
                growth.data(),
                width.data(),
                nullptr,
                0,
                0};
        if (correlated) pack();
        for (std::size_t k = 0; k < count; ++k) {
            ticks.push_back({&move, k % 3 == 1 ? nullptr : &change[k * rows], &force[k * rows],
                             &rest[k * rows], k < 20 ? &potential[k * rows] : nullptr,
                             k < 10 ? &share[k * draws] : nullptr, k < 20 ? 0.25 : 0.0});
            if (!single) continue;
            ticks[k].force_rest = &force_rest[k * rows];
            ticks[k].rest_change = &rest_change[k * rows];
            ticks[k].rest_rest = &rest_rest[k * rows];
            ticks[k].common_work = 0.125;
        }
    }
    Drive(const Drive&) = delete;
    Drive& operator=(const Drive&) = delete;

    /// Entry of a row and a column of the matrix of noise, then of filters.
    static double entry(std::size_t row, std::size_t column) {
        return std::sin(static_cast<double>(7 * row + 3 * column + 1));
    }
    std::size_t depth() const { return draws; }
    void pack() {
        for (std::size_t begin = 0, size = 0; begin < rows; begin += size) {
            size = std::min(driven_panel, std::bit_floor(rows - begin));
            panels.push_back({size, depth(), order.data() + begin, nullptr});
            for (std::size_t column = 0; column < depth() + filters; ++column)
                for (std::size_t r = 0; r < size; ++r)
                    numbers.push_back(static_cast<Real>(entry(order[begin + r], column)));
        }
        const Real* next = numbers.data();
        for (DrivenPanel<Real>& panel : panels) {
            panel.numbers = next;
            next += panel.rows * (depth() + filters);
        }
        move.panels = panels.data();
        move.panel_count = panels.size();
    }
};

template <class Real>
struct Replicas {
    std::vector<Real> state;
    std::array<std::array<double, group<Real>>, 4> sum{};
    std::array<std::array<UpperHalf, group<Real>>, 4> carry{};
    std::array<UpperHalf, group<Real>> turnover{};

    explicit Replicas(std::size_t rows) : state(testing::numbers<Real>(rows * group<Real>, 4)) {}

    std::vector<double> numbers() const {
        std::vector<double> result(state.begin(), state.end());
        for (const auto& each : sum) result.insert(result.end(), each.begin(), each.end());
        for (const auto& each : carry) result.insert(result.end(), each.begin(), each.end());
        result.insert(result.end(), turnover.begin(), turnover.end());
        return result;
    }
};

constexpr StreamAddress first_step{9, Purpose::hold, 2, 0, 5};

/// Weights of the two normals of the sources' own for each tile, at its first step.
constexpr double own_weights[] = {0.5, -0.25, 0.75, 0.0, 2.0, 1.5};

template <class Real>
Replicas<Real> play(const Kernels& kernels, const Drive<Real>& drive) {
    Replicas<Real> replicas(drive.rows);
    const std::vector<std::uint64_t> step{0, 16, 32, 0, 0, 0, 0};
    const std::vector<std::size_t> end{1, 2, 3};
    Aligned<Real> scratch((driven_draws + 2 * drive.draws) * group<Real>);
    auto& s = replicas.sum;
    auto& c = replicas.carry;
    kernels.of<Real>().driven(replicas.state.data(), group<Real>, drive.ticks.data(), drive.count,
                              first_step, {step.data(), own_weights, end.data()},
                              {{s[0].data(), c[0].data(), s[1].data(), c[1].data(), s[2].data(),
                                c[2].data(), replicas.turnover.data()},
                               s[3].data(),
                               c[3].data()},
                              scratch.data());
    return replicas;
}

template <class Real>
double normal(const Kernels& kernels, std::uint64_t step, std::size_t element, std::size_t at) {
    StreamAddress address = first_step;
    address.step = step;
    address.element = static_cast<std::uint32_t>(element);
    std::array<Real, group<Real>> noise;
    kernels.of<Real>().normals(address, noise.data());
    return noise[at];
}

/// One of the two normals of the sources' own of a step.
template <class Real>
double own_normal(const Kernels& kernels, std::uint64_t step, std::size_t element,
                  std::size_t number, std::size_t lane) {
    if (std::is_same_v<Real, float>) return normal<float>(kernels, step, element + number, lane);
    return normal<float>(kernels, step, element, lane + number * group<Real>);
}

/// One replica in plain arithmetic, one formula for each account. In single precision x is the
/// deviation from the rest, and a state that an update does not hold is as good as rounded.
template <class Real>
struct Reference {
    std::vector<double> x;
    double work = 0.0, heat = 0.0, supply = 0.0, source = 0.0;

    /// The noise that a row gets from all normals and filters.
    static double thermal(const Drive<Real>& drive, std::size_t row,
                          const std::vector<double>& noise, const std::vector<double>& before) {
        double sum = drive.width[row] * noise[row];
        for (std::size_t j = 0; drive.correlated && j < drive.draws; ++j)
            sum += Drive<Real>::entry(row, j) * noise[j];
        for (std::size_t j = 0; j < drive.move.filters; ++j)
            sum += Drive<Real>::entry(row, drive.draws + j) * before[drive.units + j];
        return sum;
    }

    void displace(const Drive<Real>& drive, const DrivenTick<Real>& tick) {
        work += tick.common_work;
        for (std::size_t i = 0; tick.force_change && i < drive.units; ++i) {
            work -= (tick.force_change[i] + (drive.single ? tick.force_rest[i] : Real{})) * x[i];
            if (!drive.single) continue;
            x[i] -= tick.rest_change[i];
            work += tick.rest_rest[i] * (x[i] + tick.rest[i]);
        }
    }

    void move(const Drive<Real>& drive, const DrivenTick<Real>& tick,
              const std::vector<double>& noise) {
        displace(drive, tick);
        const std::vector<double> before = x;
        double fed = tick.steady;
        for (std::size_t i = 0; i < drive.rows; ++i) {
            const double rest = drive.single ? 0.0 : tick.rest[i];
            x[i] = rest + drive.decay[i] * (before[i] - rest) + thermal(drive, i, noise, before);
            const double step = x[i] - before[i];
            if (tick.potential) fed += tick.potential[i] * step;
            if (i >= drive.units) continue;
            const double bottom = drive.single ? -tick.rest[i] : tick.force[i];
            heat -= step * (0.5 * (x[i] + before[i]) - bottom);
            supply += tick.force[i] * step;
        }
        for (std::size_t i = 0; tick.share && i < drive.draws; ++i) fed += tick.share[i] * noise[i];
        add(fed);
    }

    void add(double fed) {
        source += fed;
        heat += fed;
    }
};

template <class Real>
void check_equation(const Kernels& kernels, const Drive<Real>& drive, std::size_t lane) {
    constexpr double rounding = Drive<Real>::single ? 1e-5 : 1e-11;
    const Replicas<Real> found = play(kernels, drive);
    const std::vector<Real> start = testing::numbers<Real>(drive.rows * group<Real>, 4);
    Reference<Real> exact;
    for (std::size_t i = 0; i < drive.rows; ++i) exact.x.push_back(start[i * group<Real> + lane]);
    for (std::size_t k = 0; k < drive.count; ++k) {
        std::vector<double> noise;
        for (std::size_t i = 0; i < drive.draws; ++i)
            noise.push_back(normal<Real>(kernels, first_step.step + k, i, lane));
        exact.move(drive, drive.ticks[k], noise);
    }
    for (std::size_t k = 0; k < std::size(own_weights); ++k)
        exact.add(own_weights[k] *
                  own_normal<Real>(kernels, k / 2 * modal_tile, drive.draws, k % 2, lane));
    for (std::size_t i = 0; i < drive.rows; ++i)
        CHECK(found.state[i * group<Real> + lane] ==
              doctest::Approx(exact.x[i]).epsilon(rounding).scale(drive.single ? 10.0 : 1.0));
    const double expected[] = {exact.work, exact.heat, exact.supply, exact.source};
    for (std::size_t account = 0; account < 4; ++account)
        CHECK(found.sum[account][lane] + found.carry[account][lane] ==
              doctest::Approx(expected[account]).epsilon(rounding).scale(100.0));
}

}  // namespace

TEST_CASE_TEMPLATE("driven moves follow their equation", Real, double, float) {
    for (const Kernels* kernels : available_kernels())
        for (const std::size_t units : {1, 2, 5, 13})
            for (const bool correlated : {false, true})
                for (const std::size_t lane : {std::size_t{0}, std::size_t{7}, group<Real> - 1})
                    check_equation(*kernels, Drive<Real>(units, correlated), lane);
}

TEST_CASE_TEMPLATE("driven moves have the same bits on all levels that fuse", Real, double, float) {
    for (const std::size_t units : {1, 9})
        for (const bool correlated : {false, true}) {
            const Drive<Real> drive(units, correlated);
            testing::check_same_bits(
                [&](const Kernels& kernels) { return play(kernels, drive).numbers(); });
        }
}
