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

/// Gives replicas from number `first` of the seed on a bias of their own, (count, units) row-major.
inline void set_own_bias(std::uint64_t first, std::size_t count, std::size_t units,
                         const double* rows, Controls& controls) {
    controls.own_bias = std::make_shared<const ReplicaNumbers>(first, count, units, rows);
    controls.bias = controls.own_bias->mean();
}

/// Sets a control that is a vector; a bias may have one row per replica.
inline void set_values(const std::string& name, const Array& values, std::uint64_t first,
                       Controls& controls) {
    if (name == "bias") controls.own_bias = nullptr;
    if (name == "bias" && values.ndim() == 2)
        set_own_bias(first, static_cast<std::size_t>(values.shape(0)),
                     static_cast<std::size_t>(values.shape(1)), values.data(), controls);
    else
        place_of(name, controls) = to_vector(values);
}

/// Controls from and to a dict of arrays by name.
inline Controls to_controls(const py::dict& given, std::uint64_t first_replica = 0) {
    Controls result;
    for (const auto& [name, values] : named_controls)
        if (values == nullptr)
            result.stiffness = to_stiffness(given[name]);
        else
            set_values(name, given[name].cast<Array>(), first_replica, result);
    return result;
}

inline Array to_array(const ReplicaNumbers& numbers) {
    Array result({numbers.count(), numbers.size()});
    for (std::size_t row = 0; row < numbers.count(); ++row)
        numbers.read(row, result.mutable_data() + row * numbers.size());
    return result;
}

inline py::dict to_dict(const Controls& controls) {
    py::dict result;
    for (const auto& [name, values] : named_controls)
        if (values == &Controls::bias && controls.own_bias)
            result[name] = to_array(*controls.own_bias);
        else if (values != nullptr)
            result[name] = to_array(controls.*values);
        else if (controls.stiffness.is_sparse())
            result[name] = controls.stiffness;
        else
            result[name] = to_array(controls.stiffness.dense());
    return result;
}

}  // namespace ktc::bindings
