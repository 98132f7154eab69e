#include "engine/propagator_cache.hpp"

#include "motion/fixtures.test.hpp"
#include "motion/modal_propagator.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

std::shared_ptr<const Propagator> found(PropagatorCache& cache, const Setting& setting, double hold,
                                        double longest_step = 1.0) {
    return cache.find(setting, hold, longest_step, [&] {
        return std::make_shared<const ModalPropagator<double>>(setting.coordinates->rates,
                                                               setting.controls.kT.front(), hold);
    });
}

}  // namespace

TEST_CASE("a propagator is found by all that it depends on") {
    const Network network = units(1);
    Controls controls = controls_of({{2.0}});
    const Setting first = make_setting(network, controls, Motion::exact, nullptr);
    PropagatorCache cache;
    const auto made = found(cache, first, 0.5);
    controls.bias = {3.0};
    CHECK(found(cache, make_setting(network, controls, Motion::exact, &first), 0.5) == made);
    CHECK(cache.made() == 1);
    controls.kT = {2.0};
    CHECK(found(cache, make_setting(network, controls, Motion::exact, &first), 0.5) != made);
    CHECK(found(cache, first, 0.25) != made);
    CHECK(found(cache, first, 0.5, 0.5) != made);
    CHECK(cache.made() == 4);
    // An equal stiffness in a setting of its own may differ in its coordinates.
    CHECK(found(cache, make_setting(network, controls_of({{2.0}}), Motion::exact, nullptr), 0.5) !=
          made);
}

TEST_CASE("the four propagators last used are kept") {
    const Setting setting = make_setting(units(1), controls_of({{2.0}}), Motion::exact, nullptr);
    PropagatorCache cache;
    const auto first = found(cache, setting, 1.0);
    for (const double hold : {2.0, 3.0, 4.0}) found(cache, setting, hold);
    CHECK(found(cache, setting, 1.0) == first);
    found(cache, setting, 5.0);
    CHECK(cache.made() == 5);
    CHECK(found(cache, setting, 1.0) == first);
    found(cache, setting, 2.0);
    CHECK(cache.made() == 6);
}

TEST_CASE("one large propagator is kept") {
    const Setting setting = make_setting(units(257), controls_of(Stiffness(Matrix::identity(257))),
                                         Motion::exact, nullptr);
    PropagatorCache cache;
    found(cache, setting, 1.0);
    found(cache, setting, 2.0);
    found(cache, setting, 1.0);
    CHECK(cache.made() == 3);
}
