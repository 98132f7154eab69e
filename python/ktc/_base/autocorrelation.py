"""Integrated correlation times, by Sokal's automatic window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array

#: The sum over lags stops at the first lag beyond this many integrated times.
WINDOW = 5


#: Least length of a series in integrated times: ten independent samples.
LEAST_TIMES = 20


def integrated_times(rho: Array) -> tuple[Array, NDArray[np.intp]]:
    """τ = ½ + Σ_{l=1}^{M} ρ(l) in intervals, and M, the least lag with M ≥ 5τ; of each column.

    M is −1, and τ that of all lags, where the lags end before. Shapes (lags + 1, d) and (d,).

    Source: Sokal (1997), in Functional Integration (Cargèse), NATO ASI B 361, 131.
    """
    sums = 0.5 + np.concatenate([np.zeros((1, rho.shape[1])), np.cumsum(rho[1:], axis=0)])
    wide = np.arange(len(rho))[:, None] >= WINDOW * sums
    window = np.where(wide.any(axis=0), wide.argmax(axis=0), -1)
    return np.asarray(sums[window, np.arange(rho.shape[1])]), window


def autocovariance(series: Array) -> Array:
    """C(l) = Σ (x(t + l) − x̄)(x(t) − x̄)/(n − l) for lags up to n/2, shape (n // 2 + 1,)."""
    n = len(series)
    wave = np.fft.rfft(series - series.mean(), 2 * n)
    sums = np.fft.irfft(wave.real**2 + wave.imag**2, 2 * n)[: n // 2 + 1]
    return np.asarray(sums / (n - np.arange(n // 2 + 1)))


def error_of_series(values: Array) -> float:
    """Standard error of the mean of a series; see ``Estimate.of_series``."""
    n, covariance = len(values), autocovariance(values)
    time, window = 0.5, 0
    if covariance[0] > 0:
        found, ends = integrated_times(covariance[:, None] / covariance[0])
        time, window = float(found[0]), int(ends[0])
    if n < 10 or window < 0 or n < LEAST_TIMES * time:
        raise ValueError(
            f"series must be longer than {LEAST_TIMES} integrated times, but has {n} samples, "
            f"with an integrated time of {time:.3g} or more; record for longer, or average "
            "over independent replicas by of_samples"
        )
    variance = max(2 * time * (1 + (2 * window + 1) / n), 1.0) * covariance[0] / n
    return float(np.sqrt(variance))
