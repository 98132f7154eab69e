#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "ground/dense.hpp"
#include "kernels/kernels.hpp"

namespace py = pybind11;
using namespace ktc;

void bind_sparse(py::module_& module);
void bind_network(py::module_& module);
void bind_transition(py::module_& module);
void bind_statistics(py::module_& module);
void bind_engine(py::module_& module);
void bind_testing_normals(py::module_& module);
void bind_testing_kernels(py::module_& module);

namespace {

std::vector<std::string> instruction_sets() {
    std::vector<std::string> result;
    for (const Kernels* kernels : available_kernels())
        result.emplace_back(kernels->instruction_set);
    return result;
}

}  // namespace

PYBIND11_MODULE(_core, module) {
    module.doc() = "The compiled core of ktc. Its arguments are checked by the Python layer above.";
    module.def("version", [] { return KTC_VERSION; }, "Version of the package.");
    module.def(
        "instruction_set", [] { return std::string(kernels().instruction_set); },
        "Instruction set of the kernels in use.");
    module.def("instruction_sets", instruction_sets,
               "Instruction sets that this processor has, the best last.");
    module.def("library_core", library_core, "Processor whose kernels OpenBLAS uses.");
    bind_sparse(module);
    bind_network(module);
    bind_transition(module);
    bind_statistics(module);
    bind_engine(module);
#if defined(KTC_TESTING)
    // A part of this module, because a module of its own would have kernels of its own to choose.
    py::module_ testing = module.def_submodule("testing", "What tests and benchmarks alone use.");
    bind_testing_normals(testing);
    bind_testing_kernels(testing);
#endif
}
