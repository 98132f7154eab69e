#include "ground/streams.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cstdint>

#include "arrays.hpp"
#include "kernels/kernels.hpp"

namespace py = pybind11;
using namespace ktc;
using namespace ktc::bindings;

namespace {

using Words = std::array<std::uint64_t, group_width / 2>;

void check(std::uint64_t group, std::uint32_t element) {
    if (group >= max_replicas / group_width || element >= max_elements)
        throw py::value_error("group must be below 2^29 and element below 2^28");
}

Array normals(std::uint64_t seed, Purpose purpose, std::uint64_t group, std::uint32_t element,
              std::uint64_t step) {
    check(group, element);
    Array result(static_cast<py::ssize_t>(group_width));
    kernels().full.normals({seed, purpose, group, element, step}, result.mutable_data());
    return result;
}

using HalfWords = std::array<std::uint32_t, group_width_single / 2>;
using Singles = py::array_t<float>;

Singles single_normals(std::uint64_t seed, Purpose purpose, std::uint64_t group,
                       std::uint32_t element, std::uint64_t step) {
    check(group, element);
    Singles result(static_cast<py::ssize_t>(group_width_single));
    kernels().single.normals({seed, purpose, group, element, step}, result.mutable_data());
    return result;
}

/// A row of `out` is an element, from `element` on.
template <class Real>
void fill_normals(py::array_t<Real, py::array::c_style>& out, std::uint64_t seed, Purpose purpose,
                  std::uint64_t group, std::uint32_t element, std::uint64_t step) {
    constexpr std::size_t width = replicas_of_a_group<Real>;
    const auto size = static_cast<std::size_t>(out.size());
    check(group, element);
    if (size % width != 0 || size / width > max_elements - element)
        throw py::value_error(
            "out must hold a whole number of groups, element + rows at most 2^28");
    Real* to = out.mutable_data();
    const py::gil_scoped_release release;
    const StreamAddress first{seed, purpose, group, element, step};
    kernels().of<Real>().normal_rows(first, size / width, to);
}

Singles single_transform(const HalfWords& radius, const HalfWords& angle) {
    Singles result(static_cast<py::ssize_t>(group_width_single));
    kernels().single.transform(radius.data(), angle.data(), result.mutable_data());
    return result;
}

Array transform(const Words& radius, const Words& angle) {
    Array result(static_cast<py::ssize_t>(group_width));
    kernels().full.transform(radius.data(), angle.data(), result.mutable_data());
    return result;
}

}  // namespace

void bind_testing_normals(py::module_& module) {
    py::enum_<Purpose>(module, "Purpose", "What a stream of noise is for.")
        .value("equilibrium", Purpose::equilibrium)
        .value("hold", Purpose::hold)
        .value("heat_bath", Purpose::heat_bath)
        .value("cluster", Purpose::cluster)
        .value("unit", Purpose::unit)
        .value("signs", Purpose::signs)
        .value("mode", Purpose::mode);
    module.def("philox", philox::words, py::arg("counter"), py::arg("key"),
               "The four words of Philox4x32-10 at a counter of four words and a key of two.");
    module.def("normals", normals, py::arg("seed"), py::arg("purpose"), py::arg("group"),
               py::arg("element"), py::arg("step"), "The sixteen standard normals at one address.");
    module.def("transform", transform, py::arg("radius"), py::arg("angle"),
               "Eight pairs of 64-bit words to sixteen standard normals.");
    module.def("single_normals", single_normals, py::arg("seed"), py::arg("purpose"),
               py::arg("group"), py::arg("element"), py::arg("step"),
               "The thirty-two standard normals in single precision at one address.");
    const auto fill = [&](auto function) {
        module.def("fill_normals", function, py::arg("out").noconvert(), py::arg("seed"),
                   py::arg("purpose"), py::arg("group"), py::arg("element"), py::arg("step"),
                   "Normals of one group and consecutive elements, into an array of either size.");
    };
    fill(fill_normals<double>);
    fill(fill_normals<float>);
    module.def("single_transform", single_transform, py::arg("radius"), py::arg("angle"),
               "Sixteen pairs of 32-bit words to thirty-two standard normals.");
}
