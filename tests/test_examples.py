"""The examples run, and find what they say they find."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def algebra():
    return example("linear_algebra")


def random_matrix(seed, size):
    square = np.random.default_rng(seed).normal(size=(size, size))
    return square @ square.T / size + np.eye(size)


@pytest.mark.parametrize("size", [2, 5, 9])
def test_linear_algebra_on_an_ideal_board(algebra, size):
    """Errors in standard errors, at most 90 entries at 5σ: false alarms below 6e-5."""
    replicas = 20_000
    matrix, right = random_matrix(size, size), np.arange(1.0, size + 1)
    board = algebra.board(matrix)
    inverse = np.linalg.inv(matrix)
    width = board.thermal_width[0] / algebra.VOLT
    spread = width * np.sqrt(np.diag(inverse) / replicas)
    assert (np.abs(algebra.solve(board, right, replicas) - inverse @ right) < 5 * spread).all()
    spread = np.sqrt((np.outer(np.diag(inverse), np.diag(inverse)) + inverse**2) / replicas)
    assert (np.abs(algebra.invert(board, replicas) - inverse) < 5 * spread).all()
    # A ramp of twenty relaxation times dissipates a few per cent of kT, so that ln det A is known
    # to 2 √(2 W_ex/kT N), below 2e-2.
    found = algebra.determinant(board, replicas)
    assert found == pytest.approx(np.linalg.det(matrix), rel=0.05)


def test_linear_algebra_on_a_real_board(algebra):
    """Parts that are 1 % off leave errors of that order, and more than the ideal board's."""
    ideal = algebra.errors(algebra.board(algebra.MATRIX), 20_000)
    real = algebra.errors(algebra.board(algebra.MATRIX, algebra.REAL), 20_000)
    assert max(ideal) < 0.03
    assert 0.005 < real[0] < 0.05
    assert max(real) < 0.05


def test_it_prints_a_table(algebra, capsys):
    algebra.main(2000)
    assert "ideal board" in capsys.readouterr().out
