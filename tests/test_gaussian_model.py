"""The Gaussian model of data on a board: regularisation and couplings."""

from __future__ import annotations

import numpy as np
import pytest

from ktc import Board, theory
from ktc._boards.gaussian_model import LEAST_SHRINKAGE, GaussianModel, couplings, shrunk_covariance
from refusal import refused


def correlated(samples, units, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(samples, units)) @ rng.normal(size=(units, units))


@pytest.mark.parametrize("shape", [(10, 30), (60, 12), (25, 2)])
def test_the_shrinkage_is_that_of_ledoit_and_wolf(shape):
    """Against scikit-learn's, to rounding."""
    reference = pytest.importorskip("sklearn.covariance", reason="needs scikit-learn")
    data = correlated(*shape)
    covariance, weight = shrunk_covariance(data)
    expected = reference.ledoit_wolf(data)
    assert LEAST_SHRINKAGE < expected[1] < 1
    assert weight == pytest.approx(expected[1], rel=1e-9)
    np.testing.assert_allclose(covariance, expected[0], rtol=1e-9, atol=1e-12)


def test_many_samples_are_hardly_regularised():
    data = correlated(100_000, 2)
    covariance, weight = shrunk_covariance(data)
    assert weight == LEAST_SHRINKAGE
    plain = np.cov(data.T, bias=True)
    expected = 0.99 * plain + 0.01 * np.trace(plain) / 2 * np.eye(2)
    np.testing.assert_allclose(covariance, expected, rtol=1e-12)


def test_one_column_keeps_its_variance():
    covariance, _ = shrunk_covariance([[1.0], [2.0], [6.0]])
    assert covariance[0, 0] == pytest.approx(14 / 3, rel=1e-12)


@pytest.mark.parametrize(
    "data",
    [
        np.array([[0.0, 1.0, 2.0], [0.0, 2.0, 4.0]]),  # constant, dependent, two rows only
        np.column_stack([correlated(50, 2), np.full(50, 7.0)]),
        np.repeat(correlated(50, 1), 5, axis=1),
    ],
)
def test_constant_and_dependent_columns_do_not_break_it(data):
    covariance, weight = shrunk_covariance(data)
    least, most = np.linalg.eigvalsh(covariance)[[0, -1]]
    average = np.trace(covariance) / len(covariance)
    # Rounding aside, no mode is narrower than the weight of the identity says.
    assert least >= weight * average * (1 - 1e-9)
    assert least > 0
    assert most < np.inf


def test_the_equilibrium_of_the_board_has_the_regularised_covariance():
    data = correlated(40, 3) + [5.0, 0.0, -2.0]
    board = Board(3, 1e6, [1e-12, 2e-12, 5e-13], 300.0)
    model = GaussianModel.of(board, data, offset=1.0, scale=[1.0, 2.0, 0.5])
    state = theory.equilibrium(model.board)
    np.testing.assert_allclose(state.mean, 0, atol=0)
    scaled = (data - 1.0) / [1.0, 2.0, 0.5]
    expected, weight = shrunk_covariance(scaled)
    widths = board.thermal_width
    np.testing.assert_allclose(state.covariance, expected * np.outer(widths, widths), rtol=1e-9)
    assert model.shrinkage == pytest.approx(weight, rel=1e-9)


def test_the_mean_at_a_bias_is_that_of_equilibrium():
    data = correlated(40, 3)
    model = GaussianModel.of(Board(3, 1e6, 1e-12, 300.0), data, offset=1.0, scale=2.0)
    bias = np.array([1e-4, -2e-4, 3e-5])
    mean = theory.equilibrium(model.board.program(bias=bias)).mean
    np.testing.assert_allclose(model.mean_at(bias), model.encoding.decode(mean), rtol=1e-9)
    np.testing.assert_allclose(model.mean_at(0.0), 1.0, rtol=1e-12)
    np.testing.assert_allclose(model.encoding.decode(model.mean), data.mean(axis=0), atol=1e-12)


def test_couplings_of_independent_cells_are_their_elastances():
    board = Board(2, 1e6, [1e-12, 4e-12], 300.0)
    found = couplings(board, np.diag(board.thermal_width**2))
    np.testing.assert_allclose(found, np.diag([1e12, 2.5e11]), rtol=1e-12)


def test_bad_data_are_refused():
    board = Board(2, 1e6, 1e-12, 300.0)
    with refused(ValueError, "data must have at least two rows", "(1, 2)"):
        GaussianModel.of(board, [[1.0, 2.0]])
    with refused(ValueError, "data must vary, but all its rows are equal"):
        GaussianModel.of(board, [[1.0, 2.0], [1.0, 2.0]])
    with refused(ValueError, "data must have 2 columns"):
        GaussianModel.of(board, [[1.0], [2.0]])
    with refused(ValueError, "scale must be positive, but is 0.0 at unit 1"):
        GaussianModel.of(board, [[1.0, 2.0], [1.0, 3.0]], scale=[1.0, 0.0])
