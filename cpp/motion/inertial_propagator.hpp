#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/packed_matrix.hpp"
#include "motion/propagator.hpp"

namespace ktc {

/// Steps of units with inertia and potentials at one temperature,
///     half of the kick, p − ½h (V′ + κx³);
///     the linear motion, springs of the potentials included, exact;
///     the other half,
/// with adjacent halves merged (Strang, SIAM J. Numer. Anal. 5, 506, 1968). Averages are second
/// order in the step. The heat is −ΔH, posted for several steps at once.
class InertialPropagator final : public Propagator {
   public:
    InertialPropagator(const Network& network, const Setting& setting, double hold,
                       double longest_step);

    std::uint64_t steps() const override { return steps_; }
    std::uint64_t steps_at_once() const override { return 64; }
    double cost() const override;
    std::size_t play(const TickBatch& batch, std::size_t first, ReplicaBlock& block,
                     Workspace& workspace) const override;
    /// Moves a state by some steps, and fills heat and supply.
    void advance(double* state, const std::vector<double>& force, NoiseAddress address,
                 std::uint64_t steps, Workspace& workspace, Posts& posts) const;

   private:
    /// Linear motion of some coordinates, which moves no others.
    struct Linear {
        Matrix decay, factor;  ///< A and B of z′ = A z + c + B ξ
        Matrix reach;          ///< c = `reach` β
    };
    Linear linear_of(const Network& network, const Setting& setting,
                     const std::vector<std::size_t>& coordinates) const;
    void step_uncoupled(double* state, const std::vector<double>& force,
                        const NoiseAddress& address, std::uint64_t steps) const;
    void step_coupled(double* state, const std::vector<double>& force, NoiseAddress address,
                      std::uint64_t steps, Workspace& workspace) const;
    void kick(double* state, double time) const;
    void post(const double* before, const double* after, const std::vector<double>& force,
              Workspace& workspace, Posts& posts) const;

    std::shared_ptr<const Energy> energy_;
    std::size_t units_;
    std::uint64_t steps_;
    double step_;
    bool apart_;  ///< whether no unit is coupled to another
    std::vector<double> unit_, quartic_;
    std::vector<Linear> linear_;  ///< of each unit, or of all together
    PackedMatrix<double> decay_, factor_;
};

}  // namespace ktc
