"""Checks and variance of one row of samples."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array

# Number of deviations computed at once, so that an error bar takes little memory.
DEVIATIONS_AT_ONCE = 2**16


def one_row(name: str, values: Array) -> Array:
    """Return values, refused where they are not one row of at least one number."""
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(
            f"{name} must be one row of at least one number, but has shape {values.shape}"
        )
    return values


def variance_of(samples: Array) -> float:
    """Variance, divided by N − 1; infinite for a single sample."""
    if len(samples) < 2:
        return np.inf
    with np.errstate(over="ignore"):  # infinite for enormous samples
        mean, parts = np.mean(samples), range(0, len(samples), DEVIATIONS_AT_ONCE)
        squares = sum(np.sum((samples[k : k + DEVIATIONS_AT_ONCE] - mean) ** 2) for k in parts)
    return float(squares / (len(samples) - 1))
