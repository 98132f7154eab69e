#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "arrays.hpp"
#include "physics/network.hpp"

namespace ktc::bindings {

/// The core's stiffness, made once: Python keeps it beside its own array or sparse matrix.
inline Stiffness to_stiffness(const py::object& given) {
    if (py::isinstance<Stiffness>(given)) return given.cast<Stiffness>();
    return Stiffness(to_matrix(given.cast<Array>()));
}

/// The values of a control that is a vector.
inline std::vector<double>& place_of(const std::string& name, Controls& controls) {
    for (const NamedControl& control : named_controls)
        if (control.values != nullptr && control.name == name) return controls.*control.values;
    throw py::value_error("unknown control " + name);
}

/// Controls from and to a dict of arrays by name; what is left out is empty.
inline Controls to_controls(const py::dict& given) {
    Controls result;
    for (const auto& [name, values] : named_controls)
        if (values == nullptr)
            result.stiffness = to_stiffness(given[name]);
        else if (given.contains(name))
            result.*values = to_vector(given[name].cast<Array>());
    return result;
}

inline py::dict to_dict(const Controls& controls) {
    py::dict result;
    for (const auto& [name, values] : named_controls)
        if (values != nullptr)
            result[name] = to_array(controls.*values);
        else if (controls.stiffness.is_sparse())
            result[name] = controls.stiffness;
        else
            result[name] = to_array(controls.stiffness.dense());
    return result;
}

}  // namespace ktc::bindings
