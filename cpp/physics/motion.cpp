#include "physics/motion.hpp"

#include <algorithm>

#include "ground/error.hpp"

namespace ktc {

Motion motion_named(std::string_view name) {
    const auto found = std::find(motion_names.begin(), motion_names.end(), name);
    require(found != motion_names.end(), "motion must be exact, midpoint, split or pooled, but is ",
            name);
    return static_cast<Motion>(found - motion_names.begin());
}

Motion motion_of(const Network& network, const Controls& controls, bool resolve_heat) {
    if (resolve_heat) return Motion::split;
    if (network.is_sparse()) return Motion::pooled;
    if (network.moves_exactly(controls)) return Motion::exact;
    return network.moves_together(controls) ? Motion::midpoint : Motion::split;
}

void check_motion(const Network& network, const Controls& controls, Motion motion) {
    if (motion == Motion::exact && !network.moves_exactly(controls)) {
        const bool quartic = controls.has_quartic();
        std::string_view cause = "emf, current and noise generators must be absent";
        if (!controls.isothermal() || controls.kT.front() == 0.0) cause = "kT must be one for all";
        if (quartic) cause = "quartic must be zero";
        refuse(cause,
               ": this ensemble moves by exact holds, as the network it was made of does; make the "
               "emulator ",
               quartic ? "of a network with quartic units (they may be zero later), or " : "",
               "with resolve_heat=True");
    }
    require(motion != Motion::midpoint || network.moves_together(controls),
            "this ensemble moves all units together and keeps their total heat, which several "
            "temperatures and sources do not allow; make it with resolve_heat=True");
}

}  // namespace ktc
