#include "kernels/kernels.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "ground/dense.hpp"

namespace py = pybind11;
using namespace ktc;

namespace {

std::vector<std::string> levels() {
    std::vector<std::string> result;
    for (const Kernels* kernels : available_kernels()) result.emplace_back(kernels->level);
    return result;
}

}  // namespace

void bind_kernels(py::module_& module) {
    module.def(
        "kernel_level", [] { return std::string(kernels().level); },
        "Level of the kernels in use.");
    module.def("kernel_levels", levels, "Levels that this processor has, the best last.");
    module.def("library_core", library_core, "Processor whose kernels OpenBLAS uses.");
    module.def("use_kernels", use_kernels, py::arg("level"), "Takes others into use.");
}
