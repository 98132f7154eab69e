"""How far controls that are held from tick to tick run ahead of what follows them."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array


def held_lag(times: Array, hold: float) -> Array:
    """τ′ = (h/2) coth(h/2τ) of modes that relax within a hold h, τ of slower ones.

    A mean in steady motion v under controls held for h has its control ahead by v h/(1 − e^{−h/τ})
    = v (τ′ + h/2). For h well below τ, τ′ is τ to second order in the tick and τ is kept; where h
    exceeds τ, a rate made for τ would overshoot and amplify noise from tick to tick, and τ′ takes
    its place. In ζ = (1/kT)∫C(t)dt it is the trapezoidal rule at the ticks, h[½C(0) + C(h) + C(2h)
    + …], mode by mode.

    Args:
        times: τ, any shape.
        hold: h.

    Example:
        >>> held_lag(np.array([0.1, 2.0]), 1.0).round(4)
        array([0.5, 2. ])
    """
    fast, half = times < hold, 0.5 * hold
    result: Array = times.copy()
    result[fast] = half / np.tanh(half / times[fast])
    return result
