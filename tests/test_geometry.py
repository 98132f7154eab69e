"""Modes that Fisher matrix and friction tensor share."""

import numpy as np
import pytest

import ktc
from ktc._theory.geometry import Geometry


@pytest.mark.parametrize("parameter", ["bias", "center"])
@pytest.mark.parametrize("units", [1, 3, 12])
def test_modes_diagonalise_both_metrics(parameter, units):
    rng = np.random.default_rng(units)
    square = rng.normal(size=(2, units, units))
    stiffness, friction = square @ square.transpose(0, 2, 1) + np.eye(units)
    geometry = Geometry.of(ktc.Network(stiffness, friction), parameter)
    modes = geometry.modes
    # Condition numbers of a few hundred: 1e-10 is rounding.
    assert modes.T @ geometry.fisher @ modes == pytest.approx(np.eye(units), abs=1e-10)
    assert modes.T @ geometry.friction @ modes == pytest.approx(
        np.diag(geometry.times), abs=1e-10 * geometry.times[-1]
    )
    times = np.sort(1 / np.linalg.eigvals(np.linalg.solve(friction, stiffness)).real)
    assert geometry.times == pytest.approx(times, rel=1e-9)
    v = rng.normal(size=units)
    assert geometry.lead(v) == pytest.approx(
        np.linalg.solve(geometry.fisher, geometry.friction @ v), rel=1e-9
    )


def test_cells_that_differ_by_many_decades():
    """Cells of 1 aF to 1 mF on one board: relaxation times R C come out to rounding."""
    capacitance = np.array([1e-18, 1e-12, 1e-3])
    board = ktc.Board(3, resistance=1e6, capacitance=capacitance, temperature=300.0)
    for parameter in ("bias", "center"):
        assert Geometry.of(board, parameter).times == pytest.approx(1e6 * capacitance, rel=1e-12)
