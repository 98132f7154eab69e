"""Gaussian model of a data set on a board: couplings that give the covariance of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, per_unit, real_array
from ktc._boards.board import Board
from ktc._boards.couplings import symmetric_inverse
from ktc._boards.encoding import Encoding

#: Least weight of the multiple of the identity. It limits the rate of the stiffest mode of a board
#: to a hundred times the average, however few the samples are.
LEAST_SHRINKAGE = 0.01


def shrunk_covariance(data: ArrayLike) -> tuple[Array, float]:
    """Ledoit–Wolf covariance (1 − λ) S + λ (tr S/d) 1 of few samples in many dimensions, and λ.

    S is the sample covariance. λ minimises the expected squared error, is estimated from the
    samples, and is at least 0.01. The result is positive definite also where columns are constant
    or linearly dependent.

    Source: Ledoit, Wolf (2004), J. Multivar. Anal. 88, 365.
    """
    array = real_array("data", data)
    if array.ndim != 2 or len(array) < 2:
        raise ValueError(
            f"data must have at least two rows to have a covariance, but has shape {array.shape}"
        )
    samples, units = array.shape
    deviations = array - array.mean(axis=0)
    covariance = deviations.T @ deviations / samples
    average = float(np.trace(covariance)) / units
    if average == 0:
        raise ValueError("data must vary, but all its rows are equal, so its covariance is zero")
    spread = np.sum((covariance - average * np.eye(units)) ** 2)
    squares = np.sum(np.sum(deviations**2, axis=1) ** 2) / samples
    noise = (squares - np.sum(covariance**2)) / samples
    optimal = float(noise / spread) if spread > 0 else 1.0
    weight = float(np.clip(optimal, LEAST_SHRINKAGE, 1.0))
    return (1 - weight) * covariance + weight * average * np.eye(units), weight


def couplings(board: Board, covariance: ArrayLike) -> Array:
    """Elastances K = k_B T (C Σ C)⁻¹ that give a board the equilibrium covariance Σ."""
    matrix = real_array("covariance", covariance)
    charges = matrix * np.outer(board.capacitance, board.capacitance) / board.kT
    return symmetric_inverse(charges)


@dataclass(frozen=True)
class GaussianModel:
    """Board programmed to the regularised covariance of a data set, without bias.

    Attributes:
        board: the programmed board; its equilibrium has the covariance of the data and zero mean.
        encoding: linear encoding of the data as volts.
        volts: the encoded data, shape (samples, d).
        shrinkage: weight λ of the regularisation; see ``shrunk_covariance``.
    """

    board: Board
    encoding: Encoding
    volts: Array
    shrinkage: float

    @classmethod
    def of(
        cls, board: Board, data: ArrayLike, offset: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> GaussianModel:
        """Program the couplings of a board to data of shape (samples, d).

        Zero volts represent ``offset``, and one thermal width √(k_B T/C) a difference of ``scale``.
        """
        encoding = board.encoding(offset, scale)
        volts = encoding.encode(data)
        # In thermal widths, so that the regularisation does not depend on the capacitances.
        covariance, weight = shrunk_covariance(volts / board.thermal_width)
        widths = np.outer(board.thermal_width, board.thermal_width)
        programmed = board.program(stiffness=couplings(board, covariance * widths))
        return cls(programmed, encoding, volts, weight)

    @property
    def mean(self) -> Array:
        """Mean of the encoded data [V], shape (d,)."""
        return np.asarray(self.volts.mean(axis=0))

    def mean_at(self, bias: ArrayLike) -> Array:
        """Return the equilibrium mean of the board at a bias [V], as data, shape (d,)."""
        held = per_unit("bias", bias, self.board.cells)
        charges = np.linalg.solve(self.board.stiffness, held)
        return self.encoding.decode(charges * self.board.scale)
