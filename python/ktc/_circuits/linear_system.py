"""Linear equations in sparse factors, with rows and columns scaled to unit size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array

SCALINGS = 20  # passes, each of which halves the logarithms of the sizes of rows and columns


def probes(size: int) -> Array:
    """Return relative rounding errors of equations, shape (2, size), of irregular signs."""
    phases = np.outer([0.6180339887498949, 0.7548776662466927], np.arange(1, size + 1)) % 1.0
    return np.asarray(np.finfo(np.float64).eps * np.where(phases < 0.5, 1.0, -1.0))


def is_unit(largest: Array) -> bool:
    """Whether the largest entries of all rows or columns have about unit size."""
    return bool(largest.min(initial=1.0) > 0.5 and largest.max(initial=1.0) < 2)


def _scales(matrix: scipy.sparse.csc_array, of_column: NDArray[np.intp]) -> tuple[Array, Array]:
    """Factors of rows and columns that bring their largest entries to unit size.

    Source: Ruiz (2001), RAL-TR-2001-034.
    """
    size = matrix.shape[0]
    row_scale, column_scale = np.ones(size), np.ones(size)
    for _ in range(SCALINGS):
        sizes = np.abs(matrix.data) * row_scale[matrix.indices] * column_scale[of_column]
        rows, columns = np.zeros(size), np.zeros(size)
        np.maximum.at(rows, matrix.indices, sizes)
        np.maximum.at(columns, of_column, sizes)
        row_scale /= np.sqrt(np.where(rows > 0, rows, 1.0))
        column_scale /= np.sqrt(np.where(columns > 0, columns, 1.0))
        if is_unit(rows) and is_unit(columns):
            break
    return row_scale, column_scale


class LinearSystem:
    """LU factors of a sparse matrix, with rows and columns scaled to unit size.

    Attributes:
        singular: whether a pivot is zero within rounding; nothing can be solved then.
        scaled: the scaled matrix; row_scale, column_scale: the factors.
    """

    def __init__(self, matrix: scipy.sparse.csc_array) -> None:
        self.matrix = matrix
        of_column = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        self.row_scale, self.column_scale = _scales(matrix, of_column)
        data = matrix.data * self.row_scale[matrix.indices] * self.column_scale[of_column]
        parts = (data, matrix.indices, matrix.indptr)
        self.scaled = scipy.sparse.csc_array(parts, shape=matrix.shape)
        self.singular = False
        try:
            self._factors = scipy.sparse.linalg.splu(self.scaled)
        except RuntimeError:
            self.singular = True
            return
        pivots = np.abs(self._factors.U.diagonal())
        self.singular = not pivots.min(initial=1.0) > 64 * np.finfo(np.float64).eps

    def solve(self, side: NDArray[np.inexact], transposed: bool = False) -> NDArray[np.inexact]:
        """Return the solution, or that of the transposed equations, refined twice."""
        matrix = self.matrix.T if transposed else self.matrix
        solved = self._solved_transposed if transposed else self._solved
        solution = solved(side)
        for _ in range(2):
            solution = solution + solved(side - matrix @ solution)
        return solution

    def rounding(
        self, side: Array, solution: NDArray[np.inexact], transposed: bool = False
    ) -> Array:
        """Return sizes of changes of a solution where each product in A x is rounded."""
        matrix = self.matrix.T if transposed else self.matrix
        solved = self._solved_transposed if transposed else self._solved
        missed = abs(matrix) @ np.abs(solution) + np.abs(side)
        return np.asarray(np.max([np.abs(solved(p * missed)) for p in probes(len(missed))], axis=0))

    def _solved(self, side: NDArray[np.inexact]) -> NDArray[np.inexact]:
        side = (self.row_scale * side).astype(self.matrix.dtype)
        return np.asarray(self.column_scale * self._factors.solve(side))

    def _solved_transposed(self, side: NDArray[np.inexact]) -> NDArray[np.inexact]:
        side = (self.column_scale * side).astype(self.matrix.dtype)
        return np.asarray(self.row_scale * self._factors.solve(side, "T"))
