"""The way ahead: averages of F and ζ along it, and what steers by them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc
from ktc import Metrics, theory
from ktc._learning.metrics.calibration import Landmark
from ktc._learning.metrics.equilibria import MeasuredEquilibria
from ktc._learning.path_to_target import NODES, PathToTarget
from ktc._theory.geometry import Geometry
from ktc.schedules import MinimalDissipation, Schedule
from reference_quartic import Unit

RNG = np.random.default_rng(140)


def positive(d):
    root = RNG.normal(size=(d, d))
    return root @ root.T + 0.3 * np.eye(d)


def bent(d):
    """F and ζ on a way of d parameters, each a path of positive matrices that do not commute."""
    fisher, more, friction, other = (positive(d) for _ in range(4))
    fishers = [fisher + s * more for s in NODES]
    frictions = [friction + s**2 * other for s in NODES]
    return fisher, friction, fishers, frictions


def test_where_nothing_changes_it_is_the_rule_itself():
    """θ̇ = [(T − t)F + 2ζ]⁻¹ g and F⁻¹ζ θ̇ of four parameters, by NumPy alone."""
    fisher, friction = positive(4), positive(4)
    here, goal = RNG.normal(size=(2, 4))
    path = PathToTarget(here, goal, fisher, friction, [fisher] * 8, [friction] * 8)
    velocity = np.linalg.solve(1.3 * fisher + 2 * friction, fisher @ (goal - here))
    assert path.velocity(1.3) == pytest.approx(velocity, rel=1e-9)
    lead = np.linalg.solve(fisher, friction @ velocity)
    assert path.lead(path.velocity(1.3)) == pytest.approx(lead, rel=1e-9)
    held = MinimalDissipation(2.0, anticipate=True).ahead(0.7, 0.1, path)
    assert held == pytest.approx(here + lead + 0.05 * velocity, rel=1e-9)


def test_units_of_parameters_and_turns_of_them_do_not_matter():
    """With θ = A φ: F_φ = AᵀFA, ζ_φ = AᵀζA, and φ̇ = A⁻¹θ̇."""
    fisher, friction, fishers, frictions = bent(3)
    here, goal = RNG.normal(size=(2, 3))
    turn = RNG.normal(size=(3, 3)) * [1e-3, 1.0, 1e4]
    back = np.linalg.inv(turn)

    def seen(matrix):
        return turn.T @ matrix @ turn

    one = PathToTarget(here, goal, fisher, friction, fishers, frictions)
    other = PathToTarget(
        back @ here, back @ goal, seen(fisher), seen(friction),
        [seen(m) for m in fishers], [seen(m) for m in frictions],
    )  # fmt: skip
    assert turn @ other.velocity(0.4) == pytest.approx(one.velocity(0.4), rel=1e-8)


def test_friction_that_noise_made_negative_is_refused():
    one = np.eye(2)
    with pytest.raises(ValueError, match="more replicas for metrics"):
        PathToTarget(np.zeros(2), np.ones(2), one, one, [one] * 8, [np.diag([1.0, -1.0])] * 8)


def test_the_way_of_a_quartic_unit_by_quadrature():
    """One parameter: F̄ is a secant, √ζ̄ the thermodynamic length over the distance."""
    net = ktc.Network(-1.0, 1.0, quartic=1.0)

    def at(bias):
        one = net.with_controls(net.controls.updated(bias=[bias]))
        return theory.fisher_matrix(one), theory.friction_tensor(one)

    here, goal, to_go = 0.4, 5.0, 0.7
    passed = [at(here + s * (goal - here)) for s in NODES]
    fisher, friction = at(here)
    path = PathToTarget(
        np.array([here]), np.array([goal]), fisher, friction,
        [f for f, _ in passed], [z for _, z in passed],
    )  # fmt: skip
    means = [Unit(-1.0, 1.0, bias).average(lambda x: x) for bias in (here, goal)]
    secant = (means[1] - means[0]) / (goal - here)
    start = net.with_controls(net.controls.updated(bias=[here]))
    length = theory.thermodynamic_length(start, {"bias": goal}) / (goal - here)
    pace = length / np.sqrt(friction.item())
    expected = pace * (means[1] - means[0]) / (to_go * secant + 2 * length**2)
    assert path.velocity(to_go) == pytest.approx([expected], rel=1e-3)


def test_the_bias_of_a_gaussian_network_is_learned_by_the_rule_itself():
    """Replica by replica, where F and ζ are constant: joint learning and plain."""
    net, data = ktc.Network([[2.0, 0.7], [0.7, 1.0]], 1.0), np.array([1.0, -2.0])
    for metrics in (None, Metrics()):
        one, other = (
            ktc.learn(
                net, data, MinimalDissipation(2.0, anticipate=ahead), replicas=100, ticks=30,
                seed=141, metrics=metrics,
            )
            for ahead in (False, True)
        )  # fmt: skip
        assert (one.work.samples == other.work.samples).all()


def test_steered_by_theta_star_a_gaussian_network_meets_the_bound(monkeypatch):
    """The same law with nothing constant assumed: second order in the tick, infinite ensemble."""
    net, data = ktc.Network([[2.0, 0.7], [0.7, 1.0]], [1.0, 3.0]), np.array([1.0, -2.0])
    bound = theory.least_excess_work(net, net.stiffness @ data, 2.0)
    monkeypatch.setattr(ktc._learning.metrics.source.MetricSource, "constant", False)
    errors = []
    for ticks in (40, 80):
        fit = ktc.learn(
            net, data, MinimalDissipation(2.0, anticipate=True), replicas=math.inf, ticks=ticks,
            metrics=Metrics(),
        )  # fmt: skip
        assert fit.parameters["bias"] == pytest.approx(net.stiffness @ data, rel=1e-9)
        errors.append(fit.excess_work.mean / bound - 1)
    assert 0 < errors[1] < 2e-3
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.2)


class Facing:
    """Two measurements of a unit of F = 1, whose averages are off: each points beyond the other.

    The answer is b = 1.2, where only what is measured afresh is right.
    """

    net = ktc.Network(1.0, 1.0)
    parameters = theory.Parameters(net, "bias")

    def __init__(self):
        self.asked = 0
        self.known = [self.measured(1.0, off=-0.15), self.measured(1.4, off=0.15)]

    def measured(self, bias, off=0.0):
        one = np.eye(1)
        geometry = Geometry.of_matrices(one, one, self.parameters.blocks)
        return Landmark(np.array([bias]), np.array([-bias - off]), geometry)

    def landmark(self, controls, hold, afresh=False):
        self.asked += 1
        near = min(self.known, key=lambda one: abs(one.theta[0] - controls.bias[0]))
        return self.measured(controls.bias[0]) if afresh else near

    def distance(self, landmark, theta):
        return float(abs(theta - landmark.theta)[0])

    def reaches(self, distance):
        return distance < 0.15


def test_measurements_that_point_beyond_each_other_are_made_again_between():
    facing = Facing()
    found = MeasuredEquilibria(facing).with_forces(np.array([-1.2]), facing.net.controls, 0.1)
    assert found.bias == pytest.approx([1.2])
    assert 2 < facing.asked < 10


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden": [1]}, "with hidden: hidden units have no averages"),
        ({"batch": 5}, "with batch: batches do not show"),
        ({"metrics": Metrics(fisher="replicas")}, "'replicas'"),
    ],
)
def test_what_has_no_way_ahead_is_refused(change, words):
    arguments = {"parameters": ("bias", "stiffness"), "replicas": 20, "ticks": 2, "seed": 1}
    width = 1 if "hidden" in change else 2
    data = RNG.normal(size=(20, width))
    rule = MinimalDissipation(1.0, anticipate=True)
    with pytest.raises(ValueError, match=words):
        ktc.learn(ktc.Network(np.eye(2), 1.0), data, rule, **(arguments | change))


def test_arguments_of_the_schedule():
    rule = MinimalDissipation(1.0, anticipate=True)
    assert (
        repr(rule) == "ktc.schedules.MinimalDissipation(duration=1.0, matrix=True, anticipate=True)"
    )
    assert (
        repr(MinimalDissipation(1.0))
        == "ktc.schedules.MinimalDissipation(duration=1.0, matrix=True)"
    )
    with pytest.raises(ValueError, match="matrix must be True where anticipate"):
        MinimalDissipation(1.0, matrix=False, anticipate=True)
    with pytest.raises(TypeError, match="anticipate must be True or False"):
        MinimalDissipation(1.0, anticipate=1)
    with pytest.raises(ValueError, match="more than 256 parameters"):
        ktc.learn(
            ktc.Network(np.eye(24), 1.0),
            RNG.normal(size=(50, 24)),
            rule,
            parameters=("bias", "stiffness"),
            replicas=20,
            ticks=2,
        )


def test_a_schedule_of_a_user_may_anticipate():
    """One that steers as the rule does leaves the same bits; one without ``ahead`` is refused."""

    class Steered(Schedule):
        anticipate = True

        def velocity(self, time, gradient, geometry):
            raise AssertionError("ahead() steers")

        def ahead(self, time, hold, path):
            return rule.ahead(time, hold, path)

    class Blind(Steered):
        ahead = Schedule.ahead

    rule = MinimalDissipation(1.0, anticipate=True)
    unit, options = ktc.Network(1.0, 1.0, quartic=1.0), {"replicas": 20, "ticks": 4, "seed": 1}
    one, other = (ktc.learn(unit, 1.0, s, **options) for s in (rule, Steered(1.0)))
    assert (one.history.theta == other.history.theta).all()
    with pytest.raises(NotImplementedError, match="Blind sets anticipate"):
        ktc.learn(unit, 1.0, Blind(1.0), **options)
