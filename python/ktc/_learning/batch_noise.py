"""Noise of mini-batches in the gradient, and what it adds to the variance over repeated runs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ktc._base.validation import Array
from ktc._learning.data import batch_share
from ktc._learning.positive_phase import PositivePhase

#: Most parameters of which a fit keeps the covariance of ∂_θH over the samples.
MOST_PARAMETERS = 64


class BatchNoise(NamedTuple):
    """Errors η_k of the batch means of ∂_θH at the updates k of a run, dealt as by ``Batches``.

    An epoch of n samples is dealt without replacement, in batches of B, so that for the covariance
    C of the samples (divided by n)

        Cov(η_k, η_k) = C (n − B)/(B (n − 1)),    Cov(η_k, η_l) = −C/(n − 1) in the same epoch,

    and errors of different epochs are independent.

    Attributes:
        covariance: C, shape (p, p).
        samples, size: n and B.
    """

    covariance: Array
    samples: int
    size: int

    def variance(self, slopes: Array) -> Array:
        """Variance of Σ_k s_kᵀ η_k for slopes s, shape (updates, p, accounts), per account."""
        per_epoch, shared = self.samples // self.size, 1 / max(self.samples - 1, 1)
        starts = np.arange(0, len(slopes), per_epoch)
        totals = np.add.reduceat(slopes, starts, axis=0)
        alone, together = (
            np.sum(some * (self.covariance @ some), axis=(0, 1)) for some in (slopes, totals)
        )
        own = batch_share(self.samples, self.size)
        return np.asarray(np.maximum((own + shared) * alone - shared * together, 0.0))


def covariance_of(positive: PositivePhase, parameters: int) -> Array | None:
    """Covariance of ∂_θH over the samples; None without batches, and for many parameters."""
    if positive.whole or parameters > MOST_PARAMETERS:
        return None
    forces = positive.forces_by_sample()
    deviations = forces - forces.mean(axis=0)
    return np.asarray(deviations.T @ deviations / len(forces))
