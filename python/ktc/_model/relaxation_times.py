"""Relaxation times of linear motion, with the slow ones to rounding beside fast ones."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array

Complex = NDArray[np.complex128]
# Slowest over fastest time from which on eigenvalues of the drift alone lose digits.
WIDE_APART = 1e8


def relaxation_times(drift: Array, flow: Array, stiffness: Array, inertia: Array | None) -> Array:
    """1/|Re λ| of the eigenvalues λ of F = (J − G)A, ascending.

    Eigenvalues of F have errors of 1e-16 of the fastest one, so that slow ones are taken from
    F⁻¹ = A⁻¹(J − G)⁻¹, whose largest eigenvalues they are.
    """
    rates = _by_size(np.linalg.eigvals(drift).astype(complex))[::-1]
    slow: Complex = np.empty(0, complex)
    with np.errstate(all="ignore"), suppress(np.linalg.LinAlgError):
        inverse = np.linalg.inv(flow)
        d = len(stiffness)
        inverse[:d] = np.linalg.solve(stiffness, inverse[:d])
        if inertia is not None:
            inverse[d:] *= inertia[:, None]
        if np.isfinite(inverse).all():
            slow = _by_size(np.linalg.eigvals(inverse).astype(complex))
    if not len(slow) or not abs(slow[0]) * abs(rates[-1]) > WIDE_APART:
        slow = slow[:0]
    else:
        slow = slow[abs(slow) ** 2 * abs(rates[-1]) > abs(slow[0])]
    with np.errstate(divide="ignore"):
        fast = 1 / abs(rates[len(slow) :].real)
        return np.sort(np.concatenate([abs(slow) * (abs(slow) / abs(slow.real)), fast]))


def _by_size(values: Complex) -> Complex:
    """Numbers, the largest first."""
    return np.asarray(values[np.argsort(-abs(values))])
