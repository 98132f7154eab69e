"""Arguments of a wrong type, size or shape: an error of ktc that names the argument."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import ktc
from ktc import schedules, theory
from refusal import refused

NET = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
CIRCUIT = ktc.Circuit.from_netlist("V1 in 0 1\nR1 in a 1k\nC1 a 0 1n")
PARAMETERS = theory.Parameters(NET, ("bias", "stiffness"))
DRIVE = ktc.Protocol([0.5], {"bias": [1.0]})
DATA = [[1.0, 2.0], [2.0, 1.0], [0.5, 0.0]]
RESISTOR = ktc.Resistor([1.0], 1.0, "R")
HUGE = 10**5000


class Frame:
    """A table with a column of text, as of pandas."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array([[1.0, "x"], [2.0, "y"]], dtype=object)


def learn(**changes: Any) -> ktc.Fit:
    given: dict[str, Any] = {"data": DATA, "replicas": 5, "ticks": 2, "seed": 1}
    given |= {"device": NET, "schedule": schedules.Constant(1.0, 0.1), **changes}
    return ktc.learn(given.pop("device"), given.pop("data"), given.pop("schedule"), **given)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        # Classes and text where objects belong.
        (lambda: theory.expected(NET, "x"), TypeError, "protocol must be a ktc.Protocol"),
        (lambda: theory.expected_learning(NET, DATA, "x"), TypeError, "schedule"),
        (lambda: NET.with_controls([0.1]), TypeError, "controls must be ktc.Controls"),
        (lambda: DRIVE.settings("x"), TypeError, "controls must be"),
        (lambda: PARAMETERS.vector("x"), TypeError, "controls must be"),
        (lambda: CIRCUIT.voltages(2), TypeError, "emulator must be"),
        (lambda: theory.equilibrium(ktc.Network), TypeError, "device must be"),
        (lambda: theory.divergence("x", NET), TypeError, "state must be"),
        (lambda: schedules.Adam(1.0, 0.5, weights=1.0), TypeError, "weights must be a mapping"),
        (lambda: theory.thermodynamic_length(NET, 0), TypeError, "final must be a mapping"),
        (lambda: ktc.Protocol([1.0], {}, np.ones(2)), TypeError, "final must be a mapping"),
        # Sequences.
        (lambda: ktc.Network.of_elements(1.0, 1.0, 1.0), TypeError, "resistors must be a sequence"),
        (lambda: ktc.Elements("x"), TypeError, "resistors must be a sequence"),
        (lambda: ktc.Elements([1.0]), TypeError, "resistors[0] must be a ktc.Resistor"),
        (lambda: ktc.Elements([RESISTOR], None, 3), TypeError, "sources must be a sequence"),
        (lambda: ktc.Topology("x", 3, 7), TypeError, "edges must be a sequence"),
        (lambda: theory.Parameters(NET, 3), TypeError, "parameter"),
        (lambda: learn(parameters=np.ones((2, 2))), ValueError, "parameters must be"),
        (lambda: ktc.Emulator(NET, 2, 1).play(DRIVE, record=3), TypeError, "record must be"),
        # Words out of a list, and flags.
        (lambda: ktc.Metrics(fisher=np.ones(2)), ValueError, "fisher must be one of"),
        (lambda: theory.deficiency(None, NET, np.ones(2)), ValueError, "distance must be one of"),
        (lambda: theory.fisher_matrix(NET, np.ones((2, 2))), ValueError, "parameter must be one"),
        (lambda: ktc.Circuit.from_netlist("", np.ones(2)), TypeError, "title must be True or"),
        (lambda: ktc.Circuit(title=3), TypeError, "title must be a str"),
        (lambda: ktc.lattices.grid(2, 2, periodic=DATA), TypeError, "periodic must be True or"),
        (lambda: ktc.Emulator(NET, np.ones(2)), TypeError, "replicas must be a whole number"),
        # Numbers.
        (lambda: ktc.Estimate.exact("1k"), TypeError, "value must be real numbers"),
        (lambda: ktc.Estimate.exact(1.0, kT=0.0), ValueError, "kT must be positive"),
        (lambda: ktc.Estimate.exact(1.0).shifted(np.ones(2)), ValueError, "amount must be one"),
        (lambda: ktc.Estimate.of_samples("x"), TypeError, "samples must be real numbers"),
        (lambda: PARAMETERS.mean_forces("x"), TypeError, "mean must be real numbers"),
        (lambda: PARAMETERS.split(1.0), ValueError, "vector must have shape"),
        (lambda: PARAMETERS.forces(["x"]), TypeError, "state must be real numbers"),
        (lambda: learn(data=Frame()), TypeError, "data must be real numbers, but is Frame"),
        (lambda: ktc.presets.double_well(minimum=1e150), ValueError, "minimum must be between"),
        (lambda: ktc.presets.double_well(tilt=np.inf), ValueError, "tilt must be finite"),
        (lambda: theory.bennett([1.0, 2.0], [1.0, 2.0], 1.0, "x"), TypeError, "least_overlap"),
        # Integers that no machine can count to, or that Python does not even write.
        (lambda: ktc.Protocol.ramp(1.0, 10**400), ValueError, "ticks must be at most"),
        (lambda: learn(ticks=2**63), ValueError, "ticks must be at most"),
        (lambda: ktc.Topology.ring(2**64), ValueError, "cells must be at most"),
        (lambda: ktc.Topology.all_to_all(10**6), ValueError, "cells must be at most"),
        (lambda: ktc.Topology.grid(2**40, 2), ValueError, "rows"),
        (lambda: ktc.lattices.grid(2**31, 2), ValueError, "rows"),
        (lambda: ktc.lattices.ring(HUGE), ValueError, "units must be at most"),
        (lambda: ktc.Emulator(NET, seed=HUGE), ValueError, "seed must be below 2**64"),
        (lambda: ktc.Emulator(NET, 2, 1).run(HUGE), TypeError, "duration must be real numbers"),
        (lambda: ktc.Metrics(fisher=HUGE), ValueError, "fisher must be one of"),
        (lambda: ktc.Circuit().add("R1", "a", 0, 10**400), TypeError, "value of R1"),
        # Files.
        (lambda: ktc.load(3), TypeError, "path must be a str or a path, but is int"),
        (lambda: ktc.load("a\0b"), ValueError, "path must not contain a null character"),
        (lambda: NET.save(1.0), TypeError, "path must be a str or a path, but is float"),
        (lambda: ktc.Emulator(NET, 2, 1).play(DRIVE, "work", to=[]), TypeError, "to must be a str"),
    ],
)
def test_refused(call, error, words):
    with refused(error, words):
        call()


