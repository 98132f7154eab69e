#include "motion/propagator.hpp"

#include <algorithm>
#include <cmath>

#include "ground/dense.hpp"
#include "ground/normal.hpp"
#include "motion/transition.hpp"

namespace ktc {
namespace {

/// Heat and supply of a move from deviation u to u′ about β, both by their own local formula:
///     −ΔH = ½ (u − u′)(u + u′),   ∫ bᵀdx = β (u′ − u).
inline void post_move(double before, double after, double force, double& heat, double& supply) {
    heat += 0.5 * (before - after) * (before + after);
    supply += force * (after - before);
}

/// Independent Ornstein–Uhlenbeck processes, each moved exactly (Gillespie, Phys. Rev. E 54, 2084,
/// 1996): u′ = e^{−λh} u + √(kT (1 − e^{−2λh})) ξ.
class ModalPropagator final : public Propagator {
   public:
    ModalPropagator(const std::vector<double>& rates, double kT, double hold) {
        for (double rate : rates) {
            decay_.push_back(std::exp(-rate * hold));
            width_.push_back(std::sqrt(relaxed_variance(kT, rate, hold)));
        }
    }

    void advance(double* state, const Drive& drive, const NoiseAddress& address, Workspace&,
                 Posts& posts) const override {
        std::fill(std::begin(posts.heat), std::end(posts.heat), 0.0);
        std::fill(std::begin(posts.supply), std::end(posts.supply), 0.0);
        double noise[group_width];
        for (std::size_t i = 0; i < decay_.size(); ++i) {
            const double decay = decay_[i], width = width_[i], beta = drive.force[i];
            for (std::size_t g = address.begin_group; g < address.end_group; ++g) {
                normals16({address.seed, Purpose::hold, address.first_group + g,
                           static_cast<std::uint32_t>(i), address.step},
                          noise);
                double* w = state + i * block_width + g * group_width;
                double* heat = posts.heat + g * group_width;
                double* supply = posts.supply + g * group_width;
                for (std::size_t lane = 0; lane < group_width; ++lane) {
                    const double before = w[lane] - beta;
                    const double after = decay * before + width * noise[lane];
                    post_move(before, after, beta, heat[lane], supply[lane]);
                    w[lane] = beta + after;
                }
            }
        }
    }

   private:
    std::vector<double> decay_, width_;
};

/// u′ = A u + B ξ as one product [A B] (u, ξ).
class DensePropagator final : public Propagator {
   public:
    explicit DensePropagator(const Transition& transition)
        : step_(transition.decay.rows(), 2 * transition.decay.rows()) {
        const Matrix noise = semidefinite_factor(transition.covariance);
        const std::size_t n = noise.rows();
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j) {
                step_(i, j) = transition.decay(i, j);
                step_(i, n + j) = noise(i, j);
            }
    }

    void advance(double* state, const Drive& drive, const NoiseAddress& address,
                 Workspace& workspace, Posts& posts) const override {
        const std::vector<double>& force = drive.force;
        const std::size_t n = step_.rows();
        double* deviation = workspace.first.data();
        double* noise = deviation + n * block_width;
        double* moved = workspace.second.data();
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t lane = 0; lane < block_width; ++lane)
                deviation[i * block_width + lane] = state[i * block_width + lane] - force[i];
            for (std::size_t g = address.begin_group; g < address.end_group; ++g)
                normals16({address.seed, Purpose::hold, address.first_group + g,
                           static_cast<std::uint32_t>(i), address.step},
                          noise + i * block_width + g * group_width);
        }
        multiply_block(step_, deviation, moved, block_width);
        std::fill(std::begin(posts.heat), std::end(posts.heat), 0.0);
        std::fill(std::begin(posts.supply), std::end(posts.supply), 0.0);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                const std::size_t at = i * block_width + lane;
                post_move(deviation[at], moved[at], force[i], posts.heat[lane], posts.supply[lane]);
                state[at] = force[i] + moved[at];
            }
    }

   private:
    Matrix step_;
};

}  // namespace

std::unique_ptr<Propagator> exact_propagator(const Coordinates& coordinates, double kT,
                                             double hold) {
    if (coordinates.decoupled())
        return std::make_unique<ModalPropagator>(coordinates.rates, kT, hold);
    return std::make_unique<DensePropagator>(natural_transition(coordinates, kT, hold));
}

}  // namespace ktc
