#include "motion/sparse_equilibrium.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "ground/error.hpp"

namespace ktc {
namespace {

constexpr double residual_left = 1e-14;
constexpr int most_rounds = 20000;

}  // namespace

bool SparseEquilibrium::applies(const SparseMatrix& stiffness) {
    return !dominance(stiffness).scale.empty();
}

SparseEquilibrium::SparseEquilibrium(const Controls& controls) {
    const SparseMatrix& stiffness = controls.stiffness.sparse();
    const std::size_t n = stiffness.rows();
    const Dominance found = dominance(stiffness);
    const std::vector<double>& s = found.scale;
    require(!s.empty(), "stiffness must be diagonally dominant under some scaling");
    const double width = std::sqrt(controls.kT.front());
    for (std::size_t i = 0; i < n; ++i) root_.push_back(std::sqrt(stiffness(i, i)));
    std::vector<SparseEntry> entries = stiffness.entries();
    first_term_.push_back(0);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = stiffness.starts()[i]; k < stiffness.starts()[i + 1]; ++k) {
            auto& [j, value] = entries[k];
            if (j > i && value != 0.0) {
                const double size = width * std::sqrt(std::abs(value));
                terms_.push_back({j, size * std::sqrt(s[j] / s[i]) / root_[i],
                                  std::copysign(size * std::sqrt(s[i] / s[j]), value) / root_[j]});
            }
            value = j == i ? 1.0 : value / (root_[i] * root_[j]);
        }
        first_term_.push_back(terms_.size());
        bias_.push_back(controls.bias[i] / root_[i]);
        alone_.push_back(width * std::sqrt(found.surplus[i] / s[i]) / root_[i]);
    }
    scaled_ = SparseMatrix(n, stiffness.starts(), std::move(entries), "stiffness");
    require(n + terms_.size() <= max_elements,
            "units and couplings together must not exceed 2^28 where an equilibrium is drawn; "
            "give the emulator a state to start from");
}

void SparseEquilibrium::draw(double* state, const NoiseAddress& address, Workspace&,
                             Watch& watch) const {
    std::fill(state, state + scaled_.rows() * block_width, 0.0);
    for (std::size_t g = address.begin_group; g < address.end_group; ++g)
        draw_group(state + g * group_width, address, g, watch);
}

void SparseEquilibrium::force(const NoiseAddress& address, std::size_t group, double* out) const {
    const std::size_t n = scaled_.rows();
    double normals[group_width];
    const auto draw = [&](std::size_t element) {
        kernels().full.normals(address.stream(Purpose::equilibrium, group, element), normals);
    };
    for (std::size_t i = 0; i < n; ++i) {
        draw(i);
        for (std::size_t lane = 0; lane < group_width; ++lane)
            out[i * group_width + lane] = bias_[i] + alone_[i] * normals[lane];
    }
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t k = first_term_[i]; k < first_term_[i + 1]; ++k) {
            draw(n + k);
            const Term& term = terms_[k];
            double* own = out + i * group_width;
            double* other = out + term.other * group_width;
            for (std::size_t lane = 0; lane < group_width; ++lane) {
                own[lane] += term.own_share * normals[lane];
                other[lane] += term.other_share * normals[lane];
            }
        }
}

void SparseEquilibrium::draw_group(double* lanes, const NoiseAddress& address, std::size_t group,
                                   Watch& watch) const {
    const std::size_t n = scaled_.rows(), size = n * group_width;
    const auto room = std::make_unique_for_overwrite<double[]>(3 * size);
    double *residual = room.get(), *direction = residual + size, *product = direction + size;
    force(address, group, residual);
    std::copy(residual, residual + size, direction);
    double square[group_width] = {}, enough[group_width];
    for (std::size_t k = 0; k < size; ++k) square[k % group_width] += residual[k] * residual[k];
    for (std::size_t lane = 0; lane < group_width; ++lane)
        enough[lane] = residual_left * residual_left * square[lane];
    int round = 0;
    for (; round < most_rounds; ++round) {
        watch.look();
        if (watch.stopped()) return;
        double step[group_width];
        if (!line_search(direction, square, enough, product, step)) break;
        descend(step, direction, product, lanes, residual, square);
        for (std::size_t k = 0; k < size; ++k)
            direction[k] = residual[k] + step[k % group_width] * direction[k];
    }
    require(round < most_rounds,
            "stiffness is so close to singular that its equilibrium was not found in ", most_rounds,
            " rounds of conjugate gradients; give the emulator a state to start from, or stiffen "
            "what binds the network least");
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t lane = 0; lane < group_width; ++lane)
            lanes[i * block_width + lane] /= root_[i];
}

bool SparseEquilibrium::line_search(const double* direction, const double* square,
                                    const double* enough, double* product, double* step) const {
    double curvature[group_width] = {};
    for (std::size_t i = 0; i < scaled_.rows(); ++i) {
        double* own = product + i * group_width;
        multiply_row(scaled_.row(i), direction, group_width, own);
        const double* d = direction + i * group_width;
        for (std::size_t lane = 0; lane < group_width; ++lane)
            curvature[lane] += d[lane] * own[lane];
    }
    bool moving = false;
    for (std::size_t lane = 0; lane < group_width; ++lane) {
        const bool open = square[lane] > enough[lane] && curvature[lane] > 0.0;
        step[lane] = open ? square[lane] / curvature[lane] : 0.0;
        moving = moving || open;
    }
    return moving;
}

void SparseEquilibrium::descend(double* step, const double* direction, const double* product,
                                double* lanes, double* residual, double* square) const {
    double next[group_width] = {};
    for (std::size_t i = 0; i < scaled_.rows(); ++i) {
        double* x = lanes + i * block_width;
        double* r = residual + i * group_width;
        const double* d = direction + i * group_width;
        const double* q = product + i * group_width;
        for (std::size_t lane = 0; lane < group_width; ++lane) {
            x[lane] += step[lane] * d[lane];
            r[lane] -= step[lane] * q[lane];
            next[lane] += r[lane] * r[lane];
        }
    }
    for (std::size_t lane = 0; lane < group_width; ++lane) {
        step[lane] = step[lane] > 0.0 ? next[lane] / square[lane] : 0.0;
        square[lane] = next[lane];
    }
}

}  // namespace ktc
