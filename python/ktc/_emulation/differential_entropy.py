"""−ln p of the replicas of a Gaussian ensemble, whose mean is its Shannon entropy."""

from __future__ import annotations

import numpy as np
import scipy  # imports scipy.linalg when it is first used

from ktc import _core
from ktc._base.validation import Array

# Directions narrower than this beside the others are no spread but rounding.
NARROWEST = 1e-13


def surprisal(engine: _core.Engine, dimension: int) -> Array | None:
    """−ln p(z) of every replica, p the normal distribution with the replicas' own moments.

    ½ (z − m)ᵀP⁻¹(z − m) + ½ ln det 2πP, shape (replicas,): its mean over the replicas is the
    entropy of that distribution, up to the same constant always. None where the replicas do not
    spread in every direction, so that there is no such density.
    """
    mean, covariance = engine.moments(True)
    width = np.sqrt(np.diagonal(covariance))
    if not (width > 0).all():
        return None
    scaled = covariance / np.outer(width, width)
    if np.linalg.eigvalsh(scaled)[0] < NARROWEST * dimension:
        return None
    factor = np.linalg.cholesky(scaled)
    deviations = ((engine.read(0, dimension) - mean) / width).T
    normal = scipy.linalg.solve_triangular(factor, deviations, lower=True)
    squares: Array = np.sum(normal**2, axis=0)
    volume = float(np.sum(np.log(np.diagonal(factor) * width)))
    result: Array = 0.5 * squares + volume + 0.5 * dimension * np.log(2 * np.pi)
    return result
