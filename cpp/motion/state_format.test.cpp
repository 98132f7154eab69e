#include "motion/state_format.hpp"

#include <cmath>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

Setting setting_of(const Network& network, const Controls& controls, Motion motion) {
    return make_setting(network, controls, motion, nullptr);
}

}  // namespace

TEST_CASE("double precision stores the state as it is") {
    const Network network = units(2);
    const Setting setting =
        setting_of(network, controls_of({{3.0, 0.0}, {0.0, 1e-9}}), Motion::midpoint);
    const StateFormat format(network, setting, Precision::full);
    CHECK_FALSE(format.single());
    CHECK(format.units() == std::vector<double>{1.0, 1.0});
}

TEST_CASE("single precision stores steps in powers of two near the thermal width") {
    const Network network(Matrix::identity(1), {1e20});
    const double kT = 4e-21, stiffness = 1e-12;
    const Setting setting = setting_of(network, controls_of({{stiffness}}, kT), Motion::split);
    const StateFormat format(network, setting, Precision::single);
    const double widths[] = {std::sqrt(kT / stiffness), std::sqrt(kT * 1e20)};
    for (std::size_t row = 0; row < 2; ++row) {
        const double ratio = format.unit(row) / widths[row];
        CHECK(ratio <= std::sqrt(2.0));
        CHECK(ratio >= std::sqrt(0.5));
        CHECK(std::exp2(std::round(std::log2(format.unit(row)))) == format.unit(row));
    }
    const std::vector<double> force = {3.0, 4.0};
    for (std::size_t row = 0; row < 2; ++row) CHECK(format.offset(force)(row, 0) == 0.0);
}

TEST_CASE("a unit held by its quartic term alone has the width of that") {
    // ¼ κ x⁴ ~ kT: x ~ (kT/κ)^¼.
    const Network network = units(1);
    const Setting setting =
        setting_of(network, controls_of({{0.0}}, 1e-20, 0.0, 1e4), Motion::midpoint);
    const StateFormat format(network, setting, Precision::single);
    CHECK(std::abs(std::log2(format.unit(0) / 1e-6)) <= 0.5);
}

TEST_CASE("single precision stores natural coordinates from the force") {
    const Network network = units(1);
    const Setting setting = setting_of(network, controls_of({{3.0}}), Motion::exact);
    const StateFormat format(network, setting, Precision::single);
    CHECK(format.unit(0) == 1.0);
    const std::vector<double> force = {3.0};
    CHECK(format.offset(force)(0, 0) == force[0]);
}

TEST_CASE("what single precision cannot hold is refused") {
    const Network network = units(1);
    const auto format = [&](double kT, double bias) {
        const Setting setting = setting_of(network, controls_of({{1.0}}, kT, bias), Motion::exact);
        return StateFormat(network, setting, Precision::single);
    };
    CHECK_NOTHROW(format(1.0, 0.9e17));
    CHECK_THROWS_AS(format(1.0, 1.1e17), std::invalid_argument);
    CHECK_THROWS_AS(format(1e-31, 0.0), std::invalid_argument);
    const Setting setting = setting_of(network, controls_of({{1.0}}, 4.0), Motion::exact);
    const StateFormat four(network, setting, Precision::single);
    CHECK_NOTHROW(four.check_state(setting, 0, std::vector<double>(block_width, 1.9e17)));
    CHECK_THROWS_AS(four.check_state(setting, 0, std::vector<double>(block_width, 2.1e17)),
                    std::invalid_argument);
}
