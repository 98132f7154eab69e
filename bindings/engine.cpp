#include "engine/engine.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/typing.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "controls.hpp"
#include "physics/motion.hpp"

namespace py = pybind11;
using namespace ktc;
using namespace ktc::bindings;

namespace {

using Saved = py::typing::Dict<py::str, py::object>;
using Values = py::typing::Dict<py::str, py::object>;
using Waveforms = py::typing::Dict<py::str, Array>;

/// One flag per account; the heats per account share the last one.
std::vector<bool> flags_of(const std::vector<std::string>& accounts) {
    std::vector<bool> flags;
    flags.reserve(Accounts::names.size());
    for (const std::string_view name : Accounts::names)
        flags.push_back(std::find(accounts.begin(), accounts.end(), name) != accounts.end());
    return flags;
}

/// Calls work(keep_going) without the interpreter lock, which keep_going takes to check signals.
/// Ctrl-C raises KeyboardInterrupt as in Python code.
template <class Work>
auto interruptibly(Work&& work) {
    bool interrupted = false;
    const std::function<bool()> keep_going = [&] {
        const py::gil_scoped_acquire acquire;
        interrupted = PyErr_CheckSignals() != 0;
        return !interrupted;
    };
    const auto call = [&] {
        const py::gil_scoped_release release;
        return work(keep_going);
    };
    try {
        auto result = call();
        if (interrupted) throw py::error_already_set();
        return result;
    } catch (const Interrupted&) {
        throw py::error_already_set();
    }
}

Engine make_engine(const Network& network, const Values& controls, std::uint64_t seed,
                   std::uint64_t first_replica, std::size_t replicas, std::size_t threads,
                   const std::string& motion, const std::string& dtype, double longest_step,
                   const Array& state, const std::optional<std::vector<std::string>>& accounts,
                   std::uint64_t first_step) {
    Controls first = to_controls(controls, first_replica);
    const EngineOptions options{
        seed,         {first_replica, replicas},
        threads,      motion_named(motion),
        longest_step, dtype == "float32" ? Precision::single : Precision::full,
        first_step,   accounts ? flags_of(*accounts) : std::vector<bool>()};
    const double* given = state.size() > 0 ? state.data() : nullptr;
    return interruptibly([&](const std::function<bool()>& keep_going) {
        return Engine(network, std::move(first), options, given, keep_going);
    });
}

void assign(const std::string& name, const double* values, std::size_t count, Controls& controls) {
    if (name == "stiffness") {
        if (controls.stiffness.is_sparse())
            throw py::value_error("a sparse stiffness is set, not played");
        Matrix matrix(controls.stiffness.rows(), controls.stiffness.columns());
        std::copy_n(values, count, matrix.data());
        controls.stiffness = Stiffness(std::move(matrix));
    } else {
        if (name == "bias") controls.own_bias = nullptr;
        std::copy_n(values, count, place_of(name, controls).data());
    }
}

/// Controls that are not in `changes` are held.
Controls changed(const Engine& engine, const Values& changes) {
    Controls controls = engine.controls();
    for (const auto& item : changes) {
        const auto name = item.first.cast<std::string>();
        if (name == "stiffness")
            controls.stiffness = to_stiffness(py::reinterpret_borrow<py::object>(item.second));
        else
            set_values(name, item.second.cast<Array>(), engine.ensemble().range().first, controls);
    }
    return controls;
}

void set(Engine& engine, const Values& changes) {
    Controls controls = changed(engine, changes);
    const py::gil_scoped_release release;
    engine.set(std::move(controls));
}

void exchange(Engine& engine, const Network& network, const Values& changes) {
    Controls controls = changed(engine, changes);
    const py::gil_scoped_release release;
    engine.exchange(network, std::move(controls));
}

/// Ctrl-C stops the engine between steps; all replicas stand at one time.
std::size_t play_interruptibly(Engine& engine, const Waveform& waveform,
                               Statistics* statistics = nullptr) {
    return interruptibly([&](const std::function<bool()>& keep_going) {
        return engine.play(waveform, keep_going, statistics);
    });
}

/// Ctrl-C leaves the replicas unchanged.
void equilibrate(Engine& engine) {
    interruptibly([&](const std::function<bool()>& keep_going) {
        engine.equilibrate(keep_going);
        return true;
    });
}

void restart(Engine& engine, const Values& controls, const Array& state) {
    Controls first = to_controls(controls, engine.ensemble().range().first);
    const double* given = state.size() > 0 ? state.data() : nullptr;
    interruptibly([&](const std::function<bool()>& keep_going) {
        engine.restart(std::move(first), given, keep_going);
        return true;
    });
}

void hold(Engine& engine, double duration) { play_interruptibly(engine, {{duration}, {}}); }

std::size_t play(Engine& engine, const Array& holds, const Waveforms& waveforms,
                 std::optional<Statistics*> statistics) {
    struct Named {
        std::string name;
        Array values;
        const double* data;
        std::size_t width;
        bool own;  ///< whether each replica has a row at every tick
    };
    std::vector<Named> tracks;
    for (const auto& item : waveforms) {
        Array values = item.second.cast<Array>();
        const auto ticks = static_cast<std::size_t>(holds.size());
        const auto size = static_cast<std::size_t>(values.size());
        tracks.push_back({item.first.cast<std::string>(), values, values.data(), size / ticks,
                          values.ndim() == 3 && item.first.cast<std::string>() == "bias"});
    }
    Waveform waveform{to_vector(holds), {}};
    if (!tracks.empty())
        waveform.control = [&tracks, range = engine.ensemble().range()](std::size_t tick,
                                                                        Controls& controls) {
            for (const Named& track : tracks) {
                const double* values = track.data + tick * track.width;
                if (track.own)
                    set_own_bias(range.first, range.count, track.width / range.count, values,
                                 controls);
                else
                    assign(track.name, values, track.width, controls);
            }
        };
    return play_interruptibly(engine, waveform, statistics.value_or(nullptr));
}

void place(Engine& engine, const Array& state) {
    const py::gil_scoped_release release;
    engine.place(state.data());
}

Array read_state(Engine& engine, std::size_t begin, std::size_t end) {
    Array result({engine.ensemble().range().count, end - begin});
    double* out = result.mutable_data();
    const py::gil_scoped_release release;
    engine.readout().state(begin, end, out);
    return result;
}

Array mean(Engine& engine) {
    std::vector<double> result;
    {
        const py::gil_scoped_release release;
        result = engine.readout().moments(false).mean;
    }
    return to_array(result);
}

py::typing::Tuple<Array, Array> moments(Engine& engine, bool with_covariance) {
    Moments result;
    {
        const py::gil_scoped_release release;
        result = engine.readout().moments(with_covariance);
    }
    return py::make_tuple(to_array(result.mean), to_array(result.covariance));
}

template <class Fill>
Array per_replica(Engine& engine, Fill&& fill) {
    Array result(static_cast<py::ssize_t>(engine.ensemble().range().count));
    fill(result.mutable_data());
    return result;
}

/// (replicas, accounts).
Array heat_per_account(Engine& engine) {
    const std::size_t accounts = engine.ensemble().heat_accounts();
    Array result({engine.ensemble().range().count, accounts});
    std::vector<double> column(engine.ensemble().range().count);
    for (std::size_t a = 0; a < accounts; ++a) {
        engine.readout().balance(Ledger::first_heat + a, column.data());
        for (std::size_t r = 0; r < column.size(); ++r)
            result.mutable_data()[r * accounts + a] = column[r];
    }
    return result;
}

Saved snapshot(Engine& engine) {
    const Engine::Snapshot s = engine.snapshot();
    Saved result;
    result["state"] = to_array(s.state);
    result["ledger"] = to_array(s.ledger);
    result["step"] = s.step;
    result["time"] = s.time;
    result["time_carry"] = s.time_carry;
    for (const auto& item : to_dict(s.controls)) result[item.first] = item.second;
    return result;
}

void restore(Engine& engine, const Saved& saved) {
    engine.restore({to_vector(saved["state"].cast<Array>()),
                    to_vector(saved["ledger"].cast<Array>()), saved["step"].cast<std::uint64_t>(),
                    saved["time"].cast<double>(), saved["time_carry"].cast<double>(),
                    to_controls(saved, engine.ensemble().range().first)});
}

}  // namespace

