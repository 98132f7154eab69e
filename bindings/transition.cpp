#include "motion/transition.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/typing.h>

#include "arrays.hpp"
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

Pair of_network(const Array& friction, const Array& inertia, const Array& stiffness, double kT,
                double hold) {
    use_one_library_thread();
    const Network network(to_matrix(friction), to_vector(inertia));
    const Controls controls{std::vector<double>(network.units(), 0.0), to_matrix(stiffness), kT};
    network.check(controls);
    return to_pair(network_transition(network, controls, hold));
}

Array stationary(const Array& drift, const Array& diffusion) {
    use_one_library_thread();
    return to_array(solve_lyapunov(to_matrix(drift), to_matrix(diffusion)));
}

}  // namespace

void bind_transition(py::module_& module) {
    module.def("linear_transition", of_linear_system, py::arg("drift"), py::arg("diffusion"),
               py::arg("hold"), "A and Q of dz = F z dt + noise of covariance rate D over a hold.");
    module.def("network_transition", of_network, py::arg("friction"), py::arg("inertia"),
               py::arg("stiffness"), py::arg("kT"), py::arg("hold"),
               "A and Q of a network's state z over a hold; `inertia` is empty without inertia.");
    module.def("stationary_covariance", stationary, py::arg("drift"), py::arg("diffusion"),
               "P with F P + P Fᵀ + D = 0.");
}
