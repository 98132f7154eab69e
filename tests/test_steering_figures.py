"""Figures of docs/physics.md and docs/decisions/ on learning beyond the harmonic unit, by density.

Deterministic. The reference is a Fokker–Planck equation of the test's own; grid and ticks leave
1e-3 in a cost, to which figures are told.
"""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import ktc
from ktc._learning.planning.quartic_unit import UnitCosts
from ktc.schedules import MinimalDissipation
from reference_density import Learned

DOCS = Path(__file__).parents[1] / "docs"
#: Best constant rates over the grid of ten, k, b and T, and of the wells of 3 kT.
RATES = {
    (0.2, 2.0, 1.0): 1.89, (0.2, 2.0, 4.0): 0.661, (0.2, 4.0, 1.0): 2.70, (0.2, 6.0, 2.0): 1.89,
    (0.2, 6.0, 8.0): 0.797, (-1.0, 2.0, 1.0): 1.33, (-1.0, 2.0, 4.0): 0.424,
    (-1.0, 4.0, 1.0): 2.18, (-1.0, 6.0, 2.0): 1.47, (-1.0, 6.0, 8.0): 0.563,
}  # fmt: skip
WELLS = {(-3.5, 2.0, 1.0): 0.853, (-3.5, 2.0, 2.0): 0.444, (-3.5, 2.0, 4.0): 0.233,
         (-3.5, 2.0, 8.0): 0.123}  # fmt: skip


@cache
def unit(stiffness):
    return Learned(stiffness, points=500 if stiffness < -2 else 420)


@cache
def ratios(case):
    """The rule's cost and the anticipating rule's over the best constant rate's."""
    stiffness, bias, duration = case
    rate = (RATES | WELLS)[case]
    one = unit(stiffness)
    best, *worse = (
        one.cost(one.constant(share * rate, bias), bias, duration)[0] for share in (1.0, 0.9, 1.1)
    )
    assert best < min(worse)
    rule = one.cost(one.rule(bias, duration), bias, duration)[0]
    ahead = one.cost(one.anticipating(bias, duration), bias, duration)[0]
    return rule / best, ahead / best


def test_the_table_of_the_quartic_unit():
    """The Fokker–Planck column of docs/physics.md."""
    one, b, T = unit(0.2), 6.0, 2.0
    assert one.mean(b) == pytest.approx(1.719278, abs=1e-6)
    rule, ahead = one.cost(one.rule(b, T), b, T), one.cost(one.anticipating(b, T), b, T)
    found = {
        "the rule, by quadrature": rule[0],
        "the rule, measured on 10,000 calibration replicas": rule[0],
        "the rule, F of the running replicas": one.cost(one.rule(b, T, running=True), b, T)[0],
        "the rule, anticipating, by quadrature": ahead[0],
        "the rule, anticipating, measured": ahead[0],
        "constant rate 1.9": one.cost(one.constant(1.9, b), b, T)[0],
    }
    page = (DOCS / "physics.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| (.*?) \| [\d.()]+ \| ([\d.]+) \|$", page, re.MULTILINE))
    assert {name: float(value) for name, value in told.items()} == pytest.approx(found, abs=1e-3)
    assert rule[1] == pytest.approx(6.49, abs=5e-3)


@pytest.mark.parametrize("anticipate", [False, True])
def test_the_learner_itself_on_a_density(anticipate):
    schedule = MinimalDissipation(2.0, anticipate=anticipate)
    one = unit(0.2)
    make = one.anticipating if schedule.anticipate else one.rule
    costs = UnitCosts(ktc.Network(0.2, 1.0, quartic=1.0), np.array([1.719278]))
    found = costs.expected(schedule, 100)
    cost = one.cost(make(6.0, 2.0), 6.0, 2.0)[0]
    assert found.ideal.completed_excess_work == pytest.approx(cost, abs=1e-3)


def test_the_rule_against_the_best_constant_rate_over_the_grid_of_ten():
    found = {case: ratios(case) for case in RATES}
    worse = {case: rule for case, (rule, _) in found.items() if rule > 1}
    assert worse == pytest.approx({(-1.0, 4.0, 1.0): 1.09, (-1.0, 6.0, 2.0): 1.11}, abs=5e-3)
    ahead = [cost for _, cost in found.values()]
    assert (min(ahead), max(ahead)) == pytest.approx((0.46, 0.94), abs=5e-3)
    those = [found[case][1] for case in worse]
    assert those == pytest.approx([0.94, 0.88], abs=5e-3)
    well = unit(-1.0)
    assert well.fisher(0.0) / well.fisher(6.0) == pytest.approx(10, rel=0.05)
    assert well.friction(0.0) / well.friction(6.0) == pytest.approx(120, rel=0.05)


def test_anticipating_in_wells_of_3_kT():
    ahead = [ratios(case)[1] for case in WELLS]
    assert (min(ahead), max(ahead)) == pytest.approx((0.975, 1.001), abs=2e-3)
    rule = [ratios(case)[0] for case in WELLS]
    assert [1 - 1 / cost for cost in rule[:1] + rule[-1:]] == pytest.approx([0.05, 0.2], abs=0.01)
    well = unit(-3.5)
    assert well.friction(0.0) / well.fisher(0.0) == pytest.approx(14.5, abs=0.1)


DATA = np.random.default_rng(0).multivariate_normal(
    [1.0, -0.5, 0.3], [[1.5, 0.4, 0.0], [0.4, 0.8, -0.3], [0.0, -0.3, 0.5]], 400
)


def learned(duration, replicas, ahead=True, seed=None):
    """Nine parameters of three units."""
    return ktc.learn(
        ktc.Network(np.eye(3), 1.0), DATA, MinimalDissipation(duration, anticipate=ahead),
        parameters=("bias", "stiffness"), replicas=replicas, ticks=60, seed=seed,
    )  # fmt: skip


def test_bias_and_stiffness_over_the_bound_of_any_control():
    found = []
    for duration in (1.0, 20.0):
        for ahead in (True, False):
            fit = learned(duration, math.inf, ahead)
            found.append(fit.completed_excess_work.mean / fit.bound_target)
    assert found == pytest.approx([1.033, 1.190, 1.075, 1.153], abs=2e-3)


@pytest.mark.slow
def test_feedback_gains_from_fluctuations():
    """Means over runs, 4.5 standard errors, a false alarm of 7e-6, and a tenth for what is told."""
    ideal = learned(5.0, math.inf).completed_excess_work.mean
    assert ideal == pytest.approx(0.31, abs=5e-3)
    for replicas, runs, told in ((100, 10, 0.7), (1000, 6, 0.06)):
        gained = [
            ideal - learned(5.0, replicas, seed=k).completed_excess_work.mean for k in range(runs)
        ]
        error = 4.5 * np.std(gained, ddof=1) / np.sqrt(runs)
        assert abs(np.mean(gained) - told) < error + 0.1 * told
        assert np.mean(gained) > error