void bind_engine(py::module_& module) {
    using Account = Ledger::Account;
    const auto account = [](Account which) {
        return [which](Engine& engine) {
            return per_replica(engine, [&](double* out) { engine.readout().balance(which, out); });
        };
    };
    py::class_<Engine>(module, "Engine", "Replicas of one network in motion.")
        .def(py::init(&make_engine), py::kw_only(), py::arg("network"), py::arg("controls"),
             py::arg("seed"), py::arg("first_replica"), py::arg("replicas"), py::arg("threads"),
             py::arg("motion"), py::arg("dtype"), py::arg("longest_step"), py::arg("state"),
             py::arg("accounts") = std::nullopt, py::arg("first_step") = 0,
             "`motion` is exact, driven, midpoint, split or pooled; an empty `state` starts in the "
             "stationary state.")
        .def("set", set, py::arg("changes"), "Apply one control update and post its work.")
        .def("exchange", exchange, py::arg("network"), py::arg("changes"),
             "Go on with a network that differs in its resistors, after a control update.")
        .def("hold", hold, py::arg("duration"), "Evolve at held controls.")
        .def("play", play, py::arg("holds"), py::arg("waveforms"),
             py::arg("statistics") = std::nullopt,
             "Play ticks, each an update and a hold; return how many were completed.")
        .def("equilibrate", equilibrate)
        .def("restart", restart, py::arg("controls"), py::arg("state"),
             "Restart the run with these, and the same noise.")
        .def("place", place, py::arg("state"), "Place every replica; open new books.")
        .def("open_books", &Engine::open_books)
        .def("read", read_state, py::arg("begin"), py::arg("end"),
             "Coordinates [begin, end) of the state, (replicas, end - begin).")
        .def("mean", mean, "Mean of the state over the replicas.")
        .def("moments", moments, py::arg("with_covariance"),
             "Mean and second central moment of the state, the latter empty unless requested.")
        .def("energy",
             [](Engine& engine) {
                 return per_replica(engine, [&](double* out) { engine.readout().energy(out); });
             })
        .def("energy_change",
             [](Engine& engine) {
                 return per_replica(engine,
                                    [&](double* out) { engine.readout().energy_change(out); });
             })
        .def("work", account(Account::work))
        .def("heat", account(Account::heat))
        .def("supply", account(Account::supply))
        .def("source", account(Account::source))
        .def("injected", account(Account::injected))
        .def("shadow", account(Account::shadow))
        .def("entropy", account(Account::entropy))
        .def("heat_per_account", heat_per_account)
        .def_property_readonly("itemised", &Engine::itemised)
        .def_property_readonly("pooled", &Engine::pooled)
        .def_property("longest_step", &Engine::longest_step, &Engine::set_longest_step,
                      "Largest time step of motion that is not exact.")
        .def("imbalance", [](Engine& engine) { return engine.readout().imbalance(); })
        .def_property_readonly("prepared", &Engine::prepared, "Number of holds prepared.")
        .def("snapshot", snapshot)
        .def("restore", restore, py::arg("saved"))
        .def_property_readonly(
            "blocks", [](const Engine& engine) { return engine.ensemble().blocks().size(); })
        .def_property_readonly("threads",
                               [](const Engine& engine) { return engine.ensemble().threads(); })
        .def("copy", [](const Engine& engine) { return Engine(engine); })
        .def("controls", [](const Engine& engine) { return Values(to_dict(engine.controls())); })
        .def_property_readonly("time", &Engine::time);
}
