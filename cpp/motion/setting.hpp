#pragma once

#include <memory>
#include <vector>

#include "motion/driven_motion.hpp"
#include "motion/workspace.hpp"
#include "physics/motion.hpp"

namespace ktc {

// Compilers warn of designated initializers that leave out a member without an initializer.
// NOLINTBEGIN(readability-redundant-member-init)
/// Forces and sources, constant through a hold.
struct Drive {
    std::vector<double> force;    ///< β, in the coordinates of the state
    std::vector<double> emf;      ///< e_r, one entry per resistor; empty if all are zero
    std::vector<double> current;  ///< I_s, one entry per current source
    std::vector<double> rest{};   ///< w*, where exact motion rests; β without sources
    std::shared_ptr<const SourceFlow> source{};  ///< of exact motion; null if all sources are zero
    /// For steps of a linear network under sources: ∇H at its rest, and the drive that holds it
    /// there without them. Empty otherwise.
    std::vector<double> rest_slope{};
    std::shared_ptr<const Drive> undriven{};
    /// β of each replica, in place of `force` and `rest`; null if all have the same.
    std::shared_ptr<const ReplicaNumbers> own{};

    /// β and w* of a block, by its number.
    LaneNumbers force_of(std::uint64_t block) const { return own ? own->block(block) : force; }
    LaneNumbers rest_of(std::uint64_t block) const { return own ? own->block(block) : rest; }
};
// NOLINTEND(readability-redundant-member-init)

/// Controls with the coordinates, the energy and the drive that belong to them.
struct Setting {
    Controls controls;
    std::shared_ptr<const Coordinates> coordinates;
    std::shared_ptr<const Energy> energy;  ///< its shape: A and κ, not β
    std::shared_ptr<const Drive> drive;
    std::shared_ptr<const FlowSolver> flow;  ///< null until sources need it

    bool same_shape(const Setting& other) const { return energy == other.energy; }
    /// Whether a propagator for one setting is one for the other, too.
    bool same_motion(const Setting& other) const {
        return same_shape(other) && controls.kT == other.controls.kT &&
               (drive->source == nullptr) == (other.drive->source == nullptr);
    }
    /// H of every lane of a block, by its number.
    void energy_of(const double* state, std::uint64_t block, Workspace& workspace,
                   double* energy_of_lane) const {
        energy->of_block(state, drive->force_of(block), workspace.second.data(), energy_of_lane);
    }
};

/// Checks controls and derives their setting, sharing coordinates and energy with `previous` (may
/// be null) if stiffness and quartic are equal. `exchanged` tells that the network is another one
/// than that of `previous`. Raises on unphysical controls.
Setting make_setting(const Network& network, Controls controls, Motion motion,
                     const Setting* previous, bool exchanged = false);

}  // namespace ktc
