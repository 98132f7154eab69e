"""Schedules by themselves: rates, jumps, and what they refuse."""

import numpy as np
import pytest

import ktc
from ktc import schedules
from ktc._theory.geometry import Geometry

NET = ktc.Network([[2.0, 0.5], [0.5, 1.0]], [[1.0, 0.2], [0.2, 3.0]], kT=0.4)
ALL = [
    schedules.MinimalDissipation(2.0),
    schedules.MinimalDissipation(2.0, matrix=False),
    schedules.ContinuousMinimalDissipation(2.0, [1.0, 2.0]),
    schedules.NaturalGradient(2.0, 0.3),
    schedules.Constant(2.0, 0.3),
    schedules.Exponential(2.0, 0.3, 0.1),
    schedules.Cosine(2.0, 0.3),
]


@pytest.mark.parametrize("parameter", ["bias", "center"])
@pytest.mark.parametrize("time", [0.0, 0.7, 2.0])
def test_matrix_rates(parameter, time):
    """η = [(T − t)F + 2ζ]⁻¹ and [(T − t)F + ζ]⁻¹ F and ζ written out here, by NumPy's inverse."""
    inverse = np.linalg.inv(NET.stiffness)
    if parameter == "bias":
        fisher, friction = inverse, inverse @ NET.friction @ inverse
    else:
        fisher, friction = NET.stiffness, NET.friction
    geometry = Geometry.of(NET, parameter)
    for schedule, lags in ((ALL[0], 2), (ALL[2], 1)):
        expected = np.linalg.inv((2.0 - time) * fisher + lags * friction)
        assert schedule.rate(time, geometry) == pytest.approx(expected, rel=1e-12)
    assert ALL[3].rate(time, geometry) == pytest.approx(0.3 * np.linalg.inv(fisher), rel=1e-12)
    g = np.array([1.0, -2.0])
    first = np.linalg.solve(fisher, friction @ ALL[0].rate(0.0, geometry) @ g)
    assert ALL[0].first_jump(g, geometry, lambda x: x) == pytest.approx(first, rel=1e-12)
    assert ALL[0].last_jump(g, geometry) == pytest.approx(0.5 * np.linalg.solve(fisher, g))


def test_one_harmonic_unit():
    """η = 1/[k(T − t + 2τ)], first jump g/[k(T/τ + 2)], last jump g/(2k)."""
    k, friction, duration, g = 4.0, 2.0, 3.0, np.array([1.7])
    geometry = Geometry.of(ktc.Network(k, friction), "center")
    for schedule in (
        schedules.MinimalDissipation(duration),
        schedules.MinimalDissipation(duration, matrix=False),
    ):
        assert schedule.velocity(1.0, g, geometry) == pytest.approx(g / (k * (2.0 + 1.0)))
        assert schedule.first_jump(g, geometry, lambda x: x) == pytest.approx(g / (k * (6 + 2)))
        assert schedule.last_jump(g, geometry) == pytest.approx(g / (2 * k))


def test_scalar_rates():
    times = np.array([0.0, 0.5, 2.0])
    rates = {s.name: [s.scalar_rate(t) for t in times] for s in ALL[4:]}
    assert rates["Constant"] == pytest.approx([0.3] * 3)
    assert rates["Exponential"] == pytest.approx(0.3 * (1 / 3) ** (times / 2))
    assert rates["Cosine"] == pytest.approx(0.15 * (1 + np.cos(np.pi * times / 2)))


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_a_schedule_says_how_to_make_it_again(schedule):
    again = eval(repr(schedule), {"ktc": ktc})
    assert repr(again) == repr(schedule) and type(again) is type(schedule)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: schedules.MinimalDissipation(0.0), "duration must be positive, but is 0.0"),
        (lambda: schedules.MinimalDissipation(np.inf), "duration must be finite"),
        (lambda: schedules.Constant(1.0, -2.0), "rate must be positive, but is -2.0"),
        (lambda: schedules.Constant(1.0, np.nan), "rate must be finite"),
        (lambda: schedules.NaturalGradient(1.0, 0.0), "rate must be positive"),
        (lambda: schedules.Exponential(1.0, 1.0, 0.0), "final must be positive"),
        (lambda: schedules.Exponential(1.0, -1.0, 1.0), "initial must be positive"),
        (lambda: schedules.Cosine(1.0, -1.0), "initial must be positive"),
        (lambda: schedules.ContinuousMinimalDissipation(1.0, [np.nan]), "target must be finite"),
        (lambda: Geometry.of(NET, "couplings"), "parameter must be one of"),
    ],
)
def test_bad_values(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_bad_types():
    with pytest.raises(TypeError, match="matrix must be True or False"):
        schedules.MinimalDissipation(1.0, matrix="yes")
    with pytest.raises(TypeError, match="unexpected keyword"):
        schedules.Constant(1.0, rate=1.0, jumps=True)
    with pytest.raises(TypeError, match="rate must be real numbers"):
        schedules.Constant(1.0, rate="fast")


def test_a_schedule_of_a_user_is_saved_with_its_fit(tmp_path):
    class Late(schedules.MinimalDissipation):
        pass

    class Power(schedules.Schedule):
        uses_metrics = False

        def __init__(self, duration, rate, exponent=1.0):
            super().__init__(duration, rate=rate, exponent=exponent)
            self.values = rate, exponent

        def velocity(self, time, gradient, geometry):
            rate, exponent = self.values
            return rate * (1 - time / self.duration) ** exponent * gradient

    for schedule in (Late(1.0, matrix=False), Power(1.0, 2.0, exponent=0.5)):
        fit = ktc.learn(NET, [1.0, 2.0], schedule, replicas=20, ticks=5, seed=1)
        fit.save(tmp_path / "fit.ktc")
        loaded = ktc.load(tmp_path / "fit.ktc").schedule
        assert type(loaded) is type(schedule)
        assert repr(loaded) == repr(schedule) and loaded.arguments == schedule.arguments
        assert repr(loaded).startswith(type(schedule).__name__)
    assert loaded.values == (2.0, 0.5)


def test_a_schedule_that_could_not_be_restored_is_not_saved(tmp_path):
    class Forgetful(schedules.Constant):
        def __init__(self, speed):
            super().__init__(1.0, speed)

    fit = ktc.learn(NET, [1.0, 2.0], Forgetful(0.5), replicas=20, ticks=5, seed=1)
    with pytest.raises(TypeError, match=r"missing .* 'speed'|super\(\).__init__"):
        fit.save(tmp_path / "fit.ktc")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["MinimalDissipation", "Fit"])
def test_a_schedule_may_not_take_the_name_of_a_class_of_ktc(name):
    with pytest.raises(ValueError, match=f"{name} is the name of a class of ktc"):
        type(name, (schedules.Constant,), {})
    assert type(schedules.MinimalDissipation(1.0)) is schedules.MinimalDissipation
