#include "motion/substep_direction.hpp"

#include <algorithm>
#include <map>

#include "ground/block_width.hpp"
#include "ground/dense.hpp"

namespace ktc {
namespace {

/// A d, without zeros.
std::vector<SparseEntry> gradient_along(const Stiffness& hessian,
                                        std::span<const SparseEntry> direction) {
    if (hessian.empty()) return {direction.begin(), direction.end()};
    std::vector<SparseEntry> result;
    if (direction.size() == 1) {
        // The matrix is symmetric: its column is its row.
        const std::size_t axis = direction.front().column;
        const double stride = direction.front().value;
        const auto add = [&](std::size_t column, double value) {
            if (value * stride != 0.0) result.push_back({column, value * stride});
        };
        if (hessian.is_sparse())
            for (const SparseEntry& entry : hessian.sparse().row(axis))
                add(entry.column, entry.value);
        else
            for (std::size_t i = 0; i < hessian.rows(); ++i) add(i, hessian(i, axis));
        return result;
    }
    if (hessian.is_sparse()) {
        std::map<std::size_t, double> sums;
        for (const SparseEntry& part : direction)
            for (const SparseEntry& entry : hessian.sparse().row(part.column))
                sums[entry.column] += part.value * entry.value;
        for (const auto& [column, sum] : sums)
            if (sum != 0.0) result.push_back({column, sum});
        return result;
    }
    std::vector<double> dense(hessian.rows(), 0.0);
    for (const SparseEntry& entry : direction) dense[entry.column] = entry.value;
    return entries_of(multiply(hessian.dense(), dense));
}

}  // namespace

SubstepDirection::SubstepDirection(const Energy& energy, std::span<const SparseEntry> direction) {
    steps_.reserve(direction.size());
    for (const SparseEntry& entry : direction)
        steps_.push_back({entry.column, entry.value,
                          energy.quartic.empty() ? 0.0 : energy.quartic[entry.column]});
    const std::vector<SparseEntry> gradient = gradient_along(energy.hessian, direction);
    slopes_.reserve(gradient.size());
    auto step = steps_.begin();
    for (const SparseEntry& entry : gradient) {
        slopes_.push_back({entry.column, entry.value, 0.0});
        while (step != steps_.end() && step->coordinate < entry.column) ++step;
        if (step != steps_.end() && step->coordinate == entry.column)
            curvature_ += step->value * entry.value;
    }
}

SubstepDirection::SubstepDirection(const Energy& energy, const std::vector<double>& direction)
    : SubstepDirection(energy, entries_of(direction)) {}

bool SubstepDirection::is_quartic() const {
    return std::any_of(steps_.begin(), steps_.end(),
                       [](const LineEntry& entry) { return entry.quartic != 0.0; });
}

double SubstepDirection::pull(const std::vector<double>& force) const {
    double sum = 0.0;
    for (const LineEntry& entry : steps_) sum += entry.value * force[entry.coordinate];
    return sum;
}

void SubstepDirection::slope(const double* state, double pull, double* slope) const {
    kernels().line_slope(slopes_.data(), slopes_.size(), state, -pull, slope);
}

void SubstepDirection::move(double* state, const double* displacement, const double* slope,
                            double pull, double* energy, double* supply) const {
    kernels().line_move(steps_.data(), steps_.size(), state, {curvature_, pull}, displacement,
                        slope, energy, supply);
}

}  // namespace ktc
