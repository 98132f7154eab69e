"""Dense stiffness and friction: symmetric positive definite matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import (
    Array,
    frozen,
    positive_per_unit,
    real_array,
    require_positive_definite,
    square,
    symmetric,
)

#: Bound of friction and inertia.
LARGEST = 1e150
#: The fix that a refusal of a stiffness names, dense or sparse.
CONFINE = (
    "nothing confines the energy: add to its diagonal, or give those units a quartic term or a "
    "potential that confines"
)


def stiffness_matrix(stiffness: ArrayLike) -> Array:
    """Return K as a square matrix; a scalar makes one unit."""
    matrix = real_array("stiffness", stiffness)
    if matrix.ndim == 0:
        matrix = matrix.reshape(1, 1)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise ValueError(f"stiffness must be a square matrix (d, d), but has shape {matrix.shape}")
    return matrix


def confining(stiffness: Array, quartic: Array, added: Array | None = None) -> Array:
    """Return ``stiffness``, symmetric and positive definite among the units without quartic terms.

    A quartic term exceeds every quadratic one at large displacements of its unit, so that only
    displacements of the other units need a positive energy. Potentials add curvatures ``added``,
    shape (d,), there, infinite ones as quartic terms do.
    """
    matrix = frozen(symmetric("stiffness", stiffness))
    bare = np.flatnonzero(quartic == 0)
    if added is not None:
        bare = bare[np.isfinite(added[bare])]
    if len(bare):
        part = matrix if len(bare) == len(matrix) else matrix[np.ix_(bare, bare)]
        if added is not None:
            part = part + np.diag(added[bare])
        require_positive_definite("stiffness", part, CONFINE)
    return matrix


def friction_per_unit(friction: ArrayLike, units: int) -> Array:
    """Return a friction of each unit, checked."""
    return in_range("friction", positive_per_unit("friction", friction, units))


def in_range(name: str, array: Array) -> Array:
    """Return positive numbers whose squares and inverses neither overflow nor vanish."""
    for extreme in (array.min(initial=1.0), array.max(initial=1.0)):
        if not 1 / LARGEST <= extreme <= LARGEST:
            raise ValueError(
                f"{name} must be between {1 / LARGEST:g} and {LARGEST:g}, but is {extreme:g}; "
                "choose other units of time and energy"
            )
    return array


def friction_matrix(friction: ArrayLike, units: int) -> Array:
    """Return R, shape (d, d), of a scalar, one number per unit, or a matrix."""
    array = real_array("friction", friction)
    if array.ndim < 2:
        return np.diag(friction_per_unit(array, units))
    matrix = symmetric("friction", square("friction", array, units))
    fix = "a resistor that feeds energy in cannot be emulated"
    require_positive_definite("friction", matrix, fix)
    in_range("friction", matrix.diagonal())
    return matrix


def sparse_friction(friction: ArrayLike, inertia: ArrayLike | None, units: int) -> Array:
    """Return R of each unit beside a sparse stiffness; refuse what needs dense algebra."""
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
    return friction_per_unit(friction, units)
