#include "physics/motion.hpp"

#include <algorithm>

#include "ground/error.hpp"

namespace ktc {

Motion motion_named(std::string_view name) {
    const auto found = std::find(motion_names.begin(), motion_names.end(), name);
    require(found != motion_names.end(),
            "motion must be exact, driven, midpoint, split or pooled, but is ", name);
    return static_cast<Motion>(found - motion_names.begin());
}

Motion motion_of(const Network& network, const Controls& controls, bool resolve_heat) {
    if (resolve_heat) return Motion::split;
    if (network.is_sparse()) return Motion::pooled;
    if (!network.is_linear(controls))
        return network.moves_together(controls) ? Motion::midpoint : Motion::split;
    return network.is_driven(controls) ? Motion::driven : Motion::exact;
}

void check_motion(const Network& network, const Controls& controls, Motion motion) {
    require(motion == Motion::driven || !network.elements().is_active(),
            "active elements supply energy that is not told apart from the heat of resistors: "
            "leave out resolve_heat and heat_per_resistor, and take net_heat");
    const bool quartic = is_exact(motion) && !network.is_linear(controls);
    if (quartic || (motion == Motion::exact && network.is_driven(controls))) {
        std::string_view cause = "emf, current and noise generators must be absent";
        if (!controls.isothermal() || controls.kT.front() == 0.0) cause = "kT must be one for all";
        if (quartic) cause = "quartic must be zero";
        refuse(cause,
               ": this ensemble moves by exact holds, as the network it was made of does; make the "
               "emulator of a network with ",
               quartic ? "quartic units (they may be zero later)"
                       : "sources or several temperatures (they may change later)",
               ", or with resolve_heat=True");
    }
    require(motion != Motion::driven || !network.is_sparse(),
            "a sparse network moves by steps: motion must be pooled or split");
    require(motion != Motion::midpoint || network.moves_together(controls),
            "this ensemble moves all units together and keeps their total heat, which several "
            "temperatures and sources do not allow; make it with resolve_heat=True");
}

}  // namespace ktc
