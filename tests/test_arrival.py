"""Whether a run arrived, in words; and what updates by a rate may spend."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc
from ktc import schedules
from test_transport import BOTH, MEAN, TARGET, K, data_of

NET = ktc.Network(K, 1.0)
FAR = data_of(TARGET, MEAN)


def cost_of_one_jump(net, data):
    """kT KL(p₀‖p*) of two-dimensional Gaussians of kT = 1, by hand."""
    mean, goal = data.mean(axis=0), np.linalg.inv(np.cov(data.T, bias=True))
    start = np.linalg.inv(net.stiffness)
    ratio = goal @ start
    return 0.5 * (np.trace(ratio) - 2 - np.log(np.linalg.det(ratio)) + mean @ goal @ mean)


@pytest.mark.parametrize(
    "schedule",
    [
        schedules.NaturalGradient(6, 1),
        schedules.Constant(30, 0.05),
        schedules.Constant(6, 0.02),
        schedules.Adam(6, 0.5),
    ],
)
def test_rates_spend_at_most_twice_a_jump_and_say_so(schedule):
    """They spent 1000 kT through a stiffness of 600, 5e11 in a singular model, and so on."""
    fit = ktc.learn(NET, FAR, schedule, parameters=BOTH, replicas=math.inf, ticks=300)
    limit = 2 * (cost_of_one_jump(NET, FAR) + 1)
    assert fit.excess_work.mean <= limit * (1 + 1e-9)
    values = np.linalg.eigvalsh(np.linalg.solve(K, fit.network.stiffness).T @ np.eye(2))
    assert values[0] > 0 and np.abs(fit.history.theta[:, 2:]).max() < 10
    assert fit.arrived is False
    assert "were cut back" in repr(fit) and "MinimalDissipation" in fit.shortfall
    assert len(fit.history.backtracked) > 1


def test_a_stated_share_of_the_stiffness_remains():
    """Data that ask for a hundredth of the stiffness, by steps that halvings would compound."""
    net, data = ktc.Network(1.0, 1.0), 10 * data_of(1.0, [0.0])
    rule = schedules.Constant(5, 1.0)
    fit = ktc.learn(net, data, rule, parameters=("stiffness",), replicas=math.inf, ticks=100)
    assert fit.history.theta.min() >= 1e-3 * 0.01


@pytest.mark.parametrize(
    ("net", "parameters", "data"),
    [
        (NET, BOTH, FAR),
        (NET, ("bias",), FAR),
        (ktc.Network(np.diag([1.0, 2.0]), 1.0), ("bias", "diagonal"), 0.3 + 0.5 * FAR),
        (ktc.Network(1.0, 1.0, quartic=1.0), ("bias",), np.array([0.9, 1.1, 1.3])),
    ],
)
def test_the_default_arrives(net, parameters, data):
    """Within the noise of its replicas; a false alarm in ten thousand."""
    rule = schedules.MinimalDissipation(20.0)
    fit = ktc.learn(net, data, rule, parameters=parameters, replicas=1000, ticks=200, seed=1)
    assert fit.arrived is True and fit.shortfall == ""
    assert "arrived" not in repr(fit)


def test_too_short_a_run_is_told_from_noise():
    """Half of the way by a small rate: 1.4 nats remain, to be seen with 100 replicas."""
    net, data = ktc.Network(1.0, 1.0), np.array([[4.0]])
    fit = ktc.learn(net, data, schedules.Constant(1.0, 0.5), replicas=100, ticks=50, seed=1)
    left = 0.5 * (4.0 - fit.parameters["bias"][0]) ** 2
    assert fit.arrived is False
    assert f"{left:.2g} nats per sample below the greatest likelihood" in repr(fit)
    assert "longer duration" in fit.shortfall


def test_hidden_units_by_the_gradient_of_the_marginal_likelihood():
    """Few updates are told; a maximum, found by gradient ascent in closed form, counts."""
    net = ktc.Network(np.diag([1.0, 1.0, 2.0]) + 0.3, 1.0)
    data = data_of([[1.0, -0.5], [-0.5, 1.5]], [0.5, 0.2])
    fit = ktc.learn(
        net, data, schedules.Constant(0.5, 0.1), parameters=("bias", "couplings"), hidden=[2],
        replicas=500, ticks=20, seed=1,
    )  # fmt: skip
    assert fit.arrived is False


def test_coupled_quartic_units_are_measured():
    net = ktc.Network([[1.0, 0.3], [0.3, 1.0]], 1.0, quartic=[1.0, 0.5])
    data = np.array([[0.8, -0.6], [1.0, -0.2], [0.5, -0.5]])
    few = ktc.learn(net, data, schedules.Constant(0.3, 0.5), replicas=1000, ticks=10, seed=1)
    many = ktc.learn(net, data, schedules.Constant(8.0, 3.0), replicas=1000, ticks=100, seed=1)
    assert (few.arrived, many.arrived) == (False, True)


def test_data_without_a_maximum():
    """Heavier tails than a normal distribution's, of a unit with a quartic term and a coupling."""
    net = ktc.Network(np.eye(2), 1.0, quartic=0.5)
    data = np.vstack([np.zeros((50, 2)), 5 * np.eye(2), -5 * np.eye(2)])
    rule = schedules.Constant(1.0, 0.01)
    fit = ktc.learn(
        net, data, rule, parameters=("diagonal", "quartic"), replicas=200, ticks=20, seed=1
    )
    assert fit.arrived is False
    assert "no confined model" in repr(fit)
