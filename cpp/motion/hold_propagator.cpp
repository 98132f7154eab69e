#include "motion/hold_propagator.hpp"

#include "motion/dense_propagator.hpp"
#include "motion/midpoint_propagator.hpp"
#include "motion/modal_propagator.hpp"
#include "motion/splitting_propagator.hpp"

namespace ktc {

std::shared_ptr<const Propagator> hold_propagator(const Network& network, const Setting& setting,
                                                  Motion motion, const StateFormat& format,
                                                  double hold, double longest_step) {
    const Elements& elements = network.elements();
    const Coordinates& coordinates = *setting.coordinates;
    const std::vector<double>& kT = setting.controls.kT;
    const auto in_precision = [&](auto&& make) { return format.single() ? make(0.0f) : make(0.0); };
    const auto modal = [&]<class Real>(Real) -> std::shared_ptr<const Propagator> {
        return std::make_shared<ModalPropagator<Real>>(coordinates.rates, kT.front(), hold);
    };
    const auto midpoint = [&]<class Real>(Real) -> std::shared_ptr<const Propagator> {
        return std::make_shared<MidpointPropagator<Real>>(elements, setting.energy, kT.front(),
                                                          hold, longest_step, format.units());
    };
    if (motion == Motion::midpoint) return in_precision(midpoint);
    if (motion != Motion::exact)
        return splitting_propagator(elements, *setting.energy, kT, hold, longest_step,
                                    motion == Motion::pooled);
    if (coordinates.decoupled()) return in_precision(modal);
    return dense_propagator(natural_transition(coordinates, kT.front(), hold));
}

}  // namespace ktc
