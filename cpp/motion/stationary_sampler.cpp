#include "motion/stationary_sampler.hpp"

#include <cmath>
#include <utility>

#include "ground/dense.hpp"
#include "ground/error.hpp"
#include "motion/linear_stationary.hpp"
#include "motion/quartic_equilibrium.hpp"
#include "motion/sparse_equilibrium.hpp"

namespace ktc {
namespace {

/// Normal states of given mean: mean + width ξ, or mean + B ξ if B is not empty.
class NormalSampler final : public StationarySampler {
   public:
    NormalSampler(std::vector<double> mean, double width, Matrix factor)
        : mean_(std::move(mean)), width_(width), factor_(std::move(factor)) {}

    bool is_iterative() const override { return false; }
    void draw(double* state, const NoiseAddress& address, Workspace& workspace,
              Watch&) const override {
        double* normals = factor_.empty() ? state : workspace.first.data();
        for (std::size_t i = 0; i < mean_.size(); ++i)
            row_of_normals(address, Purpose::equilibrium, i, normals + i * block_width);
        if (!factor_.empty()) multiply_block(factor_, normals, state, block_width);
        for (std::size_t i = 0; i < mean_.size(); ++i)
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                double& w = state[i * block_width + lane];
                w = mean_[i] + width_ * w;
            }
    }

   private:
    std::vector<double> mean_;
    double width_;
    Matrix factor_;
};

}  // namespace

std::unique_ptr<const StationarySampler> stationary_sampler(const Network& network,
                                                            const Setting& setting) {
    if (setting.coordinates->natural)
        return std::make_unique<NormalSampler>(setting.drive->force,
                                               std::sqrt(setting.controls.kT.front()), Matrix());
    Controls controls = setting.controls;
    if (network.is_sparse() && network.moves_exactly(controls) &&
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
    return std::make_unique<NormalSampler>(std::move(linear.mean), 1.0, std::move(linear.factor));
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
