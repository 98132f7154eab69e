#include "motion/driven_motion.hpp"
#include "motion/flow_solver.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/typing.h>

#include "arrays.hpp"
#include "controls.hpp"
#include "ground/dense.hpp"

namespace py = pybind11;
using namespace ktc;
using namespace ktc::bindings;

namespace {

using Pair = py::typing::Tuple<Array, Array>;

Pair to_pair(const Transition& transition) {
    return py::make_tuple(to_array(transition.decay), to_array(transition.covariance));
}

Pair of_linear_system(const Array& drift, const Array& diffusion, double hold) {
    use_one_library_thread();
    const Matrix f = to_matrix(drift), d = to_matrix(diffusion);
    return to_pair(linear_transition(f, d, solve_lyapunov(f, d), hold));
}

Pair of_network(const Network& network, const py::typing::Dict<py::str, Array>& given,
                double hold) {
    const Controls controls = to_controls(given);
    network.check(controls);
    return to_pair(network.is_driven(controls) ? driven_network_transition(network, controls, hold)
                                               : network_transition(network, controls, hold));
}

Array slope_at_rest(const Network& network, const py::typing::Dict<py::str, Array>& given) {
    const Controls controls = to_controls(given);
    network.check(controls);
    return to_array(rest_slope(network, controls, FlowSolver(network, controls)));
}

Array stationary(const Array& drift, const Array& diffusion) {
    use_one_library_thread();
    return to_array(solve_lyapunov(to_matrix(drift), to_matrix(diffusion)));
}

}  // namespace

void bind_transition(py::module_& module) {
    module.def("linear_transition", of_linear_system, py::arg("drift"), py::arg("diffusion"),
               py::arg("hold"), "A and Q of dz = F z dt + noise of covariance rate D over a hold.");
    module.def("network_transition", of_network, py::arg("network"), py::arg("controls"),
               py::arg("hold"),
               "A and Q of a network's state z over a hold, followed by the currents of filters.");
    module.def("rest_slope", slope_at_rest, py::arg("network"), py::arg("controls"),
               "Gradient of H where a network under sources rests.");
    module.def("stationary_covariance", stationary, py::arg("drift"), py::arg("diffusion"),
               "P with F P + P Fᵀ + D = 0.");
}
