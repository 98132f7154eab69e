#include "physics/network.hpp"

#include <cmath>
#include <string>
#include <utility>

#include "ground/dense.hpp"
#include "ground/error.hpp"

namespace ktc {
namespace {

bool all_finite(const double* values, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        if (!std::isfinite(values[i])) return false;
    return true;
}

}  // namespace

Network::Network(Matrix friction, std::vector<double> inertia)
    : friction_(std::move(friction)), inertia_(std::move(inertia)) {
    require(friction_.rows() > 0 && friction_.rows() == friction_.columns(),
            "friction must be a square matrix with one row a unit");
    require(all_finite(friction_.data(), units() * units()), "friction must be finite");
    cholesky(friction_, "friction");
    require(inertia_.empty() || inertia_.size() == units(),
            "inertia must have one entry a unit: " + std::to_string(units()));
    for (double m : inertia_)
        require(std::isfinite(m) && m > 0.0, "inertia must be positive and finite");
}

void Network::check(const Controls& controls) const {
    require(controls.bias.size() == units(),
            "bias must have one entry a unit: " + std::to_string(units()));
    require(all_finite(controls.bias.data(), units()), "bias must be finite");
    require(controls.stiffness.rows() == units() && controls.stiffness.columns() == units(),
            "stiffness must be a square matrix with one row a unit");
    require(all_finite(controls.stiffness.data(), units() * units()), "stiffness must be finite");
    require(std::isfinite(controls.kT) && controls.kT > 0.0, "kT must be positive and finite");
}

}  // namespace ktc
