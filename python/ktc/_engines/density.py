"""Infinitely many replicas of one overdamped unit, quartic or not: their density on a grid."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy  # imports scipy.linalg when it is first used

from ktc._base.units import CONSISTENT
from ktc._base.validation import Array, positive
from ktc._model.description import Description
from ktc._model.moments import Moments
from ktc._model.network import Network
from ktc._model.quartic_unit import OneUnit

# Grid points a thermal width, whose error is a 24th of their spacing's square in it.
POINTS_A_WIDTH = 12
MOST_POINTS = 20_000
# Steps of time a relaxation time, whose error is a twelfth of their square.
STEPS_A_RELAXATION = 40


class DensityDevice:
    """The calls that a learner needs, of one unit's ∂p/∂t = (1/γ) ∂_x(V′p + kT ∂_x p).

    On a grid, by hops between neighbours at rates (kT/γΔ²) e^{−ΔV/2kT}, which leave e^{−V/kT} as it
    is; in time by the midpoint rule. Both are of second order.

    Args:
        device: one overdamped unit in equilibrium at its own controls.
        reach: least and greatest bias that it may be set to.

    Source: Risken (1989), The Fokker–Planck Equation; Crank, Nicolson (1947), Proc. Camb. Phil.
    Soc. 43, 50.
    """

    symbols = CONSISTENT
    seed = None

    def __init__(self, device: Description, reach: tuple[float, float]) -> None:
        self.network, self.scale = device.network, device.scale
        net = self.network
        self.controls = net.controls
        self._kT, self._friction = net.common_kT, float(net.friction[0, 0])
        self._reach = reach
        ends = [_unit(net, bias) for bias in (*reach, float(net.bias[0]))]
        states = np.concatenate([(end.states * end.length).ravel() for end in ends])
        width = min(float(np.sqrt(self._kT * end.fisher(("bias",))[0, 0])) for end in ends)
        low, high = float(states.min()), float(states.max())
        points = int((high - low) / width * POINTS_A_WIDTH)
        if points > MOST_POINTS:
            raise ValueError(
                f"data are so far off that a grid of {points} points would be needed; scale them "
                "down, or measure by ktc.learn"
            )
        self._x = np.linspace(low, high, points)
        self._start()

    def _start(self) -> None:
        weights = np.exp(-self._energies() / self._kT)
        self._p = weights / weights.sum()
        self._opening = float(self._p @ self._energies())
        self.ledger = SimpleNamespace(work=np.zeros(1), heat=np.zeros(1), infinite=True)

    def _energies(self) -> Array:
        """V of every point, the least of it zero."""
        bias = float(self.controls.bias[0])
        k, q = float(self.controls.stiffness[0, 0]), float(self.controls.quartic[0])
        value = self._x * (0.5 * k * self._x - bias) + 0.25 * q * self._x**4
        return np.asarray(value - value.min())

    def moments(self) -> Moments:
        """Mean and covariance of the public state."""
        mean = float(self._p @ self._x)
        spread = float(self._p @ (self._x - mean) ** 2)
        scale = float(self.scale[0])
        return Moments(np.array([mean * scale]), lambda: np.array([[spread * scale**2]]))

    def read(self) -> Array:
        """Refused: there are no individual replicas."""
        raise ValueError("read() needs individual replicas; a density has only moments()")

    def set(self, **controls: Any) -> None:
        """One update of the bias; books work."""
        after = self.controls.updated(**controls)
        bias = float(after.bias[0])
        if not self._reach[0] <= bias <= self._reach[1]:
            raise ValueError(
                f"the bias of this unit went to {bias:g}, beyond {self._reach[0]:g} to "
                f"{self._reach[1]:g}; take more ticks, or a longer duration"
            )
        step = bias - float(self.controls.bias[0])
        self.ledger.work = self.ledger.work - step * float(self._p @ self._x)
        self.controls = after

    def run(self, duration: float) -> None:
        """Evolves at the held bias."""
        hold = positive("duration", duration)
        unit = _unit(self.network, float(self.controls.bias[0]))
        names = ("bias",)
        relaxation = float(unit.friction(names, self._friction)[0, 0] / unit.fisher(names)[0, 0])
        steps = max(4, int(np.ceil(hold / relaxation * STEPS_A_RELAXATION)))
        half = 0.5 * hold / steps * self._kT / self._friction / (self._x[1] - self._x[0]) ** 2
        energies = self._energies()
        rise = np.diff(energies) / (2 * self._kT)
        up, down = half * np.exp(-rise), half * np.exp(rise)
        out = np.concatenate([up, [0.0]]) + np.concatenate([[0.0], down])
        bands = np.zeros((3, len(self._x)))
        bands[0, 1:], bands[1], bands[2, :-1] = -down, 1 + out, -up
        before, p = float(self._p @ energies), self._p
        for _ in range(steps):
            moved = (1 - out) * p
            moved[1:] += up * p[:-1]
            moved[:-1] += down * p[1:]
            p = scipy.linalg.solve_banded((1, 1), bands, moved, check_finite=False)
        self._p = p
        self.ledger.heat = self.ledger.heat + before - float(p @ energies)


def _unit(net: Network, bias: float) -> OneUnit:
    return OneUnit(float(net.stiffness[0, 0]), bias, float(net.quartic[0]), net.common_kT)
