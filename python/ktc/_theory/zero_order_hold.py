"""Lag of a mean behind controls that are sampled and held (zero-order hold)."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array


def lag_under_hold(times: Array, hold: float) -> Array:
    """Lag τ′ = (h/2) coth(h/2τ) of modes that relax within a hold h, and τ of slower modes.

    Under controls held for h, a mean in steady motion of speed v lags behind the controls by
    v h/(1 − e^{−h/τ}) = v (τ′ + h/2). For h well below τ, τ′ = τ to second order in h, and τ is
    kept. For h above τ, a rate chosen for τ would overshoot and amplify noise from tick to tick. In
    ζ = (1/kT)∫C(t)dt, τ′ is the trapezoidal rule at the ticks, h[½C(0) + C(h) + C(2h) + …].
    """
    fast, half = times < hold, 0.5 * hold
    result: Array = times.copy()
    result[fast] = half / np.tanh(half / times[fast])
    return result
