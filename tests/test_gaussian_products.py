"""Products with F and ζ against the matrices themselves, and conjugate gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.linalg

import ktc
from ktc import theory
from ktc._learning.metrics import calibration, exact_model, sampled_products
from ktc._learning.metrics.gaussian_products import GaussianProducts
from ktc._learning.metrics.metric_tensors import (
    Indefinite,
    conjugate_gradients,
    extreme_ritz_values,
)
from ktc._learning.metrics.sampled_products import SampledProducts
from ktc._measure.correlation_windows import correlated_windows
from ktc._theory.geometry import Geometry

RNG = np.random.default_rng(70)
D = 5


def positive(d):
    root = RNG.normal(size=(d, d))
    return root @ root.T + np.eye(d)


NET = ktc.Network(positive(D), positive(D), 0.7, bias=RNG.normal(size=D))
HALF = np.triu(RNG.random((D, D)) < 0.5)
CHOICES = [
    (("bias", "stiffness"), None),
    (("bias", "couplings", "diagonal"), None),
    (("bias", "couplings"), HALF | HALF.T),
    (("diagonal",), None),
]


def dense(parameters):
    return Geometry.of_matrices(
        theory.fisher_matrix(NET, parameters),
        theory.friction_tensor(NET, parameters),
        parameters.blocks,
    )


@pytest.mark.parametrize(("names", "mask"), CHOICES)
def test_products_are_those_of_the_matrices(names, mask):
    parameters = theory.Parameters(NET, names, mask)
    products, matrices = GaussianProducts(NET, parameters, 0.0), dense(parameters)
    vector = RNG.normal(size=parameters.size)
    close = {"rel": 1e-9, "abs": 1e-12}
    assert products.fisher(vector) == pytest.approx(matrices.fisher @ vector, **close)
    assert products.friction(vector) == pytest.approx(matrices.friction @ vector, **close)
    for to_go, share in ((1.3, 2.0), (0.0, 2.0), (1.0, 0.0)):
        system = to_go * matrices.fisher + share * matrices.friction
        found = products.solve(to_go, share, vector)
        assert found == pytest.approx(np.linalg.solve(system, vector), rel=1e-6, abs=1e-8)
    assert products.traces == pytest.approx(matrices.traces, rel=1e-9)
    assert products.lead(vector) == pytest.approx(matrices.lead(vector), rel=1e-6, abs=1e-8)
    assert products.natural(0.3, vector) == pytest.approx(
        matrices.natural(0.3, vector), rel=1e-6, abs=1e-8
    )


@pytest.mark.parametrize("matrix", [True, False])
def test_a_run_by_products_is_that_by_matrices(matrix, monkeypatch):
    """14 parameters, forced either way; the products are really taken."""
    data = RNG.normal(size=(200, 4)) @ positive(4)
    schedule = ktc.schedules.MinimalDissipation(10.0, matrix, anticipate=False)
    taken = []

    def products(*arguments):
        taken.append(arguments)
        return GaussianProducts(*arguments)

    monkeypatch.setattr(exact_model, "GaussianProducts", products)
    spent = []
    for most in (0, 100):
        monkeypatch.setattr(exact_model, "MOST_CLOSED", most)
        fit = ktc.learn(
            ktc.Network(np.eye(4), 1.0),
            data,
            schedule,
            parameters=("bias", "stiffness"),
            replicas=500,
            ticks=400,
            seed=72,
        )
        assert bool(taken) is (most == 0)
        spent.append(fit.excess_work.mean)  # its error takes products too
        taken.clear()
    assert spent[0] == pytest.approx(spent[1], rel=1e-6)


def test_held_lags_of_the_whole_are_those_of_its_modes():
    parameters = theory.Parameters(NET, ("bias", "stiffness"))
    vector = RNG.normal(size=parameters.size)
    for hold in (0.05, 1.0, 100.0):
        held = dense(parameters).sampled(hold)
        found = GaussianProducts(NET, parameters, hold).solve(1.3, 2.0, vector)
        assert found == pytest.approx(held.solve(1.3, 2.0, vector), rel=1e-8)


def trapezoidal(parameters, hold):
    """(h/kT) [½C(0) + C(h) + C(2h) + …], C(t) of the forces from e^{−R⁻¹Kt}."""
    kT = NET.common_kT
    rest = np.linalg.inv(NET.stiffness)
    mean, forms = rest @ NET.bias, []
    for name in parameters.names:
        for unit, *other in zip(*parameters.places[name], strict=True):
            square = np.zeros((D, D))
            if other:
                square[unit, other[0]] = square[other[0], unit] = 1.0
            linear = square @ mean if other else -np.eye(D)[unit]
            forms.append((linear, square))
    propagator = scipy.linalg.expm(-np.linalg.solve(NET.friction, NET.stiffness) * hold)
    correlation, total = kT * rest, np.zeros((parameters.size,) * 2)
    for k in range(60):
        part = [
            [u @ correlation @ w + 0.5 * np.trace(S @ correlation @ Z @ correlation.T)
             for w, Z in forms] for u, S in forms
        ]  # fmt: skip
        total += hold / kT * (0.5 if k == 0 else 1.0) * np.array(part)
        correlation = propagator @ correlation
    return total


@pytest.mark.parametrize("most", [0, 256])
def test_measured_friction_has_the_held_lag_of_long_ticks(most, monkeypatch):
    """Held for as long as the slowest mode: every entry within 5.5 standard errors.

    210 entries twice, a false alarm of 2e-5. ζ itself is some forty of them away.
    """
    monkeypatch.setattr(calibration, "MOST_DENSE", most)
    parameters, hold = theory.Parameters(NET, ("bias", "stiffness")), 5.0
    settings = ktc.Metrics("measured", replicas=4000, shrinkage=None)
    exact = exact_model.ExactModel(NET, parameters)
    size, found = parameters.size, []
    for seed in range(12):
        source = calibration.Calibration(exact, settings, 80 + seed, None)
        metric = source.metric(NET.controls, hold)
        columns = np.eye(size)
        if most:
            found.append(metric.friction)
        else:
            found.append(np.array([metric.friction(column) for column in columns]))
    error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    own = np.sqrt(np.mean(found, axis=0).diagonal())
    # Scatter of twelve is itself known to a fifth: that of the whole matrix stands for it.
    scale = np.sqrt(np.mean((error / own / own[:, None]) ** 2)) * np.outer(own, own)
    expected = trapezoidal(parameters, hold)
    deviation = (np.mean(found, axis=0) - expected) / scale
    assert np.abs(deviation).max() < 5.5
    without = theory.friction_tensor(NET, parameters)
    assert np.abs((without - expected) / scale).max() > 20


@pytest.mark.parametrize(("names", "mask"), CHOICES)
@pytest.mark.parametrize("most", [0, 100])
def test_held_friction_is_the_trapezoidal_rule_at_the_ticks(names, mask, most, monkeypatch):
    """(h/kT) [½C(0) + C(h) + C(2h) + …], C(t) of the forces from e^{−R⁻¹Kt}, fast modes alone.

    Under a mask too, by products and by matrices: modes of the chosen parameters mix times.
    """
    monkeypatch.setattr(exact_model, "MOST_CLOSED", most)
    hold = 6.0
    assert hold > np.max(1 / np.linalg.eigvals(np.linalg.solve(NET.friction, NET.stiffness)).real)
    parameters = theory.Parameters(NET, names, mask)
    total = trapezoidal(parameters, hold)
    metric = exact_model.ExactModel(NET, parameters).metric(NET.controls, hold)
    vector = RNG.normal(size=parameters.size)
    expected = np.linalg.solve(0.3 * theory.fisher_matrix(NET, parameters) + 2 * total, vector)
    assert metric.solve(0.3, 2.0, vector) == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_long_ticks_under_a_mask_give_one_outcome_by_products_and_by_matrices(monkeypatch):
    """Eight units, 30 parameters, a tick of six times the fastest time: to the solver's 1e-8.

    A lag taken in the parameters' own modes is 1.5e-5 off in the excess work here.
    """
    rng = np.random.default_rng(3)
    stiffness = np.diag(np.geomspace(0.3, 30, 8))
    root = 0.05 * rng.normal(size=(8, 8))
    net = ktc.Network(stiffness + root @ root.T, 1.0)
    scatter = np.linalg.cholesky(np.linalg.inv(1.3 * net.stiffness))
    data = rng.normal(size=(400, 8)) @ scatter.T + 0.2 * rng.normal(size=8)
    half = np.triu(rng.random((8, 8)) < 0.5)
    schedule, spent = ktc.schedules.MinimalDissipation(8.0, anticipate=False), []
    for most in (0, 1000):
        monkeypatch.setattr(exact_model, "MOST_CLOSED", most)
        fit = ktc.learn(
            net, data, schedule, parameters=("bias", "stiffness"), replicas=math.inf, ticks=40,
            mask={"stiffness": half | half.T},
        )  # fmt: skip
        spent.append(fit.excess_work.mean)
    assert spent[0] == pytest.approx(spent[1], rel=1e-8)


@pytest.mark.parametrize("most", [0, 100])
def test_sampled_products_are_those_of_the_sampled_matrices(most, monkeypatch):
    """By the replicas' forces, and by matrices made of them, shrunk by the same given share."""
    monkeypatch.setattr(sampled_products, "MOST_MATRIX", most)
    emulator = ktc.Emulator(NET, replicas=500, seed=71)
    parameters = theory.Parameters(NET, ("bias", "stiffness"))
    windows = correlated_windows(emulator, parameters)
    products = SampledProducts(windows, NET.common_kT, parameters.blocks, 0.25)
    kT = NET.common_kT
    fisher = np.mean([e.T @ e for e in windows.ends], axis=0) / len(windows.ends[0]) / kT
    raw = np.mean([s.T @ i for s, i in windows.pairs], axis=0) / len(windows.ends[0]) / kT
    # An entry is by the longer one of two windows, whichever parameter has it.
    assert len(np.unique(windows.intervals)) > 1
    columns = np.subtract.outer(windows.intervals, windows.intervals)
    friction = np.where(columns < 0, raw, np.where(columns > 0, raw.T, 0.5 * (raw + raw.T)))
    fisher, friction = (0.75 * one + 0.25 * np.diag(one.diagonal()) for one in (fisher, friction))
    vector = RNG.normal(size=parameters.size)
    assert products.pulled(vector) == pytest.approx(fisher @ vector, rel=1e-9)
    assert products.friction(vector) == pytest.approx(friction @ vector, rel=1e-9)
    exact = np.linalg.solve(1.3 * fisher + 2 * friction, vector)
    found = products.solve(1.3, 2.0, vector)
    assert np.linalg.norm(found - exact) < 1e-3 * np.linalg.norm(exact)


