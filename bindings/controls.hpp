#pragma once

#include <pybind11/pybind11.h>

#include "arrays.hpp"
#include "physics/network.hpp"

namespace ktc::bindings {

/// Controls from and to a dict of arrays by name.
inline Controls to_controls(const py::dict& given) {
    const auto array = [&](const char* name) { return given[name].cast<Array>(); };
    return {to_vector(array("bias")), Stiffness(to_matrix(array("stiffness"))),
            to_vector(array("kT")),   to_vector(array("quartic")),
            to_vector(array("emf")),  to_vector(array("current"))};
}

inline py::dict to_dict(const Controls& controls) {
    py::dict result;
    result["bias"] = to_array(controls.bias);
    result["stiffness"] = to_array(controls.stiffness.dense());
    result["kT"] = to_array(controls.kT);
    result["quartic"] = to_array(controls.quartic);
    result["emf"] = to_array(controls.emf);
    result["current"] = to_array(controls.current);
    return result;
}

}  // namespace ktc::bindings
