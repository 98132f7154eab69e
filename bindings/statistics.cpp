#include "engine/statistics.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/typing.h>

#include "arrays.hpp"

namespace py = pybind11;
using namespace ktc;
using namespace ktc::bindings;

namespace {

using Result = py::typing::Dict<py::str, py::object>;

StatisticsPlan make_plan(const Array& scale, bool covariance, const Array& edges, std::size_t slots,
                         std::uint64_t every, std::size_t blocks, std::size_t threads) {
    StatisticsPlan plan;
    plan.scale = to_vector(scale);
    plan.covariance = covariance;
    if (edges.size() > 0) plan.edges = to_matrix(edges);
    plan.slots = slots;
    plan.every = every;
    plan.blocks = blocks;
    plan.threads = threads;
    return plan;
}

py::array_t<std::int64_t> counts_of(const Statistics::Result& result, std::size_t units) {
    const std::size_t columns = result.counts.size() / units;
    py::array_t<std::int64_t> counts({units, columns});
    std::copy(result.counts.begin(), result.counts.end(), counts.mutable_data());
    return counts;
}

Result result_of(const Statistics& statistics) {
    const Statistics::Result found = statistics.result();
    Result result;
    result["observations"] = found.observations;
    result["samples"] = found.samples;
    result["mean"] = to_array(found.mean);
    result["variance"] = to_array(found.variance);
    result["covariance"] = to_array(found.covariance);
    result["counts"] = counts_of(found, statistics.plan().units());
    result["autocovariance"] = to_array(found.autocovariance);
    return result;
}

}  // namespace

void bind_statistics(py::module_& module) {
    py::class_<StatisticsPlan>(module, "StatisticsPlan", "What running statistics gather.")
        .def(py::init(&make_plan), py::kw_only(), py::arg("scale"), py::arg("covariance"),
             py::arg("edges"), py::arg("slots"), py::arg("every"), py::arg("blocks"),
             py::arg("threads"),
             "`slots` lags are correlated, from 0 on; empty `edges` make no histogram.")
        .def_property_readonly("bytes", &StatisticsPlan::bytes);
    py::class_<Statistics>(module, "Statistics", "Running statistics over time and replicas.")
        .def(py::init<StatisticsPlan>(), py::arg("plan"))
        .def("result", result_of, "The statistics by name; empty if not requested.");
}
