"""Linear equations in sparse factors, with rows and columns scaled to unit size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array


class LinearSystem:
    """LU factors of a sparse matrix, with rows and columns scaled to unit size.

    Attributes:
        singular: whether a pivot is zero within rounding; nothing can be solved then.
        scaled: the scaled matrix; row_scale, column_scale: the factors.
    """

    def __init__(self, matrix: scipy.sparse.csc_array) -> None:
        self.matrix = matrix
        size, columns = matrix.shape[0], np.diff(matrix.indptr)
        of_column = np.repeat(np.arange(size), columns)
        sizes = np.abs(matrix.data)
        largest = np.zeros(size)
        np.maximum.at(largest, matrix.indices, sizes)
        self.row_scale = 1 / np.where(largest > 0, largest, 1.0)
        sizes = sizes * self.row_scale[matrix.indices]
        largest = np.zeros(size)
        np.maximum.at(largest, of_column, sizes)
        self.column_scale = 1 / np.where(largest > 0, largest, 1.0)
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

    def solve(self, side: Array) -> NDArray[np.inexact]:
        """Return the solution, refined once."""
        solution = self._solved(side)
        return solution + self._solved(side - self.matrix @ solution)

    def solve_transposed(self, side: Array) -> NDArray[np.inexact]:
        """Return the solution of the transposed equations, refined once."""
        solution = self._solved_transposed(side)
        return solution + self._solved_transposed(side - self.matrix.T @ solution)

    def _solved(self, side: NDArray[np.inexact]) -> NDArray[np.inexact]:
        side = (self.row_scale * side).astype(self.matrix.dtype)
        return np.asarray(self.column_scale * self._factors.solve(side))

    def _solved_transposed(self, side: NDArray[np.inexact]) -> NDArray[np.inexact]:
        side = (self.column_scale * side).astype(self.matrix.dtype)
        return np.asarray(self.row_scale * self._factors.solve(side, "T"))
