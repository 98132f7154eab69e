#include "motion/setting.hpp"

#include <cmath>
#include <utility>

#include "ground/error.hpp"

namespace ktc {
namespace {

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
    }
    setting.energy = std::make_shared<const Energy>(std::move(energy));
}

/// Whether only the bias needs to be checked.
bool same_but_bias(const Controls& a, const Controls& b) {
    return a.stiffness == b.stiffness && a.kT == b.kT && a.quartic == b.quartic && a.emf == b.emf &&
           a.current == b.current;
}

/// What sources do is taken from `previous` if only the bias differs.
std::shared_ptr<const Drive> drive_of(const Network& network, const Setting& setting, Motion motion,
                                      const Setting* previous) {
    const Controls& controls = setting.controls;
    const bool same = previous != nullptr && same_but_bias(controls, previous->controls);
    Drive drive{setting.coordinates->force(controls.bias), controls.emf, controls.current};
    drive.rest = drive.force;
    if (motion == Motion::driven) {
        drive.rest.resize(drive.rest.size() + network.elements().filters(), 0.0);
        drive.source =
            same ? previous->drive->source : source_flow(network, controls, *setting.coordinates);
        for (std::size_t i = 0; drive.source && i < drive.force.size(); ++i)
            drive.rest[i] += drive.source->displacement[i];
    }
    if (motion == Motion::split && !network.is_sparse() && !controls.has_quartic() &&
        controls.has_sources()) {
        drive.rest_slope = same ? previous->drive->rest_slope : rest_slope(network, controls);
        Drive undriven{drive.force, std::vector<double>(drive.emf.size(), 0.0),
                       std::vector<double>(drive.current.size(), 0.0)};
        for (std::size_t i = 0; i < undriven.force.size(); ++i)
            undriven.force[i] += drive.rest_slope[i];
        drive.undriven = std::make_shared<const Drive>(std::move(undriven));
    }
    return std::make_shared<const Drive>(std::move(drive));
}

}  // namespace

Setting make_setting(const Network& network, Controls controls, Motion motion,
                     const Setting* previous) {
    if (previous != nullptr && same_but_bias(controls, previous->controls)) {
        network.check_bias(controls.bias);
    } else {
        network.check(controls);
        check_motion(network, controls, motion);
    }
    Setting setting{std::move(controls), nullptr, nullptr, nullptr};
    if (previous != nullptr && previous->controls.stiffness == setting.controls.stiffness &&
        previous->controls.quartic == setting.controls.quartic) {
        setting.coordinates = previous->coordinates;
        setting.energy = previous->energy;
    } else {
        find_shape(network, motion, setting);
    }
    constexpr double largest_source = 1e150;  // whose square is a double
    for (double emf : setting.controls.emf)
        require(std::abs(emf) <= largest_source, "emf is so large that energies overflow");
    for (double current : setting.controls.current)
        require(std::abs(current) <= largest_source, "current is so large that energies overflow");
    setting.drive = drive_of(network, setting, motion, previous);
    double energy = 0.0;
    for (double beta : setting.drive->force) energy += beta * beta;
    require(energy <= largest_energy,
            "bias is so large that the equilibrium energy overflows; scale it down");
    return setting;
}

}  // namespace ktc
