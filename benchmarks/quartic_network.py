"""The quartic network of all contenders, and its expected results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from benchmarks.linear import stiffness as linear_stiffness
from benchmarks.work import WrongResultError, close

STEP, HOLD = 0.01, 100
#: Bias of every unit at each tick: it jumps up and down, and dissipates at each jump.
BIASES = np.array([0.2, -0.2])


@cache
def stiffness(units: int) -> np.ndarray[Any, Any]:
    """That of the linear network: eigenvalues between ½ and 3/2."""
    return linear_stiffness(units)


@dataclass
class Played:
    """The end of a run: states (replicas, units), read when asked for, and work (replicas,)."""

    read: Callable[[], Any]
    work: Any
    couplings: np.ndarray[Any, Any]
    bias: float


def check(played: Played) -> str:
    """Near equilibrium ⟨x ∂H/∂x⟩ = kT for each unit; a cycle of the bias costs work.

    A hold of one time unit leaves e^(−2) of what a jump of the bias did to the mean at most, and
    Euler–Maruyama moves the virial by about one step: 0.05 covers both. Its standard deviation is
    below 2 a unit.
    """
    x = np.asarray(played.read(), dtype=float)
    virial = x * (x @ played.couplings + x**3 - played.bias)
    text = close("virial", float(virial.mean()), 1.0, 10 / np.sqrt(x.size) + 0.05)
    work = np.asarray(played.work, dtype=float)
    mean, error = float(work.mean()), float(work.std() / np.sqrt(work.size))
    if not mean > -5 * error or not error > 0:
        raise WrongResultError(f"work of whole cycles {mean:.3g} ± {error:.2g}, but must cost")
    return f"{text}; work {mean:.3g} ± {error:.2g}"
