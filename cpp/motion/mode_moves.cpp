#include "motion/mode_moves.hpp"

#include <cmath>
#include <cstddef>
#include <limits>

#include "ground/dense.hpp"

namespace ktc {

ModeMoves::ModeMoves(const Controls& controls, const Matrix& hessian)
    : kT_(controls.kT.front()),
      slowest_(std::numeric_limits<double>::infinity()),
      stiffness_(controls.stiffness.dense()),
      bias_(controls.bias),
      quartic_(controls.quartic) {
    // Eigenvectors at unit diagonal, so that farads and henries weigh alike.
    const std::size_t d = bias_.size();
    std::vector<double> root(d);
    Matrix scaled = hessian;
    for (std::size_t i = 0; i < d; ++i) root[i] = std::sqrt(hessian(i, i));
    for (std::size_t i = 0; i < d; ++i)
        for (std::size_t j = 0; j < d; ++j) scaled(i, j) /= root[i] * root[j];
    const SymmetricEigen eigen = symmetric_eigen(scaled);
    if (eigen.values.front() > 0.0) slowest_ = 1.0 / eigen.values.front();
    for (std::size_t k = 0; k < d; ++k) {
        Mode mode{std::vector<double>(d), {}, 0.0, 0.0};
        for (std::size_t i = 0; i < d; ++i) mode.direction[i] = eigen.vectors(i, k) / root[i];
        mode.stiffened = multiply(stiffness_, mode.direction);
        for (std::size_t i = 0; i < d; ++i) mode.curvature += mode.direction[i] * mode.stiffened[i];
        // The slice of a mode without stiffness begins with the width of a unit diagonal.
        const double stiff = eigen.values[k] > 0.0 ? eigen.values[k] : 1.0;
        mode.width = std::sqrt(kT_ / stiff);
        modes_.push_back(mode);
    }
}

void ModeMoves::move(double* state, const NoiseAddress& address, std::uint64_t round) const {
    const std::size_t d = bias_.size();
    std::vector<double> slope(d * group_width);
    for (std::size_t g = address.begin_group; g < address.end_group; ++g) {
        double* lanes = state + g * group_width;
        for (std::size_t i = 0; i < d; ++i) {
            double* own = slope.data() + i * group_width;
            for (std::size_t lane = 0; lane < group_width; ++lane) own[lane] = -bias_[i];
            for (std::size_t j = 0; j < d; ++j)
                for (std::size_t lane = 0; lane < group_width; ++lane)
                    own[lane] += stiffness_(i, j) * lanes[j * block_width + lane];
        }
        for (std::size_t k = 0; k < d; ++k)
            slide(modes_[k], lanes, slope.data(), address, g, k, round);
    }
}

/// Energy along a mode, H(x + t u) − H(x) = t (c₁ + t (c₂ + t (c₃ + t c₄))), per lane.
struct ModeMoves::Profile {
    double c1[group_width] = {}, c2[group_width], c3[group_width] = {}, c4 = 0.0;
    double operator()(std::size_t lane, double t) const {
        return t * (c1[lane] + t * (c2[lane] + t * (c3[lane] + t * c4)));
    }
};

ModeMoves::Profile ModeMoves::profile(const Mode& mode, const double* lanes,
                                      const double* slope) const {
    Profile result;
    for (double& value : result.c2) value = 0.5 * mode.curvature;
    for (std::size_t i = 0; i < bias_.size(); ++i) {
        const double u = mode.direction[i], kappa = quartic_[i];
        const double* x = lanes + i * block_width;
        const double* own = slope + i * group_width;
        for (std::size_t lane = 0; lane < group_width; ++lane) {
            const double w = x[lane];
            result.c1[lane] += u * (own[lane] + kappa * w * w * w);
            result.c2[lane] += 1.5 * kappa * u * u * w * w;
            result.c3[lane] += kappa * u * u * u * w;
        }
        result.c4 += 0.25 * kappa * u * u * u * u;
    }
    return result;
}

void ModeMoves::slide(const Mode& mode, double* lanes, double* slope, const NoiseAddress& address,
                      std::size_t group, std::size_t number, std::uint64_t round) const {
    constexpr int trial_bits = 12;
    constexpr std::uint64_t most_trials = (1 << trial_bits) - 8;
    const Profile energy = profile(mode, lanes, slope);
    Uniforms uniforms(address, Purpose::mode, group, number, round << trial_bits);
    double level[group_width], left[group_width], right[group_width], shift[group_width] = {};
    const double* chance = uniforms.next();
    for (std::size_t lane = 0; lane < group_width; ++lane)
        level[lane] = -kT_ * std::log(chance[lane]);
    chance = uniforms.next();
    const double stride = 4.0 * mode.width;
    for (std::size_t lane = 0; lane < group_width; ++lane) {
        left[lane] = -stride * chance[lane];
        right[lane] = left[lane] + stride;
        while (!(energy(lane, left[lane]) > level[lane])) left[lane] -= stride;
        while (!(energy(lane, right[lane]) > level[lane])) right[lane] += stride;
    }
    bool found[group_width] = {};
    std::size_t open = group_width;
    for (std::uint64_t trial = 0; open > 0 && trial < most_trials; ++trial) {
        chance = uniforms.next();
        for (std::size_t lane = 0; lane < group_width; ++lane) {
            if (found[lane]) continue;
            const double t = left[lane] + chance[lane] * (right[lane] - left[lane]);
            if (energy(lane, t) > level[lane]) {
                (t < 0.0 ? left[lane] : right[lane]) = t;
            } else {
                shift[lane] = t;
                found[lane] = true;
                --open;
            }
        }
    }
    for (std::size_t i = 0; i < bias_.size(); ++i)
        for (std::size_t lane = 0; lane < group_width; ++lane) {
            lanes[i * block_width + lane] += shift[lane] * mode.direction[i];
            slope[i * group_width + lane] += shift[lane] * mode.stiffened[i];
        }
}

}  // namespace ktc
