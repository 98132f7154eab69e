#include "motion/bath.hpp"

#include <cmath>
#include <utility>

#include "ground/error.hpp"
#include "ground/normal.hpp"

namespace ktc {
namespace {

/// (1 − e^{−x})/x, also at zero and below.
double mean_decay(double x) { return x == 0.0 ? 1.0 : -std::expm1(-x) / x; }

}  // namespace

Bath::Bath(Line line, const Resistor& resistor, double step)
    : line_(std::move(line)), resistor_(resistor) {
    const double exponent = resistor.conductance * line_.curvature() * step;
    const double time = resistor.conductance * step;
    reach_ = time * mean_decay(exponent);
    width_ = std::sqrt(2.0 * resistor.kT * time * mean_decay(2.0 * exponent));
    require(std::isfinite(reach_) && std::isfinite(width_),
            "dt is so large that a unit without stable curvature leaves the range of numbers; "
            "make it smaller");
    require(!line_.is_quartic() || line_.along_axis(),
            "quartic units need resistors along their own axes: make friction a scalar or (d,)");
    const double stride = line_.along_axis() ? line_.stride() : 0.0;
    quartic_rate_ = line_.is_quartic() ? time * line_.quartic() * stride * stride : 0.0;
}

void Bath::relax_quartic(const double* state, double* displacement) const {
    const double* w = state + line_.axis() * block_width;
    const double per_stride = 1.0 / line_.stride();
    for (std::size_t lane = 0; lane < block_width; ++lane) {
        const double now = w[lane] + line_.stride() * displacement[lane];
        const double square = quartic_rate_ * now * now;  // half a step: 2 · ½
        const double root = std::sqrt(1.0 + square);
        // now/root − now, without the cancellation.
        displacement[lane] -= per_stride * now * square / (root * (1.0 + root));
    }
}

void Bath::advance(double* state, const std::vector<double>& force, double emf,
                   const NoiseAddress& address, std::uint32_t element, Posts& posts) const {
    double slope[block_width], displacement[block_width] = {}, noise[block_width] = {};
    double energy[block_width] = {};
    for (std::size_t g = address.begin_group; g < address.end_group; ++g)
        normals16({address.seed, Purpose::hold, address.first_group + g, element, address.step},
                  noise + g * group_width);
    const double pull = line_.pull(force);
    line_.slope(state, pull, slope);
    const double curvature = line_.curvature();
    if (quartic_rate_ != 0.0) relax_quartic(state, displacement);
    for (std::size_t lane = 0; lane < block_width; ++lane)
        displacement[lane] +=
            width_ * noise[lane] - reach_ * (slope[lane] + curvature * displacement[lane] - emf);
    if (quartic_rate_ != 0.0) relax_quartic(state, displacement);
    line_.move(state, displacement, slope, pull, energy, posts.supply);

    double* own = posts.heat_per_account.data() + resistor_.account * block_width;
    const double per_kT = resistor_.kT > 0.0 ? 1.0 / resistor_.kT : 0.0;
    for (std::size_t lane = 0; lane < block_width; ++lane) {
        const double delivered = emf * displacement[lane];
        const double heat = delivered - energy[lane];
        posts.source[lane] += delivered;
        posts.heat[lane] += heat;
        posts.entropy[lane] += heat * per_kT;
        own[lane] += heat;
    }
}

}  // namespace ktc
