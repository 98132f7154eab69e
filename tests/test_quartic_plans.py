"""Plans for one quartic unit: its density against an independent one, and runs of a plan.

The reference is the Fokker–Planck operator in sinc functions of tests/reference_quartic.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc
from ktc import theory
from ktc._emulation.emulator import density_emulator
from ktc._learning.planning.quartic_unit import expected_of_unit
from ktc.schedules import Constant, MinimalDissipation
from reference_quartic import Unit
from refusal import refused

QUARTIC = ktc.Network(0.2, 1.0, quartic=1.0)
GOAL = np.array([1.719278])  # of b = 6


@pytest.mark.parametrize("kT", [1.0, 0.3])
def test_the_density_moves_as_by_fokker_and_planck(kT):
    """Mean, variance, work and heat of jumps to b = 1 and −0.5; grid and steps to 1e-3."""
    net = ktc.Network(-1.0, 2.0, kT, quartic=1.5)
    device = density_emulator(net, (-2.0, 2.0))
    x = np.linspace(-3.6, 3.6, 200)
    units = {b: Unit(-1.0, 1.5, b, kT, 2.0) for b in (0.0, 1.0, -0.5)}
    weights = np.exp(-units[0.0].energy(x) / kT)
    p, before, work = weights / weights.sum(), 0.0, 0.0
    first = p @ units[0.0].energy(x)
    for bias, time in ((1.0, 0.7), (-0.5, 1.3)):
        work -= (bias - before) * (p @ x)
        unit = units[bias]
        unit.reach = lambda depth=45.0: x[-1]
        p, before = unit.moved(p, time), bias
        device.set(bias=[bias])
        device.run(time)
        moments = device.moments()
        mean = p @ x
        assert moments.mean[0] == pytest.approx(mean, abs=1e-3)
        assert moments.covariance[0, 0] == pytest.approx(p @ (x - mean) ** 2, rel=1e-3)
    assert device.ledger.work[0] == pytest.approx(work, abs=2e-3)
    heat = work - (p @ units[-0.5].energy(x) - first)
    assert device.ledger.heat[0] == pytest.approx(heat, abs=2e-3)
    with refused(ValueError, "went to 2.5, beyond -2 to 2"):
        device.set(bias=[2.5])


def test_the_table_of_the_quartic_unit():
    """1.538 with a jump forced to b = 6, 1.674 at the own bias of 6.49, by the sources' table."""
    found = expected_of_unit(QUARTIC, MinimalDissipation(2.0), 100, GOAL)
    assert found.ideal.completed_excess_work == pytest.approx(1.538, abs=2e-3)
    assert found.ideal.excess_work == pytest.approx(1.674, abs=2e-3)
    best, own = (Unit(0.2, 1.0, bias=b) for b in (6.0, 6.49))
    lost = best.free_energy() - own.free_energy() - 0.49 * GOAL[0]
    # 6.49 is to two decimals, and what is lost goes as the square of 0.49.
    assert found.ideal.nats_lost == pytest.approx(lost, rel=0.05)


@pytest.mark.parametrize("schedule", [MinimalDissipation(2.0), Constant(2.0, 0.7)])
def test_without_a_quartic_term_it_is_the_harmonic_unit(schedule):
    """Grid and steps to 1e-3; noise by the same moments, κ = 1e-9 apart."""
    soft = ktc.Network(1.5, 2.0, 0.7, quartic=1e-9)
    found = expected_of_unit(soft, schedule, 60, np.array([2.0]))
    exact = theory.expected_learning(ktc.Network(1.5, 2.0, 0.7), 2.0, schedule, ticks=60)
    assert found.ideal == pytest.approx(exact.ideal, rel=2e-3, abs=1e-6)
    assert found.replica == pytest.approx(exact.replica, rel=1e-5)


def test_runs_spend_and_reach_what_is_planned():
    """60 runs at 4.5 standard errors, false alarms of 7e-6; a third of the noise's part, and 1 %
    for the steps of the emulator.
    """
    plan = ktc.plan(QUARTIC, GOAL, duration=4.0, replicas=100, ticks=32)
    fits = [ktc.learn(QUARTIC, GOAL, **plan.settings, seed=k, threads=1) for k in range(60)]
    spent = np.array([fit.excess_work.mean for fit in fits])
    error = 4.5 * np.std(spent) / np.sqrt(60) + plan.noise_work / 3 + 0.01 * plan.excess_work
    assert abs(spent.mean() - plan.excess_work) < error < 0.2 * plan.excess_work
    best = Unit(0.2, 1.0, bias=6.0).free_energy()
    lost = []
    for fit in fits:
        bias = float(fit.parameters["bias"][0])
        own = Unit(0.2, 1.0, bias=bias).free_energy()
        lost.append((6.0 - bias) * GOAL[0] + best - own)
    lost = np.array(lost)
    error = 4.5 * np.std(lost) / np.sqrt(60) + plan.nats_lost / 3
    assert abs(lost.mean() - plan.nats_lost) < error


def test_budgets_of_a_quartic_unit():
    plan = ktc.plan(QUARTIC, GOAL, joules=30.0, nats=0.01, ticks=32)
    assert plan.total_excess_work <= 30.0 and plan.nats_lost <= 0.01
    assert 0 < plan.bound < plan.excess_work
    faster = ktc.plan(QUARTIC, GOAL, duration=0.97 * plan.duration, nats=0.01, ticks=32)
    assert faster.total_excess_work > 30.0
    with refused(ValueError, "nats must be above", "a longer duration"):
        ktc.plan(QUARTIC, GOAL, duration=0.2, nats=0.01, ticks=16)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"device": ktc.Network(np.eye(2), 1.0, quartic=1.0), "data": [[1.0, 1]]}, "not one alone"),
        ({"device": ktc.Network(1.0, 1.0, inertia=1.0, quartic=1.0)}, "run ktc.learn on few"),
        ({"data": [[1.0], [2.0]], "batch": 1}, "batch must be None"),
        ({"parameter": "center"}, "parameter 'bias'"),
        ({"data": math.inf}, "data must be finite"),
    ],
)  # fmt: skip
def test_bad_input(change, words):
    given = {"device": QUARTIC, "data": GOAL, "duration": 1.0, "nats": 0.1, **change}
    with refused(ValueError, words):
        ktc.plan(**given)
