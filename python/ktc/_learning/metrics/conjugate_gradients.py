"""Conjugate gradients: A x = b for a symmetric positive definite A given by its products."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ktc._base.validation import Array

#: Relative size of the residual at which to stop, in the norm of the preconditioner.
ACCURACY = 1e-8
MOST_STEPS = 1000

Product = Callable[[Array], Array]


class Indefinite(ValueError):
    """The matrix is not positive definite: xᵀAx is not positive in some direction."""


def conjugate_gradients(
    product: Product, right: Array, precondition: Product, accuracy: float = ACCURACY
) -> Array:
    """A⁻¹ b, by products with A.

    Args:
        product: v ↦ A v.
        right: b.
        precondition: v ↦ M v with M near A⁻¹.
        accuracy: relative size of the residual at which to stop.

    Raises:
        Indefinite: A is not positive definite.

    Source: Hestenes, Stiefel (1952), J. Res. Natl. Bur. Stand. 49, 409.

    Example:
        >>> from ktc._learning.metrics.conjugate_gradients import conjugate_gradients
        >>> import numpy as np
        >>> matrix = np.array([[2.0, 1.0], [1.0, 3.0]])
        >>> found = conjugate_gradients(lambda v: matrix @ v, np.ones(2), lambda v: v)
        >>> found.round(9)
        array([0.4, 0.2])
    """
    found, residual = np.zeros_like(right), right.copy()
    loaded = precondition(residual)
    direction, size = loaded, float(residual @ loaded)
    target = accuracy**2 * size
    for _ in range(MOST_STEPS):
        if size <= target:
            return found
        pushed = product(direction)
        curvature = float(direction @ pushed)
        if not curvature > 0:
            raise Indefinite("the matrix is not positive definite in a direction that was met")
        step = size / curvature
        found = found + step * direction
        residual = residual - step * pushed
        loaded = precondition(residual)
        before, size = size, float(residual @ loaded)
        direction = loaded + (size / before) * direction
    return found
