#include "motion/generator_move.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ktc {
namespace {

/// u − 2(1 − e^{−u}) + ½(1 − e^{−2u}) = u³/3 + …, by its series where the terms cancel.
double spread_of_integral(double u) {
    if (u > 1.0) return u + 2.0 * std::expm1(-u) - 0.5 * std::expm1(-2.0 * u);
    double sum = 0.0, power = -u * u / 2.0;
    for (int k = 3; k <= 24; ++k) {
        power *= -u / k;
        sum += power * (std::ldexp(1.0, k - 1) - 2.0);
    }
    return sum;
}

void draw(const NoiseAddress& address, std::uint32_t element, double* noise) {
    row_of_normals(address, Purpose::hold, element, noise);
}

}  // namespace

GeneratorMove::GeneratorMove(SubstepDirection direction, double density, double rate, double step)
    : direction_(std::move(direction)), charge_width_(std::sqrt(density * step)) {
    if (rate == 0.0) return;
    const double u = rate * step, lost = -std::expm1(-u);
    decay_ = std::exp(-u);
    reach_ = lost / rate;
    // Covariance of charge and current; the current is drawn given the charge.
    const double charge = density * spread_of_integral(u) / rate;
    const double both = 0.5 * density * lost * lost;
    const double current = -0.5 * density * rate * std::expm1(-2.0 * u);
    charge_width_ = std::sqrt(charge);
    filter_share_ = both / charge_width_;
    filter_width_ = std::sqrt(std::max(0.0, current - filter_share_ * filter_share_));
}

void GeneratorMove::advance(double* state, double* filter, const std::vector<double>& force,
                            const NoiseAddress& address, std::uint32_t element,
                            Posts& posts) const {
    double slope[block_width], charge[block_width], energy[block_width] = {};
    double first[block_width] = {}, second[block_width] = {};
    draw(address, element, first);
    if (filter != nullptr) draw(address, element + 1, second);
    for (std::size_t lane = 0; lane < block_width; ++lane) {
        charge[lane] = charge_width_ * first[lane];
        if (filter == nullptr) continue;
        charge[lane] += reach_ * filter[lane];
        filter[lane] =
            decay_ * filter[lane] + filter_share_ * first[lane] + filter_width_ * second[lane];
    }
    const double pull = direction_.pull(force);
    direction_.slope(state, pull, slope);
    direction_.move(state, charge, slope, pull, energy, posts.supply);
    posts.has_injected = true;
    for (std::size_t lane = 0; lane < block_width; ++lane) posts.injected[lane] += energy[lane];
}

}  // namespace ktc
