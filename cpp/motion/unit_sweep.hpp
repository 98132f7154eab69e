#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "motion/noise_address.hpp"
#include "physics/network.hpp"

namespace ktc {

/// Slice sampling (Neal, Ann. Stat. 31, 705, 2003) of a unit of each replica of a group: intervals
/// from `left` to `right`, which hold {energy ≤ level}, shrink towards x until a trial lies below
/// the level. `energy` takes a lane and a place.
template <class Energy>
void slice(const Energy& energy, const double* level, double* left, double* right,
           Uniforms& uniforms, double* x) {
    bool found[group_width] = {};
    for (std::size_t open = group_width; open > 0;) {
        const double* place = uniforms.next();
        for (std::size_t lane = 0; lane < group_width; ++lane) {
            if (found[lane]) continue;
            const double trial = left[lane] + place[lane] * (right[lane] - left[lane]);
            // A unit stays where it is once its interval is down to rounding.
            const bool shut = !(right[lane] - left[lane] > 1e-15 * std::abs(x[lane]));
            if (shut || energy(lane, trial) <= level[lane]) {
                if (!shut) x[lane] = trial;
                found[lane] = true;
                --open;
            } else {
                (trial < x[lane] ? left[lane] : right[lane]) = trial;
            }
        }
    }
}

/// Sweeps that draw every unit in turn, given the others, at a dense stiffness.
class UnitSweep {
   public:
    explicit UnitSweep(const Controls& controls) : bias_(controls.bias), neighbours_(bias_.size()) {
        for (std::size_t i = 0; i < bias_.size(); ++i)
            for (std::size_t j = 0; j < bias_.size(); ++j)
                if (const double value = controls.stiffness(i, j); j != i && value != 0.0)
                    neighbours_[i].push_back({j, value});
    }

    /// Whether any unit is coupled to another.
    bool is_coupled() const {
        return std::any_of(neighbours_.begin(), neighbours_.end(),
                           [](const auto& others) { return !others.empty(); });
    }

    /// Calls draw(unit, force, uniforms, x) for the replicas of every group, with the forces b less
    /// the pull of the other units.
    template <class Draw>
    void sweep(double* state, const NoiseAddress& address, std::uint64_t number,
               const Draw& draw) const {
        constexpr int trial_bits = 12;
        for (std::size_t i = 0; i < bias_.size(); ++i)
            for (std::size_t g = address.begin_group; g < address.end_group; ++g) {
                double force[group_width];
                std::fill(force, force + group_width, bias_[i]);
                for (const Neighbour& neighbour : neighbours_[i]) {
                    const double* other = state + neighbour.unit * block_width + g * group_width;
                    for (std::size_t lane = 0; lane < group_width; ++lane)
                        force[lane] -= neighbour.value * other[lane];
                }
                Uniforms uniforms(address, Purpose::heat_bath, g, i, number << trial_bits);
                draw(i, force, uniforms, state + i * block_width + g * group_width);
            }
    }

   private:
    struct Neighbour {
        std::size_t unit;
        double value;
    };
    std::vector<double> bias_;
    std::vector<std::vector<Neighbour>> neighbours_;
};

}  // namespace ktc