@pytest.mark.parametrize("replicas", [500, 60])
def test_ritz_values_of_sampled_products_are_the_eigenvalues(replicas):
    """Forty steps of twenty parameters are all of them: at unit diagonal, raw and shrunk."""
    emulator = ktc.Emulator(NET, replicas=replicas, seed=71)
    parameters = theory.Parameters(NET, ("bias", "stiffness"))
    windows = correlated_windows(emulator, parameters)
    share = 0.25 if replicas > 100 else 0.05
    products = SampledProducts(windows, NET.common_kT, parameters.blocks, share)
    size = parameters.size
    for k, product in enumerate((products.pulled, products.friction)):
        matrix = np.array([product(column) for column in np.eye(size)])
        root = np.sqrt(matrix.diagonal())
        shrunk = np.linalg.eigvalsh(matrix / root / root[:, None])
        raw = (shrunk - share) / (1 - share)
        assert products.least_eigenvalue[k] == pytest.approx(raw[0], abs=1e-8)
        expected = shrunk[-1] / shrunk[0] if shrunk[0] > 0 else np.inf
        assert products.condition[k] == pytest.approx(expected, rel=1e-6)


def test_ritz_values_lie_within_the_spectrum_and_near_its_ends():
    """300 eigenvalues from 1e-2 to 1e2, even in the logarithm: the largest is met to 1 %."""
    turn = np.linalg.qr(RNG.normal(size=(300, 300)))[0]
    matrix = (turn * np.geomspace(1e-2, 1e2, 300)) @ turn.T
    least, largest = extreme_ritz_values(lambda v: matrix @ v, 300)
    assert least >= 1e-2 and 0.99e2 < largest <= 1e2 * (1 + 1e-12)
    fewer, _ = extreme_ritz_values(lambda v: matrix @ v, 300, steps=20)
    assert least < fewer


def test_optimal_share_grows_as_replicas_are_few():
    parameters = theory.Parameters(NET, ("bias", "stiffness"))
    shares = []
    for replicas in (50, 5000):
        emulator = ktc.Emulator(NET, replicas=replicas, seed=72)
        windows = correlated_windows(emulator, parameters)
        shares.append(SampledProducts(windows, 0.7, parameters.blocks, "optimal").shrinkage)
    assert 1 >= shares[0][0] > 10 * shares[1][0] > 0


def test_conjugate_gradients_refuse_an_indefinite_matrix():
    matrix = np.diag([1.0, -1.0])
    with pytest.raises(Indefinite):
        conjugate_gradients(lambda v: matrix @ v, np.ones(2), lambda v: v.copy())