def test_a_circuit_goes_where_a_network_goes():
    emulators = [ktc.Emulator(device, 5, seed=1) for device in (CIRCUIT, CIRCUIT.compile())]
    for emulator in emulators:
        emulator.run(1e-6)
    assert (emulators[0].read() == emulators[1].read()).all()
    assert emulators[0].network == CIRCUIT.compile()
    passive = ktc.Circuit.from_netlist("R1 a 0 1k\nC1 a 0 1n")
    assert theory.equilibrium(passive).mean == theory.equilibrium(passive.compile()).mean


def test_an_emulator_keeps_the_circuit_that_it_was_made_of():
    circuit = ktc.Circuit.from_netlist("R1 a 0 1k\nC1 a 0 1n")
    emulator = ktc.Emulator(circuit, 5, seed=1)
    before = circuit.compile()
    circuit.add("C2", "a", 0, 1e-9)
    assert emulator.network == before != circuit.compile()


def test_a_circuit_that_does_not_compile_says_why():
    with refused(ktc.CircuitError, "node 'a' is floating"):
        ktc.Emulator(ktc.Circuit().add("C1", "a", 0, 1e-9))


def test_a_far_bias_of_a_quartic_unit():
    net = ktc.Network([[-1.0, 0.2], [0.2, -1.0]], 1.0, quartic=1.0, bias=[-1e300, 0.0])
    with refused(ValueError, "bias is so large"):
        ktc.Emulator(net, 2, seed=1)


@pytest.mark.parametrize("quartic", [1e200, 1e280, 1e300])
def test_enormous_quartic_coefficients_are_drawn(quartic):
    """⟨κx⁴⟩ = kT, to 5 standard errors; wells of a tiny stiffness are none."""
    net = ktc.Network(-1.0, 1.0, quartic=quartic)
    x = ktc.Emulator(net, 20_000, seed=1).read()
    energy = quartic * x**4
    assert abs(energy.mean() - 1) < 5 * energy.std() / np.sqrt(20_000)


@pytest.mark.parametrize("replicas", [3, float("inf")])
def test_a_stiffness_at_which_the_present_state_overflows(replicas):
    emulator = ktc.Emulator(NET, replicas)
    emulator.run(1.0)
    with refused(ValueError, "stiffness of 1.7e+308 is so large", "overflows"):
        emulator.set(stiffness=1.7e308)
    emulator.run(1.0)
    assert emulator.ledger.imbalance() < 1e-12


@pytest.mark.parametrize("replicas", [3, float("inf")])
@pytest.mark.parametrize("stiffness", [1e200, 1e308])
def test_a_played_stiffness_at_which_the_present_state_overflows(replicas, stiffness):
    emulator = ktc.Emulator(NET, replicas)
    for protocol in (
        ktc.Protocol([1.0, 1.0], {"stiffness": [1.0, stiffness]}),
        ktc.Protocol([1.0], {}, final={"stiffness": stiffness * np.eye(NET.units)}),
    ):
        with refused(ValueError, f"stiffness of {stiffness:g} is so large", "overflows"):
            emulator.play(protocol)
    assert emulator.time == 0
    assert np.isfinite(emulator.play(ktc.Protocol([1.0], {"stiffness": [2.0]})).work.mean)


