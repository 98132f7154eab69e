"""Minibatches: which samples an update sees, told from its gradient."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc
from ktc._learning.data import Batches
from ktc.schedules import Constant, MinimalDissipation
from refusal import refused, refused_unchanged

UNIT = ktc.Network(1.0, 1.0)
# Sums of distinct powers of two tell which samples are in them.
POWERS = 2.0 ** np.arange(7)
OPTIONS = {"replicas": math.inf, "ticks": 20, "seed": 3}


def seen(goals, size):
    """Numbers of the samples whose mean each goal is."""
    sums = np.rint(np.asarray(goals) * size).astype(int)
    assert np.asarray(goals) * size == pytest.approx(sums, abs=1e-6)
    return [tuple(np.flatnonzero([total >> k & 1 for k in range(7)])) for total in sums]


def assert_epochs(batches, size):
    """Each of ⌊7/size⌋ batches has that many, no sample comes twice, and epochs differ."""
    many = 7 // size
    assert all(len(batch) == size for batch in batches)
    epochs = [batches[i : i + many] for i in range(0, len(batches), many)]
    assert all(len({k for batch in one for k in batch}) == size * len(one) for one in epochs)
    assert len({tuple(one) for one in epochs}) > 1


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("metrics", [None, ktc.Metrics()])
def test_the_bias_learns_from_batches(size, metrics):
    """The batch's mean is g + m; both paths draw the same ones."""
    fit = ktc.learn(UNIT, POWERS, MinimalDissipation(2.0), batch=size, metrics=metrics, **OPTIONS)
    batches = seen((fit.history.gradient + fit.history.mean)[:, 0], size)
    assert len(batches) == 21
    assert_epochs(batches, size)
    expected = Batches(7, size, seed=3)
    assert batches == [tuple(expected.draw()) for _ in range(21)]
    other = ktc.learn(UNIT, POWERS, MinimalDissipation(2.0), batch=size, **OPTIONS | {"seed": 4})
    assert seen((other.history.gradient + other.history.mean)[:, 0], size) != batches
    assert fit.batch == size and fit.samples == 7 and fit.data_mean == POWERS.mean()


def test_all_parameters_see_the_same_batch():
    """g of K is ½⟨x²⟩ of the replicas less that of the batch, whose numbers the bias tells."""
    start = ktc.Network(1.0, 1.0, bias=20.0)
    fit = ktc.learn(
        start, POWERS, Constant(0.01, 1e-6), parameters=("bias", "stiffness"), batch=2, **OPTIONS
    )
    history = fit.history
    batches = seen((history.gradient[:, 0] + history.mean[:, 0]), 2)
    assert_epochs(batches, 2)
    squares = np.array([np.mean(POWERS[list(batch)] ** 2) for batch in batches])
    own = history.gradient[:, 1] + 0.5 * squares
    # Hardly driven, the replicas keep ½⟨x²⟩ = ½(20² + 1); the data's own scatter is in thousands.
    assert own == pytest.approx(np.full(21, 200.5), rel=1e-3)


def test_hidden_units_are_read_where_their_visible_ones_hold_the_batch():
    """The visible unit's own bias sees the batch's mean, which friction holds to 1e-5."""
    pair = ktc.Network([[1.0, 0.3], [0.3, 1.0]], 1.0)
    fit = ktc.learn(
        pair, POWERS[:, None], Constant(0.5, 1e-3), parameters=("bias", "couplings"), replicas=70,
        ticks=12, seed=5, hidden=1, batch=3,
    )  # fmt: skip
    goals = fit.history.gradient[:, 0] + fit.history.mean[:, 0]
    sums = np.rint(3 * goals)
    assert 3 * goals == pytest.approx(sums, abs=1e-2)
    assert_epochs(seen(sums / 3, 3), 3)


@pytest.mark.parametrize("names", [("bias",), ("bias", "stiffness")])
def test_a_batch_of_all_samples_is_all_samples(names):
    data = np.random.default_rng(1).normal(size=(9, 1))
    runs = [
        ktc.learn(
            UNIT,
            data,
            MinimalDissipation(1.0),
            parameters=names,
            replicas=20,
            ticks=10,
            seed=1,
            batch=batch,
        )
        for batch in (None, 9)
    ]
    assert (runs[0].history.theta == runs[1].history.theta).all()


@pytest.mark.parametrize("names", [("bias",), ("bias", "stiffness")])
def test_what_a_batch_believes_to_have_gained(names):
    """Σ g·Δθ − kT Δ(log-likelihood of all) is the excess work and Σ (g_batch − g_all)·Δθ."""
    data = np.random.default_rng(2).normal(1.0, 1.0, size=(12, 1))
    start = ktc.Network(1.0, 1.0, bias=0.3)
    fit = ktc.learn(
        start, data, Constant(1.0, 0.2), parameters=names, replicas=50, ticks=20, seed=6, batch=3
    )
    history = fit.history
    theta = [start.bias[0], *start.stiffness.ravel()][: len(names)]
    steps = np.diff(np.vstack([theta, history.theta]), axis=0)
    own = history.gradient[:, 0] + history.mean[:, 0]
    surplus = [own - data.mean()]
    if len(names) == 2:
        batches = Batches(12, 3, seed=6)
        squares = [np.mean(data[batches.draw()] ** 2) for _ in own]
        surplus.append(0.5 * (np.mean(data**2) - np.array(squares)))
    extra = np.sum(np.transpose(surplus) * steps)
    assert fit.likelihood_bias.mean == pytest.approx(fit.excess_work.mean + extra, rel=1e-9)
    assert abs(extra) > 1e-3


@pytest.mark.parametrize("names", [("bias",), ("bias", "stiffness")])
@pytest.mark.parametrize(
    ("batch", "error", "words"),
    [
        (8, ValueError, "batch must be at most the 7 samples of the data, but is 8"),
        (0, ValueError, "batch must be at least 1, but is 0"),
        (2.0, TypeError, "batch must be a whole number, but is 2.0"),
        (True, TypeError, "batch must be a whole number, but is True"),
    ],
)
def test_bad_batches(names, batch, error, words):
    emulator = ktc.Emulator(UNIT, replicas=5, seed=1)
    with refused_unchanged(emulator, error, words):
        ktc.learn(emulator, POWERS, MinimalDissipation(1.0), parameters=names, ticks=5, batch=batch)


def test_a_batch_of_hidden_units_too_large():
    pair = ktc.Network([[1.0, 0.3], [0.3, 1.0]], 1.0)
    with refused(ValueError, "batch must be at most the 7 samples"):
        ktc.learn(pair, POWERS, Constant(1.0, 0.1), hidden=1, replicas=9, batch=8)


@pytest.mark.parametrize("names", [("bias",), ("bias", "stiffness")])
def test_a_saved_fit_keeps_its_batch(names, tmp_path):
    fit = ktc.learn(UNIT, POWERS / 50, Constant(1.0, 0.1), parameters=names, batch=4, **OPTIONS)
    fit.save(tmp_path / "fit.npz")
    assert type(fit).load(tmp_path / "fit.npz").batch == 4
