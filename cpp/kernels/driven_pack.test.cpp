#include <array>
#include <cmath>
#include <vector>

#include "kernels/testing.test.hpp"

using namespace ktc;

namespace {

constexpr std::size_t group = group_width;

/// Rows with a triangular matrix of noise, two filters at the end, and changing forces and sources;
/// what the kernel reads of it.
struct Drive {
    static constexpr std::size_t count = 37, filters = 2;
    std::size_t units, rows, draws;
    bool correlated;
    std::vector<double> decay, growth, width, force, change, rest, potential, share, numbers;
    std::vector<std::size_t> order;
    std::vector<DrivenPanel> panels;
    DrivenMove move{};
    std::vector<DrivenTick> ticks;

    Drive(std::size_t number, bool with_panels)
        : units(number),
          rows(number + (with_panels ? filters : 0)),
          draws(rows + (with_panels ? 1 : 0)),
          correlated(with_panels),
          force(testing::numbers<double>(count * rows, 1)),
          change(testing::numbers<double>(count * rows, 2)),
          rest(testing::numbers<double>(count * rows, 3)),
          potential(testing::numbers<double>(count * rows, 5)),
          share(testing::numbers<double>(count * draws, 6)) {
        for (std::size_t i = 0; i < rows; ++i) {
            const double rate = 0.1 + 0.4 * static_cast<double>(i);  // short and long holds
            decay.push_back(std::exp(-rate));
            growth.push_back(std::expm1(-rate));
            width.push_back(std::sqrt(-std::expm1(-2.0 * rate)));
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
        for (std::size_t k = 0; k < count; ++k)
            ticks.push_back({&move, k % 3 == 1 ? nullptr : &change[k * rows], &force[k * rows],
                             &rest[k * rows], k < 20 ? &potential[k * rows] : nullptr,
                             k < 10 ? &share[k * draws] : nullptr, k < 20 ? 0.25 : 0.0});
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
            size = rows - begin >= driven_panel ? driven_panel
                                                : std::min<std::size_t>(rows - begin, 2);
            panels.push_back({size, depth(), order.data() + begin, nullptr});
            for (std::size_t column = 0; column < depth() + filters; ++column)
                for (std::size_t r = 0; r < size; ++r)
                    numbers.push_back(entry(order[begin + r], column));
        }
        const double* next = numbers.data();
        for (DrivenPanel& panel : panels) {
            panel.numbers = next;
            next += panel.rows * (depth() + filters);
        }
        move.panels = panels.data();
        move.panel_count = panels.size();
    }
};

struct Replicas {
    std::vector<double> state;
    std::array<std::array<double, group>, 4> sum{};
    std::array<std::array<UpperHalf, group>, 4> carry{};
    std::array<UpperHalf, group> turnover{};

    explicit Replicas(std::size_t rows) : state(testing::numbers<double>(rows * group, 4)) {}

    std::vector<double> numbers() const {
        std::vector<double> result = state;
        for (const auto& each : sum) result.insert(result.end(), each.begin(), each.end());
        for (const auto& each : carry) result.insert(result.end(), each.begin(), each.end());
        result.insert(result.end(), turnover.begin(), turnover.end());
        return result;
    }
};

constexpr StreamAddress first_step{9, Purpose::hold, 2, 0, 5};

/// Weights of the two normals of the sources' own for each tile, at its first step.
constexpr double own_weights[] = {0.5, -0.25, 0.75, 0.0, 2.0, 1.5};

Replicas play(const Kernels& kernels, const Drive& drive) {
    Replicas replicas(drive.rows);
    const std::vector<std::uint64_t> step{0, 16, 32, 0, 0, 0, 0};
    const std::vector<std::size_t> end{1, 2, 3};
    Aligned<double> scratch((modal_tile + 2 * drive.draws) * group);
    auto& s = replicas.sum;
    auto& c = replicas.carry;
    kernels.driven(replicas.state.data(), group, drive.ticks.data(), Drive::count, first_step,
                   {step.data(), own_weights, end.data()},
                   {{s[0].data(), c[0].data(), s[1].data(), c[1].data(), s[2].data(), c[2].data(),
                     replicas.turnover.data()},
                    s[3].data(),
                    c[3].data()},
                   scratch.data());
    return replicas;
}

template <class Real = double>
double normal(const Kernels& kernels, std::uint64_t step, std::size_t element, std::size_t at) {
    StreamAddress address = first_step;
    address.step = step;
    address.element = static_cast<std::uint32_t>(element);
    std::array<Real, group * sizeof(double) / sizeof(Real)> noise;
    kernels.of<Real>().normals(address, noise.data());
    return noise[at];
}

/// One replica in plain arithmetic, one formula for each account.
struct Reference {
    std::vector<double> x;
    double work = 0.0, heat = 0.0, supply = 0.0, source = 0.0;

