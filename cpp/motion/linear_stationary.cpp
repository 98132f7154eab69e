#include "motion/linear_stationary.hpp"

#include <cmath>
#include <span>

#include "ground/dense.hpp"

namespace ktc {
namespace {

/// dz = (F z + c) dt + noise of covariance rate D, filters included, with z in units of 1/√A_ii, so
/// that farads and henries weigh alike.
struct LinearMotion {
    Matrix drift, diffusion;
    std::vector<double> push, scale;
};

LinearMotion linear_motion(const Network& network, const Controls& controls) {
    const Elements& e = network.elements();
    const std::size_t n = e.dimension(), all = n + e.filters();
    const Stiffness held = network.hessian(controls).densified();
    const Matrix& hessian = held.dense();
    LinearMotion motion{Matrix(all, all), Matrix(all, all), std::vector<double>(all, 0.0),
                        std::vector<double>(all, 1.0)};
    std::vector<double>& scale = motion.scale;
    for (std::size_t i = 0; i < n; ++i) scale[i] = std::sqrt(hessian(i, i));

    const Matrix flow = network.flow();
    std::vector<double> force(controls.bias);
    force.resize(n, 0.0);
    const Matrix drift = multiply(flow, hessian);
    const std::vector<double> pushed = multiply(flow, force);
    for (std::size_t i = 0; i < n; ++i) {
        motion.push[i] = -scale[i] * pushed[i];
        for (std::size_t j = 0; j < n; ++j) motion.drift(i, j) = scale[i] * drift(i, j) / scale[j];
    }
    const auto add_noise = [&](std::span<const SparseEntry> direction, double rate) {
        for (const auto& [i, first] : direction)
            for (const auto& [j, second] : direction)
                motion.diffusion(i, j) += rate * scale[i] * first * second * scale[j];
    };
    for (std::size_t r = 0; r < e.resistors(); ++r) {
        add_noise(e.directions.row(r), 2.0 * controls.kT[e.account[r]] * e.conductance[r]);
        for (const auto& [i, value] : e.directions.row(r))
            motion.push[i] += scale[i] * value * e.conductance[r] * controls.emf[r];
    }
    for (std::size_t s = 0; s < e.sources(); ++s)
        for (std::size_t i = 0; i < n; ++i)
            motion.push[i] += scale[i] * e.source_directions(s, i) * controls.current[s];
    std::size_t filter = n;
    for (std::size_t k = 0; k < e.noises(); ++k) {
        const double rate = e.noise_rate[k];
        if (rate == 0.0) {
            add_noise(entries_of(e.noise_directions.row(k)), e.noise_density[k]);
            continue;
        }
        // The unit of a filter is its width √(½ λ S).
        const double width = std::sqrt(0.5 * rate * e.noise_density[k]);
        scale[filter] = 1.0 / width;
        motion.drift(filter, filter) = -rate;
        motion.diffusion(filter, filter) = 2.0 * rate;
        for (std::size_t i = 0; i < n; ++i)
            motion.drift(i, filter) = scale[i] * e.noise_directions(k, i) * width;
        ++filter;
    }
    return motion;
}

}  // namespace

LinearStationary linear_stationary(const Network& network, const Controls& controls) {
    const std::size_t n = network.dimension();
    if (network.moves_exactly(controls)) {
        const Stiffness hessian = network.hessian(controls).densified();
        const Matrix lower = cholesky(hessian.dense(), "stiffness");
        std::vector<double> force(controls.bias);
        force.resize(n, 0.0);
        const double width = std::sqrt(controls.kT.front());
        LinearStationary result;
        result.factor = solve_lower(lower, Matrix::identity(n), Transposed::yes);
        result.mean = multiply(result.factor, multiply(result.factor, force, Transposed::yes));
        result.factor = add(width, result.factor, 0.0, lower);
        return result;
    }
    const LinearMotion motion = linear_motion(network, controls);
    LinearStationary result{solve(motion.drift, motion.push),
                            semidefinite_factor(solve_lyapunov(motion.drift, motion.diffusion))};
    for (std::size_t i = 0; i < result.mean.size(); ++i) {
        result.mean[i] /= -motion.scale[i];
        for (std::size_t j = 0; j < result.mean.size(); ++j) result.factor(i, j) /= motion.scale[i];
    }
    return result;
}

}  // namespace ktc
