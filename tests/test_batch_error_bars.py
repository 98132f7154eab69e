"""Error bars of learning runs with batches, hidden units and coupled quartic units."""

from itertools import permutations

import numpy as np
import pytest

import ktc
from ktc._learning.batch_noise import BatchNoise
from ktc.schedules import Adam, Constant, MinimalDissipation, NaturalGradient
from test_error_bars import BOTH, LINEAR, TWO, coverage, ratios, spent

PAIR = ktc.Network([[2.0, 0.5], [0.5, 1.0]], [1.0, 2.0], 0.8, bias=[0.3, -0.2])
QUARTIC = ktc.Network([[1.0, 0.3], [0.3, 1.0]], 1.0, quartic=[1.0, 0.5])
WELLS = ktc.Network([[-1.0, 0.3], [0.3, 1.0]], 1.0, quartic=[1.0, 0.5])


def covariance_by_dealing(samples, size, updates):
    """Covariance of batch means over all orders of the samples, shape (updates, p, updates, p)."""
    n, p = samples.shape
    epoch = n // size
    dealt = [
        [samples[list(order[k * size : (k + 1) * size])].mean(axis=0) for k in range(epoch)]
        for order in permutations(range(n))
    ]
    errors = np.array(dealt).reshape(len(dealt), -1) - np.tile(samples.mean(axis=0), epoch)
    own = (errors.T @ errors / len(errors)).reshape(epoch, p, epoch, p)
    found = np.zeros((updates, p, updates, p))
    for k in range(updates):
        for other in range(updates):
            if k // epoch == other // epoch:
                found[k, :, other] = own[k % epoch, :, other % epoch]
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_variance_of_batches_by_all_orders(size):
    """Five samples, some left out of an epoch, and an epoch that the run ends in."""
    samples, slopes = np.random.default_rng(size).normal(size=(5, 2)), np.ones((7, 2, 1))
    slopes[2:, 0, 0] = -0.3
    slopes[:, 1, 0] = np.arange(7) - 1.5
    covariance = covariance_by_dealing(samples, size, 7)
    expected = np.einsum("kpa,kplq,lqa->a", slopes, covariance, slopes)
    noise = BatchNoise(np.cov(samples.T, bias=True), 5, size)
    assert noise.variance(slopes) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", ["minimal", "natural", "continuous", "Adam"])
def test_ratios_by_slopes_of_every_batch(name):
    """The bias, against slopes of a plain loop in the noise of replicas and of batches.

    100,000 replicas and data of a scatter of 0.004 leave the path a noise of 3e-3, and so have the
    ratios, of which 6 pass.
    """
    ticks, replicas, goal, schedule = 6, 100_000, np.array([2.0, -1.0]), LINEAR[name]
    samples = goal + 0.004 * np.array([[1.0, 0.5], [-1.0, 1.0], [0.5, -2.0], [-0.5, 0.5]])
    fit = ktc.learn(
        TWO, samples, schedule, replicas=replicas, ticks=ticks, seed=1, batch=1, threads=1
    )
    still = np.zeros((ticks + 1, 2))
    _, path = spent(TWO, goal, schedule, ticks, still)

    def slopes(batches=False, controls=None):
        found = np.zeros((*still.shape, 3))
        for place in np.ndindex(still.shape):
            step = still.copy()
            step[place] = 1e-4
            ends = [
                spent(TWO, goal + sign * step if batches else goal, schedule, ticks,
                      still if batches else sign * step, controls)[0]
                for sign in (-1, 1)
            ]  # fmt: skip
            found[place] = (ends[1] - ends[0]) / 2e-4
        return found

    shared, alone = (np.sum(slopes(controls=c) ** 2, axis=(0, 1)) for c in (None, path))
    told = slopes(batches=True)
    covariance = covariance_by_dealing(samples, 1, ticks + 1)
    batches = np.einsum("kpa,kplq,lqa->a", told, covariance, told)
    assert (batches * replicas > 0.2 * shared).any()
    expected = np.sqrt((shared + replicas * batches) / alone)
    assert fit.error_method == "linear response"
    assert ratios(fit)[:3] == pytest.approx(expected, rel=2e-2)