    /// The noise that a row gets from all normals and filters.
    static double thermal(const Drive& drive, std::size_t row, const std::vector<double>& noise,
                          const std::vector<double>& before) {
        double sum = drive.width[row] * noise[row];
        for (std::size_t j = 0; drive.correlated && j < drive.draws; ++j)
            sum += Drive::entry(row, j) * noise[j];
        for (std::size_t j = 0; j < drive.move.filters; ++j)
            sum += Drive::entry(row, drive.draws + j) * before[drive.units + j];
        return sum;
    }

    void move(const Drive& drive, const DrivenTick& tick, const std::vector<double>& noise) {
        const std::vector<double> before = x;
        double fed = tick.steady;
        for (std::size_t i = 0; i < drive.rows; ++i) {
            x[i] = tick.rest[i] + drive.decay[i] * (before[i] - tick.rest[i]) +
                   thermal(drive, i, noise, before);
            const double step = x[i] - before[i];
            if (tick.potential) fed += tick.potential[i] * step;
            if (i >= drive.units) continue;
            if (tick.force_change) work -= tick.force_change[i] * before[i];
            heat -= step * (0.5 * (x[i] + before[i]) - tick.force[i]);
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

void check_equation(const Kernels& kernels, const Drive& drive, std::size_t lane) {
    const Replicas found = play(kernels, drive);
    const std::vector<double> start = testing::numbers<double>(drive.rows * group, 4);
    Reference exact;
    for (std::size_t i = 0; i < drive.rows; ++i) exact.x.push_back(start[i * group + lane]);
    for (std::size_t k = 0; k < Drive::count; ++k) {
        std::vector<double> noise;
        for (std::size_t i = 0; i < drive.draws; ++i)
            noise.push_back(normal(kernels, first_step.step + k, i, lane));
        exact.move(drive, drive.ticks[k], noise);
    }
    for (std::size_t k = 0; k < std::size(own_weights); ++k)
        exact.add(own_weights[k] *
                  normal<float>(kernels, k / 2 * modal_tile, drive.draws, lane + k % 2 * group));
    for (std::size_t i = 0; i < drive.rows; ++i)
        CHECK(found.state[i * group + lane] == doctest::Approx(exact.x[i]).epsilon(1e-11));
    const double expected[] = {exact.work, exact.heat, exact.supply, exact.source};
    for (std::size_t account = 0; account < 4; ++account)
        CHECK(found.sum[account][lane] + found.carry[account][lane] ==
              doctest::Approx(expected[account]).epsilon(1e-11).scale(100.0));
}

}  // namespace

TEST_CASE("driven moves follow their equation") {
    for (const Kernels* kernels : available_kernels())
        for (const std::size_t units : {1, 2, 5, 13})
            for (const bool correlated : {false, true})
                for (const std::size_t lane : {std::size_t{0}, std::size_t{7}, group - 1})
                    check_equation(*kernels, Drive(units, correlated), lane);
}

TEST_CASE("driven moves have the same bits on all levels that fuse") {
    for (const std::size_t units : {1, 9})
        for (const bool correlated : {false, true}) {
            const Drive drive(units, correlated);
            testing::check_same_bits(
                [&](const Kernels& kernels) { return play(kernels, drive).numbers(); });
        }
}
