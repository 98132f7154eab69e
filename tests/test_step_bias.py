"""A step whose bias is large is reported, with an estimate that densities of steps confirm."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import ktc
from ktc._engines.step_size import Rates, fastest_rate
from reference_midpoint import Density, Together
from reference_quartic import Unit

WELL = ktc.Network(stiffness=-2.0, friction=1.0, kT=0.2, quartic=1.0)
LONGEST = 2 / fastest_rate(WELL, WELL.controls)


def network(unit):
    return ktc.Network(
        unit.stiffness, unit.friction, kT=unit.kT, bias=unit.bias, quartic=unit.quartic
    )


def slowest_rate(operator, step):
    return -np.log(np.sort(np.abs(np.linalg.eigvals(operator)))[-2]) / step


@pytest.mark.parametrize("barrier", [3.0, 5.0, pytest.param(12.0, marks=pytest.mark.slow)])
def test_rate_of_escape(barrier):
    """ln of the rate over its exact value is (k dt/R)² B/6 of a midpoint step, a quarter of it of a
    splitting step: within 3 % where it is small, and within 10 % near the longest stable step.

    Deterministic: the slowest mode of densities of steps, against that of Fokker and Planck.
    """
    unit = Unit(-2.0, 1.0, friction=3.0, kT=1 / barrier)
    well = network(unit)
    _, coefficient = Rates(well).biases(well.controls)
    assert coefficient == pytest.approx((2.0 / 3.0) ** 2 * barrier / 6, rel=1e-12)
    exact = unit.modes()[1][1]
    together = Together([[-2.0]], [1.0], [0.0], [3.0], unit.kT)
    for share, near in ((0.2, 0.03), (0.9, 0.1)):
        step = share * 2 / fastest_rate(well, well.controls)
        # Between the two halves of the quartic relaxation states lie farther out.
        density = Density(together, step, 2 * unit.reach(), 1200)
        midpoint = slowest_rate(density.operator(), step)
        assert np.log(midpoint / exact) == pytest.approx(coefficient * step**2, rel=near)
        split = slowest_rate(unit.step_operator(step, 700)[1], step)
        assert np.log(split / exact) == pytest.approx(coefficient * step**2 / 4, rel=near)


@pytest.mark.parametrize(
    ("k", "kappa", "bias", "kT"),
    [
        (-2.0, 1.0, 0.0, 1 / 3),
        (-2.0, 1.0, 0.0, 1 / 12),
        (0.0, 1.0, 0.0, 1.0),
        (1.0, 0.7, 0.3, 0.8),
        (3.0, 1.0, 0.0, 1.0),
        (1.0, 1.0, 3.0, 1.0),
        (-1.0, 1.0, 10.0, 1.0),
    ],
)
def test_bias_of_averages(k, kappa, bias, kT):
    """The bias of ⟨x⁴⟩, of a tenth of the longest step, within a factor of 2.2; deterministic."""
    unit = Unit(k, kappa, bias, kT=kT)
    coefficient, _ = Rates(network(unit)).biases(network(unit).controls)
    step = 0.2 / fastest_rate(network(unit), network(unit).controls)
    together = Together([[k]], [kappa], [bias], [1.0], kT)
    density = Density(together, step, unit.reach(), 1000)
    found = density.average(lambda x: x[:, 0] ** 4, density.stationary())
    measured = abs(found / unit.average(lambda x: x**4) - 1)
    assert 1 / 2.2 < coefficient * step**2 / measured < 2.2


@pytest.mark.parametrize(("dt", "told"), [(0.36, "54%"), (0.2, "14%")])
def test_a_large_step_is_reported_with_its_bias(dt, told):
    with pytest.warns(RuntimeWarning, match=rf"dt = {dt} .*wells are left about {told} too often"):
        emulator = ktc.Emulator(WELL, replicas=10, seed=1, dt=dt)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        emulator.run(1.0)  # reported once


def test_where_a_step_is_large():
    """Above 5 %: at a quarter of the longest for these wells, half of it for splitting steps."""
    coupled = ktc.Network([[-1.0, 0.6], [0.6, -1.0]], 1.0, kT=0.2, quartic=1.0)
    nearly = ktc.Network(0.5, 1.0, quartic=1e-8)
    inert = ktc.Network(-2.0, 1.0, kT=0.2, quartic=1.0, inertia=1.0)
    longest = 2 / fastest_rate(inert, inert.controls)
    for net, dt, heat, large in (
        (WELL, 0.25 * LONGEST, False, False),
        (WELL, 0.35 * LONGEST, False, True),
        (WELL, 0.5 * LONGEST, True, False),
        (WELL, 0.7 * LONGEST, True, True),
        (coupled, 0.3, False, True),
        (coupled, 0.05, False, False),
        (nearly, 3.0, False, False),
        (inert, 0.4 * longest, False, False),
        (inert, 0.6 * longest, False, True),
    ):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            ktc.Emulator(net, replicas=10, seed=1, dt=dt, resolve_heat=heat)
        assert bool(found) is large, (net, dt)


def test_controls_that_make_a_step_large_are_reported_when_they_are_used():
    emulator = ktc.Emulator(WELL, replicas=10, seed=1, dt=0.09)
    emulator.set(bias=5.0)
    with pytest.warns(RuntimeWarning, match="dt = 0.09"):
        emulator.run(1.0)
    emulator = ktc.Emulator(WELL, replicas=10, seed=1, dt=0.09)
    with pytest.warns(RuntimeWarning, match="dt = 0.09"):
        emulator.play(ktc.Protocol([0.1], {"bias": [5.0]}))


def test_a_study_of_convergence_does_not_report_its_steps():
    ktc.convergence(WELL, lambda e: e.read()[:, 0] ** 2, duration=0.5, replicas=50, seed=1)
