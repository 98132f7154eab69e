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
                       [](const LineEntry& entry) { return entry.quartic != 0.0; });
}

double Line::pull(const std::vector<double>& force) const {
    double sum = 0.0;
    for (const LineEntry& entry : steps_) sum += entry.value * force[entry.coordinate];
    return sum;
}

void Line::slope(const double* state, double pull, double* slope) const {
    kernels().line_slope(slopes_.data(), slopes_.size(), state, -pull, slope);
}

void Line::move(double* state, const double* displacement, const double* slope, double pull,
                double* energy, double* supply) const {
    kernels().line_move(steps_.data(), steps_.size(), state, {curvature_, pull}, displacement,
                        slope, energy, supply);
}

}  // namespace ktc
