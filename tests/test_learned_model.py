"""What is learned is usable: samples, log-likelihood, and its bias with hidden and coupled units.

References are quadratures on grids and closed forms of NumPy; data are random, seeds fixed.
"""

import math

import numpy as np
import pytest

import ktc
from ensembles import near
from ktc.schedules import Constant, MinimalDissipation
from refusal import refused

RNG = np.random.default_rng(5)
DATA = RNG.normal(0.4, 0.8, size=(40, 2))
GRID = np.linspace(-7, 7, 701)


def density(net, x):
    """exp(−H/kT)/Z of two units on a grid, and at points."""
    plane = np.stack(np.meshgrid(GRID, GRID, indexing="ij"), axis=-1)

    def energy(at):
        quadratic = 0.5 * np.einsum("...i,ij,...j", at, net.stiffness, at) - at @ net.bias
        return (quadratic + 0.25 * at**4 @ net.quartic) / net.common_kT

    total = np.exp(-energy(plane)).sum() * (GRID[1] - GRID[0]) ** 2
    return np.exp(-energy(np.asarray(x))) / total


def learned(net, data, **options):
    given = {"schedule": Constant(4.0, 0.1), "replicas": 400, "ticks": 40, "seed": 1, **options}
    return ktc.learn(net, data, **given)


def test_score_of_a_gaussian_a_board_and_uncoupled_quartic_units():
    gaussian = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0, 0.7)
    quartic = ktc.Network(np.diag([-1.0, 0.5]), 1.0, 0.7, quartic=[1.0, 0.3])
    for net in (gaussian, quartic):
        fit = learned(net, DATA)
        found = fit.score(DATA)
        expected = np.mean(np.log(density(fit.network, DATA)))
        assert (found.mean, found.stderr) == (pytest.approx(expected, rel=1e-8), 0.0)
    board = ktc.Board(2, 1e6, 1e-12, 300.0)
    volts = board.thermal_width * DATA
    fit = learned(board, volts, schedule=MinimalDissipation(1e-6))
    assert fit.score(volts).mean == pytest.approx(ktc.theory.log_likelihood(
        ktc.Described(fit.network, board.scale, board.symbols), volts), rel=1e-12)  # fmt: skip


def test_score_of_coupled_quartic_units_has_an_error_that_covers():
    """Within 4 of its standard errors of a quadrature of the plane: 6.3e-5 of a false alarm."""
    net = ktc.Network([[-1.0, -0.8], [-0.8, -1.0]], 1.0, quartic=1.0)
    fit = learned(net, DATA)
    found = fit.score(DATA)
    expected = np.mean(np.log(density(fit.network, DATA)))
    assert 0 < found.stderr < 0.02
    assert abs(found.mean - expected) < 4 * found.stderr


def hidden_fit(kT=0.7, **options):
    net = ktc.Network([[1.2, 0.3, 0.2], [0.3, 1.0, -0.4], [0.2, -0.4, 1.5]], 1.0, kT, [0.1, 0, 0.2])
    return learned(net, DATA, parameters=("bias", "stiffness"), hidden=2, **options)


def test_score_and_samples_with_hidden_units():
    """ln of the marginal normal density; moments of samples within 4.5 standard errors."""
    fit = hidden_fit()
    covariance = 0.7 * np.linalg.inv(fit.network.stiffness)
    mean = np.linalg.solve(fit.network.stiffness, fit.network.bias)
    spread, off = covariance[:2, :2], DATA - mean[:2]
    squares = np.sum(off.T * np.linalg.solve(spread, off.T), axis=0)
    expected = -0.5 * np.mean(squares + np.log(np.linalg.det(2 * np.pi * spread)))
    assert fit.score(DATA).mean == pytest.approx(expected, rel=1e-12)
    samples = fit.sample(20_000, seed=3)
    assert samples.shape == (20_000, 2)
    assert near(samples, mean[:2], sigmas=4.5)
    products = np.einsum("ni,nj->nij", samples - mean[:2], samples - mean[:2])
    assert near(products, spread.ravel(), sigmas=4.5)
    assert np.array_equal(samples, fit.sample(20_000, seed=3))


def test_samples_are_in_the_units_of_the_data():
    board = ktc.Board(2, 1e6, 1e-12, 300.0)
    fit = learned(board, board.thermal_width * DATA, schedule=MinimalDissipation(1e-6))
    drawn = fit.sample(10_000, seed=1)
    model = ktc.theory.equilibrium(ktc.Described(fit.network, board.scale, board.symbols))
    assert near(drawn, model.mean, sigmas=4.5)


def test_likelihood_bias_with_hidden_units_is_the_excess_work_of_both_phases():
    """Σ g·Δθ − kT Δ(log-likelihood) against ledgers: (W − ΔF) − (W_clamped − Δ⟨F_v⟩), where the
    free energy of clamped units is that of the log-likelihood.
    """
    fit = hidden_fit()
    before = ktc.Described(fit.start.network, fit.start.scale, fit.start.symbols)
    start = learned_at(before, fit)
    gained = 0.7 * (fit.score(DATA).mean - start)
    expected = fit.work.mean - fit.positive_phase_work.mean - gained
    assert fit.likelihood_bias.stderr == 0
    assert fit.likelihood_bias.mean == pytest.approx(expected, abs=1e-9)


def learned_at(described, fit):
    """Log-likelihood of the data at a model's own parameters."""
    from ktc._learning.model_likelihood import score

    return score(described, fit.hidden, DATA, 1).mean


def test_likelihood_bias_of_coupled_quartic_units_is_the_excess_work():
    net = ktc.Network([[-1.0, -0.3], [-0.3, -1.0]], 1.0, quartic=1.0)
    fit = learned(net, DATA)
    found, excess = fit.likelihood_bias, fit.excess_work
    assert found.stderr == pytest.approx(fit.free_energy_change.stderr, rel=1e-12)
    assert found.mean == pytest.approx(excess.mean, abs=1e-9)


def test_what_is_refused(tmp_path):
    fit = hidden_fit()
    with refused(ValueError, "data must have shape (samples, 2)"):
        fit.score(RNG.normal(size=(5, 3)))
    with refused(ValueError, "samples"):
        fit.sample(0)
    fit.save(tmp_path / "fit.npz")
    again = ktc.Fit.load(tmp_path / "fit.npz")
    assert again.likelihood_bias.mean == fit.likelihood_bias.mean
    assert again.score(DATA).mean == fit.score(DATA).mean
    quartic = ktc.Network(np.diag([1.0, 0.5]), 1.0, quartic=[0.0, 1.0])
    fit = learned(quartic, DATA[:, :1], hidden=1)
    with refused(ValueError, "hidden units with quartic terms"):
        fit.score(DATA[:, :1])
    with refused(ValueError, "quartic models with hidden units"):
        fit.likelihood_bias  # noqa: B018
    assert math.isfinite(fit.work.mean)
