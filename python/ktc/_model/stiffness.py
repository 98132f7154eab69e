"""Dense stiffness: a symmetric matrix that confines the energy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import (
    Array,
    frozen,
    real_array,
    require_positive_definite,
    symmetric,
)

#: The fix that a refusal of a stiffness names, dense or sparse.
CONFINE = "nothing confines the energy: add to its diagonal, or give those units a quartic term"


def stiffness_matrix(stiffness: ArrayLike) -> Array:
    """Return K as a square matrix; a scalar makes one unit."""
    matrix = real_array("stiffness", stiffness)
    if matrix.ndim == 0:
        matrix = matrix.reshape(1, 1)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise ValueError(f"stiffness must be a square matrix (d, d), but has shape {matrix.shape}")
    return matrix


def confining(stiffness: Array, quartic: Array) -> Array:
    """Return ``stiffness``, symmetric and positive definite among the units without quartic terms.

    A quartic term exceeds every quadratic one at large displacements of its unit, so that only
    displacements of the other units need a positive energy.
    """
    matrix = frozen(symmetric("stiffness", stiffness))
    bare = np.flatnonzero(quartic == 0)
    if len(bare):
        part = matrix if len(bare) == len(matrix) else matrix[np.ix_(bare, bare)]
        require_positive_definite("stiffness", part, CONFINE)
    return matrix
