#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/kernels.hpp"
#include "physics/energy.hpp"

namespace ktc {

/// One direction d in the space of states, along which the energy of a displacement δ is
///     H(w + δ d) − H(w) = s δ + ½ c δ² + ¼ Σ_i κ_i [(w_i + δ d_i)⁴ − w_i⁴],
/// s = d·(A w − β) and c = d·A d. Every sub-step moves all lanes along one line, and this local
/// formula is what it posts. The force β is handed in, as it changes from tick to tick.
class Line {
   public:
    Line(const Energy& energy, std::span<const SparseEntry> direction);
    Line(const Energy& energy, const std::vector<double>& direction);

    double curvature() const { return curvature_; }
    /// d·β.
    double pull(const std::vector<double>& force) const;
    /// s of the quadratic part, per lane, where d·β is `pull`.
    void slope(const double* state, double pull, double* slope) const;
    /// Moves every lane by its own δ; adds the energy change to `energy` and d·β δ to `supply`.
    /// `slope` is that of the state before the move.
    void move(double* state, const double* displacement, const double* slope, double pull,
              double* energy, double* supply) const;

    /// The unit that this line runs along where the line has one entry, and that entry.
    bool along_axis() const { return steps_.size() == 1; }
    std::size_t axis() const { return steps_.front().coordinate; }
    double stride() const { return steps_.front().value; }
    double quartic() const { return steps_.front().quartic; }
    bool is_quartic() const;

   private:
    std::vector<LineEntry> steps_;   ///< nonzero entries of d
    std::vector<LineEntry> slopes_;  ///< nonzero entries of A d
    double curvature_ = 0.0;
};

}  // namespace ktc
