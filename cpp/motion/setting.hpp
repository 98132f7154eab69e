#pragma once

#include <memory>
#include <vector>

#include "motion/coordinates.hpp"
#include "motion/workspace.hpp"
#include "physics/energy.hpp"
#include "physics/network.hpp"

namespace ktc {

/// Largest energy of a state or a bias: it leaves room for sums and products.
inline constexpr double largest_energy = 1e300;

/// How replicas move: by one exact move per hold; by midpoint steps of all units together; or by
/// steps of the splitting integrator, whose ledger tells all elements apart (`split`) or keeps all
/// heat in one account (`pooled`).
enum class Motion { exact, midpoint, split, pooled };

/// Refuses controls at which a network does not move in this way.
void check_motion(const Network& network, const Controls& controls, Motion motion);

/// Forces and sources, constant through a hold.
struct Drive {
    std::vector<double> force;    ///< β, in the coordinates of the state
    std::vector<double> emf;      ///< e_r, one entry per resistor; empty if all are zero
    std::vector<double> current;  ///< I_s, one entry per current source
};

/// Controls with the coordinates, the energy and the drive that belong to them.
struct Setting {
    Controls controls;
    std::shared_ptr<const Coordinates> coordinates;
    std::shared_ptr<const Energy> energy;  ///< its shape: A and κ, not β
    std::shared_ptr<const Drive> drive;

    bool same_shape(const Setting& other) const { return energy == other.energy; }
    /// H of every lane of a block.
    void energy_of(const double* state, Workspace& workspace, double* energy_of_lane) const {
        energy->of_block(state, drive->force, workspace.second.data(), energy_of_lane);
    }
};

/// Checks controls and derives their setting, sharing coordinates and energy with `previous` (may
/// be null) if stiffness and quartic are equal. Raises on unphysical controls.
Setting make_setting(const Network& network, Controls controls, Motion motion,
                     const Setting* previous);

}  // namespace ktc
