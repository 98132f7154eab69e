"""Extreme Ritz values: eigenvalue bounds of a symmetric matrix given by its products."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array

#: Number of products.
STEPS = 40
SEED = 0x72697473


def extreme_ritz_values(
    product: Callable[[Array], Array], size: int, steps: int = STEPS
) -> tuple[float, float]:
    """Least and largest eigenvalue within the Krylov space of a random vector (Lanczos).

    They lie between the extreme eigenvalues of the matrix and reach them as ``steps`` approaches
    ``size``: the least is an upper bound, the largest a lower one, and their ratio a lower bound of
    the condition number. Vectors are orthogonalised against all earlier ones.

    Args:
        product: v ↦ A v.
        size: length of v.
        steps: number of products.

    Example:
        >>> from ktc._learning.metrics.ritz import extreme_ritz_values
        >>> import numpy as np
        >>> least, largest = extreme_ritz_values(lambda v: np.array([1.0, 3.0, 7.0]) * v, 3)
        >>> round(least, 9), round(largest, 9)
        (1.0, 7.0)

    Source: Lanczos (1950), J. Res. Natl. Bur. Stand. 45, 255; Paige (1972), J. Inst. Math. Appl.
    10, 373.
    """
    many = min(steps, size)
    vector = np.random.default_rng(SEED).normal(size=size)
    basis = np.zeros((many, size))
    own, beside = np.zeros(many), np.zeros(many)
    for k in range(many):
        basis[k] = vector / np.linalg.norm(vector)
        pushed = product(basis[k])
        scale = np.linalg.norm(pushed)
        own[k] = basis[k] @ pushed
        for _ in range(2):
            pushed = pushed - basis[: k + 1].T @ (basis[: k + 1] @ pushed)
        beside[k] = np.linalg.norm(pushed)
        if beside[k] <= 1e-12 * scale:
            many = k + 1
            break
        vector = pushed
    values = scipy.linalg.eigh_tridiagonal(own[:many], beside[: many - 1], eigvals_only=True)
    return float(values[0]), float(values[-1])
