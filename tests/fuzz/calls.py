"""Public calls: each with arguments that fit, of which a few are exchanged for odd ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

import ktc
from ktc import lattices, presets, schedules, spectra, theory

from .long_runs import takes_long
from .odd import odd
from .source import Source
from .tables import folder
from .verdict import attempt, require_finite, require_first_law, short

#: Results that may be undefined or infinite: an error bar of one sample, a limit that is not set.
UNDEFINED = ("stderr", "dt", "limit", "update_time")

Maker = Callable[[], Any]


def network() -> ktc.Network:
    return ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)


def board() -> ktc.Board:
    return ktc.Board(2, 1e6, 1e-12, 300.0)


def emulator() -> ktc.Emulator:
    return ktc.Emulator(network(), replicas=3, seed=1)


def circuit() -> ktc.Circuit:
    return ktc.Circuit.from_netlist("V1 in 0 1\nR1 in a 1k\nC1 a 0 1n")


def drive() -> ktc.Protocol:
    return ktc.Protocol([0.5, 0.5], {"bias": [1.0, 2.0]}, final={"bias": 3.0})


def constant() -> schedules.Constant:
    return schedules.Constant(1.0, 0.1)


def parameters() -> theory.Parameters:
    return theory.Parameters(network(), ("bias", "stiffness"))


SAMPLES = [[1.0, 2.0], [2.0, 1.0], [0.5, 0.0]]
TOPOLOGY = ktc.Topology.of_edges(2, [(0, 1)])

#: What fits an argument of this name, where a call has no entry of its own below.
FITTING: dict[str, tuple[Maker, ...]] = {
    "device": (network, board, lambda: network().with_controls(bias=1.0)),
    "network": (network, board),
    "before": (network,),
    "after": (lambda: network().with_controls(bias=1.0), network),
    "data": (lambda: SAMPLES, lambda: np.array(SAMPLES)),
    "schedule": (constant, lambda: schedules.MinimalDissipation(1.0)),
    "protocol": (drive,),
    "stiffness": (lambda: 2.0, lambda: [[2.0, 0.5], [0.5, 1.0]]),
    "friction": (lambda: 1.0, lambda: [1.0, 2.0], lambda: [[2.0, 0.5], [0.5, 1.0]]),
    "kT": (lambda: 1.0,),
    "bias": (lambda: 0.5, lambda: [0.5, 1.0]),
    "quartic": (lambda: 0.5, lambda: [0.0, 1.0]),
    "inertia": (lambda: 1.0, lambda: [1.0, 2.0]),
    "duration": (lambda: 1.0,),
    "ticks": (lambda: 3,),
    "replicas": (lambda: 3, lambda: float("inf")),
    "seed": (lambda: 1, lambda: None),
    "threads": (lambda: None, lambda: 1),
    "dtype": (lambda: "float64", lambda: "float32"),
    "dt": (lambda: None, lambda: 0.01),
    "resolve_heat": (lambda: False, lambda: True),
    "first_replica": (lambda: 0, lambda: 64),
    "state": (lambda: None, lambda: [0.0, 1.0]),
    "momentum": (lambda: None,),
    "accounts": (lambda: None, lambda: ("work", "heat")),
    "cells": (lambda: 2,),
    "resistance": (lambda: 1e6, lambda: [1e6, 2e6]),
    "capacitance": (lambda: 1e-12,),
    "temperature": (lambda: 300.0,),
    "topology": (lambda: None, lambda: TOPOLOGY),
    "coupling": (lambda: "elastance", lambda: "capacitive"),
    "couplings": (lambda: None, lambda: {(0, 1): 1e11}),
    "imperfections": (lambda: None, lambda: ktc.Imperfections(offset=1e-6)),
    "final": (lambda: {"bias": 1.0},),
    "parameter": (lambda: "bias", lambda: "center"),
    "parameters": (lambda: ("bias",), lambda: ("bias", "stiffness")),
    "rate": (lambda: 0.1,),
    "weights": (lambda: None, lambda: {"bias": 1.0}),
    "target": (lambda: [1.0, 1.0],),
    "drift": (lambda: [[-1.0, 0.5], [-0.5, -1.0]],),
    "diffusion": (lambda: np.eye(2),),
    "hold": (lambda: 0.5,),
    "forward": (lambda: np.array([1.0, 1.5, 0.5, 1.2]),),
    "reverse": (lambda: np.array([-1.0, -0.5, -1.5, -0.8]),),
    "work": (lambda: np.array([1.0, 1.5, 0.5]),),
    "controls": (lambda: network().controls,),
    "vector": (lambda: parameters().vector(network().controls),),
    "interconnection": (lambda: None, lambda: [[0.0, 1.0], [-1.0, 0.0]]),
    "resistors": (lambda: [ktc.Resistor(row, 1.0, name) for row, name in zip(np.eye(2), "ab")],),
    "sources": (tuple, lambda: (ktc.CurrentSource([1.0, 0.0], 0.5),)),
    "noises": (tuple, lambda: (ktc.NoiseSource([1.0, 0.0], 0.5),)),
    "direction": (lambda: [1.0, 0.0],),
    "conductance": (lambda: 1.0,),
    "density": (lambda: 1.0,),
    "account": (lambda: "a",),
    "current": (lambda: 0.5,),
    "emf": (lambda: 0.0, lambda: 1.0),
    "frequency": (lambda: [0.1, 1.0],),
    "low": (lambda: 0.1,),
    "high": (lambda: 1.0,),
    "edges": (lambda: [(0, 1)],),
    "rows": (lambda: 2,),
    "columns": (lambda: 3,),
    "units": (lambda: 3,),
    "own": (lambda: 1.0,),
    "text": (lambda: "R1 a 0 1k\nC1 a 0 1n",),
    "name": (lambda: "R1",),
    "names": (lambda: "bias", lambda: ("bias", "couplings")),
    "plus": (lambda: "a", lambda: 1),
    "minus": (lambda: 0,),
    "value": (lambda: 1e3, lambda: "1k"),
    "kelvin": (lambda: 300.0,),
    "error": (lambda: 0.1,),
    "accuracy": (lambda: 0.1,),
    "energy": (lambda: 1.0,),
    "delay": (lambda: 1.0,),
    "initial": (lambda: 0.1,),
    "matrix": (lambda: True,),
    "mean": (lambda: [0.0, 1.0],),
    "stderr": (lambda: 0.1,),
    "samples": (lambda: [1.0, 2.0, 3.0],),
    "method": (lambda: "given",),
    "volts_per_unit": (lambda: [1.0, 2.0],),
    "volts": (lambda: [0.5, 1.0],),
    "covariance": (lambda: np.eye(2),),
    "observable": (lambda: lambda e: e.energy(),),
    "dts": (lambda: [0.1, 0.2],),
    "emulator": (emulator,),
    "path": (lambda: folder() / "call.npz",),
    "record": (lambda: None, lambda: ("state", "work")),
    "every": (lambda: 1,),
    "statistics": (lambda: None, lambda: ktc.Statistics(covariance=True)),
    "to": (lambda: None,),
    "amount": (lambda: 1.0,),
    "pair": (lambda: (0, 1),),
    "what": (lambda: "coupling",),
}  # fmt: skip


class Call:
    """A public callable, and what fits its arguments.

    Args:
        name: as users write it.
        function: what to call.
        special: what fits its arguments, where that differs from ``FITTING``.
    """

    def __init__(self, name: str, function: Any, /, **special: Any) -> None:
        self.name, self.function = name, function
        self.fitting: dict[str, tuple[Maker, ...]] = {}
        self.names = {name.rpartition(".")[2].rpartition("(")[2], "ktc." + name}
        for argument in inspect.signature(function).parameters.values():
            if argument.kind in (argument.VAR_KEYWORD, argument.VAR_POSITIONAL):
                continue
            if argument.name == "progress":
                continue  # it would fill the screen
            given = special.get(argument.name, FITTING.get(argument.name))
            if isinstance(given, tuple) and given and callable(given[0]):
                self.fitting[argument.name] = given
            elif argument.name in special:
                self.fitting[argument.name] = (lambda given=given: given,)
            elif argument.default is not argument.empty:
                self.fitting[argument.name] = (lambda given=argument.default: given,)
            elif given is None:
                raise LookupError(f"nothing fits argument {argument.name!r} of {name}")
        for extra in special:
            self.fitting.setdefault(extra, (lambda given=special[extra]: given,))
        self.names |= {*self.fitting, *(name.removesuffix("s") for name in self.fitting), "circuit"}
        if "Circuit" in name:
            self.names.add("node")
        if "path" in self.fitting:
            self.names |= {"file", "folder", "directory"}
        if "Parameters" in name:
            self.names.add("parameter")
        if "presets" in name or "SparseStiffness" in name:
            self.names |= {"R1", "R2", "C1", "C2", "C3", "stiffness"}


@cache
def calls() -> tuple[Call, ...]:
    return tuple(_calls())


def _calls() -> Iterator[Call]:
    quick = {"replicas": 20, "seed": 1, "ticks": 3}
    yield Call("Network", ktc.Network)
    yield Call("Network", ktc.Network, stiffness=lattices.ring(3), friction=1.0)
    yield Call("Network.of_elements", ktc.Network.of_elements, stiffness=np.eye(2))
    yield Call("Network.with_controls", network().with_controls, controls=None, bias=1.0)
    yield Call("Network.transition", network().transition)
    yield Call("Emulator", ktc.Emulator)
    yield Call("Board", ktc.Board)
    yield Call("Board.emulator", board().emulator)
    yield Call("Board.program", board().program, stiffness=None, bias=0.0, couplings=None)
    yield Call("Board.encoding", board().encoding, offset=0.0, scale=1.0)
    yield Call("Board.check", board().check, protocol=ktc.Protocol([1e-6], {"bias": [0.0]}))
    yield Call("Imperfections", ktc.Imperfections)
    yield Call("Converter", ktc.Converter, bits=3, limit=1.0)
    yield Call("Topology", ktc.Topology, name="x", cells=3, edges=((0, 1), (1, 2)))
    yield Call("Topology.ring", ktc.Topology.ring, cells=4)
    yield Call("Topology.grid", ktc.Topology.grid)
    yield Call("Topology.all_to_all", ktc.Topology.all_to_all)
    yield Call("Topology.of_edges", ktc.Topology.of_edges)
    yield Call("Topology.springs", TOPOLOGY.springs, coupling=1.0)
    yield Call("Topology.edge", TOPOLOGY.edge)
    yield Call("Encoding", ktc.Encoding, offset=0.0, scale=1.0)
    yield Call("Encoding.encode", ktc.Encoding([1.0, 2.0]).encode)
    yield Call("Encoding.decode", ktc.Encoding([1.0, 2.0]).decode)
    yield Call("Encoding.encode_covariance", ktc.Encoding([1.0, 2.0]).encode_covariance)
    yield Call("Protocol", ktc.Protocol, holds=[0.5, 0.5], controls={"bias": [1.0, 2.0]})
    yield Call("Protocol.sample", ktc.Protocol.sample, bias=2.0)
    yield Call("Protocol.sample", ktc.Protocol.sample, quartic=(lambda: lambda t: t,))
    yield Call("Protocol.ramp", ktc.Protocol.ramp, bias=(lambda: (0.0, 1.0),))
    yield Call("Protocol.settings", drive().settings)
    yield Call("Emulator.set", emulator().set, bias=1.0)
    yield Call("Emulator.set", emulator().set, stiffness=np.eye(2))
    yield Call("Emulator.set", emulator().set, kT=1.0, quartic=0.0)
    yield Call("Emulator.run", emulator().run)
    yield Call("Emulator.play", emulator().play)
    yield Call("Emulator.write", emulator().write)
    yield Call("Emulator.save", emulator().save)
    yield Call("Emulator.load", ktc.Emulator.load)
    yield Call("load", ktc.load)
    yield Call("Ledger.variance", emulator().ledger.variance, name="work")
    yield Call("Run.spectrum", emulator().play(drive(), record="state").spectrum, segments=1)
    yield Call("Statistics", ktc.Statistics, histogram=(lambda: [-1.0, 0.0, 1.0],))
    yield Call("Circuit", ktc.Circuit, title="x")
    yield Call("Circuit.from_netlist", ktc.Circuit.from_netlist)
    yield Call("Circuit.add", lambda **given: circuit().add(**given), **_named(
        ktc.Circuit.add, name="R9"))  # fmt: skip
    yield Call("Circuit.add_noise", lambda **given: circuit().add_noise(**given), **_named(
        ktc.Circuit.add_noise, name="I9"))  # fmt: skip
    yield Call("Circuit.voltages", circuit().voltages, emulator=ktc.Emulator(
        circuit().compile(), replicas=2, seed=1), V1=1.0)  # fmt: skip
    yield Call("Circuit.controls", circuit().controls, V1=1.0)
    yield Call("Branch", ktc.Branch, name="I1", plus="a", minus="b")
    yield Call("Resistor", ktc.Resistor)
    yield Call("CurrentSource", ktc.CurrentSource)
    yield Call("NoiseSource", ktc.NoiseSource)
    yield Call("Elements", ktc.Elements)
    yield Call("SparseStiffness.of", ktc.SparseStiffness.of, value=lattices.ring(3))
    yield Call("Estimate", ktc.Estimate, mean=1.0, samples=None)
    yield Call("Estimate.exact", ktc.Estimate.exact)
    yield Call("Estimate.of_samples", ktc.Estimate.of_samples)
    yield Call("Estimate.shifted", ktc.Estimate.exact(1.0).shifted)
    yield Call("Metrics", ktc.Metrics)
    yield Call("Units", ktc.Units)
    yield Call("learn", ktc.learn, **{**quick, "replicas": (lambda: 5, lambda: float("inf"))})
    yield Call("best_rate", ktc.best_rate, schedule=(lambda: lambda r: schedules.Constant(1.0, r),),
               replicas=4, ticks=2, tolerance=1.0)  # fmt: skip
    yield Call(
        "plan", ktc.plan, device=(network,), duration=5.0, nats=0.1, replicas=None, ticks=None
    )
    yield Call("convergence", ktc.convergence, network=ktc.Network(-1.0, 1.0, quartic=1.0),
               replicas=4, duration=0.2)  # fmt: skip
    yield Call("lattices.grid", lattices.grid, coupling=1.0)
    yield Call("lattices.ring", lattices.ring, coupling=1.0)
    yield Call("lattices.springs", lattices.springs, coupling=1.0)
    yield Call("presets.breadboard2", presets.breadboard2)
    yield Call("presets.double_well", presets.double_well)
    yield Call("presets.spu8", presets.spu8, resistance=1.0, inductance=1e-6, capacitance=1e-9,
               noise=1e-20)  # fmt: skip
    yield Call("presets.trap", presets.trap, stiffness=1.0)
    yield Call("presets.two_temperature_rc", presets.two_temperature_rc, coupling=1e-10,
               capacitance=(lambda: (6.8e-10, 4.2e-10),))  # fmt: skip
    for kind in ("Adam", "Constant", "ContinuousMinimalDissipation", "Cosine", "Exponential",
                 "MinimalDissipation", "NaturalGradient"):  # fmt: skip
        special = {"final": 0.01} if kind == "Exponential" else {}
        yield Call(f"schedules.{kind}", getattr(schedules, kind), **special)
    yield Call("spectra.band_covariance", spectra.band_covariance)
    yield Call("spectra.spectral_density", spectra.spectral_density)
    yield Call("theory.Parameters", theory.Parameters)
    for method in ("changes", "controls", "split", "vector", "mean_forces"):
        yield Call(f"Parameters.{method}", getattr(parameters(), method))
    yield Call("Parameters.forces", parameters().forces, state=SAMPLES)
    for function in (
        "bennett", "bias_free_energy", "constant_rate_excess_work", "continuous_excess_work",
        "deficiency", "divergence", "energy_delay_deficiency", "equilibrium", "expected",
        "expected_learning", "fisher_matrix", "free_energy", "free_energy_change",
        "friction_tensor", "gaussian", "geodesic_drive", "jarzynski", "landauer",
        "least_dissipation", "least_excess_work", "least_stiffness_excess_work",
        "linear_transition", "log_likelihood", "optimal_drive", "optimal_stiffness_drive",
        "parameter_map", "stationary_covariance", "thermodynamic_length", "time_to_accuracy",
        "time_to_equilibrium", "wasserstein_bound", "wasserstein_distance",
    ):  # fmt: skip
        special = {}
        if function in ("deficiency", "divergence"):
            special = {"state": theory.equilibrium(network().with_controls(bias=1.0))}
        if "stiffness" in function:
            special = {"stiffness": [[3.0, 0.5], [0.5, 2.0]]}
        yield Call(f"theory.{function}", getattr(theory, function), **special)
    for function in ("fisher_estimate", "friction_estimate", "metric_estimates"):
        yield Call(f"theory.{function}", getattr(theory, function), replicas=100, seed=1)
    yield Call("theory.free_energy_difference", theory.free_energy_difference, replicas=20, seed=1)


def _named(function: Any, **special: Any) -> dict[str, Any]:
    """What fits the arguments of a method that is called through a lambda."""
    given = {}
    for argument in list(inspect.signature(function).parameters.values())[1:]:
        fits = FITTING.get(argument.name)
        if argument.name in special:
            given[argument.name] = special[argument.name]
        elif fits and argument.default is argument.empty:
            given[argument.name] = fits[0]()
        else:
            given[argument.name] = argument.default
    return given


def rightly_long(call: str, name: str, value: Any) -> bool:
    """Whether a value is valid and asks for a long computation."""
    if not isinstance(value, (int, float, np.number)):
        return False
    if name in ("ticks", "windows"):
        return 10**4 < value <= 10**8
    if name in ("hold", "interval") and "_estimate" in call:
        return 0 < value < 1e-3  # many windows until correlations have decayed
    if name == "replicas" and "_estimate" in call:
        return 1 < value < 50
    if call in ("convergence", "plan") and name in ("duration", "joules", "nats"):
        return not 1e-3 < value < 10
    return call == "convergence" and name == "dts" and 1e-14 < value < 1e-3


def enormous(value: Any) -> bool:
    """Whether a number is so large or small that results may overflow."""
    try:
        sizes = np.abs(np.asarray(value, dtype=float))
        return bool((sizes > 1e100).any() or ((sizes < 1e-100) & (sizes > 0)).any())
    except Exception:
        return False


def fuzz(source: Source) -> None:
    call = source.pick(calls())
    given = {}
    for name, makers in call.fitting.items():
        given[name] = source.pick(makers)()
    odd_ones = {}
    names = sorted(set(call.fitting) - {"what"})  # words that start a message
    for _ in range(source.pick((0, 1, 1, 1, 1, 2, 3)) if names else 0):
        odd_ones[source.pick(names)] = odd(source)
    given |= odd_ones
    if source.rarely(30):
        odd_ones["strange"] = given["strange"] = odd(source)
    told = ", ".join(f"{name}={short(value, 100)}" for name, value in odd_ones.items())
    plain = ", ".join(f"{k}={short(v, 60)}" for k, v in given.items() if k not in odd_ones)
    told = f"{call.name}({told}; {plain})"
    if callable(odd_ones.get("observable")):
        return  # its own errors are the user's
    if any(rightly_long(call.name, name, value) for name, value in odd_ones.items()):
        return
    names = call.names | {"strange"} | {value for value in given.values() if type(value) is str}
    result = attempt(lambda: call.function(**given), names, told)
    if isinstance(result, ktc.Emulator):
        require_first_law(result, told)
    elif result is not None:
        if "huge" not in told:  # Python writes no integer of thousands of digits
            attempt(lambda: repr(result), None, f"repr of {told}")
        if not any(enormous(value) for value in odd_ones.values()):
            require_finite(result, told, (*UNDEFINED, *odd_ones))
    if isinstance(result, ktc.Network):
        made = attempt(lambda: ktc.Emulator(result, replicas=2, seed=1), None, f"Emulator({told})")
        if made is not None:
            time = 0.0 if takes_long(made, 1.0) else 1.0
            attempt(lambda: made.run(time), None, f"Emulator({told}).run")
            require_first_law(made, f"Emulator({told}).run")
