#include "motion/sign_moves.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace ktc {
namespace {

constexpr std::size_t cluster_size = 8;
constexpr std::size_t combinations = std::size_t{1} << cluster_size;
constexpr double negligible = 40.0;  // kT: below the rounding of a sum

/// A unit and the units that couple to it most strongly.
std::vector<std::size_t> neighbourhood(const Matrix& stiffness, std::size_t unit) {
    const std::size_t d = stiffness.rows();
    std::vector<std::size_t> units(d);
    std::iota(units.begin(), units.end(), std::size_t{0});
    const auto pull = [&](std::size_t j) {
        // Relative to both stiffnesses, so that farads and henries weigh alike.
        const double own = std::abs(stiffness(unit, unit) * stiffness(j, j));
        const double coupling = stiffness(unit, j) * stiffness(unit, j);
        return own > 0.0 ? coupling / own : coupling;
    };
    std::stable_sort(units.begin(), units.end(), [&](std::size_t a, std::size_t b) {
        if ((a == unit) != (b == unit)) return a == unit;
        return pull(a) > pull(b);
    });
    units.resize(std::min(d, cluster_size));
    return units;
}

}  // namespace

SignMoves::SignMoves(const Controls& controls)
    : kT_(controls.kT.front()), stiffness_(controls.stiffness.dense()), bias_(controls.bias) {
    const std::size_t d = bias_.size();
    for (std::size_t i = 0; i < d; ++i)
        for (std::size_t j = i + 1; j < d; ++j)
            if (stiffness_(i, j) != 0.0) couplings_.push_back({i, j, stiffness_(i, j)});
    for (std::size_t i = 0; i < (d > cluster_size ? d : 1); ++i)
        neighbourhoods_.push_back(neighbourhood(stiffness_, i));
}

void SignMoves::move(double* state, const NoiseAddress& address, std::uint64_t sweep,
                     Watch& watch) const {
    // As many neighbourhoods per sweep as contain every unit once.
    const std::uint64_t turns = (bias_.size() + cluster_size - 1) / cluster_size;
    for (std::size_t g = address.begin_group; g < address.end_group; ++g) {
        watch.look();
        if (watch.stopped()) return;
        double* lanes = state + g * group_width;
        flip_clusters(lanes, address, g, sweep);
        for (std::uint64_t turn = sweep * turns; turn < (sweep + 1) * turns; ++turn)
            draw_signs(lanes, address, g, turn, neighbourhoods_[turn % neighbourhoods_.size()]);
    }
}

void SignMoves::flip_clusters(double* lanes, const NoiseAddress& address, std::size_t group,
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
            // A pair of negative energy E is joined with probability 1 − e^{−2|E|/kT}.
            if (energy >= 0.0 || chance[lane] >= -std::expm1(2.0 * energy / kT_)) continue;
            const std::size_t a = root(coupling.first, lane), b = root(coupling.second, lane);
            parent[std::min(a, b) * group_width + lane] = std::max(a, b);
        }
    }
    std::vector<double> gain(d * group_width, 0.0);
    for (std::size_t i = 0; i < d; ++i)
        for (std::size_t lane = 0; lane < group_width; ++lane)
            gain[root(i, lane) * group_width + lane] += bias_[i] * lanes[i * block_width + lane];
    // The gain of a cluster is stored at its root, and replaced by the factor of its signs.
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

/// Per unit of a cluster its energy in the field of all other units, and per pair the energy of
/// its coupling, at the present signs.
struct SignMoves::SignEnergies {
    double field[cluster_size][group_width], pair[cluster_size][cluster_size][group_width];
};

void SignMoves::find_energies(const double* lanes, const std::vector<std::size_t>& units,
                              SignEnergies& energies) const {
    for (std::size_t a = 0; a < units.size(); ++a) {
        const double* x = lanes + units[a] * block_width;
        double* field = energies.field[a];
        for (std::size_t lane = 0; lane < group_width; ++lane) field[lane] = -bias_[units[a]];
        for (std::size_t j = 0; j < bias_.size(); ++j) {
            const double value = stiffness_(units[a], j);
            if (value == 0.0 || j == units[a]) continue;
            const double* other = lanes + j * block_width;
            for (std::size_t lane = 0; lane < group_width; ++lane)
                field[lane] += value * other[lane];
        }
        for (std::size_t lane = 0; lane < group_width; ++lane) field[lane] *= x[lane];
        for (std::size_t b = 0; b < units.size(); ++b) {
            const double value = a == b ? 0.0 : stiffness_(units[a], units[b]);
            const double* other = lanes + units[b] * block_width;
            for (std::size_t lane = 0; lane < group_width; ++lane)
                energies.pair[a][b][lane] = value * x[lane] * other[lane];
        }
    }
}

void SignMoves::draw_signs(double* lanes, const NoiseAddress& address, std::size_t group,
                           std::uint64_t use, const std::vector<std::size_t>& units) const {
    const std::size_t m = units.size(), count = std::size_t{1} << m;
    SignEnergies energies;
    find_energies(lanes, units, energies);
    // Combinations in the order of a Gray code, which flips one sign at a time. Energies are
    // relative to the present signs, combination 0.
    std::vector<double> weights(combinations * group_width);
    double sign[cluster_size], energy[group_width] = {}, lowest[group_width] = {};
    std::fill_n(sign, cluster_size, 1.0);
    const auto flipped = [](std::size_t k) {
        return static_cast<std::size_t>(std::countr_zero(k));
    };
    for (std::size_t k = 1; k < count; ++k) {
        const std::size_t a = flipped(k);
        double* field = energies.field[a];
        for (std::size_t lane = 0; lane < group_width; ++lane) {
            energy[lane] -= 2.0 * field[lane];
            lowest[lane] = std::min(lowest[lane], energy[lane]);
            weights[k * group_width + lane] = energy[lane];
            field[lane] = -field[lane];
        }
        for (std::size_t b = 0; b < m; ++b) {
            const double change = -2.0 * sign[a] * sign[b];
            for (std::size_t lane = 0; lane < group_width; ++lane)
                energies.field[b][lane] += change * energies.pair[a][b][lane];
        }
        sign[a] = -sign[a];
    }
    double sum[group_width] = {};
    for (std::size_t k = 0; k < count * group_width; ++k) {
        const double depth = (weights[k] - lowest[k % group_width]) / kT_;
        weights[k] = depth < negligible ? std::exp(-depth) : 0.0;
        sum[k % group_width] += weights[k];
    }
    Uniforms uniforms(address, Purpose::signs, group, 0, use);
    const double* chance = uniforms.next();
    for (std::size_t lane = 0; lane < group_width; ++lane) {
        const double place = chance[lane] * sum[lane];
        double upto = weights[lane];
        for (std::size_t k = 1; upto < place && k < count; ++k) {
            upto += weights[k * group_width + lane];
            double& x = lanes[units[flipped(k)] * block_width + lane];
            x = -x;
        }
    }
}

}  // namespace ktc
