"""Average costs of learning with noisy gradients: against loops written out in plain NumPy.

Everything is quadratic in the noise, so that averages follow from loops that are kicked once:
[f(+ε) + f(−ε)]/2 − f(0) is what one independent kick adds. Runs are compared at 4.5 standard errors
of their own scatter over runs: a false alarm of 7e-6 for every number.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg

import ktc
from ktc import theory
from ktc.schedules import (
    Adam,
    Constant,
    ContinuousMinimalDissipation,
    Cosine,
    MinimalDissipation,
    NaturalGradient,
)
from refusal import refused
from replica_means import assert_mean

K = np.array([[2.0, 0.7], [0.7, 1.0]])
R = np.array([[1.0, 0.3], [0.3, 2.5]])
KT, BIAS, T, TICKS = 0.7, np.array([0.3, -0.2]), 1.5, 6
NET = ktc.Network(K, R, KT, bias=BIAS)
DATA = np.random.default_rng(5).normal([2.0, -1.0], [1.0, 0.5], size=(7, 2))
GOAL = DATA.mean(axis=0)
INVERSE = np.linalg.inv(K)


def rates(schedule):
    """η(t) of the bias and the jumps at both ends as matrices, from the rules' formulas."""
    friction, T = INVERSE @ R @ INVERSE, schedule.duration
    name = schedule.name
    none = np.zeros((2, 2))
    if name == "MinimalDissipation":
        return (
            lambda t: np.linalg.inv((T - t) * INVERSE + 2 * friction),
            K @ friction @ np.linalg.inv(T * INVERSE + 2 * friction),
            0.5 * K,
        )
    if name == "NaturalGradient":
        return lambda t: 0.4 * K, none, none
    if name == "Cosine":
        return lambda t: 0.25 * (1 + np.cos(np.pi * t / T)) * np.eye(2), none, none
    rate = lambda t: np.linalg.inv((T - t) * INVERSE + friction)  # noqa: E731
    return rate, none, none


class Loop:
    """One run of means, with noise on the replicas' mean, on readings, and on the data."""

    def __init__(self, schedule, ticks=TICKS):
        self.schedule, self.ticks = schedule, ticks
        self.rate, self.first, self.last = rates(schedule)
        self.hold = schedule.duration / ticks
        self.moved = scipy.linalg.expm(-np.linalg.solve(R, K) * self.hold)
        rest = KT * INVERSE
        self.rest, self.kick = rest, rest - self.moved @ rest @ self.moved.T

    def run(self, kicks=None, readings=None, goals=None):
        """Excess work, completed excess work, nats lost."""
        n, h = self.ticks, self.hold
        kicks = np.zeros((n + 1, 2)) if kicks is None else kicks
        readings = np.zeros((n + 1, 2)) if readings is None else readings
        goals = np.tile(GOAL, (n + 1, 1)) if goals is None else goals
        m, b, work = INVERSE @ BIAS + kicks[0], BIAS.copy(), 0.0
        for k in range(n + 1):
            read = m + readings[k]
            g = goals[k] - read
            step = (0.5 if k in (0, n) else 1.0) * h * self.rate(k * h) @ g
            if k == 0:
                step = step + self.first @ g
                if self.schedule.name == "ContinuousMinimalDissipation":
                    aim = np.asarray(self.schedule.target) - read
                    step = step + R @ INVERSE @ self.rate(0.0) @ aim
            if k == n:
                step = step + self.last @ g
            work -= step @ m
            b = b + step
            if k < n:
                m = INVERSE @ b + self.moved @ (m - INVERSE @ b) + kicks[k + 1]
        free = lambda c: -0.5 * c @ INVERSE @ c  # noqa: E731
        best = K @ GOAL
        return np.array(
            [
                work - free(b) + free(BIAS),
                work - (best - b) @ m - free(best) + free(BIAS),
                0.5 * (b - best) @ INVERSE @ (b - best) / KT,
            ]
        )

    def added(self, name, covariances):
        """By independent kicks of these covariances, one an instant."""
        total, ideal = np.zeros(3), self.run()
        for k, covariance in enumerate(covariances):
            for column in np.linalg.cholesky(covariance).T:
                kicks = np.zeros((self.ticks + 1, 2))
                kicks[k] = column
                both = self.run(**{name: kicks}) + self.run(**{name: -kicks})
                total += 0.5 * both - ideal
        return total


SCHEDULES = [
    MinimalDissipation(T),
    NaturalGradient(T, 0.4),
    Cosine(T, 0.5),
    ContinuousMinimalDissipation(T, [1.5, -1.5]),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: s.name)