def test_a_quartic_at_which_the_present_state_overflows():
    emulator = ktc.Emulator(ktc.Network(1.0, 1.0, quartic=1.0), 3, seed=1)
    with refused(ValueError, "quartic of 1e+300 is so large", "overflows"):
        emulator.set(quartic=1e300)
    with refused(ValueError, "quartic of 1e+300 is so large", "overflows"):
        emulator.play(ktc.Protocol([1.0], {"quartic": [1e300]}))


def test_read_only_properties_name_the_way_to_change_them():
    emulator = ktc.Emulator(NET, 3, seed=1)
    for name in ("seed", "controls", "ledger"):
        with refused(AttributeError, f"{name} of an emulator cannot be assigned", "set(...)"):
            setattr(emulator, name, 3)


@pytest.mark.parametrize("name", ["emf", "current"])
def test_sources_beyond_energies(name):
    circuit = ktc.Circuit.from_netlist("V1 in 0 1\nR1 in a 1k\nC1 a 0 1n\nI1 a 0 1n")
    emulator = ktc.Emulator(circuit, 3, seed=1)
    with refused(ValueError, f"{name} is beyond 1e150", "so large"):
        emulator.set(**{name: -1e300})
    emulator.run(1e-6)
    assert emulator.ledger.imbalance() < 1e-12


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: PARAMETERS.forces([[1e308, -1e308]]), "state"),
        (lambda: PARAMETERS.mean_forces([-1e300, 0.0], np.eye(2)), "mean"),
        (lambda: theory.least_excess_work(NET, 1e300, 1.0), "bias"),
        (lambda: theory.continuous_excess_work(NET, 1e300, 1.0), "target"),
        (lambda: theory.constant_rate_excess_work(NET, 1.0, 0.1, 1.7e308), "duration"),
        (lambda: theory.log_likelihood(NET, [[1e300, 1e300]]), "data"),
        (lambda: ktc.lattices.grid(2, 3, coupling=1.7e308), "coupling"),
    ],
)
def test_results_that_overflow(call, name):
    with refused(ValueError, name, "results overflow"):
        call()


RC = "R1 a 0 1k\nC1 a 0 1n"


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: ktc.Circuit.from_netlist(RC, waveforms=np.ones(2)), "waveforms"),
        (lambda: ktc.Circuit.from_netlist(RC, waveforms=np.zeros(2, "V8")), "waveforms"),
        (lambda: ktc.Circuit().add("R1", HUGE, 0, 1.0), "node"),
        (lambda: ktc.Circuit().add("R1", "a", 0, 1.0, control=1.0), "control"),
        (lambda: ktc.Topology.ring(3).edge("coupling", HUGE), "coupling"),
        (lambda: ktc.Protocol.ramp(1.0, 3, bias=HUGE), "bias"),
        (lambda: ktc.Protocol([1.0, 1.0], {"bias": 1.0}), "holds"),
        (lambda: ktc.learn(NET, [[0.0, 0.0]], HUGE), "schedule"),
        (lambda: ktc.learn(NET, [[0.0, 0.0]], np.ones(2)), "schedule"),
        (lambda: theory.Parameters(NET, ("couplings",), [[1.0], [1.0, 2.0]]), "mask"),
        (lambda: theory.deficiency(theory.equilibrium(ktc.Network(1.0, 1.0)), NET), "state"),
        (lambda: theory.stationary_covariance(np.ones((2, 2, 2)), np.eye(2)), "drift"),
        (lambda: theory.time_to_equilibrium(ktc.Network(1.0, 1.0), NET, 0.1), "before"),
        (lambda: theory.thermodynamic_length(NET, sparse.dok_array(np.eye(2))), "final"),
        (lambda: ktc.spectra.band_covariance(NET, 0.1, 1.7e308), "high"),
        (lambda: ktc.Estimate.exact(math.nan), "value"),
        (lambda: ktc.Encoding([1.0, 2.0]).encode_covariance(1.7e308), "covariance"),
        (lambda: ktc.Board(2, 1e6, 5e-324, 300.0), "1/capacitance"),
        (lambda: theory.bias_free_energy(NET, [[1e300, 1e300]]), "bias"),
        (lambda: theory.wasserstein_bound(NET, NET.with_controls(bias=1.0), 5e-324), "1/duration"),
        (lambda: theory.jarzynski([1.0, 1.5], 5e-324), "work/kT"),
        (lambda: PARAMETERS.forces(np.array([math.nan, 0.0])), "state"),
        (
            lambda: theory.metric_estimates(NET, replicas=20, seed=1, hold=1e300, longest=1e303),
            "interval",
        ),
    ],
)
def test_odd_arguments_that_ended_in_bare_errors(call, name):
    """One of each kind that the fuzzers found."""
    with pytest.raises((ValueError, TypeError), match=rf"(?<!\w){re.escape(name)}(?!\w)"):
        call()
