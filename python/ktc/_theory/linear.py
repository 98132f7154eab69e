"""Exact motion of linear systems: transition over a hold, stationary covariance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc import _core
from ktc._base.validation import Array, positive, real_array, square


def linear_transition(drift: ArrayLike, diffusion: ArrayLike, hold: float) -> tuple[Array, Array]:
    """A = e^{Fh} and Q = ∫₀ʰ e^{Fs} D e^{Fᵀs} ds of dz = F z dt + noise of covariance rate D.

    F may be any stable matrix, also non-normal or defective; D may be singular. Short holds by
    Taylor series, longer ones by doubling A and Q = P − A P Aᵀ, which stays exact at any length.

    Args:
        drift: F, shape (n, n), every eigenvalue with a negative real part.
        diffusion: D, shape (n, n), symmetric positive semidefinite.
        hold: positive.

    Raises:
        ValueError: wrong shapes, numbers that are not finite, F not stable, hold not positive.

    Example:
        >>> A, Q = linear_transition([[-1.0]], [[2.0]], 1.0)
        >>> round(float(A[0, 0]), 6), round(float(Q[0, 0]), 6)
        (0.367879, 0.864665)
    """
    return _core.linear_transition(*_linear_system(drift, diffusion), positive("hold", hold))


def stationary_covariance(drift: ArrayLike, diffusion: ArrayLike) -> Array:
    """P with F P + P Fᵀ + D = 0: the stationary covariance of dz = F z dt + noise of rate D.

    Source: Bartels, Stewart (1972), Commun. ACM 15, 820.

    Example:
        >>> stationary_covariance([[-2.0, -1.5], [0.0, -1.0]], [[1.0, 0.0], [0.0, 1.0]]).diagonal()
        array([0.4375, 0.5   ])
    """
    return _core.stationary_covariance(*_linear_system(drift, diffusion))


def _linear_system(drift: ArrayLike, diffusion: ArrayLike) -> tuple[Array, Array]:
    matrix = np.atleast_2d(real_array("drift", drift))
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"drift must be a square matrix, but has shape {matrix.shape}")
    noise = square("diffusion", diffusion, len(matrix))
    if not np.allclose(noise, noise.T, rtol=1e-12, atol=0):
        raise ValueError("diffusion must be symmetric; pass (diffusion + diffusion.T)/2")
    least = float(np.linalg.eigvalsh(noise)[0])
    if least < -1e-12 * float(np.abs(noise).max()):
        raise ValueError(
            f"diffusion must be positive semidefinite, but has the eigenvalue {least:.6g}"
        )
    return matrix, noise
