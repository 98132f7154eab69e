#pragma once

#include <cstddef>
#include <vector>

#include "motion/stationary_sampler.hpp"

namespace ktc {

/// Draws from the equilibrium N(K⁻¹b, kT K⁻¹) of a sparse linear network at a cost proportional to
/// its couplings, without a factor of K: x = K⁻¹(b + √kT y) with y ~ N(0, K) (Papandreou, Yuille,
/// Adv. Neural Inf. Process. Syst. 23, 1858, 2010). If a scaling s makes K diagonally dominant
/// (ground/sparse.hpp), K is a sum of squares,
///     ½ xᵀKx = ½ Σ_{i<j} |K_ij| (x_i √(s_j/s_i) ± x_j √(s_i/s_j))² + ½ Σ_i u_i x_i²/s_i,
/// and y a sum of one normal per coupling and one per unit. x is found by conjugate gradients
/// (Hestenes, Stiefel, J. Res. Natl. Bur. Stand. 49, 409, 1952). No sum mixes lanes: the bits of a
/// lane do not depend on the others.
class SparseEquilibrium final : public StationarySampler {
   public:
    /// Raises if no scaling makes the stiffness diagonally dominant.
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
    /// Steps of conjugate gradients of one group of lanes. The first finds the length of the step
    /// along `direction`, zero in lanes that have converged; false if all have. The second takes it
    /// and replaces it by the share of the old direction in the next one.
    bool line_search(const double* direction, const double* square, const double* enough,
                     double* product, double* step) const;
    void descend(double* step, const double* direction, const double* product, double* lanes,
                 double* residual, double* square) const;
    /// b + √kT y in units of √K_ii.
    void force(const NoiseAddress& address, std::size_t group, double* out) const;

    struct Term {
        std::size_t other;
        double own_share, other_share;  ///< factors of its normal in y at both ends
    };
    SparseMatrix scaled_;       ///< K at unit diagonal
    std::vector<double> root_;  ///< √K_ii
    std::vector<double> bias_;  ///< b/√K_ii
    std::vector<double> alone_;
    std::vector<std::size_t> first_term_;
    std::vector<Term> terms_;
};

}  // namespace ktc
