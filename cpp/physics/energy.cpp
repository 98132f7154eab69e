#include "physics/energy.hpp"

#include <algorithm>

#include "ground/dense.hpp"
#include "ground/lanes.hpp"

namespace ktc {

void Energy::of_block(const double* state, const std::vector<double>& force, double* scratch,
                      double* energy) const {
    std::fill(energy, energy + block_width, 0.0);
    const double* slope = state;
    if (!hessian.empty()) {
        multiply_block(hessian, state, scratch, block_width);
        slope = scratch;
    }
    for (std::size_t i = 0; i < force.size(); ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const std::size_t at = i * block_width + lane;
            energy[lane] += state[at] * (0.5 * slope[at] - force[i]);
        }
    for (std::size_t i = 0; i < quartic.size(); ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const double square = state[i * block_width + lane] * state[i * block_width + lane];
            energy[lane] += 0.25 * quartic[i] * square * square;
        }
}

}  // namespace ktc