def test_noise_of_replicas_and_of_readings(schedule):
    found = theory.expected_learning(NET, DATA, schedule, ticks=TICKS, read_noise=0.2)
    loop = Loop(schedule)
    assert found.ideal == pytest.approx(loop.run(), rel=1e-9)
    thermal = loop.added("kicks", [loop.rest, *[loop.kick] * TICKS])
    assert found.replica == pytest.approx(thermal, rel=1e-8)
    reading = loop.added("readings", [0.04 * np.eye(2)] * (TICKS + 1))
    assert found.reading == pytest.approx(reading, rel=1e-8)
    assert found.batch == (0, 0, 0)
    assert found.noise(8.0) == pytest.approx((thermal + reading) / 8)
    assert found.costs(8.0) == pytest.approx(loop.run() + (thermal + reading) / 8)


@pytest.mark.parametrize(("size", "samples", "ticks"), [(2, 4, 2), (2, 5, 2), (1, 3, 3), (3, 4, 2)])
def test_noise_of_batches_by_all_ways_to_deal(size, samples, ticks):
    """The mean over every order of every epoch, each as likely."""
    data = DATA[:samples]
    schedule = MinimalDissipation(0.3)  # ticks well below all relaxation times, of 0.5 and 3.2
    loop, many = Loop(schedule, ticks), samples // size
    epochs = -(-(ticks + 1) // many)
    deals = [
        [data[list(order[i * size : (i + 1) * size])].mean(axis=0) for i in range(many)]
        for order in itertools.permutations(range(samples))
    ]
    shift = GOAL - data.mean(axis=0)  # the loop's own goal is that of all of DATA
    total, number = np.zeros(3), 0
    for chosen in itertools.product(deals, repeat=epochs):
        goals = np.array([goal for epoch in chosen for goal in epoch])[: ticks + 1] + shift
        total += loop.run(goals=goals)
        number += 1
    found = theory.expected_learning(NET, data + shift, schedule, ticks=ticks, batch=size)
    assert found.batch == pytest.approx(total / number - loop.run(), rel=1e-7)
    assert found.replica == theory.expected_learning(NET, data, schedule, ticks=ticks).replica


def test_continuous_loop_of_one_unit():
    """Moments of ṁ = b − m + noise, ḃ = −η m by their differential equations, ticks as 1/n².

    From m of variance 1: a jump −m/(T + 2), then the flow, then a jump −m/2; the work is −∫m db.
    """
    duration = 3.0
    rule = MinimalDissipation(duration)

    def motion(t, y):
        mm, mb, bb, _ = y
        eta = 1 / (duration - t + 2)
        return [2 * (mb - mm + 1), bb - mb - eta * mm, -2 * eta * mb, eta * mm]

    jump = 1 / (duration + 2)
    path = scipy.integrate.solve_ivp(
        motion, (0, duration), [1.0, -jump, jump**2, jump], rtol=1e-11, atol=1e-13
    )
    mm, mb, bb, work = path.y[:, -1]
    work, mb, bb = work + 0.5 * mm, mb - 0.5 * mm, bb - mb + 0.25 * mm
    exact = np.array([work + 0.5 * bb, work + mb, 0.5 * bb])
    errors = [
        np.array(
            theory.expected_learning(ktc.Network(1.0, 1.0), 5.0, rule, ticks=n).replica
        ) - exact
        for n in (200, 400)
    ]  # fmt: skip
    assert np.abs(errors[1]).max() < 2e-5
    assert errors[0] / errors[1] == pytest.approx([4, 4, 4], abs=0.05)


def test_momenta_are_noisy_too():
    """With inertia, kicks of position and velocity by the covariance of one hold."""
    net = ktc.Network(2.0, 0.5, KT, inertia=0.3)
    n, h, eta = 5, T / 5, 0.6
    drift = np.array([[0.0, 1 / 0.3], [-2.0, -0.5 / 0.3]])
    moved = scipy.linalg.expm(drift * h)
    rest = KT * np.diag([0.5, 0.3])
    kick = rest - moved @ rest @ moved.T

    def run(kicks):
        z, b, work = kicks[0].copy(), 0.0, 0.0
        for k in range(n + 1):
            step = (0.5 if k in (0, n) else 1.0) * h * eta * (1.0 - z[0])
            work, b = work - step * z[0], b + step
            if k < n:
                centre = np.array([b / 2, 0.0])
                z = centre + moved @ (z - centre) + kicks[k + 1]
        return np.array([work + 0.25 * b**2, work - (2 - b) * z[0] + 1.0, 0.25 * (b - 2) ** 2 / KT])

    total, ideal = np.zeros(3), run(np.zeros((n + 1, 2)))
    for k, covariance in enumerate([rest, *[kick] * n]):
        for column in np.linalg.cholesky(covariance).T:
            kicks = np.zeros((n + 1, 2))
            kicks[k] = column
            total += 0.5 * (run(kicks) + run(-kicks)) - ideal
    found = theory.expected_learning(net, 1.0, Constant(T, eta), ticks=n)
    assert found.ideal == pytest.approx(ideal, rel=1e-9)
    assert found.replica == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("parameter", ["bias", "center"])
def test_runs_of_few_replicas_and_of_batches(parameter):
    """Means over 400 runs of 4 replicas that see 2 of 7 samples, on a board of an ADC."""
    spec = ktc.Imperfections(adc_noise=5e-5)
    cells = {"resistance": 1e6, "capacitance": [1e-12, 2e-12], "temperature": 300.0}
    board = ktc.Board(2, **cells, couplings=2e11, imperfections=spec)
    data, rule = board.thermal_width * DATA, MinimalDissipation(2e-6)
    found = theory.expected_learning(
        board, data, rule, parameter, ticks=20, batch=2, read_noise=5e-5
    )
    runs = [
        ktc.learn(
            board,
            data,
            rule,
            parameters=(parameter,),
            replicas=4,
            ticks=20,
            seed=k,
            threads=1,
            batch=2,
        )
        for k in range(400)
    ]
    best = theory.log_likelihood(board.program(bias=runs[0].maximum_likelihood.bias), data)
    lost = [
        best - theory.log_likelihood(board.program(bias=run.history.bias[-1]), data)
        for run in runs
    ]  # fmt: skip
    expected = found.costs(4)
    assert_mean(np.array([run.excess_work.mean for run in runs]), expected.excess_work)
    assert_mean(np.array(lost), expected.nats_lost)
    noise = found.noise(4).excess_work
    assert runs[0].gradient_noise_work.mean == pytest.approx(noise, rel=1e-9)
    assert runs[0].gradient_noise_work.unit == "J"


@pytest.mark.parametrize("schedule", [MinimalDissipation(2.0), Constant(2.0, 0.4)])
def test_excess_is_the_infinite_ensemble_and_the_noise(schedule):
    """Mean over 400 runs of 5 replicas less the run of infinitely many: what a fit tells."""
    options = {"ticks": 25}
    infinite = ktc.learn(NET, DATA, schedule, replicas=math.inf, **options)
    options["threads"] = 1
    fits = [ktc.learn(NET, DATA, schedule, replicas=5, seed=k, **options) for k in range(400)]
    above = [f.excess_work.mean - infinite.excess_work.mean for f in fits]
    assert_mean(np.array(above), fits[0].gradient_noise_work.mean)
    assert infinite.gradient_noise_work.mean == 0
    assert fits[0].gradient_noise_work.mean > 0.1 * KT


def test_a_saved_fit_still_tells(tmp_path):
    fit = ktc.learn(NET, DATA, MinimalDissipation(1.0), replicas=3, ticks=5, seed=1, batch=2)
    fit.save(tmp_path / "fit.npz")
    loaded = ktc.Fit.load(tmp_path / "fit.npz")
    assert loaded.gradient_noise_work.mean == fit.gradient_noise_work.mean
    assert loaded.gradient_noise_work.in_kT.mean == fit.gradient_noise_work.mean / KT


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"schedule": Adam(1.0, 0.1)}, ValueError, "schedule must be linear in the gradient"),
        ({"batch": 9}, ValueError, "batch must be at most the 7 samples"),
        ({"batch": 1.5}, TypeError, "batch must be a whole number"),
        ({"ticks": 0}, ValueError, "ticks must be at least 1"),
        ({"read_noise": -1.0}, ValueError, "read_noise must not be negative, but is -1.0"),
        ({"read_noise": math.nan}, ValueError, "read_noise must be finite"),
        ({"parameter": "quartic"}, ValueError, "parameter must be one of"),
        ({"data": [1.0, 2.0, 3.0]}, ValueError, "data must have shape (samples, 2)"),
        (
            {"device": ktc.Network(1.0, 1.0, quartic=1.0), "data": 1.0},
            ValueError,
            "quartic units have no such closed form",
        ),
        ({"schedule": ContinuousMinimalDissipation(1.0, [1.0] * 3)}, ValueError, "target must be"),
    ],
)
def test_bad_input(change, error, words):
    given = {"device": NET, "data": DATA, "schedule": MinimalDissipation(1.0), **change}
    with refused(error, words):
        theory.expected_learning(**given)


def test_a_fit_whose_schedule_is_not_linear_cannot_tell():
    fit = ktc.learn(NET, DATA, Adam(1.0, 0.1), replicas=3, ticks=5, seed=1)
    with refused(ValueError, "schedule must be linear in the gradient"):
        fit.gradient_noise_work  # noqa: B018
