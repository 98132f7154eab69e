"""Exact motion of linear networks over a hold."""

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

    @classmethod
    def over(cls, core: _core.Network, controls: Controls, duration: float) -> Transition:
        """Return the motion of a dense linear network at these controls."""
        decay, covariance = _core.network_transition(core, controls.arrays(), duration)
        slope = np.zeros(core.units)
        if controls.emf.any() or controls.current.any():
            slope = _core.rest_slope(core, controls.arrays())[: core.units]
        rest = np.zeros(len(decay))
        rest[: core.units] = np.linalg.solve(controls.stiffness, controls.bias + slope)
        return cls(decay, rest - decay @ rest, covariance)
