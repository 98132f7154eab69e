#include "motion/stationary_sampler.hpp"

#include <cmath>
#include <span>
#include <utility>

#include "ground/dense.hpp"
#include "ground/error.hpp"
#include "motion/circuit_stationary.hpp"
#include "motion/quartic_equilibrium.hpp"
#include "motion/sparse_equilibrium.hpp"

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
    if (!network.is_driven(controls) && !controls.has_quartic()) {
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

namespace {

/// Normal states of given mean: mean + width ξ, or mean + B ξ if B is not empty.
class NormalSampler final : public StationarySampler {
   public:
    NormalSampler(std::vector<double> mean, double width, Matrix factor,
                  std::shared_ptr<const ReplicaNumbers> own = nullptr)
        : mean_(std::move(mean)), width_(width), factor_(std::move(factor)), own_(std::move(own)) {}

    bool is_iterative() const override { return false; }
    void draw(double* state, const NoiseAddress& address, Workspace& workspace,
              Watch&) const override {
        double* normals = factor_.empty() ? state : workspace.first.data();
        for (std::size_t i = 0; i < mean_.size(); ++i)
            row_of_normals(address, Purpose::equilibrium, i, normals + i * block_width);
        if (!factor_.empty()) multiply_block(factor_, normals, state, block_width);
        const LaneNumbers mean = own_ ? own_->block(address.block()) : LaneNumbers(mean_);
        for (std::size_t i = 0; i < mean_.size(); ++i)
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                double& w = state[i * block_width + lane];
                w = mean(i, lane) + width_ * w;
            }
    }

   private:
    std::vector<double> mean_;
    double width_;
    Matrix factor_;
    std::shared_ptr<const ReplicaNumbers> own_;  ///< mean of each replica; null if all alike
};

}  // namespace

namespace {

/// In natural coordinates N(β, kT·1) at one temperature.
std::unique_ptr<const StationarySampler> natural_sampler(const Network& network,
                                                         const Setting& setting) {
    if (!network.is_driven(setting.controls))
        return std::make_unique<NormalSampler>(setting.drive->rest,
                                               std::sqrt(setting.controls.kT.front()), Matrix(),
                                               setting.drive->own);
    const DrivenMotion motion = driven_motion(network, setting.controls, *setting.coordinates);
    Matrix factor = semidefinite_factor(stationary_covariance(motion));
    for (std::size_t k = 0; k < motion.filter_unit.size(); ++k) {
        const std::size_t row = factor.rows() - motion.filter_unit.size() + k;
        for (std::size_t j = 0; j < factor.columns(); ++j) factor(row, j) *= motion.filter_unit[k];
    }
    return std::make_unique<NormalSampler>(setting.drive->rest, 1.0, std::move(factor));
}

}  // namespace

std::unique_ptr<const StationarySampler> stationary_sampler(const Network& network,
                                                            const Setting& setting) {
    if (setting.coordinates->natural) return natural_sampler(network, setting);
    if (network.circuit())
        return std::make_unique<CircuitStationary>(network.circuit(), setting.controls);
    Controls controls = setting.controls;
    const auto own = std::exchange(controls.own_bias, nullptr);
    require(!own || (!network.is_sparse() && !controls.has_quartic()),
            "replicas that each have a bias of their own have a stationary state that is drawn "
            "exactly for dense networks without quartic terms alone; write a state and let it run");
    if (network.is_sparse() && !network.is_driven(controls) && !controls.has_quartic() &&
        SparseEquilibrium::applies(controls.stiffness.sparse()))
        return std::make_unique<SparseEquilibrium>(controls);
    require(!network.is_sparse() || network.units() <= most_dense_units,
            "the stationary state of a sparse network of more than ", most_dense_units,
            " units is drawn at one temperature, without quartic units and sources, and where its "
            "stiffness is diagonally dominant (under some scaling); give the emulator a state to "
            "start from");
    controls.stiffness = controls.stiffness.densified();
    if (controls.has_quartic()) {
        require(
            controls.isothermal() && !controls.has_sources() && network.elements().noises() == 0,
            "quartic units at several temperatures, or driven by sources, have no stationary "
            "state in closed form; give the emulator a state to start from");
        return std::make_unique<QuarticEquilibrium>(network, controls);
    }
    LinearStationary linear = linear_stationary(network, controls);
    if (!own)
        return std::make_unique<NormalSampler>(std::move(linear.mean), 1.0,
                                               std::move(linear.factor));
    auto means = own->mapped(linear.mean.size(), [&](std::vector<double> bias, std::size_t) {
        controls.bias = std::move(bias);
        return linear_stationary(network, controls).mean;
    });
    return std::make_unique<NormalSampler>(
        std::move(linear.mean), 1.0, std::move(linear.factor),
        std::make_shared<const ReplicaNumbers>(std::move(means)));
}

void draw_filters(const Elements& elements, double* state, const NoiseAddress& address) {
    std::size_t row = elements.dimension();
    for (std::size_t k = 0; k < elements.noises(); ++k) {
        if (elements.noise_rate[k] == 0.0) continue;
        const double width = std::sqrt(0.5 * elements.noise_rate[k] * elements.noise_density[k]);
        double* filter = state + row * block_width;
        row_of_normals(address, Purpose::equilibrium, row, filter);
        for (std::size_t lane = 0; lane < block_width; ++lane) filter[lane] *= width;
        ++row;
    }
}

}  // namespace ktc
