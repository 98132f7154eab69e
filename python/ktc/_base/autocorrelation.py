"""Integrated correlation times, by Sokal's automatic window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array

#: The sum over lags stops at the first lag beyond this many integrated times.
WINDOW = 5


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
