#include "motion/substeps.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "ground/dense.hpp"
#include "ground/error.hpp"
#include "motion/transition.hpp"

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

SubstepDirection::Pull::Pull(const std::vector<LineEntry>& steps, const LaneNumbers& force)
    : differ_(force.differ()) {
    if (!differ_) {
        for (const LineEntry& entry : steps) shared_ += entry.value * force(entry.coordinate, 0);
        return;
    }
    std::fill(lanes_, lanes_ + block_width, 0.0);
    for (const LineEntry& entry : steps)
        for (std::size_t lane = 0; lane < block_width; ++lane)
            lanes_[lane] += entry.value * force(entry.coordinate, lane);
}

void SubstepDirection::slope(const double* state, const Pull& pull, double* slope) const {
    kernels().line_slope(slopes_.data(), slopes_.size(), state, {0.0, pull.shared(), pull.lanes()},
                         slope);
}

void SubstepDirection::move(double* state, const double* displacement, const double* slope,
                            const Pull& pull, double* energy, double* supply) const {
    kernels().line_move(steps_.data(), steps_.size(), state,
                        {curvature_, pull.shared(), pull.lanes()}, displacement, slope, energy,
                        supply);
}

ResistorMove::ResistorMove(SubstepDirection direction, const Resistor& resistor, double step)
    : direction_(std::move(direction)), resistor_(resistor) {
    const Relaxation exact(resistor.conductance, direction_.curvature(), resistor.kT, step);
    reach_ = exact.reach;
    width_ = exact.width;
    require(direction_.curvature() < 0.0 || std::isfinite(width_),
            "kT is so large that the noise of a resistor overflows; scale it down");
    require(std::isfinite(reach_) && std::isfinite(width_),
            "dt is so large that a unit without stable curvature leaves the range of numbers; "
            "make it smaller");
    require(!direction_.is_quartic() || direction_.along_axis(),
            "quartic units need resistors along their own axes: make friction a scalar or (d,)");
    const double stride = direction_.along_axis() ? direction_.stride() : 0.0;
    quartic_rate_ = direction_.is_quartic()
                        ? resistor.conductance * step * direction_.quartic() * stride * stride
                        : 0.0;
}

BathMove ResistorMove::bath(double emf) const {
    const double per_kT = resistor_.kT > 0.0 ? 1.0 / resistor_.kT : 0.0;
    return {reach_, width_, direction_.curvature(), emf, per_kT};
}

void ResistorMove::displace(double* state, const LaneNumbers& force, const BathMove& bath,
                            const NoiseAddress& address, std::uint32_t element,
                            double* displacement, double* energy, Posts& posts) const {
    double slope[block_width], noise[block_width];
    row_of_normals(address, Purpose::hold, element, noise);
    const auto relax = [&] {
        if (quartic_rate_ == 0.0) return;
        kernels().quartic_relax(state + direction_.axis() * block_width, direction_.stride(),
                                quartic_rate_, displacement);
    };
    const SubstepDirection::Pull pull = direction_.pull(force);
    direction_.slope(state, pull, slope);
    relax();
    kernels().bath_displace(bath, noise, slope, displacement);
    relax();
    direction_.move(state, displacement, slope, pull, energy, posts.supply);
}

void ResistorMove::advance(double* state, const LaneNumbers& force, double emf,
                           const NoiseAddress& address, std::uint32_t element, Posts& posts) const {
    double displacement[block_width] = {}, energy[block_width] = {};
    const BathMove driven = bath(emf);
    displace(state, force, driven, address, element, displacement, energy, posts);
    kernels().bath_post(driven, displacement, energy,
                        {posts.source, posts.heat, posts.entropy,
                         posts.heat_per_account.data() + resistor_.account * block_width});
    posts.has_source = posts.has_source || emf != 0.0;
}

void ResistorMove::advance_about_rest(double* state, const LaneNumbers& force, double emf,
                                      double voltage, const NoiseAddress& address,
                                      std::uint32_t element, Posts& posts) const {
    double displacement[block_width] = {}, energy[block_width] = {}, other[block_width] = {};
    displace(state, force, bath(0.0), address, element, displacement, energy, posts);
    kernels().bath_post(bath(-voltage), displacement, energy,
                        {other, posts.heat, posts.entropy,
                         posts.heat_per_account.data() + resistor_.account * block_width});
    for (std::size_t lane = 0; lane < block_width; ++lane)
        posts.source[lane] += emf * displacement[lane];
}

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

void GeneratorMove::advance(double* state, double* filter, const LaneNumbers& force,
                            const NoiseAddress& address, std::uint32_t element, Posts& posts,
                            double rest_slope) const {
    double slope[block_width], charge[block_width], energy[block_width] = {};
    double first[block_width] = {}, second[block_width] = {};
    row_of_normals(address, Purpose::hold, element, first);
    if (filter != nullptr) row_of_normals(address, Purpose::hold, element + 1, second);
    for (std::size_t lane = 0; lane < block_width; ++lane) {
        charge[lane] = charge_width_ * first[lane];
        if (filter == nullptr) continue;
        charge[lane] += reach_ * filter[lane];
        filter[lane] =
            decay_ * filter[lane] + filter_share_ * first[lane] + filter_width_ * second[lane];
    }
    const SubstepDirection::Pull pull = direction_.pull(force);
    direction_.slope(state, pull, slope);
    direction_.move(state, charge, slope, pull, energy, posts.supply);
    posts.has_injected = true;
    for (std::size_t lane = 0; lane < block_width; ++lane)
        posts.injected[lane] += energy[lane] + rest_slope * charge[lane];
}

}  // namespace ktc
