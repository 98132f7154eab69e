#include "motion/sign_moves.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "motion/uniforms.hpp"

namespace ktc {
namespace {

constexpr std::size_t circle = 8;
constexpr std::size_t combinations = std::size_t{1} << circle;
constexpr double negligible = 40.0;  // kT: below the rounding of a sum

/// The unit and those coupled to it most strongly.
std::vector<std::size_t> circle_of(const Matrix& stiffness, std::size_t unit) {
    const std::size_t d = stiffness.rows();
    std::vector<std::size_t> units(d);
    std::iota(units.begin(), units.end(), std::size_t{0});
    const auto pull = [&](std::size_t j) {
        // In units of both their own stiffness, so that farads and henries weigh alike.
        const double own = std::abs(stiffness(unit, unit) * stiffness(j, j));
        const double coupling = stiffness(unit, j) * stiffness(unit, j);
        return own > 0.0 ? coupling / own : coupling;
    };
    std::stable_sort(units.begin(), units.end(), [&](std::size_t a, std::size_t b) {
        if ((a == unit) != (b == unit)) return a == unit;
        return pull(a) > pull(b);
    });
    units.resize(std::min(d, circle));
    return units;
}

}  // namespace

SignMoves::SignMoves(const Controls& controls)
    : kT_(controls.kT.front()), stiffness_(controls.stiffness.dense()), bias_(controls.bias) {
    const std::size_t d = bias_.size();
    for (std::size_t i = 0; i < d; ++i)
        for (std::size_t j = i + 1; j < d; ++j)
            if (stiffness_(i, j) != 0.0) couplings_.push_back({i, j, stiffness_(i, j)});
    for (std::size_t i = 0; i < (d > circle ? d : 1); ++i)
        circles_.push_back(circle_of(stiffness_, i));
}

void SignMoves::move(double* state, const NoiseAddress& address, std::uint64_t sweep,
                     Watch& watch) const {
    // As many circles a sweep as it takes to meet every unit once.
    const std::uint64_t turns = (bias_.size() + circle - 1) / circle;
    for (std::size_t g = address.begin_group; g < address.end_group; ++g) {
        watch.look();
        if (watch.stopped()) return;
        double* lanes = state + g * group_width;
        turn_clusters(lanes, address, g, sweep);
        for (std::uint64_t turn = sweep * turns; turn < (sweep + 1) * turns; ++turn)
            draw_signs(lanes, address, g, turn, circles_[turn % circles_.size()]);
    }
}

void SignMoves::turn_clusters(double* lanes, const NoiseAddress& address, std::size_t group,
                              std::uint64_t sweep) const {
    const std::size_t d = bias_.size();
    std::vector<std::size_t> parent(d * group_width);
    for (std::size_t i = 0; i < d; ++i)
        std::fill_n(parent.begin() + static_cast<std::ptrdiff_t>(i * group_width), group_width, i);
    const auto root = [&](std::size_t i, std::size_t lane) {
        while (parent[i * group_width + lane] != i) i = parent[i * group_width + lane];
        return i;
    };
    std::size_t element = 0;
    const auto draw = [&] { return Uniforms(address, Purpose::cluster, group, element++, sweep); };
    for (const Coupling& coupling : couplings_) {
        Uniforms uniforms = draw();
        const double* chance = uniforms.next();
        for (std::size_t lane = 0; lane < group_width; ++lane) {
            const double energy = coupling.value * lanes[coupling.first * block_width + lane] *
                                  lanes[coupling.second * block_width + lane];
            // Bound with 1 − e^{−2|E|/kT} where the pair gains energy as it is.
            if (energy >= 0.0 || chance[lane] >= -std::expm1(2.0 * energy / kT_)) continue;
            const std::size_t a = root(coupling.first, lane), b = root(coupling.second, lane);
            parent[std::min(a, b) * group_width + lane] = std::max(a, b);
        }
    }
    std::vector<double> gain(d * group_width, 0.0);
    for (std::size_t i = 0; i < d; ++i)
        for (std::size_t lane = 0; lane < group_width; ++lane)
            gain[root(i, lane) * group_width + lane] += bias_[i] * lanes[i * block_width + lane];
    // The gain of a cluster stands where its root is, and becomes the sign that it turns to.
    for (std::size_t i = 0; i < d; ++i) {
        Uniforms uniforms = draw();
        const double* chance = uniforms.next();
        for (std::size_t lane = 0; lane < group_width; ++lane) {
            double& own = gain[i * group_width + lane];
            own = chance[lane] * (1.0 + std::exp(2.0 * own / kT_)) < 1.0 ? -1.0 : 1.0;
        }
    }
    for (std::size_t i = 0; i < d; ++i)
        for (std::size_t lane = 0; lane < group_width; ++lane)
            lanes[i * block_width + lane] *= gain[root(i, lane) * group_width + lane];
}

void SignMoves::draw_signs(double* lanes, const NoiseAddress& address, std::size_t group,
                           std::uint64_t use, const std::vector<std::size_t>& units) const {
    const std::size_t m = units.size(), count = std::size_t{1} << m;
    // Of each unit: what it gains by the rest of the world, and then by the signs of the circle.
    double field[circle][group_width], pair[circle][circle][group_width];
    double energy[group_width] = {}, lowest[group_width] = {};
    std::vector<double> all(combinations * group_width);
    for (std::size_t a = 0; a < m; ++a) {
        const double* x = lanes + units[a] * block_width;
        for (std::size_t lane = 0; lane < group_width; ++lane) field[a][lane] = -bias_[units[a]];
        for (std::size_t j = 0; j < bias_.size(); ++j) {
            const double value = stiffness_(units[a], j);
            if (value == 0.0 || j == units[a]) continue;
            const double* other = lanes + j * block_width;
            for (std::size_t lane = 0; lane < group_width; ++lane)
                field[a][lane] += value * other[lane];
        }
        for (std::size_t lane = 0; lane < group_width; ++lane) field[a][lane] *= x[lane];
        for (std::size_t b = 0; b < m; ++b)
            for (std::size_t lane = 0; lane < group_width; ++lane)
                pair[a][b][lane] = a == b ? 0.0
                                          : stiffness_(units[a], units[b]) * x[lane] *
                                                lanes[units[b] * block_width + lane];
    }
    // Through all combinations, one sign at a time (Gray's code); energies from the present one.
    double sign[circle];
    std::fill_n(sign, circle, 1.0);
    const auto turned = [](std::size_t k) { return static_cast<std::size_t>(std::countr_zero(k)); };
    for (std::size_t k = 1; k < count; ++k) {
        const std::size_t a = turned(k);
        for (std::size_t lane = 0; lane < group_width; ++lane) {
            energy[lane] -= 2.0 * field[a][lane];
            lowest[lane] = std::min(lowest[lane], energy[lane]);
            all[k * group_width + lane] = energy[lane];
            field[a][lane] = -field[a][lane];
        }
        for (std::size_t b = 0; b < m; ++b) {
            const double change = -2.0 * sign[a] * sign[b];
            for (std::size_t lane = 0; lane < group_width; ++lane)
                field[b][lane] += change * pair[a][b][lane];
        }
        sign[a] = -sign[a];
    }
    double sum[group_width] = {};
    for (std::size_t k = 0; k < count; ++k)
        for (std::size_t lane = 0; lane < group_width; ++lane) {
            double& weight = all[k * group_width + lane];
            const double depth = (weight - lowest[lane]) / kT_;
            weight = depth < negligible ? std::exp(-depth) : 0.0;
            sum[lane] += weight;
        }
    Uniforms uniforms(address, Purpose::signs, group, 0, use);
    const double* chance = uniforms.next();
    for (std::size_t lane = 0; lane < group_width; ++lane) {
        const double place = chance[lane] * sum[lane];
        double upto = all[lane];
        std::size_t k = 0;
        while (upto < place && k + 1 < count) {
            upto += all[++k * group_width + lane];
            double& x = lanes[units[turned(k)] * block_width + lane];
            x = -x;
        }
    }
}

}  // namespace ktc
