"""Error bars of learning runs, whose replicas share one controller."""

import numpy as np
import pytest

import ktc
from ktc._learning.shared_controller import shared_controller
from ktc._theory.geometry import Geometry
from ktc.schedules import (
    Adam,
    Constant,
    ContinuousMinimalDissipation,
    Cosine,
    Exponential,
    MinimalDissipation,
    NaturalGradient,
    Schedule,
    Tabulated,
)

ONE = ktc.Network(1.0, 1.0)
TWO = ktc.Network([[2.0, 0.5], [0.5, 1.0]], [1.0, 2.0], 0.8, bias=[0.3, -0.2])
LINEAR = {
    "minimal": MinimalDissipation(3.0),
    "scalar": MinimalDissipation(3.0, matrix=False),
    "continuous": ContinuousMinimalDissipation(3.0, 1.5),
    "natural": NaturalGradient(3.0, 0.8),
    "constant": Constant(3.0, 0.7),
    "exponential": Exponential(3.0, 0.3, 2.0),
    "cosine": Cosine(3.0, 1.5),
    "tabulated": Tabulated(3.0, [1.0, 0.2, 1.4]),
    "Adam": Adam(3.0, 0.8, beta2=0.9),
}
BOTH = ("bias", "stiffness")


class Clipped(Schedule):
    """A user's schedule that is not linear in the gradient."""

    uses_metrics = False

    def velocity(self, time, gradient, geometry):
        return np.tanh(gradient)


class Momentum(Schedule):
    """A user's schedule with a memory whose slopes are not known."""

    uses_metrics = False

    def begun(self):
        fresh = Momentum(self.duration)
        fresh.kept = 0.0
        return fresh

    def velocity(self, time, gradient, geometry):
        self.kept = 0.5 * self.kept + gradient
        return self.kept


def accounts(fit):
    return [fit.work, fit.excess_work, fit.completed_excess_work, fit.heat]


def ratios(fit):
    """Errors over those of independent replicas: of work, excess, completed excess and heat."""
    replicas = len(fit.readings.work)
    return [one.stderr / np.sqrt(one.variance / replicas) for one in accounts(fit)]


def spent(net, goal, schedule, ticks, noise, controls=None):
    """W, W − ΔF and completed of the replicas' mean, by plain steps, of normals (ticks + 1, d).

    The controller sees no noise where its ``controls`` are given. ``goal`` is the mean of the data,
    shape (d,), or that of each update's batch, (ticks + 1, d).
    """
    hold = schedule.duration / ticks
    moved = net.transition(hold)
    K, kT = net.stiffness, net.common_kT
    flexible = np.linalg.inv(K)
    root, kick = np.linalg.cholesky(kT * flexible), np.linalg.cholesky(moved.Q)
    running, metric = schedule.begun(), Geometry.of(net).sampled(hold)
    b = net.bias.copy()
    m = flexible @ b + root @ noise[0]
    work, held = 0.0, []
    goals = np.broadcast_to(goal, (ticks + 1, len(b)))
    goal = goals.mean(axis=0)
    for k in range(ticks + 1):
        gradient = goals[k] - m
        share = 0.5 if k in (0, ticks) else 1.0
        step = np.zeros_like(b)
        if k == 0:
            step = step + running.first_jump(gradient, metric, lambda point, m=m: point - m)
        step = step + share * hold * running.velocity(hold * k, gradient, metric)
        if k == ticks:
            step = step + running.last_jump(gradient, metric)
        if controls is not None:
            step = controls[k] - b
        work -= float(step @ m)
        b = b + step
        held.append(b)
        if k < ticks:
            rest = flexible @ b
            m = rest + moved.A @ (m - rest) + kick @ noise[k + 1]

    def free(value):
        return -0.5 * float(value @ flexible @ value)

    start, target = free(net.bias), K @ goal
    completed = work - float((target - b) @ m) - free(target) + start
    return np.array([work, work - free(b) + start, completed]), held


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("net", [ONE, TWO], ids=["one", "two"])
def test_ratios_by_slopes_of_every_noise(net, name):
    """The bias of 100,000 replicas, against slopes of a plain loop in each of its normals.

    Of so many replicas the path has a noise of 3e-3, and so have the ratios, of which 6 pass. Of
    4,000,000 they agree within 6e-3.
    """
    d, ticks, replicas = net.units, 6, 100_000
    goal = np.array([2.0, -1.0])[:d]
    schedule = LINEAR[name]
    fit = ktc.learn(net, [goal], schedule, replicas=replicas, ticks=ticks, seed=1, threads=1)
    still = np.zeros((ticks + 1, d))
    _, path = spent(net, goal, schedule, ticks, still)
    squares = np.zeros((2, 3))
    for place in np.ndindex(still.shape):
        step = still.copy()
        step[place] = 1e-4
        for which, controls in enumerate((None, path)):
            ends = [spent(net, goal, schedule, ticks, sign * step, controls)[0] for sign in (-1, 1)]
            squares[which] += ((ends[1] - ends[0]) / 2e-4) ** 2
    expected = np.sqrt(squares[0] / squares[1])
    assert fit.error_method == "linear response"
    assert ratios(fit)[:3] == pytest.approx(expected, rel=2e-2)


