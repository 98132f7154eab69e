#pragma once

#include <cstddef>
#include <vector>

#include "physics/stiffness.hpp"

namespace ktc {

/// Energies of a start and of a bias below this leave room for those of their products.
inline constexpr double largest_energy = 1e300;

/// The stored energy in the coordinates w that an engine keeps its state in:
///     H = ½ wᵀ A w − βᵀ w + ¼ Σ_i κ_i w_i⁴.
/// The one place where it is written down. β changes from tick to tick and is handed in.
struct Energy {
    Stiffness hessian;            ///< A; empty means the identity (natural coordinates)
    std::vector<double> quartic;  ///< κ; empty means zero

    /// H of every lane of a block with force β; `scratch` holds as many numbers as `state`, and is
    /// not touched where A is sparse.
    void of_block(const double* state, const std::vector<double>& force, double* scratch,
                  double* energy) const;

   private:
    void of_sparse_block(const double* state, const std::vector<double>& force,
                         double* energy) const;
};

}  // namespace ktc
