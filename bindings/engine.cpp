#include "engine/engine.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/typing.h>

#include <optional>

#include "arrays.hpp"

namespace py = pybind11;
using namespace ktc;
using namespace ktc::bindings;

namespace {

using OptionalArray = std::optional<Array>;
using Saved = py::typing::Dict<py::str, py::object>;

Controls to_controls(const Array& bias, const Array& stiffness, double kT) {
    return {to_vector(bias), to_matrix(stiffness), kT};
}

Engine make_engine(const Array& friction, const Array& inertia, const Array& bias,
                   const Array& stiffness, double kT, std::uint64_t seed,
                   std::uint64_t first_replica, std::size_t replicas, std::size_t threads) {
    Network network(to_matrix(friction), to_vector(inertia));
    Controls controls = to_controls(bias, stiffness, kT);
    const py::gil_scoped_release release;
    return Engine(std::move(network), std::move(controls), seed, {first_replica, replicas},
                  threads);
}

void set(Engine& engine, const Array& bias, const Array& stiffness, double kT) {
    const Controls controls = to_controls(bias, stiffness, kT);
    const py::gil_scoped_release release;
    engine.set(controls);
}

/// Ctrl-C stops the engine between ticks, so that the emulator stands at a whole tick.
std::size_t play(Engine& engine, const Array& holds, const OptionalArray& bias,
                 const OptionalArray& stiffness, const OptionalArray& kT) {
    Waveform waveform{to_vector(holds), {}};
    const std::size_t d = engine.network().units();
    const double* bias_data = bias ? bias->data() : nullptr;
    const double* stiffness_data = stiffness ? stiffness->data() : nullptr;
    const double* kT_data = kT ? kT->data() : nullptr;
    if (bias || stiffness || kT)
        waveform.control = [=](std::size_t tick, Controls& controls) {
            if (bias_data) std::copy_n(bias_data + tick * d, d, controls.bias.begin());
            if (stiffness_data)
                std::copy_n(stiffness_data + tick * d * d, d * d, controls.stiffness.data());
            if (kT_data) controls.kT = kT_data[tick];
        };
    bool interrupted = false;
    std::size_t done = 0;
    {
        const py::gil_scoped_release release;
        done = engine.play(waveform, [&] {
            const py::gil_scoped_acquire acquire;
            interrupted = PyErr_CheckSignals() != 0;
            return !interrupted;
        });
    }
    if (interrupted) throw py::error_already_set();
    return done;
}

void place(Engine& engine, const Array& state) {
    const py::gil_scoped_release release;
    engine.place(state.data());
}

Array read_state(const Engine& engine, std::size_t begin, std::size_t end) {
    Array result({engine.range().count, end - begin});
    double* out = result.mutable_data();
    const py::gil_scoped_release release;
    engine.read(begin, end, out);
    return result;
}

py::typing::Tuple<Array, Array> moments(const Engine& engine, bool with_covariance) {
    Moments result;
    {
        const py::gil_scoped_release release;
        result = engine.moments(with_covariance);
    }
    return py::make_tuple(to_array(result.mean), to_array(result.covariance));
}

template <class Fill>
Array per_replica(const Engine& engine, Fill&& fill) {
    Array result(static_cast<py::ssize_t>(engine.range().count));
    fill(result.mutable_data());
    return result;
}

Saved snapshot(const Engine& engine) {
    const Engine::Snapshot s = engine.snapshot();
    Saved result;
    result["state"] = to_array(s.state);
    result["ledger"] = to_array(s.ledger);
    result["step"] = s.step;
    result["time"] = s.time;
    result["time_carry"] = s.time_carry;
    result["bias"] = to_array(s.controls.bias);
    result["stiffness"] = to_array(s.controls.stiffness);
    result["kT"] = s.controls.kT;
    return result;
}

void restore(Engine& engine, const Saved& saved) {
    engine.restore({to_vector(saved["state"].cast<Array>()),
                    to_vector(saved["ledger"].cast<Array>()), saved["step"].cast<std::uint64_t>(),
                    saved["time"].cast<double>(), saved["time_carry"].cast<double>(),
                    to_controls(saved["bias"].cast<Array>(), saved["stiffness"].cast<Array>(),
                                saved["kT"].cast<double>())});
}

}  // namespace

void bind_engine(py::module_& module) {
    using Account = Ledger::Account;
    const auto account = [](Account which) {
        return [which](const Engine& engine) {
            return per_replica(engine, [&](double* out) { engine.balance(which, out); });
        };
    };
    py::class_<Engine>(module, "Engine", "Replicas of one network in motion.")
        .def(py::init(&make_engine), py::kw_only(), py::arg("friction"), py::arg("inertia"),
             py::arg("bias"), py::arg("stiffness"), py::arg("kT"), py::arg("seed"),
             py::arg("first_replica"), py::arg("replicas"), py::arg("threads"))
        .def("set", set, py::arg("bias"), py::arg("stiffness"), py::arg("kT"),
             "One control update: books work.")
        .def("play", play, py::arg("holds"), py::arg("bias") = py::none(),
             py::arg("stiffness") = py::none(), py::arg("kT") = py::none(),
             "Plays ticks, each an update and a hold; returns how many were done.")
        .def("equilibrate", &Engine::equilibrate, py::call_guard<py::gil_scoped_release>())
        .def("place", place, py::arg("state"), "Places every replica; opens new books.")
        .def("open_books", &Engine::open_books)
        .def("read", read_state, py::arg("begin"), py::arg("end"),
             "Coordinates [begin, end) of the state, (replicas, end - begin).")
        .def("moments", moments, py::arg("with_covariance"),
             "Mean and second central moment of the state, the latter empty unless asked for.")
        .def("energy",
             [](const Engine& engine) {
                 return per_replica(engine, [&](double* out) { engine.energy(out); });
             })
        .def("energy_change",
             [](const Engine& engine) {
                 return per_replica(engine, [&](double* out) { engine.energy_change(out); });
             })
        .def("work", account(Account::work))
        .def("heat", account(Account::heat))
        .def("supply", account(Account::supply))
        .def("imbalance", &Engine::imbalance)
        .def("snapshot", snapshot)
        .def("restore", restore, py::arg("saved"))
        .def("copy", [](const Engine& engine) { return Engine(engine); })
        .def("controls",
             [](const Engine& engine) {
                 const Controls& c = engine.controls();
                 return py::make_tuple(to_array(c.bias), to_array(c.stiffness), c.kT);
             })
        .def_property_readonly("time", &Engine::time);
}