def data_of(stiffness, mean, samples=60):
    """Samples whose mean and covariance are exactly those of a Gaussian model with kT = 1."""
    stiffness = np.atleast_2d(stiffness)
    rows = np.random.default_rng(0).normal(size=(samples, len(stiffness)))
    rows -= rows.mean(axis=0)
    white = rows @ np.linalg.inv(np.linalg.cholesky(rows.T @ rows / samples)).T
    return white @ np.linalg.cholesky(np.linalg.inv(stiffness)).T + mean


def coverage(
    net, data, schedule, replicas, runs=300, ticks=12, method="linear response", **options
):
    """Share of runs whose error bars of W, W − ΔF, completed and Q cover the mean of all runs."""
    fits = [
        ktc.learn(
            net, data, schedule, replicas=replicas, ticks=ticks, seed=seed, threads=1, **options
        )
        for seed in range(runs)
    ]
    means, errors = (
        np.array([[getattr(one, name) for one in accounts(fit)] for fit in fits])
        for name in ("mean", "stderr")
    )
    assert {fit.error_method for fit in fits} == {method}
    return np.mean(np.abs(means - means.mean(axis=0)) < errors, axis=0)


def test_error_bars_cover():
    """300 runs of 20 replicas by natural gradient, where errors of independent replicas cover 40 %.

    60 to 76 % is 3σ of a binomial of 68 %, less a percent that Student's t of 19 takes.
    """
    found = coverage(ktc.Network(1.0, 1.0), 3.0, NaturalGradient(3.0, 1.0), 20, ticks=8)
    assert ((found >= 0.60) & (found <= 0.76)).all()


@pytest.mark.slow
@pytest.mark.parametrize("replicas", [20, 1000])
@pytest.mark.parametrize("name", ["minimal", "natural", "constant", "Adam"])
def test_error_bars_of_the_bias_cover(name, replicas):
    found = coverage(TWO, [2.0, -1.0], LINEAR[name], replicas, ticks=8)
    assert ((found >= 0.60) & (found <= 0.76)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "schedule", [MinimalDissipation(3.0, anticipate=False), Constant(3.0, 0.5)], ids=repr
)
def test_error_bars_of_bias_and_stiffness_cover(schedule):
    """One unit, 300 runs of 100 replicas."""
    options = {"parameters": BOTH, "method": "repeated runs"}
    found = coverage(ONE, data_of(1.6, 1.0), schedule, 100, **options)
    assert ((found >= 0.60) & (found <= 0.76)).all()


def test_moments_and_bias_agree():
    """A stiffness that may hardly move adds nothing: the bias alone by means, and by moments."""
    data = data_of(np.eye(1), 2.0)
    schedule = Constant(2.0, 1.0, weights={"diagonal": 1e-9})
    options = {"replicas": 500, "ticks": 20, "seed": 1, "threads": 1}
    both = ktc.learn(ONE, data, schedule, parameters=("bias", "diagonal"), **options)
    alone = ktc.learn(ONE, data, Constant(2.0, 1.0), **options)
    linear, target = shared_controller(both, both._exact), both.maximum_likelihood
    found = [linear.error(one, 1.0) for one in ("work", "excess work", target, "heat")]
    assert found == pytest.approx(ratios(alone), rel=1e-6)


def test_methods_are_told(tmp_path):
    """Linear response, independent replicas and exact values; a loaded fit has the same errors."""
    options = {"ticks": 10, "seed": 1, "threads": 1}
    fit = ktc.learn(ONE, 2.0, Constant(1.0, 0.5), replicas=50, **options)
    assert fit.error_method == "linear response"
    assert "linear response" in fit.completed_excess_work.method
    fit.save(tmp_path / "fit.npz")
    again = ktc.Fit.load(tmp_path / "fit.npz")
    assert [one.stderr for one in accounts(again)] == [one.stderr for one in accounts(fit)]
    assert ratios(fit) != pytest.approx([1.0] * 4, rel=0.01)
    clipped = ktc.learn(ONE, 2.0, Clipped(1.0), replicas=50, **options)
    assert clipped.error_method == "linear response"
    for schedule, chosen in (
        (Momentum(1.0), {}),
        (MinimalDissipation(1.0), {"parameters": BOTH, "data": data_of(1.6, 1.0)}),
    ):
        given = {"data": 2.0, "replicas": 50} | options | chosen
        fit = ktc.learn(ONE, schedule=schedule, **given)
        assert fit.error_method == "independent replicas"
        assert ratios(fit) == pytest.approx([1.0] * 4, rel=1e-12)
    infinite = ktc.learn(ONE, 2.0, Constant(1.0, 0.5), replicas=np.inf, ticks=10)
    assert infinite.error_method == "exact" and infinite.work.stderr == 0


def test_the_stiffness_of_one_unit_is_its_diagonal():
    """The same run by either name has the same error bars."""
    data = np.random.default_rng(0).normal(0.5, 0.9, size=(100, 1))
    unit = ktc.Network(-1.0, 1.0, quartic=1.0)
    works = [
        ktc.learn(
            unit, data, Constant(2.0, 0.5), parameters=("bias", name), replicas=50, ticks=10,
            seed=1, threads=1,
        ).work
        for name in ("stiffness", "diagonal")
    ]  # fmt: skip
    assert works[0].stderr == works[1].stderr
    assert "linear response" in works[0].method
