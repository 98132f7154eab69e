#pragma once

#include <pybind11/numpy.h>

#include <algorithm>
#include <vector>

#include "ground/matrix.hpp"

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

}  // namespace ktc::bindings
