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

Stiffness of_rows(const Indices& starts, const Indices& columns, const Array& values) {
    const auto units = static_cast<std::size_t>(starts.size() - 1);
    return Stiffness(to_sparse(starts, columns, values, units, "stiffness"));
}

Stiffness inverse_of(const py::object& storage, const Indices& order) {
    return Stiffness::inverse_of(to_sparse(storage, "storage"), to_indices(order));
}

Array solved(const Stiffness& stiffness, const Array& columns) {
    Array result(std::vector<py::ssize_t>{columns.shape(0), columns.shape(1)});
    std::copy(columns.data(), columns.data() + columns.size(), result.mutable_data());
    solve_block(*stiffness.inverse(), result.mutable_data(),
                static_cast<std::size_t>(columns.shape(1)));
    return result;
}

}  // namespace

void bind_sparse(py::module_& module) {
    py::class_<Stiffness>(module, "Stiffness", "A sparse stiffness; Python keeps it by its matrix.")
        .def_static("of_rows", of_rows, py::arg("starts"), py::arg("columns"), py::arg("values"),
                    "Compressed rows, columns ascending in each.")
        .def_static("inverse_of", inverse_of, py::arg("storage"), py::arg("order"),
                    "The inverse of a sparse matrix, factorised in an order of elimination.")
        .def("times", solved, py::arg("columns"), "The inverse of S times a matrix, (d, columns).")
        .def_property_readonly(
            "entries", [](const Stiffness& stiffness) { return stiffness.inverse()->entries(); },
            "Entries of the factor of S.")
        .def(
            "dominated",
            [](const Stiffness& stiffness) {
                const py::gil_scoped_release release;
                return dominance(stiffness.sparse()).definite;
            },
            "Whether some scaling makes it diagonally dominant, and so positive definite.");
}
