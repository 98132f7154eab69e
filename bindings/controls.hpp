#pragma once

#include <pybind11/pybind11.h>

#include "arrays.hpp"
#include "physics/network.hpp"

namespace ktc::bindings {

/// The core's stiffness, made once: Python keeps it beside its own array or sparse matrix.
inline Stiffness to_stiffness(const py::object& given) {
    if (py::isinstance<Stiffness>(given)) return given.cast<Stiffness>();
    return Stiffness(to_matrix(given.cast<Array>()));
}

/// Controls from and to a dict of arrays by name.
inline Controls to_controls(const py::dict& given) {
    const auto array = [&](const char* name) { return given[name].cast<Array>(); };
    return {to_vector(array("bias")), to_stiffness(given["stiffness"]),
            to_vector(array("kT")),   to_vector(array("quartic")),
            to_vector(array("emf")),  to_vector(array("current"))};
}

inline py::dict to_dict(const Controls& controls) {
    py::dict result;
    result["bias"] = to_array(controls.bias);
    if (controls.stiffness.is_sparse())
        result["stiffness"] = controls.stiffness;
    else
        result["stiffness"] = to_array(controls.stiffness.dense());
    result["kT"] = to_array(controls.kT);
    result["quartic"] = to_array(controls.quartic);
    result["emf"] = to_array(controls.emf);
    result["current"] = to_array(controls.current);
    return result;
}

}  // namespace ktc::bindings
