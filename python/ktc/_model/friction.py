"""Friction: the matrix of the resistors, symmetric and positive definite."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import (
    Array,
    broadcast_to_units,
    real_array,
    require_positive,
    require_positive_definite,
    square,
    symmetric,
)


def friction_matrix(friction: ArrayLike, units: int) -> Array:
    """Return R, shape (d, d), of a scalar, one number per unit, or a matrix."""
    array = real_array("friction", friction)
    if array.ndim < 2:
        return np.diag(require_positive("friction", broadcast_to_units("friction", array, units)))
    matrix = symmetric("friction", square("friction", array, units))
    fix = "a resistor that feeds energy in cannot be emulated"
    require_positive_definite("friction", matrix, fix)
    return matrix


def refuse_dense_parts(friction: ArrayLike, inertia: ArrayLike | None) -> None:
    """Refuse what needs dense algebra, beside a sparse stiffness."""
    if inertia is not None:
        raise ValueError(
            "inertia must be None where stiffness is sparse, because momenta rotate by a dense "
            "matrix; pass stiffness.toarray()"
        )
    if np.ndim(friction) > 1:
        raise ValueError(
            "friction must be a scalar or (d,) where stiffness is sparse, but has shape "
            f"{np.shape(friction)}; pass stiffness.toarray() for resistors between units"
        )
