"""Exact motion of a linear network over a hold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ktc import _core
from ktc._base.validation import Array
from ktc._model.controls import Controls


class Transition(NamedTuple):
    """Exact motion over a hold: z′ = A z + c + N(0, Q), z = x, or (x, p) with inertia."""

    A: Array
    c: Array
    Q: Array


def exact_transition(core: _core.Network, held: Controls, duration: float) -> Transition:
    """Return the motion over a positive duration; see ``Network.transition``."""
    controls = held.arrays()
    decay, covariance = _core.network_transition(core, controls, duration)
    slope = np.zeros(len(held.bias))
    if held.emf.any() or held.current.any():
        slope = _core.rest_slope(core, controls)[: len(held.bias)]
    rest = np.zeros(len(decay))
    rest[: len(held.bias)] = np.linalg.solve(held.stiffness, held.bias + slope)
    return Transition(decay, rest - decay @ rest, covariance)
