#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/kernels.hpp"
#include "physics/energy.hpp"

namespace ktc {

/// Direction d of a sub-step in the space of states. A displacement δ along it changes the energy
/// by
///     H(w + δ d) − H(w) = s δ + ½ c δ² + ¼ Σ_i κ_i [(w_i + δ d_i)⁴ − w_i⁴],
/// s = d·(A w − β) and c = d·A d, which is evaluated locally. The force β is an argument because it
/// changes from tick to tick.
class SubstepDirection {
   public:
    SubstepDirection(const Energy& energy, std::span<const SparseEntry> direction);
    SubstepDirection(const Energy& energy, const std::vector<double>& direction);

    double curvature() const { return curvature_; }
    /// d·β.
    double pull(const std::vector<double>& force) const;
    /// s of every lane, with d·β = `pull`.
    void slope(const double* state, double pull, double* slope) const;
    /// Moves every lane by its δ; adds the energy change to `energy` and d·β δ to `supply`. `slope`
    /// is s of the state before the move.
    void move(double* state, const double* displacement, const double* slope, double pull,
              double* energy, double* supply) const;

    /// Whether d has one nonzero entry, `stride` at coordinate `axis`.
    bool along_axis() const { return steps_.size() == 1; }
    std::size_t axis() const { return steps_.front().coordinate; }
    double stride() const { return steps_.front().value; }
    double quartic() const { return steps_.front().quartic; }
    /// Whether d moves a quartic unit.
    bool is_quartic() const;

   private:
    std::vector<LineEntry> steps_;   ///< nonzero entries of d
    std::vector<LineEntry> slopes_;  ///< nonzero entries of A d
    double curvature_ = 0.0;
};

}  // namespace ktc
