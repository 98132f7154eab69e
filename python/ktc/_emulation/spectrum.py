"""Power spectral density of recorded states."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy  # imports scipy.signal when it is first used

from ktc._base.validation import Array, count


class Spectrum(NamedTuple):
    """One-sided power spectral density of the state.

    Attributes:
        frequency: [1/time], shape (frequencies,).
        density: [state²·time], mean over replicas.
        stderr: its standard error over replicas; infinite for one replica.
    """

    frequency: Array
    density: Array
    stderr: Array


def welch_spectrum(states: Array, times: Array, segments: int) -> Spectrum:
    """Welch's estimate from one unit's states, shape (points, replicas), at equal intervals.

    Raises:
        ValueError: fewer than two records per segment, or unequal intervals.
    """
    points = len(times)
    length = points // count("segments", segments)
    if length < 2:
        raise ValueError(
            f"segments must leave at least two records in each, but is {segments} "
            f"for {points} records"
        )
    step = (times[-1] - times[0]) / (points - 1)
    # Differences of times carry the rounding of the times themselves.
    rounding = 8 * np.finfo(np.float64).eps * times[-1]
    if not np.allclose(np.diff(times), step, rtol=1e-9, atol=rounding):
        raise ValueError(
            "a spectrum needs records at equal intervals; play a protocol of equal holds"
        )
    frequency, density = scipy.signal.welch(
        states,
        fs=1 / step,
        window="hann",
        nperseg=length,
        detrend="constant",
        axis=0,
    )
    replicas = density.shape[1]
    spread = density.std(axis=1, ddof=1) if replicas > 1 else np.full(len(density), np.inf)
    return Spectrum(frequency, density.mean(axis=1), spread / np.sqrt(replicas))
