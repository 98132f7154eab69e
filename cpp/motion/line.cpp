#include "motion/line.hpp"

#include <algorithm>

#include "ground/dense.hpp"
#include "ground/lanes.hpp"

namespace ktc {

Line::Line(const Energy& energy, const std::vector<double>& direction) {
    const std::vector<double> gradient =
        energy.hessian.empty() ? direction : multiply(energy.hessian, direction);
    for (std::size_t i = 0; i < direction.size(); ++i) {
        if (direction[i] != 0.0)
            steps_.push_back({i, direction[i], energy.quartic.empty() ? 0.0 : energy.quartic[i]});
        if (gradient[i] != 0.0) slopes_.push_back({i, gradient[i], 0.0});
        curvature_ += direction[i] * gradient[i];
    }
}

bool Line::is_quartic() const {
    return std::any_of(steps_.begin(), steps_.end(),
                       [](const Entry& entry) { return entry.quartic != 0.0; });
}

double Line::pull(const std::vector<double>& force) const {
    double sum = 0.0;
    for (const Entry& entry : steps_) sum += entry.value * force[entry.coordinate];
    return sum;
}

void Line::slope(const double* state, double pull, double* slope) const {
    std::fill(slope, slope + block_width, -pull);
    for (const Entry& entry : slopes_) {
        const double* w = state + entry.coordinate * block_width;
        for (std::size_t lane = 0; lane < block_width; ++lane) slope[lane] += entry.value * w[lane];
    }
}

void Line::move(double* state, const double* displacement, const double* slope, double pull,
                double* energy, double* supply) const {
    for (std::size_t lane = 0; lane < block_width; ++lane) {
        const double step = displacement[lane];
        energy[lane] += step * (slope[lane] + 0.5 * curvature_ * step);
        supply[lane] += pull * step;
    }
    for (const Entry& entry : steps_) {
        double* w = state + entry.coordinate * block_width;
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const double before = w[lane], after = before + entry.value * displacement[lane];
            // (after⁴ − before⁴) without the cancellation of two large powers.
            energy[lane] += 0.25 * entry.quartic * (after - before) * (after + before) *
                            (after * after + before * before);
            w[lane] = after;
        }
    }
}

}  // namespace ktc
