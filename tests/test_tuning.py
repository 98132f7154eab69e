"""The search for the best rate, against rates found by integrating the moment equations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import minimize_scalar

from ktc import Board, Emulator, Network, schedules
from ktc._learning.planning.best_rate import best_rate
from refusal import refused

UNIT = Network(stiffness=1.0, friction=1.0)
MU, T = 5.0, 2.0


def completed_excess(rate_over_time):
    """Moment equations of one unit, k = γ = kT = 1: ṁ = b − m, ḃ = η(μ − m), Ẇ = −ḃ m.

    Completed by a last jump to b = μ, with ΔF = −μ²/2.
    """

    def motion(t, y):
        mean, bias, _ = y
        speed = rate_over_time(t) * (MU - mean)
        return [bias - mean, speed, -speed * mean]

    mean, bias, work = solve_ivp(motion, (0, T), [0, 0, 0], rtol=1e-9, atol=1e-9).y[:, -1]
    return work - (MU - bias) * mean + MU**2 / 2


SHAPES = {
    "Constant": (
        lambda rate: schedules.Constant(T, rate),
        lambda rate: lambda t: rate,
    ),
    "Exponential": (
        lambda rate: schedules.Exponential(T, rate, 10 * rate),
        lambda rate: lambda t: rate * 10 ** (t / T),
    ),
    "Cosine": (
        lambda rate: schedules.Cosine(T, rate),
        lambda rate: lambda t: 0.5 * rate * (1 + np.cos(np.pi * t / T)),
    ),
    # For one unit with F = 1 the natural gradient is the plain one.
    "NaturalGradient": (
        lambda rate: schedules.NaturalGradient(T, rate),
        lambda rate: lambda t: rate,
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_best_rate_of_one_unit(name):
    """The exact cost at the rate found is within a hundredth of the least one.

    A rate that is off by a relative δ costs about δ² of the excess more, here at most 0.1² by the
    tolerance. The noise of 400 replicas shifts the optimum by some σ/(μ√N) = 0.01 only: no chance
    of a false alarm to speak of, and the seed is fixed.
    """
    make, rate_over_time = SHAPES[name]
    best = best_rate(UNIT, MU, make, replicas=400, ticks=200, seed=3)
    least = minimize_scalar(
        lambda u: completed_excess(rate_over_time(np.exp(u))), bounds=(-4, 4), method="bounded"
    )
    cost = completed_excess(rate_over_time(best.rate))
    assert cost <= 1.01 * least.fun
    assert best.rate == pytest.approx(np.exp(least.x), rel=0.25)
    # The cost that it reports is the exact one within 4σ, which fails by chance at 6.3e-5, and
    # 0.5 % for ticks of T/200.
    reported = best.completed_excess_work
    assert abs(reported.mean - cost) < 4 * reported.stderr + 0.005 * cost


def test_units_do_not_matter():
    """One RC cell in SI is the same unit, its rate in V²/(J·s) = 1/(F·s)."""
    board = Board(1, 1e6, 1e-12, 300.0)
    goal = MU * board.thermal_width
    plain = best_rate(UNIT, MU, lambda rate: schedules.Constant(T, rate), seed=3)
    best = best_rate(board, goal, lambda rate: schedules.Constant(T * 1e-6, rate), seed=3)
    assert best.rate * 1e-12 * 1e-6 == pytest.approx(plain.rate, rel=1e-6)
    assert best.completed_excess_work.in_kT.mean == pytest.approx(
        plain.completed_excess_work.mean, rel=1e-6
    )


def test_all_that_was_tried_is_kept_and_the_best_of_it_returned():
    best = best_rate(UNIT, MU, lambda rate: schedules.Constant(T, rate), seed=3)
    assert (np.diff(best.rates) > 0).all()
    assert best.rates.shape == best.costs.shape
    assert best.rates[np.argmin(best.costs)] == best.rate
    assert best.costs.min() == best.completed_excess_work.mean
    assert best.schedule.arguments == {"duration": T, "rate": best.rate}


def test_the_same_seed_gives_the_same_rate():
    def search(seed):
        return best_rate(UNIT, MU, lambda rate: schedules.Constant(T, rate), seed=seed, ticks=20)

    assert search(3).rate == search(3).rate
    assert (search(3).costs[:1] != search(4).costs[:1]).all()


@pytest.mark.parametrize("bracket", [(1e-5, 1e-4), (1e3, 1e5), (1e60, 1e66)])
def test_a_bracket_beside_the_best_rate_is_left(bracket):
    """From below, from where costs are huge, and from where every run diverges."""

    def make(rate):
        return schedules.Constant(T, rate)

    inside = best_rate(UNIT, MU, make, seed=3)
    best = best_rate(UNIT, MU, make, seed=3, bracket=bracket)
    # Flat at its bottom: two searches agree on the cost better than on the rate.
    assert best.completed_excess_work.mean == pytest.approx(
        inside.completed_excess_work.mean, rel=0.01
    )


def test_blow_up_counts_as_infinitely_dear():
    best = best_rate(
        UNIT, MU, lambda rate: schedules.Constant(T, rate), ticks=200, seed=3, bracket=(0.1, 1e12)
    )
    assert np.isinf(best.costs).any()
    assert np.isfinite(best.completed_excess_work.mean)
    assert best.rate < 10


def test_where_everything_diverges_the_error_says_so():
    with refused(ValueError, "diverged at every rate from", "take more ticks"):
        best_rate(UNIT, MU, lambda rate: schedules.Constant(T, 1e200 + rate), seed=3)


def test_a_schedule_that_ignores_its_rate_is_refused():
    """Same noise, same costs to the bit, whatever the rate."""
    net = Network(1.0, 1.0)
    with pytest.raises(ValueError, match="schedule must depend on the rate"):
        best_rate(net, 3.0, lambda rate: schedules.MinimalDissipation(2.0), bracket=(0.1, 1.0))


def test_bad_input_is_refused():
    def make(rate):
        return schedules.Constant(T, rate)

    with refused(TypeError, "device must be a Network or a Board", "Emulator"):
        best_rate(Emulator(UNIT, replicas=2, seed=1), MU, make)
    with refused(ValueError, "bracket must be two ascending positive rates", "(2.0, 1.0)"):
        best_rate(UNIT, MU, make, bracket=(2.0, 1.0))
    with refused(ValueError, "tolerance must be below 1, but is 2.0"):
        best_rate(UNIT, MU, make, tolerance=2.0)
    with refused(TypeError, "schedule must make one of ktc.schedules", "float"):
        best_rate(UNIT, MU, lambda rate: rate)
    with refused(ValueError, "data must have shape (samples, 1)"):
        best_rate(UNIT, [[1.0, 2.0]], make)
    with refused(ValueError, "replicas must be at least 1, but is 0"):
        best_rate(UNIT, MU, make, replicas=0)
    with refused(ValueError, "parameters must be one or several of"):
        best_rate(UNIT, MU, make, parameters=("slope",))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_infinite_ensemble_has_no_noise_to_tune_by(shape):
    """Rate and cost within what 400 ticks leave of those of the moment equations."""
    schedule, over_time = SHAPES[shape]
    tuned = best_rate(UNIT, MU, schedule, replicas=math.inf, ticks=400, tolerance=0.01)
    exact = minimize_scalar(
        lambda log: completed_excess(over_time(np.exp(log))), bounds=(-3, 3), method="bounded"
    )
    assert tuned.rate == pytest.approx(np.exp(exact.x), rel=0.03)
    assert tuned.completed_excess_work.mean == pytest.approx(exact.fun, rel=1e-3)
    assert tuned.completed_excess_work.stderr == 0


def test_quartic_units_have_no_infinite_ensemble():
    quartic = Network(stiffness=1.0, friction=1.0, quartic=1.0)
    with refused(ValueError, "replicas must be finite"):
        best_rate(quartic, 1.0, lambda rate: schedules.Constant(T, rate), replicas=math.inf)


def test_a_schedule_without_a_rate_needs_a_bracket():
    with refused(ValueError, "Adam has no rate by itself", "give one"):
        best_rate(UNIT, MU, lambda rate: schedules.Adam(T, rate))
    tuned = best_rate(UNIT, MU, lambda rate: schedules.Adam(T, rate), bracket=(0.5, 20.0))
    assert 0.5 < tuned.rate < 20.0
