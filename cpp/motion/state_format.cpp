#include "motion/state_format.hpp"

#include <algorithm>
#include <cmath>

#include "ground/error.hpp"

namespace ktc {
namespace {

// In thermal widths: squares of such numbers, and sums of them, are within single precision.
constexpr double largest_single = 1e17;

double hottest(const Controls& controls) {
    return *std::max_element(controls.kT.begin(), controls.kT.end());
}

double nearest_power(double square) { return std::exp2(std::round(0.5 * std::log2(square))); }

}  // namespace

StateFormat::StateFormat(const Network& network, const Setting& setting, Precision precision)
    : single_(precision == Precision::single),
      natural_(setting.coordinates->natural),
      unit_(network.dimension() + network.elements().filters(), 1.0),
      origin_(unit_.size(), 0.0) {
    if (!single_) return;
    const Controls& controls = setting.controls;
    const double kT = hottest(controls);
    require(kT > 1e-30 && kT < 1e30,
            "float32 needs kT between 1e-30 and 1e30, so that energies stay within its range; "
            "take other units, or float64");
    if (!natural_) {
        for (std::size_t i = 0; i < network.units(); ++i) {
            const double curvature =
                std::abs(controls.stiffness(i, i)) + std::sqrt(kT * controls.quartic[i]);
            if (curvature > 0.0) unit_[i] = nearest_power(kT / curvature);
        }
        for (std::size_t i = 0; i < network.inertia().size(); ++i)
            unit_[network.units() + i] = nearest_power(kT * network.inertia()[i]);
    }
    check(setting);
}

void StateFormat::check(const Setting& setting) const {
    if (!single_) return;
    const double kT = hottest(setting.controls);
    const double width = natural_ ? std::sqrt(kT) : kT;
    const std::shared_ptr<const ReplicaNumbers>& own = setting.drive->own;
    std::vector<double> largest;
    if (own) largest = own->largest();
    const std::vector<double>& force = own ? largest : setting.drive->rest;
    for (std::size_t i = 0; i < force.size(); ++i)
        require(std::abs(force[i]) * unit_[i] <= largest_single * width,
                "bias is more than 1e17 thermal widths away, beyond what float32 can hold; make it "
                "smaller, or take dtype='float64'");
}

void StateFormat::check_state(const Setting& setting, std::uint64_t block,
                              const std::vector<double>& state) const {
    if (!single_) return;
    const double width = natural_ ? std::sqrt(hottest(setting.controls)) : 1.0;
    const LaneNumbers zero = offset(setting.drive->rest_of(block));
    for (std::size_t k = 0; k < state.size(); ++k)
        require(std::abs(state[k] - zero(k / block_width, k % block_width)) <=
                    largest_single * width * unit_[k / block_width],
                "state is more than 1e17 thermal widths out, beyond what float32 can hold; "
                "make it smaller, or take dtype='float64'");
}

}  // namespace ktc
