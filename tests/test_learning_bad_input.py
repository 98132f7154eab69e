"""What a learner of couplings and quartic terms refuses, cuts back, and stops at."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc
from ktc import Metrics, Topology
from ktc.schedules import (
    Adam,
    Constant,
    ContinuousMinimalDissipation,
    MinimalDissipation,
    NaturalGradient,
    Schedule,
)
from refusal import refused

RNG = np.random.default_rng(110)
DATA = RNG.normal(size=(50, 2))
WELLS = ktc.Network([[-1.0, 0.2], [0.2, -1.0]], 1.0, quartic=1.0)
RING = ktc.Board(4, 1e6, 1e-12, 300.0, topology=Topology.ring(4))
BOARD = ktc.Board(2, 1e6, 1e-12, 300.0)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"parameters": ("stiffness", "charge")}, ValueError, "one or several of .*'charge'"),
        ({"parameters": ("stiffness", "couplings")}, ValueError, "do not overlap"),
        ({"mask": [[True, True], [False, True]]}, ValueError, r"symmetric, .* \[0, 1\]"),
        ({"mask": np.zeros((2, 2))}, ValueError, "leaves no stiffness to learn"),
        ({"data": np.ones((5, 3))}, ValueError, r"data must have shape \(samples, 2\)"),
        ({"data": [[1.0, np.nan]]}, ValueError, "data must be finite, but is nan"),
        ({"data": np.ma.masked_invalid([[1.0, np.nan]])}, ValueError, "no masked entries"),
        ({"data": [[1.0, 2.0]]}, ValueError, "do not vary in column 0"),
        ({"data": [[1.0, 2.0], [2.0, 3.0]]}, ValueError, "vary in 1 of 2 directions alone"),
        ({"data": DATA * 1e200}, ValueError, "overflows"),
        ({"parameters": ("quartic",)}, ValueError, "unit 0 is learned, but starts at zero"),
        ({"device": BOARD, "parameters": ("quartic",)}, ValueError, "'quartic', which a Board"),
        ({"device": RING, "data": RNG.normal(size=(9, 4))}, ValueError, "leave it out by mask"),
        ({"parameters": ("bias", "center")}, ValueError, "'center'"),
        ({"metrics": "measured"}, TypeError, "ktc.Metrics"),
        (
            {"metrics": Metrics("measured", replicas=20, shrinkage=None), "device": ktc.Network(
                np.eye(6), 1.0), "data": RNG.normal(size=(50, 6))},
            ValueError,
            "more than the 27 parameters where shrinkage is None, but are 20",
        ),
        (
            {"metrics": Metrics(fisher="replicas", shrinkage=None), "replicas": 5},
            ValueError,
            "more than the 5 parameters .* but are 5: F would be singular",
        ),
        ({"metrics": Metrics("measured", replicas=20), "device": WELLS}, ValueError,
         "noise dominates it; take more replicas .in learn, by ktc.Metrics"),
        ({"hidden": 1.5}, TypeError, "hidden must be a whole number"),
        ({"metrics": Metrics("exact"), "device": WELLS}, ValueError, "take 'measured'"),
        (
            {"schedule": ContinuousMinimalDissipation(1.0, 1.0)},
            ValueError,
            "a target of the bias alone",
        ),
        ({"schedule": Constant(1.0, 0.1, {"quartic": 1.0})}, ValueError, "weights .* 'quartic'"),
        (
            {"schedule": Constant(1.0, 0.1), "metrics": Metrics("measured")},
            ValueError,
            "metrics is Metrics.*, but Constant uses neither F nor zeta; leave metrics out",
        ),
        ({"replicas": math.inf, "seed": None, "threads": 1}, ValueError, "leave threads out"),
    ],
)  # fmt: skip
def test_bad_input(change, error, words):
    arguments = {
        "device": ktc.Network(np.eye(2), 1.0), "data": DATA, "schedule": MinimalDissipation(1.0),
        "parameters": ("bias", "stiffness"), "replicas": 30, "ticks": 4, "seed": 1,
    }  # fmt: skip
    with pytest.raises(error, match=words):
        ktc.learn(**{**arguments, **change})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Metrics("guess"), "source must be one of"),
        (lambda: Metrics(fisher="data"), "fisher must be one of"),
        (lambda: Metrics(replicas=3), "replicas must be at least 20"),
        (lambda: Metrics(shrinkage=2.0), "shrinkage"),
        (lambda: Metrics(refresh=0.0), "refresh must be positive"),
        (lambda: Adam(1.0, 0.1, beta1=1.0), "beta1 must be from 0 to below 1"),
        (lambda: Constant(1.0, 0.1, {"bias": 0.0}), r"weights\['bias'\] must be positive"),
    ],
)
def test_bad_settings(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_tails_that_only_a_negative_quartic_term_gives():
    """A Laplace distribution has ⟨x⁴⟩ = 6σ⁴ where a normal one has 3σ⁴."""
    data = np.random.default_rng(111).laplace(size=(500, 1))
    unit = ktc.Network(1.0, 1.0, quartic=0.5)
    names = ("bias", "stiffness", "quartic")
    with pytest.raises(ValueError, match="heavier tails than a normal distribution in column 0"):
        ktc.learn(unit, data, MinimalDissipation(1.0), parameters=names, replicas=50, ticks=5)


def test_an_update_that_unconfines_is_halved_and_recorded():
    """Data eight times as wide, and a rate that would turn the stiffness negative at once."""
    unit = ktc.Network(1.0, 1.0)
    data = 8 * np.random.default_rng(112).normal(size=(300, 1))
    fit = ktc.learn(
        unit, data, Constant(0.5, 4.0), parameters="stiffness", replicas=500, ticks=10, seed=2
    )
    history = fit.history
    assert len(history.backtracked) > 0 and history.backtracked[0] == 0
    shares = history.share
    assert (np.log2(shares) == np.round(np.log2(shares))).all() and (shares > 0).all()
    assert (history.theta > 0).all()
    assert np.isfinite(fit.excess_work.mean)


@pytest.mark.parametrize(
    "schedule",
    [Constant(1.0, 1e4), NaturalGradient(1.0, 1e5), Adam(1.0, 1e12)],
    ids=lambda schedule: schedule.name,
)
def test_blow_up_stops_at_the_last_good_state(schedule):
    """Bias and stiffness at absurd rates: what comes back is finite, and says when and why."""
    fit = ktc.learn(
        ktc.Network(np.eye(2), 1.0),
        DATA + 1,
        schedule,
        parameters=("bias", "couplings"),
        replicas=50,
        ticks=50,
        seed=3,
    )
    assert fit.stopped_early is not None and fit.stopped_early.startswith("tick ")
    assert fit.time < 1.0 and len(fit.history.time) < 51
    for values in vars(fit.history).values():
        assert np.isfinite(values).all()
    assert np.isfinite(fit.device.read()).all()
    assert fit.device.controls == fit.controls
    assert np.isfinite(fit.work.mean) and np.isfinite(fit.completed_excess_work.mean)
    assert "stopped early" in repr(fit)


def test_a_refused_call_leaves_the_emulator_alone():
    emulator = ktc.Emulator(ktc.Network(np.eye(2), 1.0), replicas=10, seed=1)
    before = emulator.read()
    with pytest.raises(ValueError, match="do not vary"):
        ktc.learn(emulator, [[1.0, 2.0]], MinimalDissipation(1.0), parameters=("bias", "stiffness"))
    assert (emulator.read() == before).all() and emulator.time == 0


def test_an_infinite_ensemble_takes_threads_for_measured_metrics_alone():
    options = {"replicas": math.inf, "ticks": 3, "threads": 1}
    net, settings = ktc.Network(1.0, 1.0), Metrics("measured", replicas=20, refresh=100.0)
    ktc.learn(net, 1.0, MinimalDissipation(1.0), metrics=settings, seed=1, **options)
    for schedule in (MinimalDissipation(1.0), Constant(1.0, 0.5)):
        with refused(ValueError, "threads is 1", "leave threads out"):
            ktc.learn(net, 1.0, schedule, **options)


class Broken(Schedule):
    """A schedule of a user whose velocity is given by the test."""

    uses_metrics = False

    def __init__(self, made):
        super().__init__(1.0, made=made)
        self.made = made

    def velocity(self, time, gradient, geometry):
        return self.made(time, gradient, geometry)


@pytest.mark.parametrize(
    ("made", "error", "words"),
    [
        (lambda t, g, m: None, ValueError, "velocity of Broken.*shape .2,., .* NoneType"),
        (lambda t, g, m: g[:1], ValueError, r"velocity .* shape \(2,\), but returned shape \(1,\)"),
        (lambda t, g, m: 1.0, ValueError, r"but returned shape \(\)"),
        (lambda t, g, m: 1j * g, ValueError, "one number per parameter"),
        (lambda t, g, m: np.nan * g, ValueError, "tick 0: Broken.* gives NaN .* its velocity"),
        (lambda t, g, m: m.solve(1.0, 1.0, g), TypeError, "solve of F and zeta.*uses_metrics"),
        (lambda t, g, m: g / m.traces[0], TypeError, "Broken asks for traces"),
        (lambda t, g, m: m.natural(1.0, g), TypeError, "Broken asks for natural"),
        (lambda t, g, m: m.lead(g), TypeError, "uses_metrics is False; set it to True"),
    ],
)
def test_a_broken_schedule_is_refused_by_name(made, error, words):
    emulator = ktc.Emulator(ktc.Network(np.eye(2), 1.0), replicas=10, seed=1)
    with pytest.raises(error, match=words):
        ktc.learn(emulator, [1.0, 2.0], Broken(made), ticks=3)
    assert emulator.time == 0 and not emulator.controls.bias.any()


def test_a_schedule_that_turns_to_nan_ends_the_run_and_is_named():
    fit = ktc.learn(
        ktc.Network(1.0, 1.0), 1.0, Broken(lambda t, g, m: g if t < 0.5 else np.nan * g),
        replicas=10, ticks=4, seed=1,
    )  # fmt: skip
    assert fit.stopped_early.startswith("tick 2: Broken(") and "NaN" in fit.stopped_early
    assert len(fit.history.time) == 2


def test_a_schedule_whose_base_is_not_made_is_refused():
    class Bare(Constant):
        def __init__(self):
            self.speed = 1.0

    with refused(TypeError, "__init__ of Bare must call super().__init__(duration)"):
        ktc.learn(ktc.Network(1.0, 1.0), 1.0, Bare(), replicas=10)


def test_an_infinite_ensemble_checks_threads():
    with refused(ValueError, "threads", "-2"):
        ktc.learn(
            ktc.Network(1.0, 1.0), 1.0, Constant(1.0, 0.5), replicas=math.inf, ticks=3, threads=-2
        )
