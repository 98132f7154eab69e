#include "motion/hold_propagator.hpp"

#include "motion/exact_propagator.hpp"
#include "motion/midpoint_propagator.hpp"
#include "motion/splitting_propagator.hpp"

namespace ktc {

std::shared_ptr<const Propagator> hold_propagator(const Network& network, const Setting& setting,
                                                  Motion motion, const StateFormat& format,
                                                  double hold, double longest_step) {
    const std::vector<double>& kT = setting.controls.kT;
    if (motion == Motion::exact)
        return exact_propagator(*setting.coordinates, kT.front(), hold, format.precision());
    const Elements& elements = network.elements();
    if (motion != Motion::midpoint)
        return splitting_propagator(elements, *setting.energy, kT, hold, longest_step,
                                    motion == Motion::pooled);
    const auto midpoint = [&]<class Real>() {
        return std::make_shared<const MidpointPropagator<Real>>(
            elements, setting.energy, kT.front(), hold, longest_step, format.units());
    };
    if (format.single()) return midpoint.template operator()<float>();
    return midpoint.template operator()<double>();
}

}  // namespace ktc
