#include "motion/setting.hpp"

#include <cmath>
#include <optional>
#include <utility>

#include "ground/error.hpp"

namespace ktc {
namespace {

/// A Hessian with springs added to its diagonal.
Stiffness stiffened(const Stiffness& hessian, const std::vector<double>& springs) {
    Matrix result = hessian.dense();
    for (std::size_t i = 0; i < springs.size(); ++i) result(i, i) += springs[i];
    return Stiffness(std::move(result));
}

/// Exact motion only needs natural coordinates; steps need A and κ.
void find_shape(const Network& network, Motion motion, Setting& setting) {
    Energy energy;
    if (is_exact(motion)) {
        setting.coordinates = std::make_shared<const Coordinates>(
            natural_coordinates(network, setting.controls.stiffness));
    } else {
        setting.coordinates = std::make_shared<const Coordinates>(physical_coordinates(network));
        energy.hessian = network.hessian(setting.controls);
        if (setting.controls.has_quartic()) {
            energy.quartic = setting.controls.quartic;
            energy.quartic.resize(network.dimension(), 0.0);
        }
        if (!network.potentials().empty()) {
            const std::vector<double>& numbers = setting.controls.potential;
            energy.potential = network.potentials().at(numbers, network.dimension());
            energy.hessian = stiffened(energy.hessian, network.potentials().springs(numbers));
        }
    }
    setting.energy = std::make_shared<const Energy>(std::move(energy));
}

/// What differs between two controls. Where it is at most bias and sources, nothing else needs to
/// be checked.
struct Change {
    bool shape, kT, sources;

    Change(const Controls& a, const Controls& b)
        : shape(a.stiffness != b.stiffness || a.quartic != b.quartic || a.potential != b.potential),
          kT(a.kT != b.kT),
          sources(a.emf != b.emf || a.current != b.current) {}
    bool bias_alone() const { return !shape && !kT && !sources; }
};

/// Whether steps of a linear network move it about its rest under sources.
bool steps_about_rest(const Network& network, const Controls& controls, Motion motion) {
    return motion == Motion::split && !network.is_sparse() && network.is_linear(controls) &&
           controls.has_sources();
}

bool needs_flow(const Network& network, const Setting& setting, Motion motion) {
    const bool coupled = motion == Motion::driven && !setting.coordinates->decoupled();
    return (coupled && setting.controls.has_sources()) ||
           steps_about_rest(network, setting.controls, motion);
}

/// What sources do is the same as at `previous` if only the bias differs.
std::shared_ptr<const Drive> drive_of(const Network& network, const Setting& setting, Motion motion,
                                      const Setting* previous, bool same) {
    const Controls& controls = setting.controls;
    Drive drive{setting.coordinates->force(controls.bias), controls.emf, controls.current};
    drive.rest = drive.force;
    if (motion == Motion::driven) {
        drive.rest.resize(drive.rest.size() + network.elements().filters(), 0.0);
        drive.source =
            same ? previous->drive->source
                 : source_flow(network, controls, *setting.coordinates, setting.flow.get());
        for (std::size_t i = 0; drive.source && i < drive.force.size(); ++i)
            drive.rest[i] += drive.source->displacement[i];
    }
    if (steps_about_rest(network, controls, motion)) {
        drive.rest_slope =
            same ? previous->drive->rest_slope : rest_slope(network, controls, *setting.flow);
        Drive undriven{drive.force, std::vector<double>(drive.emf.size(), 0.0),
                       std::vector<double>(drive.current.size(), 0.0)};
        for (std::size_t i = 0; i < undriven.force.size(); ++i)
            undriven.force[i] += drive.rest_slope[i];
        drive.undriven = std::make_shared<const Drive>(std::move(undriven));
    }
    if (controls.own_bias)
        drive.own = std::make_shared<const ReplicaNumbers>(controls.own_bias->mapped(
            drive.force.size(), [&](const std::vector<double>& bias, std::size_t) {
                return setting.coordinates->force(bias);
            }));
    return std::make_shared<const Drive>(std::move(drive));
}

void check_own_bias(const Network& network, const Controls& controls, Motion motion) {
    if (!controls.own_bias) return;
    require(controls.own_bias->size() == network.units(),
            "bias of each replica must have one column per unit");
    for (double value : controls.own_bias->numbers())
        require(std::isfinite(value), "bias of each replica must be finite");
    require(
        motion != Motion::driven && !network.circuit() && !controls.has_sources(),
        "bias of each replica is not available in a circuit, with sources, or in exact motion at "
        "several temperatures: make the emulator with resolve_heat=True where only temperatures "
        "differ, or one emulator per replica, with first_replica");
    require(motion != Motion::midpoint || !network.has_inertia(),
            "bias of each replica is not available for units with inertia and potentials, which "
            "move together; make the emulator with resolve_heat=True");
}

void check_energy(const Drive& drive) {
    std::vector<double> largest;
    if (drive.own) largest = drive.own->largest();
    double energy = 0.0;
    for (double beta : drive.own ? largest : drive.force) energy += beta * beta;
    require(energy <= largest_energy,
            "bias is so large that the equilibrium energy overflows; scale it down");
}

}  // namespace

Setting make_setting(const Network& network, Controls controls, Motion motion,
                     const Setting* previous, bool exchanged) {
    std::optional<Change> change;
    if (previous != nullptr) change.emplace(controls, previous->controls);
    // Natural coordinates depend on the resistors.
    const bool same_shape = change && !change->shape && !(exchanged && is_exact(motion));
    if (same_shape && !change->kT) {
        network.check_bias(controls.bias);
        network.check_sources(controls);
    } else {
        network.check(controls);
    }
    check_own_bias(network, controls, motion);
    const bool bias_alone = change && change->bias_alone() && !exchanged;
    if (!bias_alone) check_motion(network, controls, motion);
    Setting setting{std::move(controls), nullptr, nullptr, nullptr, nullptr};
    if (same_shape) {
        setting.coordinates = previous->coordinates;
        setting.energy = previous->energy;
        if (!exchanged) setting.flow = previous->flow;
    } else {
        find_shape(network, motion, setting);
    }
    if (!setting.flow && needs_flow(network, setting, motion))
        setting.flow = std::make_shared<const FlowSolver>(network, setting.controls);
    setting.drive = drive_of(network, setting, motion, previous, bias_alone);
    check_energy(*setting.drive);
    return setting;
}

}  // namespace ktc
