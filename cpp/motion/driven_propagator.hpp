#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "motion/driven_motion.hpp"
#include "motion/propagator.hpp"

namespace ktc {

/// Exact motion of the modes of a driven network without inertia and interconnection: each relaxes
/// on its own, their noise may be correlated, and filters of noise generators push them. One call
/// of a kernel plays many ticks, whatever forces and sources change between them.
///
/// Noise that the energy from sources has on its own is drawn in the Haar basis of the ticks of a
/// tile: one normal for a tile of constant sources, and the same numbers whichever calls play it.
template <class Real>
class DrivenPropagator final : public Propagator {
   public:
    /// Modes with noise of their own, at one temperature without generators.
    DrivenPropagator(const std::vector<double>& rates, double kT, double hold);
    /// With correlated noise.
    DrivenPropagator(const std::vector<double>& rates, const DrivenMotion& motion, double hold);
    /// With noise of their own at kT, and the columns of `factor` beside it.
    DrivenPropagator(const std::vector<double>& rates, double kT, const DrivenMotion& motion,
                     const Matrix& decay, const Matrix& factor, double hold);

    std::uint64_t steps_per_post() const override { return modal_tile; }
    double cost() const override;
    void prepare(Tick& tick, TickBatch& batch) const override;
    std::size_t play(const TickBatch& batch, std::size_t first, ReplicaBlock& block,
                     Workspace& workspace) const override;

   private:
    void relax(const std::vector<double>& rates);
    void relax_filters(const DrivenMotion& motion);
    void set_width(std::vector<double> width);
    void pack(const Matrix& decay, const Matrix& factor);
    void pack_panel(const Matrix& decay, const Matrix& factor, std::size_t begin, std::size_t rows);
    std::shared_ptr<const SourceMove> source_of(std::shared_ptr<const SourceFlow> flow) const;
    void add_forces(DrivenTick<Real>& driven, const Tick& tick, TickBatch& batch) const;

    double hold_;
    std::vector<double> width_, lag_;
    std::vector<Real> decay_, growth_, real_width_;
    DrivenTransition transition_;  ///< of modes with correlated noise alone
    std::vector<double> filter_unit_;
    std::vector<std::size_t> order_, depth_;
    std::vector<std::vector<Real>> numbers_;
    std::vector<DrivenPanel<Real>> panels_;
    DrivenMove<Real> move_;
};

/// The propagator of a driven network of which modes relax on their own.
std::shared_ptr<const Propagator> driven_propagator(const Network& network, const Setting& setting,
                                                    const StateFormat& format, double hold);

/// Noise that the energy from sources has on its own in consecutive ticks.
class OwnSourceNoise {
   public:
    /// In ticks of these widths, the first of which has the number `step`.
    OwnSourceNoise(const std::vector<double>& widths, std::uint64_t step);

    SourceNoise view() const {
        return step_.empty() ? SourceNoise{}
                             : SourceNoise{step_.data(), weight_.data(), end_.data()};
    }

   private:
    std::vector<std::uint64_t> step_;
    std::vector<double> weight_;
    std::vector<std::size_t> end_;
};

}  // namespace ktc
