"""Networks of extreme values: refused by name, or moved with finite numbers and a closed ledger."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ktc
from ktc._model.quartic_unit import OneUnit
from refusal import refused

EXTREMES = (5e-324, 1e-300, 1e-150, 1e-30, 1e30, 1e150)
NAMES = ("stiffness", "friction", "kT", "bias", "quartic", "inertia")


def attempted(call: Callable[[], Any]) -> Any:
    """The result, or None where an error names what is extreme. Warnings of NumPy are errors."""
    try:
        return call()
    except ValueError as error:
        told = str(error)
    assert re.search(rf"\b({'|'.join(NAMES)}|dt|duration|energy)\b", told), told
    return None


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("replicas", [3, float("inf")])
@pytest.mark.parametrize("value", EXTREMES)
@pytest.mark.parametrize("name", NAMES)
def test_one_extreme_value(name, value, replicas):
    matrix = np.array([[2.0, 0.5], [0.5, 1.0]])
    given = {"stiffness": matrix, "friction": 1.0, "kT": 1.0, name: value}
    if name == "stiffness":
        given[name] = value * matrix
    network = attempted(lambda: ktc.Network(**given))
    if network is None:
        return
    seed = {} if replicas == float("inf") else {"seed": 1}
    emulator = attempted(lambda: ktc.Emulator(network, replicas=replicas, **seed))
    if emulator is None:
        return
    # The fastest time, where steps would be too many.
    scale = emulator._frontend.engine.core.longest_step if replicas == 3 else 0.0
    hold = min(1.0, 10 * scale) if scale > 0 else 1.0
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* steps, of at most", UserWarning)
        attempted(lambda: emulator.run(hold))
        attempted(lambda: emulator.set(bias=0.5))
        run = attempted(lambda: emulator.play(ktc.Protocol([hold] * 2, {"bias": [1.0, 2.0]})))
    assert emulator.ledger.imbalance() <= 1e-12
    assert np.isfinite(emulator.moments().covariance).all()
    if run is not None:
        assert np.isfinite([run.work.mean, run.heat.mean]).all()


def test_friction_and_inertia_far_from_one_are_refused():
    for name in ("friction", "inertia"):
        for value in (1e-200, 1e200):
            given = {"friction": 1.0, name: value}
            with pytest.raises(ValueError, match=f"{name} must be between 1e-150 and 1e.150"):
                ktc.Network(1.0, **given)


@pytest.mark.parametrize("inertia", [1e-3, 1e-9, 1e-16, 1e-30, 1e-140])
def test_slow_relaxation_beside_fast(inertia):
    """Of one unit 2M/(R ∓ √(R² − 4MK)), the slow one without cancellation."""
    unit = ktc.Network(0.5, 2.0, inertia=inertia)
    root = np.sqrt(4.0 - 2.0 * inertia)
    exact = [2 * inertia / (2.0 + root), (2.0 + root) / (2 * 0.5)]
    np.testing.assert_allclose(unit.relaxation_times, exact, rtol=1e-11)


def test_heat_beside_a_rest_far_away():
    """The rest is 2e8 thermal widths of the start away; the heat is that of the stored states."""
    emulator = ktc.Emulator(ktc.Network(1.0, 1.0, inertia=2.0), replicas=5, seed=0)
    emulator.set(stiffness=1e-9)
    emulator.play(ktc.Protocol([1.0, 1.0], {"bias": [0.4, -0.3]}, final={"bias": 0.0}))
    assert emulator.ledger.imbalance() < 1e-13


@pytest.mark.parametrize("depth", [1e9, 1e11])
def test_deep_wells_of_unequal_depth(depth):
    """Their weights are those of Boltzmann: V = ±b/√κ differ by so many kT at k = −1."""
    quartic = 1 / (4 * depth)
    for apart in (0.0, 1.0, 90.0):
        bias = apart / (2 * quartic**-0.5)
        net = ktc.Network(-1.0, 1.0, quartic=quartic, bias=bias)
        unit = OneUnit.of(net, 0)
        height = np.sqrt(quartic) * unit.average(unit.states * unit.length)
        assert len(unit.states) < 1000
        # Each V is rounded to 1e-4 kT, and a well's own shape matters to 1/depth.
        assert abs(height - np.tanh(apart / 2)) < 1e-3
        start = net.with_controls(bias=0.0)
        change = ktc.theory.free_energy(net) - ktc.theory.free_energy(start)
        assert abs(change + np.log(np.cosh(apart / 2))) < 1e-15 * depth + 1e-6


def test_wells_deeper_than_digits_are_refused():
    net = ktc.Network(-1.0, 1.0, quartic=0.5, kT=4e-21)
    with refused(ValueError, "stiffness -1", "bias 0", "1.25e+20 kT deep", "scale"):
        ktc.theory.free_energy(net)


@pytest.mark.parametrize("name", ["emf", "current"])
def test_sources_beyond_the_range_of_energies_are_refused(name):
    circuit = ktc.Circuit.from_netlist("V1 in 0 1\nR1 in a 1k\nC1 a 0 1n\nI1 a 0 1u")
    for options in ({"replicas": 3, "seed": 1}, {"replicas": np.inf}):
        emulator = ktc.Emulator(circuit, **options)
        with refused(ValueError, name, "1e150"):
            emulator.set(**{name: -1e300})


def test_hot_noise_that_overflows_names_the_temperature():
    with refused(ValueError, "kT is so large"):
        ktc.Emulator(ktc.Network(1.0, 1.0, kT=1.7e308), 2, seed=1, resolve_heat=True).run(1.0)


def test_data_far_off_are_refused_wherever_they_are_given():
    two = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
    schedule = ktc.schedules.MinimalDissipation(2.0)
    for call in (
        lambda data: ktc.theory.expected_learning(two, data, schedule, ticks=3),
        lambda data: ktc.plan(two, data, duration=5.0, nats=0.1),
        lambda data: ktc.learn(two, data, schedule, ticks=3, replicas=2, seed=1),
    ):
        with refused(ValueError, "data are as far off as 1e+300"):
            call([[1e300, 0.0], [0.0, 1.0]])


def test_single_precision_follows_no_stiffness_beyond_its_range():
    """States over the square root of a stiffness leave the range of a float at 1e77."""
    emulator = ktc.Emulator(ktc.Network(np.eye(2), 1.0), 10, seed=1, dtype="float32")
    with refused(ValueError, "stiffness of 1e+150", "single precision", "float64"):
        emulator.set(stiffness=1e150 * np.eye(2))
    emulator.run(1.0)
    assert np.isfinite(emulator.read()).all()
