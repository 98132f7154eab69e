#pragma once

#include <memory>
#include <vector>

#include "ground/watch.hpp"
#include "motion/noise_address.hpp"
#include "motion/setting.hpp"

namespace ktc {

/// The stationary state of a linear network at held controls: the state followed by its filters is
/// normal with this mean and covariance B Bᵀ.
struct LinearStationary {
    std::vector<double> mean;
    Matrix factor;  ///< B
};

/// Equilibrium N(A⁻¹β, kT A⁻¹) at one temperature without sources and generators; otherwise the
/// solution of F m + c = 0 and F P + P Fᵀ + D = 0. Raises if the network is not stable.
LinearStationary linear_stationary(const Network& network, const Controls& controls);

/// Draws blocks of replicas from the stationary state at held controls.
class StationarySampler {
   public:
    virtual ~StationarySampler() = default;
    /// Fills a block unless the watch stops it; `address.step` is the number of the draw.
    virtual void draw(double* state, const NoiseAddress& address, Workspace& workspace,
                      Watch& watch) const = 0;
    /// Work per coordinate, in moves of an independent unit.
    virtual double cost() const { return 1.0; }
    /// Whether drawing takes long enough to be interrupted, and so to keep a copy of the state.
    virtual bool is_iterative() const { return true; }
};

/// Raises if the stationary state does not exist or cannot be drawn.
std::unique_ptr<const StationarySampler> stationary_sampler(const Network& network,
                                                            const Setting& setting);

/// Draws the currents of low-pass filters, N(0, ½ λ S), below the other coordinates of a state.
void draw_filters(const Elements& elements, double* state, const NoiseAddress& address);

/// Draws momenta N(0, kT M) below `units` coordinates of a state.
void draw_momenta(double* state, std::size_t units, double kT, const std::vector<double>& inertia,
                  const NoiseAddress& address);

}  // namespace ktc
