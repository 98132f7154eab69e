#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_normal(py::module_& module);
void bind_kernels(py::module_& module);
void bind_sparse(py::module_& module);
void bind_network(py::module_& module);
void bind_transition(py::module_& module);
void bind_statistics(py::module_& module);
void bind_engine(py::module_& module);

PYBIND11_MODULE(_core, module) {
    module.doc() = "The compiled core of ktc. Its arguments are checked by the Python layer above.";
    module.def("version", [] { return KTC_VERSION; }, "Version of the package.");
    bind_normal(module);
    bind_kernels(module);
    bind_sparse(module);
    bind_network(module);
    bind_transition(module);
    bind_statistics(module);
    bind_engine(module);
}
