#pragma once

#include <pybind11/numpy.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "ground/sparse.hpp"

namespace ktc::bindings {

namespace py = pybind11;

using Array = py::array_t<double, py::array::c_style | py::array::forcecast>;

inline std::vector<double> to_vector(const Array& array) {
    return {array.data(), array.data() + array.size()};
}

inline Matrix to_matrix(const Array& array) {
    if (array.ndim() != 2) throw py::value_error("a matrix must have two dimensions");
    Matrix result(static_cast<std::size_t>(array.shape(0)),
                  static_cast<std::size_t>(array.shape(1)));
    std::copy(array.data(), array.data() + array.size(), result.data());
    return result;
}

inline Array to_array(const std::vector<double>& values) {
    Array result(static_cast<py::ssize_t>(values.size()));
    std::copy(values.begin(), values.end(), result.mutable_data());
    return result;
}

inline Array to_array(const Matrix& matrix) {
    Array result({matrix.rows(), matrix.columns()});
    std::copy(matrix.data(), matrix.data() + matrix.rows() * matrix.columns(),
              result.mutable_data());
    return result;
}

/// A matrix of rows, with `columns` where it has no rows.
inline Array to_rows(const Matrix& matrix, std::size_t columns) {
    return to_array(matrix.rows() > 0 ? matrix : Matrix(0, columns));
}

using Indices = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>;

inline std::vector<std::size_t> to_indices(const Indices& array) {
    return {array.data(), array.data() + array.size()};
}

/// A matrix in compressed rows, columns ascending in each.
inline SparseMatrix to_sparse(const Indices& starts, const Indices& columns, const Array& values,
                              std::size_t width, std::string_view name) {
    std::vector<SparseEntry> entries(static_cast<std::size_t>(values.size()));
    if (columns.size() != values.size())
        throw py::value_error("columns must have one entry a value");
    for (std::size_t k = 0; k < entries.size(); ++k)
        entries[k] = {static_cast<std::size_t>(columns.data()[k]), values.data()[k]};
    return {width, to_indices(starts), std::move(entries), name};
}
/// The same of a csr_array of SciPy.
inline SparseMatrix to_sparse(const py::object& csr, std::string_view name) {
    return to_sparse(csr.attr("indptr").cast<Indices>(), csr.attr("indices").cast<Indices>(),
                     csr.attr("data").cast<Array>(),
                     csr.attr("shape").cast<std::pair<std::size_t, std::size_t>>().second, name);
}

}  // namespace ktc::bindings
