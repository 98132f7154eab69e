#pragma once

#include <memory>
#include <vector>

#include "ground/matrix.hpp"
#include "motion/block.hpp"
#include "motion/coordinates.hpp"
#include "physics/energy.hpp"
#include "physics/motion.hpp"
#include "physics/network.hpp"

namespace ktc {

/// Controls together with the coordinates, the energy and the drive that belong to them.
struct Setting {
    Controls controls;
    std::shared_ptr<const Coordinates> coordinates;
    std::shared_ptr<const Energy> energy;  ///< its shape: A and κ, not β
    Drive drive;

    bool same_shape(const Setting& other) const { return energy == other.energy; }
};

/// Checks controls and finds what belongs to them, reusing what `previous` (may be null) has where
/// stiffness and quartic are the same. Raises on anything unphysical.
Setting make_setting(const Network& network, Controls controls, Motion motion,
                     const Setting* previous);

/// One control update θ → θ′ at held state, and its work (Sekimoto 1998)
///     H(x; θ′) − H(x; θ) = ½ xᵀ ΔK x − Δbᵀ x + ¼ Σ Δκ_i x_i⁴,
/// written in the coordinates of θ; then the state goes over to those of θ′.
class Update {
   public:
    Update(const Network& network, const Setting& from, const Setting& to);

    bool changes_energy() const { return !force_change_.empty(); }
    bool changes_shape() const { return !stiffness_change_.empty() || sparse_change_.rows() > 0; }
    /// Tᵀ (Δb, 0); empty where nothing changes.
    const std::vector<double>& force_change() const { return force_change_; }
    void apply(double* state, Workspace& workspace, double* work) const;

   private:
    std::vector<double> force_change_;    ///< Tᵀ (Δb, 0)
    Matrix stiffness_change_;             ///< ½ Tᵀ diag(ΔK, 0) T
    SparseMatrix sparse_change_;          ///< the same where the stiffness is sparse
    std::vector<double> quartic_change_;  ///< ¼ Δκ
    Matrix crossover_;                    ///< T′⁻¹ T; empty where it is the identity
};

/// H of every lane of a block at a setting.
void block_energy(const Setting& setting, const double* state, Workspace& workspace,
                  double* energy);

}  // namespace ktc
