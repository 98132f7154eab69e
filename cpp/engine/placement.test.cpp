#include "engine/placement.hpp"

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

struct Made {
    Network network = units(1);
    Setting setting = make_setting(network, controls_of({{4.0}}, 1.0, 2.0), Motion::exact, nullptr);
    StateFormat format;
    Ensemble ensemble;
    explicit Made(Precision precision)
        : format(network, setting, precision),
          ensemble({62, 4}, 7, 1, 1, std::make_shared<const StateFormat>(format),
                   std::make_shared<const Accounts>(0)) {}
};

}  // namespace

TEST_CASE("states are stored in the coordinates of the setting, in the lanes of their replicas") {
    Made made(Precision::full);
    const std::vector<double> states{1.0, 2.0, 3.0, 4.0};
    Placement placement(states.data(), made.setting);
    placement.check(made.ensemble, made.format);
    placement.store(made.ensemble);
    std::vector<double> first(block_width), second(block_width);
    first[62] = 2.0;  // w = √k x
    first[63] = 4.0;
    second[0] = 6.0;
    second[1] = 8.0;
    CHECK(state_of(made.ensemble.blocks()[0], made.setting, 1) == first);
    CHECK(state_of(made.ensemble.blocks()[1], made.setting, 1) == second);
}

TEST_CASE("states that cannot be stored are refused") {
    const auto check = [](double x, Precision precision) {
        const Made made(precision);
        const std::vector<double> states{0.0, 0.0, 0.0, x};
        Placement(states.data(), made.setting).check(made.ensemble, made.format);
    };
    CHECK_NOTHROW(check(1e100, Precision::full));
    CHECK_THROWS_AS(check(1e151, Precision::full), std::invalid_argument);
    CHECK_NOTHROW(check(1e16, Precision::single));
    CHECK_THROWS_AS(check(1e17, Precision::single), std::invalid_argument);
}
