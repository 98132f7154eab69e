#include "motion/propagator.hpp"

#include <algorithm>
#include <cmath>

#include "ground/dense.hpp"
#include "ground/error.hpp"
#include "kernels/kernels.hpp"
#include "kernels/packed_matrix.hpp"
#include "motion/transition.hpp"

namespace ktc {
namespace {

/// Heat and supply of a move from deviation u to u′ about β, both by their own local formula:
///     −ΔH = ½ (u − u′)(u + u′),   ∫ bᵀdx = β (u′ − u).
inline void post_move(double before, double after, double force, double& heat, double& supply) {
    heat += 0.5 * (before - after) * (before + after);
    supply += force * (after - before);
}

/// Independent Ornstein–Uhlenbeck processes. The engine plays their holds by the kernel, many ticks
/// at once; one hold by itself is the same kernel with books of its own.
class ModalPropagator final : public Propagator {
   public:
    ModalPropagator(const std::vector<double>& rates, double kT, double hold) {
        for (double rate : rates) {
            const double decay = std::exp(-rate * hold), growth = std::expm1(-rate * hold);
            add(modes_.full, decay, growth, std::sqrt(relaxed_variance(kT, rate, hold)));
            add(modes_.single, decay, growth, std::sqrt(relaxed_variance(kT, rate, hold)));
        }
    }

    const Modes* modes() const override { return &modes_; }

    void advance(double* state, const Drive& drive, const NoiseAddress& address, Workspace&,
                 Posts& posts) const override {
        posts.clear();
        double work[group_width] = {};
        UpperHalf unused[4 * group_width];
        const ModalTick<double> tick{nullptr, drive.force.data(), modes_.full.decay.data(),
                                     modes_.full.growth.data(), modes_.full.width.data()};
        for (std::size_t g = address.begin_group; g < address.end_group; ++g) {
            // A single tile: nothing is carried.
            const ModalBooks books{work,
                                   unused,
                                   posts.heat + g * group_width,
                                   unused + group_width,
                                   posts.supply + g * group_width,
                                   unused + 2 * group_width,
                                   unused + 3 * group_width};
            kernels().full.modal(
                state + g * group_width, block_width, modes_.full.decay.size(), &tick, 1,
                {address.seed, Purpose::hold, address.first_group + g, 0, address.step}, books);
        }
    }

   private:
    template <class Real>
    static void add(ModesOf<Real>& modes, double decay, double growth, double width) {
        modes.decay.push_back(static_cast<Real>(decay));
        modes.growth.push_back(static_cast<Real>(growth));
        modes.width.push_back(static_cast<Real>(width));
    }

    Modes modes_;
};

/// u′ = A u + B ξ as one product [A B] (u, ξ).
class DensePropagator final : public Propagator {
   public:
    explicit DensePropagator(const Transition& transition) : dimension_(transition.decay.rows()) {
        const Matrix noise = semidefinite_factor(transition.covariance);
        step_ = PackedMatrix<double>(dimension_, 2 * dimension_, [&](std::size_t i, std::size_t j) {
            return j < dimension_ ? transition.decay(i, j) : noise(i, j - dimension_);
        });
    }

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
                post_move(deviation[at], moved[at], force[i], posts.heat[lane], posts.supply[lane]);
                state[at] = force[i] + moved[at];
            }
    }

   private:
    std::size_t dimension_;
    PackedMatrix<double> step_;
};

}  // namespace

std::uint64_t steps_of(double hold, double longest) {
    const double steps = std::max(1.0, std::ceil(hold / longest * (1.0 - 1e-12)));
    require(steps < 0x1p53, "dt is too small for a hold of this length; make it larger");
    return static_cast<std::uint64_t>(steps);
}

std::unique_ptr<Propagator> exact_propagator(const Coordinates& coordinates, double kT,
                                             double hold) {
    if (coordinates.decoupled())
        return std::make_unique<ModalPropagator>(coordinates.rates, kT, hold);
    return std::make_unique<DensePropagator>(natural_transition(coordinates, kT, hold));
}

}  // namespace ktc
