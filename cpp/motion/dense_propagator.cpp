#include "motion/dense_propagator.hpp"

#include <algorithm>
#include <cstddef>

#include "ground/dense.hpp"
#include "kernels/packed_matrix.hpp"

namespace ktc {
namespace {

class DensePropagator final : public StepPropagator {
   public:
    explicit DensePropagator(const Transition& transition) : dimension_(transition.decay.rows()) {
        const Matrix noise = semidefinite_factor(transition.covariance);
        step_ = PackedMatrix<double>(dimension_, 2 * dimension_, [&](std::size_t i, std::size_t j) {
            return j < dimension_ ? transition.decay(i, j) : noise(i, j - dimension_);
        });
    }

    double cost() const override {
        const auto n = static_cast<double>(dimension_);
        return n + n * (n / 8.0);
    }

    /// Posts −ΔH = ½ (u − u′)(u + u′) and ∫ bᵀdx = β (u′ − u), each by its own formula.
    void advance(double* state, const Drive& drive, const NoiseAddress& address,
                 Workspace& workspace, Posts& posts) const override {
        const std::vector<double>& force = drive.force;
        const std::size_t n = dimension_;
        double* deviation = workspace.first.data();
        double* noise = deviation + n * block_width;
        double* moved = workspace.second.data();
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t lane = 0; lane < block_width; ++lane)
                deviation[i * block_width + lane] = state[i * block_width + lane] - force[i];
            row_of_normals(address, Purpose::hold, i, noise + i * block_width);
        }
        step_.multiply(deviation, moved);
        std::fill(std::begin(posts.heat), std::end(posts.heat), 0.0);
        std::fill(std::begin(posts.supply), std::end(posts.supply), 0.0);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                const std::size_t at = i * block_width + lane;
                const double before = deviation[at], after = moved[at];
                posts.heat[lane] += 0.5 * (before - after) * (before + after);
                posts.supply[lane] += force[i] * (after - before);
                state[at] = force[i] + after;
            }
    }

   private:
    std::size_t dimension_;
    PackedMatrix<double> step_;
};

}  // namespace

std::unique_ptr<Propagator> dense_propagator(const Transition& transition) {
    return std::make_unique<DensePropagator>(transition);
}

}  // namespace ktc