def test_methods_are_told(tmp_path):
    """Linear response in all three cases, and the same errors of a loaded fit."""
    data = np.array([[1.0, -0.5], [0.2, 0.4], [0.9, -1.2], [1.5, 0.1]])
    options = {"replicas": 50, "ticks": 6, "seed": 1, "threads": 1}
    for net, chosen, schedule in (
        (PAIR, {"batch": 2, "parameters": BOTH}, MinimalDissipation(2.0)),
        (PAIR, {"hidden": 1, "parameters": BOTH, "data": data[:, 0]}, Constant(2.0, 0.1)),
        (PAIR, {"hidden": 1, "batch": 2, "data": data[:, 0]}, MinimalDissipation(2.0)),
        (WELLS, {"parameters": ("bias", "couplings")}, Constant(2.0, 0.5)),
        (WELLS, {"batch": 2}, Adam(2.0, 0.5)),
    ):
        fit = ktc.learn(net, schedule=schedule, **{"data": data} | options | chosen)
        assert fit.error_method == "linear response"
        assert fit.work.stderr > 0 and "linear response" in fit.work.method
        fit.save(tmp_path / "fit.npz")
        again = ktc.Fit.load(tmp_path / "fit.npz")
        assert (fit.work.stderr, fit.heat.stderr) == (again.work.stderr, again.heat.stderr)
        (tmp_path / "fit.npz").unlink()


def test_too_many_parameters_of_batches():
    """Above 64 the response is not followed, and the fit says so."""
    net = ktc.Network(np.eye(65), 1.0)
    data = np.random.default_rng(0).normal(size=(6, 65))
    fit = ktc.learn(net, data, Constant(1.0, 0.5), replicas=20, ticks=4, seed=1, threads=1, batch=3)
    assert fit.batch_scatter is None and fit.error_method == "independent replicas"
    assert "errors as of independent replicas" in repr(fit)


def samples(units, mean, seed=0):
    """60 samples of a scatter of about one, with this mean."""
    rows = np.random.default_rng(seed).normal(size=(60, units))
    return 0.9 * (rows - rows.mean(axis=0)) + mean


def test_error_bars_of_batches_cover():
    """150 runs of 20 replicas: 3σ of a binomial of 68 %."""
    found = coverage(TWO, samples(2, [2.0, -1.0]), NaturalGradient(3.0, 0.8), 20, runs=150, ticks=6,
                     batch=10)  # fmt: skip
    assert ((found >= 0.57) & (found <= 0.79)).all()


def costs(net, data, schedule, replicas, runs, **options):
    """Coverage of W, W − ΔF and Q."""
    fits = [
        ktc.learn(net, data, schedule, replicas=replicas, ticks=8, seed=seed, threads=1, **options)
        for seed in range(runs)
    ]
    values = [[fit.work, fit.excess_work, fit.heat] for fit in fits]
    means, errors = (
        np.array([[getattr(one, name) for one in row] for row in values])
        for name in ("mean", "stderr")
    )
    assert {fit.error_method for fit in fits} == {"linear response"}
    return np.mean(np.abs(means - means.mean(axis=0)) < errors, axis=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size"), [("minimal", 10), ("natural", 30), ("constant", 10), ("Adam", 30)]
)
def test_error_bars_of_batches_cover_under_all_rules(name, size):
    found = coverage(TWO, samples(2, [2.0, -1.0]), LINEAR[name], 1000, ticks=8, batch=size)
    assert ((found >= 0.60) & (found <= 0.76)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schedule", "batch"), [(Constant(3.0, 0.1), 20), (NaturalGradient(3.0, 0.3), None)], ids=repr
)
def test_error_bars_of_hidden_units_cover(schedule, batch):
    found = costs(PAIR, samples(1, 1.0), schedule, 200, 300, parameters=BOTH, hidden=1, batch=batch)
    assert ((found >= 0.60) & (found <= 0.76)).all()


@pytest.mark.slow
def test_error_bars_of_coupled_quartic_units_cover():
    """60 runs: 3σ of a binomial of 68 % are 18 %."""
    found = costs(QUARTIC, 0.5 * samples(2, 1.4), Constant(3.0, 0.4), 100, 60, batch=20)
    assert ((found >= 0.50) & (found <= 0.86)).all()
