#include "ground/sparse.hpp"

#include <pybind11/pybind11.h>

#include <cstdint>
#include <vector>

#include "arrays.hpp"
#include "physics/energy.hpp"

namespace py = pybind11;
using namespace ktc;
using namespace ktc::bindings;

namespace {

using Indices = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>;

Stiffness of_rows(const Indices& starts, const Indices& columns, const Array& values) {
    std::vector<SparseEntry> entries(static_cast<std::size_t>(values.size()));
    if (columns.size() != values.size())
        throw py::value_error("columns must have one entry a value");
    for (std::size_t k = 0; k < entries.size(); ++k)
        entries[k] = {static_cast<std::size_t>(columns.data()[k]), values.data()[k]};
    std::vector<std::size_t> first(starts.data(), starts.data() + starts.size());
    const std::size_t units = first.size() - 1;
    return Stiffness(SparseMatrix(units, std::move(first), std::move(entries), "stiffness"));
}

}  // namespace

void bind_sparse(py::module_& module) {
    py::class_<Stiffness>(module, "Stiffness", "A sparse stiffness; Python keeps it by its matrix.")
        .def_static("of_rows", of_rows, py::arg("starts"), py::arg("columns"), py::arg("values"),
                    "Compressed rows, columns ascending in each.")
        .def(
            "dominated",
            [](const Stiffness& stiffness) {
                const py::gil_scoped_release release;
                return dominance(stiffness.sparse()).definite;
            },
            "Whether some scaling makes it diagonally dominant, and so positive definite.");
}
