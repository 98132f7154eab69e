#include "physics/network.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/typing.h>

#include "arrays.hpp"
#include "controls.hpp"
#include "ground/dense.hpp"
#include "motion.hpp"

namespace py = pybind11;
using namespace ktc;
using namespace ktc::bindings;

namespace {

using Values = py::typing::Dict<py::str, py::object>;

Network of_units(const Array& friction, const Array& inertia) {
    use_one_library_thread();
    return Network(to_matrix(friction), to_vector(inertia));
}

Network of_elements(const Array& interconnection, const Array& directions, const Array& conductance,
                    const std::vector<std::size_t>& account, const Array& source_directions,
                    const Array& noise_directions, const Array& noise_density,
                    const Array& noise_rate) {
    use_one_library_thread();
    return Network(Elements{to_matrix(interconnection), SparseMatrix::of(to_matrix(directions)),
                            to_vector(conductance), account, to_matrix(source_directions),
                            to_matrix(noise_directions), to_vector(noise_density),
                            to_vector(noise_rate)});
}

}  // namespace

void bind_network(py::module_& module) {
    py::class_<Network>(module, "Network", "What cannot be programmed: the circuit itself.")
        .def_static("of_units", of_units, py::arg("friction"), py::arg("inertia"),
                    "Units with a friction matrix and, where `inertia` is not empty, momenta.")
        .def_static(
            "of_sparse_units", [](const Array& friction) { return Network(to_vector(friction)); },
            py::arg("friction"), "Overdamped units, one resistor each, of a sparse stiffness.")
        .def_static("of_elements", of_elements, py::kw_only(), py::arg("interconnection"),
                    py::arg("directions"), py::arg("conductance"), py::arg("account"),
                    py::arg("source_directions"), py::arg("noise_directions"),
                    py::arg("noise_density"), py::arg("noise_rate"),
                    "A circuit of resistors along given directions; see physics/elements.hpp.")
        .def(
            "check",
            [](const Network& network, const Values& given, const std::string& motion) {
                const Controls controls = to_controls(given);
                network.check(controls);
                check_motion(network, controls, motion_named(motion));
            },
            py::arg("controls"), py::arg("motion"),
            "Refuses controls that do not fit, or at which this motion is none.")
        .def(
            "moves_together",
            [](const Network& network, const Values& given) {
                return network.moves_together(to_controls(given));
            },
            py::arg("controls"), "Whether midpoint steps move all units together.")
        .def_property_readonly("units", &Network::units)
        .def_property_readonly("dimension", &Network::dimension)
        .def_property_readonly("friction",
                               [](const Network& network) { return to_array(network.friction()); })
        .def_property_readonly(
            "mobility",
            [](const Network& network) { return to_array(network.elements().mobility()); })
        .def_property_readonly(
            "interconnection",
            [](const Network& network) { return to_array(network.elements().interconnection); })
        .def_property_readonly(
            "resistors", [](const Network& network) { return network.elements().resistors(); })
        .def_property_readonly(
            "accounts", [](const Network& network) { return network.elements().accounts(); });
}
