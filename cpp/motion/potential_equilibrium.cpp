#include "motion/potential_equilibrium.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "ground/dense.hpp"

namespace ktc {
namespace {

constexpr double sweeps_at_least = 100.0, sweeps_at_most = 1000.0;
// Relaxation times of units drawn in turn.
constexpr double relaxations = 20.0;

/// Sweeps in which the slowest mode relaxes, from the widths that units have alone.
std::size_t sweeps_of(const Matrix& stiffness, const std::vector<OnSiteSampler>& samplers,
                      double kT) {
    Matrix scaled = stiffness;
    const std::size_t d = samplers.size();
    std::vector<double> root(d);
    for (std::size_t i = 0; i < d; ++i) root[i] = std::sqrt(kT / samplers[i].variance());
    for (std::size_t i = 0; i < d; ++i)
        for (std::size_t j = 0; j < d; ++j)
            scaled(i, j) = i == j ? 1.0 : stiffness(i, j) / (root[i] * root[j]);
    const double slowest = symmetric_eigen(scaled).values.front();
    const double wanted = slowest > 0.0 ? relaxations / slowest : sweeps_at_most;
    return static_cast<std::size_t>(std::clamp(wanted, sweeps_at_least, sweeps_at_most));
}

/// The first of end, end + step, end + 3 step, … that is outside.
template <class Inside>
double widened(double end, double step, const Inside& inside) {
    for (; inside(end); step *= 2.0) end += step;
    return end;
}

/// Draws a unit of each replica of a group, given the force on it, over all of its wells. The
/// first interval depends on the level alone.
void draw_given(const OnSiteEnergy& unit, const OnSiteSampler& sampler, double kT,
                const double* force, Uniforms& uniforms, double* x) {
    double level[group_width], left[group_width], right[group_width];
    const double* first = uniforms.next();
    const double width = sampler.right() - sampler.left();
    const auto energy = [&](std::size_t lane, double at) {
        return unit(at) + (unit.force - force[lane]) * at;
    };
    for (std::size_t lane = 0; lane < group_width; ++lane) {
        level[lane] = energy(lane, x[lane]) - kT * std::log(first[lane]);
        left[lane] = widened(sampler.left(), -width, [&](double at) {
            return energy(lane, at) <= level[lane] || at > x[lane];
        });
        right[lane] = widened(sampler.right(), width, [&](double at) {
            return energy(lane, at) <= level[lane] || at < x[lane];
        });
    }
    slice(energy, level, left, right, uniforms, x);
}

}  // namespace

PotentialEquilibrium::PotentialEquilibrium(const Network& network, const Setting& setting)
    : kT_(setting.controls.kT.front()),
      potential_(setting.energy->potential),
      inertia_(network.inertia()),
      units_in_turn_(setting.controls) {
    const Controls& controls = setting.controls;
    const std::size_t units = network.units();
    bool even = true;
    for (std::size_t i = 0; i < units; ++i) {
        const PotentialView* own = potential_.at(i);
        energies_.push_back({setting.energy->hessian(i, i), controls.bias[i], controls.quartic[i],
                             own == nullptr ? PotentialView{} : *own});
        samplers_.emplace_back(energies_.back(), kT_);
        OnSiteEnergy unbiased = energies_.back();
        unbiased.force = 0.0;
        even = even && unbiased.is_even();
    }
    if (!units_in_turn_.is_coupled()) return;
    sweeps_ = sweeps_of(controls.stiffness.dense(), samplers_, kT_);
    if (even) signs_.emplace(controls);
}

void PotentialEquilibrium::draw(double* state, const NoiseAddress& address, Workspace&,
                                Watch& watch) const {
    const std::size_t units = energies_.size();
    std::fill(state, state + units * block_width, 0.0);
    draw_alone(state, address);
    for (std::size_t number = 0; number < sweeps_; ++number) {
        watch.look();
        if (watch.stopped()) return;
        units_in_turn_.sweep(
            state, address, number,
            [this](std::size_t i, const double* force, Uniforms& uniforms, double* x) {
                draw_given(energies_[i], samplers_[i], kT_, force, uniforms, x);
            });
        if (signs_) signs_->move(state, address, number, watch);
    }
    if (!inertia_.empty()) draw_momenta(state, units, kT_, inertia_, address);
}

void PotentialEquilibrium::draw_alone(double* state, const NoiseAddress& address) const {
    for (std::size_t i = 0; i < energies_.size(); ++i)
        for (std::size_t g = address.begin_group; g < address.end_group; ++g) {
            Uniforms uniforms(address, Purpose::unit, g, i, 0);
            const double* share = uniforms.next();
            for (std::size_t lane = 0; lane < group_width; ++lane)
                state[i * block_width + g * group_width + lane] = samplers_[i].draw(share[lane]);
        }
}

}  // namespace ktc
