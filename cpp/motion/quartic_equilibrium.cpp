#include "motion/quartic_equilibrium.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ground/dense.hpp"
#include "ground/normal.hpp"

namespace ktc {
namespace {

// Numbers of one draw have addresses of their own: the step names the draw, its low bits the use.
constexpr int use_bits = 24;

StreamAddress stream(const NoiseAddress& address, Purpose purpose, std::size_t group,
                     std::size_t element, std::uint64_t use) {
    return {address.seed, purpose, address.first_group + group, static_cast<std::uint32_t>(element),
            (address.step << use_bits) | use};
}

/// Uniform numbers of one lane, sixteen lanes at a time, one use after the other.
class Uniforms {
   public:
    Uniforms(const NoiseAddress& address, Purpose purpose, std::size_t group, std::size_t element,
             std::uint64_t first_use)
        : address_(stream(address, purpose, group, element, first_use)) {}
    const double* next() {
        uniforms16(address_, values_);
        ++address_.step;
        return values_;
    }

   private:
    StreamAddress address_;
    double values_[group_width];
};

/// A distance that no x with V(x) ≤ level exceeds.
double reach_of(const UnitEnergy& energy, double level) {
    const double above = std::max(level, 0.0), force = std::abs(energy.force);
    double reach = std::numeric_limits<double>::infinity();
    if (energy.quartic > 0.0)
        reach = std::max({std::sqrt(std::sqrt(12.0 * above / energy.quartic)),
                          std::cbrt(12.0 * force / energy.quartic),
                          std::sqrt(6.0 * std::max(-energy.stiffness, 0.0) / energy.quartic)});
    if (energy.stiffness > 0.0) {
        const double k = energy.stiffness;
        reach = std::min(reach, (force + std::sqrt(force * force + 2.0 * k * above)) / k);
    }
    return reach;
}

/// Slowest relaxation of sweeps over units with this Hessian, in sweeps: 1/λ_min of the Hessian at
/// unit diagonal.
double slowest_sweeps(Matrix hessian) {
    const std::size_t d = hessian.rows();
    std::vector<double> root(d);
    for (std::size_t i = 0; i < d; ++i) root[i] = std::sqrt(hessian(i, i));
    for (std::size_t i = 0; i < d; ++i)
        for (std::size_t j = 0; j < d; ++j) hessian(i, j) /= root[i] * root[j];
    const double least = symmetric_eigen(hessian).values.front();
    return least > 0.0 ? 1.0 / least : std::numeric_limits<double>::infinity();
}

}  // namespace

QuarticEquilibrium::QuarticEquilibrium(const Network& network, const Controls& controls)
    : units_(network.units()),
      kT_(controls.kT.front()),
      inertia_(network.inertia()),
      neighbours_(network.units()) {
    Matrix hardened = controls.stiffness;
    for (std::size_t i = 0; i < units_; ++i) {
        const double k = controls.stiffness(i, i), kappa = controls.quartic[i];
        energies_.push_back({k, controls.bias[i], kappa});
        samplers_.emplace_back(energies_.back(), kT_);
        wells_ = wells_ || k < 0.0;
        if (kappa > 0.0)
            hardened(i, i) += 3.0 * kappa * (std::max(-k, 0.0) / kappa + std::sqrt(kT_ / kappa));
        for (std::size_t j = 0; j < units_; ++j) {
            const double value = controls.stiffness(i, j);
            if (j == i || value == 0.0) continue;
            neighbours_[i].push_back({i, j, value});
            if (i < j) couplings_.push_back({i, j, value});
        }
    }
    if (couplings_.empty()) return;
    sweeps_ = static_cast<std::size_t>(
        std::clamp(std::ceil(20.0 * slowest_sweeps(hardened)), 100.0, 2000.0));
}

void QuarticEquilibrium::draw(double* state, const NoiseAddress& address) const {
    std::fill(state, state + units_ * block_width, 0.0);
    draw_alone(state, address);
    for (std::size_t number = 0; number < sweeps_; ++number) {
        sweep(state, address, number);
        if (wells_) turn_clusters(state, address, number);
    }
    if (!inertia_.empty()) draw_momenta(state, address);
}

void QuarticEquilibrium::draw_alone(double* state, const NoiseAddress& address) const {
    for (std::size_t i = 0; i < units_; ++i)
        for (std::size_t g = address.begin_group; g < address.end_group; ++g) {
            Uniforms uniforms(address, Purpose::equilibrium, g, i, 0);
            bool found[group_width] = {};
            for (std::size_t left = group_width; left > 0;) {
                double place[group_width];
                std::copy_n(uniforms.next(), group_width, place);
                const double* height = uniforms.next();
                for (std::size_t lane = 0; lane < group_width; ++lane) {
                    double x = 0.0;
                    if (found[lane] || !samplers_[i].attempt(place[lane], height[lane], x))
                        continue;
                    state[i * block_width + g * group_width + lane] = x;
                    found[lane] = true;
                    --left;
                }
            }
        }
}

void QuarticEquilibrium::draw_momenta(double* state, const NoiseAddress& address) const {
    for (std::size_t i = 0; i < units_; ++i) {
        const double width = std::sqrt(kT_ * inertia_[i]);
        for (std::size_t g = address.begin_group; g < address.end_group; ++g) {
            double* p = state + (units_ + i) * block_width + g * group_width;
            normals16(stream(address, Purpose::equilibrium, g, units_ + i, 0), p);
            for (std::size_t lane = 0; lane < group_width; ++lane) p[lane] *= width;
        }
    }
}

void QuarticEquilibrium::sweep(double* state, const NoiseAddress& address,
                               std::uint64_t number) const {
    constexpr int trial_bits = 12;
    for (std::size_t i = 0; i < units_; ++i)
        for (std::size_t g = address.begin_group; g < address.end_group; ++g) {
            double* x = state + i * block_width + g * group_width;
            double force[group_width];
            std::fill(force, force + group_width, energies_[i].force);
            for (const Coupling& coupling : neighbours_[i]) {
                const double* other = state + coupling.second * block_width + g * group_width;
                for (std::size_t lane = 0; lane < group_width; ++lane)
                    force[lane] -= coupling.value * other[lane];
            }
            Uniforms uniforms(address, Purpose::heat_bath, g, i, number << trial_bits);
            double level[group_width], left[group_width], right[group_width];
            const double* first = uniforms.next();
            for (std::size_t lane = 0; lane < group_width; ++lane) {
                const UnitEnergy energy{energies_[i].stiffness, force[lane], energies_[i].quartic};
                level[lane] = energy(x[lane]) - kT_ * std::log(first[lane]);
                right[lane] = reach_of(energy, level[lane]);
                left[lane] = -right[lane];
            }
            bool found[group_width] = {};
            for (std::size_t open = group_width; open > 0;) {
                const double* place = uniforms.next();
                for (std::size_t lane = 0; lane < group_width; ++lane) {
                    if (found[lane]) continue;
                    const UnitEnergy energy{energies_[i].stiffness, force[lane],
                                            energies_[i].quartic};
                    const double trial = left[lane] + place[lane] * (right[lane] - left[lane]);
                    // An interval shrunk to its own rounding stays where it is.
                    const bool shut = !(right[lane] - left[lane] > 1e-15 * std::abs(x[lane]));
                    if (shut || energy(trial) <= level[lane]) {
                        if (!shut) x[lane] = trial;
                        found[lane] = true;
                        --open;
                    } else {
                        (trial < x[lane] ? left[lane] : right[lane]) = trial;
                    }
                }
            }
        }
}

void QuarticEquilibrium::turn_clusters(double* state, const NoiseAddress& address,
                                       std::uint64_t number) const {
    // Signs of given sizes |x_i| are an Ising model in a field; the field is a spin that stays.
    const std::size_t field = units_;
    std::vector<std::size_t> parent((units_ + 1) * group_width);
    for (std::size_t g = address.begin_group; g < address.end_group; ++g) {
        const auto at = [&](std::size_t i, std::size_t lane) -> double& {
            return state[i * block_width + g * group_width + lane];
        };
        const auto root = [&](std::size_t i, std::size_t lane) {
            while (parent[i * group_width + lane] != i) i = parent[i * group_width + lane];
            return i;
        };
        const auto bind = [&](std::size_t i, std::size_t j, std::size_t lane, double energy,
                              double chance) {
            // Bound with 1 − e^{−2|E|/kT} where the pair gains energy as it is.
            if (energy >= 0.0 || chance >= -std::expm1(2.0 * energy / kT_)) return;
            const std::size_t a = root(i, lane), b = root(j, lane);
            parent[std::min(a, b) * group_width + lane] = std::max(a, b);
        };
        for (std::size_t i = 0; i <= units_; ++i)
            std::fill_n(parent.begin() + static_cast<std::ptrdiff_t>(i * group_width), group_width,
                        i);
        double chance[group_width];
        std::size_t element = 0;
        for (const Coupling& coupling : couplings_) {
            uniforms16(stream(address, Purpose::cluster, g, element++, number), chance);
            for (std::size_t lane = 0; lane < group_width; ++lane)
                bind(coupling.first, coupling.second, lane,
                     coupling.value * at(coupling.first, lane) * at(coupling.second, lane),
                     chance[lane]);
        }
        for (std::size_t i = 0; i < units_; ++i) {
            uniforms16(stream(address, Purpose::cluster, g, element++, number), chance);
            for (std::size_t lane = 0; lane < group_width; ++lane)
                bind(i, field, lane, -energies_[i].force * at(i, lane), chance[lane]);
        }
        std::vector<std::size_t> owner(units_ * group_width);
        for (std::size_t i = 0; i < units_; ++i)
            for (std::size_t lane = 0; lane < group_width; ++lane)
                owner[i * group_width + lane] = root(i, lane);
        for (std::size_t cluster = 0; cluster < units_; ++cluster) {
            uniforms16(stream(address, Purpose::cluster, g, element++, number), chance);
            for (std::size_t lane = 0; lane < group_width; ++lane) {
                if (chance[lane] >= 0.5) continue;
                for (std::size_t i = 0; i < units_; ++i)
                    if (owner[i * group_width + lane] == cluster) at(i, lane) = -at(i, lane);
            }
        }
    }
}

}  // namespace ktc
