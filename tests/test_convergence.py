"""``ktc.convergence``: what the step does to an observable, and how well the study knows it.

"4σ" is a false alarm of 6.3e-5 a comparison; all seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from reference_motion import Circuit, Resistor
from reference_quartic import Unit
from refusal import refused

WELL = Unit(-2.0, 1.0, bias=0.1, kT=0.2)
NETWORK = ktc.Network(-2.0, 1.0, kT=0.2, bias=0.1, quartic=1.0)


def square(emulator):
    return emulator.read()[:, 0] ** 2


@pytest.mark.parametrize("resolve_heat", [None, True])
def test_bias_of_a_double_well(resolve_heat):
    """Limit dt → 0 against quadrature, and c against the step operator's stationary bias, 4σ.

    One step of the splitting integrator is two of half its length where heat is not resolved.
    """
    half = 1.0 if resolve_heat else 0.5
    study = ktc.convergence(
        NETWORK,
        square,
        duration=3.0,
        dts=half * np.array([0.3, 0.2, 0.15, 0.1]),
        replicas=40_000,
        seed=1,
        resolve_heat=resolve_heat,
    )
    assert isinstance(study, ktc.Convergence)
    exact = WELL.average(lambda x: x**2)
    assert abs(study.extrapolated.mean - exact) < 4 * study.extrapolated.stderr
    x, weights = WELL.stationary_of_step(0.1)
    coefficient = (weights @ x**2 - exact) / (half * 0.1) ** 2
    assert abs(study.coefficient.mean - coefficient) < 4 * study.coefficient.stderr
    assert study.coefficient.mean + 4 * study.coefficient.stderr < 0
    assert study.bias(0.2).mean == pytest.approx(0.04 * study.coefficient.mean, rel=1e-12)
    assert study.fit > 1e-4
    assert len(study.estimates) == 4
    assert all(len(estimate.samples) == 40_000 for estimate in study.estimates)


def test_bias_of_heat():
    """Heat of one resistor of two, nearly without noise: limit and bias as moments have them.

    Noise of 2e-5 leaves 5e-4 of the bias; terms of fourth order in the step are 1e-3 of it.
    """
    stiffness = np.array([[1.0, 0.9], [0.9, 1.0]])
    network = ktc.Network(stiffness, 1.0, kT=1e-9)
    study = ktc.convergence(
        network,
        lambda emulator: emulator.ledger.heat_per_resistor[:, 0],
        duration=2.0,
        dts=[0.1, 0.05, 0.025],
        replicas=20,
        seed=2,
        state=[5.0, 0.0],
    )
    circuit = Circuit(stiffness, [Resistor(np.eye(2)[i], 1.0, 1e-9) for i in range(2)])
    start = (np.array([5.0, 0.0]), np.zeros((2, 2)))
    exact = circuit.evolve(*start, 2.0).heat[0]
    bias = circuit.split(*start, 0.05, 40).heat[0] - exact
    assert study.extrapolated.mean == pytest.approx(exact, abs=2e-4)
    assert study.bias(0.05).mean == pytest.approx(bias, rel=0.01)


def test_default_steps_and_protocols():
    """8, 4, 2 and 1 default steps; a protocol is played; steps that a duration cuts are its own."""
    study = ktc.convergence(NETWORK, square, duration=1.0, replicas=50, seed=3)
    default = ktc._engines.step_size.default_step(NETWORK, [NETWORK.controls])
    assert np.all(study.steps <= default * np.array([8, 4, 2, 1]))
    assert 1.0 / study.steps == pytest.approx(np.round(1.0 / study.steps), rel=1e-12)
    drive = ktc.Protocol.ramp(1.0, 5, bias=(0.0, 1.0))
    played = ktc.convergence(
        NETWORK, lambda e: e.ledger.work, drive, replicas=50, seed=3, threads=1
    )
    assert played.steps == pytest.approx(default * np.array([8, 4, 2, 1]))
    again = ktc.convergence(NETWORK, lambda e: e.ledger.work, drive, replicas=50, seed=3)
    assert [e.mean for e in again.estimates] == [e.mean for e in played.estimates]


def test_picture():
    """Estimates over dt², with labels; it opens no window."""
    study = ktc.convergence(NETWORK, square, duration=1.0, replicas=50, seed=4)
    figure = study.plot(figsize=(5, 3))
    (ax,) = figure.axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("dt²", "observable")
    assert "dt → 0" in repr(study)


@pytest.mark.parametrize(
    ("options", "error", "parts"),
    [
        ({"dts": [0.1]}, ValueError, ("dts", "at least two")),
        ({"dts": [0.1, 0.1]}, ValueError, ("dts", "at least two")),
        ({"dts": [5.0, 4.0]}, ValueError, ("dts", "differently")),
        ({"dts": [0.9, 0.1]}, ValueError, ("dt must be at most", "is 0.5")),
        ({"dts": [0.1, np.nan]}, ValueError, ("dts", "finite")),
        ({"dts": [0.1, 5e-324]}, ValueError, ("dts", "larger", "4.94066e-324")),
        ({"duration": -1.0}, ValueError, ("duration", "-1.0")),
        ({"replicas": 1}, ValueError, ("replicas", "at least 2")),
        ({"observable": 3.0}, TypeError, ("observable", "function", "float")),
        ({"observable": lambda e: e.read()}, ValueError, ("observable", "(20,)", "(20, 1)")),
        ({"observable": lambda e: "x"}, TypeError, ("observable", "real numbers")),
        ({"step": 1.0}, TypeError, ("step",)),
    ],
)
def test_bad_studies(options, error, parts):
    """Every argument is checked by name; an unknown one is an error."""
    given = {"observable": square, "duration": 1.0, "replicas": 20, "seed": 5, **options}
    with refused(error, *parts):
        ktc.convergence(NETWORK, **given)
