"""Linear stochastic systems: exact transition over a hold, stationary covariance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc import _core
from ktc._base.validation import Array, positive, real_array, square


def linear_transition(drift: ArrayLike, diffusion: ArrayLike, hold: float) -> tuple[Array, Array]:
    """Transition of dz = A z dt + noise of covariance rate D over a hold h.

    Φ = e^{Ah} and Q = ∫₀ʰ e^{As} D e^{Aᵀs} ds. A may be any stable matrix, also non-normal or
    defective, and D may be singular. Short holds use a Taylor series, longer ones doubling of Φ and
    Q = P − Φ P Φᵀ, which is exact for any length.

    Args:
        drift: A, shape (n, n), every eigenvalue with a negative real part.
        diffusion: D, shape (n, n), symmetric positive semidefinite.
        hold: h, positive.

    Returns:
        Φ and Q, each of shape (n, n).

    Raises:
        ValueError: wrong shapes, numbers that are not finite, an unstable A, a hold that is not
            positive.

    Example:
        >>> import ktc
        >>> transition, covariance = ktc.theory.linear_transition([[-1.0]], [[2.0]], 1.0)
        >>> round(float(transition[0, 0]), 6), round(float(covariance[0, 0]), 6)
        (0.367879, 0.864665)

    Source: Van Loan (1978), IEEE Trans. Autom. Control 23, 395.
    """
    return _core.linear_transition(*_linear_system(drift, diffusion), positive("hold", hold))


def stationary_covariance(drift: ArrayLike, diffusion: ArrayLike) -> Array:
    """Stationary covariance P of dz = A z dt + noise of covariance rate D: A P + P Aᵀ + D = 0.

    Args:
        drift: A, shape (n, n), every eigenvalue with a negative real part.
        diffusion: D, shape (n, n), symmetric positive semidefinite.

    Raises:
        ValueError: wrong shapes, numbers that are not finite, an unstable A.

    Example:
        >>> import ktc
        >>> drift, diffusion = [[-2.0, -1.5], [0.0, -1.0]], [[1.0, 0.0], [0.0, 1.0]]
        >>> ktc.theory.stationary_covariance(drift, diffusion).diagonal()
        array([0.4375, 0.5   ])

    Source: Bartels, Stewart (1972), Commun. ACM 15, 820.
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
        raise ValueError(f"diffusion must be positive semidefinite, but has eigenvalue {least:.6g}")
    return matrix, noise
