#pragma once

#include <memory>
#include <vector>

#include "ground/matrix.hpp"
#include "motion/block.hpp"
#include "motion/coordinates.hpp"
#include "physics/network.hpp"

namespace ktc {

/// Controls together with the natural coordinates that belong to them.
struct Setting {
    Controls controls;
    std::shared_ptr<const Coordinates> coordinates;
    std::vector<double> force;  ///< β
};

/// Checks controls and finds their coordinates, reusing those of `previous` (may be null) where
/// the stiffness is the same. Raises on anything unphysical.
Setting make_setting(const Network& network, Controls controls, const Setting* previous);

/// One control update θ → θ′ at held state, and its work (Sekimoto 1998)
///     H(x; θ′) − H(x; θ) = ½ xᵀ ΔK x − Δbᵀ x,
/// written in the natural coordinates of θ; then the state goes over to those of θ′.
class Update {
   public:
    Update(const Network& network, const Setting& from, const Setting& to);

    bool changes_energy() const { return !force_change_.empty(); }
    void apply(double* state, Workspace& workspace, double* work) const;

   private:
    std::vector<double> force_change_;  ///< Tᵀ (Δb, 0)
    Matrix stiffness_change_;           ///< ½ Tᵀ diag(ΔK, 0) T
    Matrix crossover_;                  ///< T′⁻¹ T
};

/// H = ½|w|² − βᵀw, per lane.
void block_energy(const double* state, const std::vector<double>& force, double* energy);

}  // namespace ktc
