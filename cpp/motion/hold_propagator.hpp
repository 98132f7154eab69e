#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "motion/propagator.hpp"

namespace ktc {

/// Exact motion of independent Ornstein–Uhlenbeck processes with relaxation rates λ. One call of a
/// kernel plays many ticks, with all accounts in registers.
template <class Real>
class ModalPropagator final : public Propagator {
   public:
    ModalPropagator(const std::vector<double>& rates, double kT, double hold);

    std::uint64_t steps_per_post() const override { return modal_tile; }
    double cost() const override { return static_cast<double>(decay_.size()); }
    void prepare(Tick& tick, TickBatch& batch) const override;
    std::size_t play(const TickBatch& batch, std::size_t first, ReplicaBlock& block,
                     Workspace& workspace) const override;

   private:
    std::vector<Real> decay_;   ///< e^{−λh}
    std::vector<Real> growth_;  ///< e^{−λh} − 1
    std::vector<Real> width_;   ///< √(kT (1 − e^{−2λh}))
};

/// Exact motion of coupled natural coordinates: u′ = A u + B ξ of the deviation u from β, as one
/// dense product [A B] (u, ξ) with B Bᵀ = Q.
std::unique_ptr<Propagator> dense_propagator(const Transition& transition);

/// Propagator of a hold at a setting, for states in this format. Steps of motion that is not exact
/// are at most `longest_step` long.
std::shared_ptr<const Propagator> hold_propagator(const Network& network, const Setting& setting,
                                                  Motion motion, const StateFormat& format,
                                                  double hold, double longest_step);

}  // namespace ktc
