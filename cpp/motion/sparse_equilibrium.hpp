#pragma once

#include <cstddef>
#include <vector>

#include "ground/sparse.hpp"
#include "motion/stationary_sampler.hpp"
#include "physics/network.hpp"

namespace ktc {

/// Draws from the equilibrium N(K⁻¹b, kT K⁻¹) of a sparse linear network at a cost proportional to
/// its couplings, without a factor of K: x = K⁻¹(b + √kT y) with y ~ N(0, K) (Papandreou, Yuille,
/// Adv. Neural Inf. Process. Syst. 23, 1858, 2010). y is a sum of one normal a coupling and one a
/// unit, as a K that some scaling makes diagonally dominant (ground/dominance.hpp) is one of
/// squares, ½ xᵀKx = ½ Σ_{i<j} |K_ij| (x_i √(s_j/s_i) ± x_j √(s_i/s_j))² + ½ Σ_i u_i x_i²/s_i; x is
/// found by conjugate gradients (Hestenes, Stiefel, J. Res. Natl. Bur. Stand. 49, 409, 1952).
/// Every lane takes part in its own sums alone: its bits do not depend on the other lanes.
class SparseEquilibrium final : public StationarySampler {
   public:
    /// Raises where no scaling makes the stiffness diagonally dominant.
    explicit SparseEquilibrium(const Controls& controls);

    /// Whether it can draw at this stiffness.
    static bool applies(const SparseMatrix& stiffness);
    double cost() const override { return 100.0; }
    /// Raises if the stiffness is too close to singular.
    void draw(double* state, const NoiseAddress& address, Workspace& workspace,
              Watch& watch) const override;

   private:
    void draw_group(double* lanes, const NoiseAddress& address, std::size_t group,
                    Watch& watch) const;
    /// b + √kT y in units of √K_ii.
    void force(const NoiseAddress& address, std::size_t group, double* out) const;

    struct Term {
        std::size_t other;
        double own_share, other_share;  ///< what one normal adds to y at both ends
    };
    SparseMatrix scaled_;       ///< K at unit diagonal
    std::vector<double> root_;  ///< √K_ii
    std::vector<double> bias_;  ///< b/√K_ii
    std::vector<double> alone_;
    std::vector<std::size_t> first_term_;
    std::vector<Term> terms_;
};

}  // namespace ktc
