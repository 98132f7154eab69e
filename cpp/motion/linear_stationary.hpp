#pragma once

#include <vector>

#include "ground/matrix.hpp"
#include "physics/network.hpp"

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

}  // namespace ktc
