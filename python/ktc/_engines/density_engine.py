"""The density engine: infinitely many replicas of one overdamped unit, on a grid."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NoReturn

import numpy as np

from ktc import _core
from ktc._base.codec import Saved
from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._engines.engine import ControlArrays, WithoutReplicas
from ktc._model.controls import Controls
from ktc._model.network import Network
from ktc._model.quartic_unit import OneUnit

# Grid points per thermal width; the relative error is a 24th of their spacing's square.
POINTS_PER_WIDTH = 12
MOST_POINTS = 20_000
# Time steps per relaxation time; the relative error is a twelfth of their square.
STEPS_PER_RELAXATION = 40
#: Parts of the state that a snapshot holds.
PARTS = ("time", "_p", "_work", "_heat", "_supply", "_opening")


class DensityEngine(WithoutReplicas):
    """``Engine`` of one unit's ∂p/∂t = (1/γ) ∂_x(V′p + kT ∂_x p), under control of its bias.

    On a grid, by hops between neighbours at rates (kT/γΔ²) e^{−ΔV/2kT}, which leave e^{−V/kT} as it
    is; in time by the midpoint rule. Both are second order. The engine starts in equilibrium, and
    its bias stays within ``reach``, least and greatest.

    Source: Risken (1989), The Fokker–Planck Equation; Crank, Nicolson (1947), Proc. Camb. Phil.
    Soc. 43, 50.
    """

    itemised = driven = False

    def __init__(self, network: Network, reach: tuple[float, float]) -> None:
        if network.controls.on_site:
            raise ValueError(
                "the density of a unit with a potential is not carried; take a finite number of "
                "replicas"
            )
        self.network, self._reach = network, reach
        self._kT, self._friction = network.common_kT, float(network.friction[0, 0])
        first = float(network.bias[0])
        ends = [self._unit(bias) for bias in (*reach, first)]
        states = np.concatenate([(end.states * end.length).ravel() for end in ends])
        width = min(float(np.sqrt(self._kT * end.fisher(("bias",))[0, 0])) for end in ends)
        low, high = float(states.min()), float(states.max())
        points = int((high - low) / width * POINTS_PER_WIDTH)
        if points > MOST_POINTS:
            raise ValueError(
                f"data are so far from equilibrium that a grid of {points} points would be needed; "
                "scale them down, or measure with ktc.learn"
            )
        self._x = np.linspace(low, high, points)
        self._p: Array
        self._controls: ControlArrays
        self._bias: float
        self.restart(network.controls.arrays(), np.empty(0))

    def check(self, controls: Controls, network: Network | None = None) -> None:
        self._bias_of(controls.arrays())

    def exchange(self, network: Network, changes: ControlArrays) -> NoReturn:
        raise ValueError("friction is not a control of an ensemble that is carried by its density")

    def tick(self, changes: ControlArrays, duration: float | None) -> None:
        controls = {**self._controls, **changes}
        bias = self._bias_of(controls)
        self._work -= (bias - self._bias) * float(self._p @ self._x)
        self._bias, self._controls = bias, controls
        if duration is not None:
            self._move(duration)

    def _move(self, duration: float) -> None:
        """Evolve at the held bias; book heat and supply."""
        unit, names = self._unit(self._bias), ("bias",)
        relaxation = float(unit.friction(names, self._friction)[0, 0] / unit.fisher(names)[0, 0])
        steps = max(4, int(np.ceil(duration / relaxation * STEPS_PER_RELAXATION)))
        half = 0.5 * duration / steps * self._kT / self._friction / (self._x[1] - self._x[0]) ** 2
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
        self._supply += self._bias * float((p - self._p) @ self._x)
        self._p = p
        self._heat += before - float(p @ energies)
        self.time += duration

    def controls(self) -> ControlArrays:
        return dict(self._controls)

    def equilibrate(self) -> None:
        weights = np.exp(-self._energies() / self._kT)
        self._p = weights / weights.sum()
        self.open_books()

    def place(self, state: Array) -> NoReturn:
        raise ValueError("the density of a unit starts in equilibrium; leave state out")

    def restart(self, controls: ControlArrays, state: Array) -> None:
        self._bias, self._controls, self.time = self._bias_of(controls), dict(controls), 0.0
        self.equilibrate()

    def open_books(self) -> None:
        self._work = self._heat = self._supply = 0.0
        self._opening = self._energy()

    def mean(self) -> Array:
        return np.array([float(self._p @ self._x)])

    def moments(self, with_covariance: bool) -> tuple[Array, Array]:
        mean = self.mean()
        if not with_covariance:
            return mean, np.empty((0, 0))
        return mean, np.array([[float(self._p @ (self._x - mean) ** 2)]])

    def surprisal(self) -> None:
        """None: its moments do not determine a density that is not normal."""

    def energy(self) -> Array:
        return np.array([self._energy()])

    def energy_change(self) -> Array:
        return self.energy() - self._opening

    def work(self) -> Array:
        return np.array([self._work])

    def heat(self) -> Array:
        return np.array([self._heat])

    def supply(self) -> Array:
        return np.array([self._supply])

    def source(self) -> Array:
        return np.zeros(1)

    injected = shadow = entropy = source

    def heat_per_account(self) -> Array:
        return self.heat()[None]

    def imbalance(self) -> float:
        now = self._energy()
        scale = abs(self._work) + abs(self._heat) + max(abs(now), abs(self._opening))
        gap = abs(now - self._opening - self._work + self._heat)
        return gap / scale if scale > 0 else 0.0

    def variances(self) -> dict[str, float]:
        return {}

    def tally(
        self, saved: Saved | None = None
    ) -> AbstractContextManager[Callable[[], dict[str, float]]]:
        return nullcontext(self.variances)

    def tallied(self) -> Saved:
        return {}

    def copy(self) -> DensityEngine:
        twin = DensityEngine.__new__(DensityEngine)
        vars(twin).update(vars(self))
        return twin

    def snapshot(self) -> dict[str, object]:
        return {**{name: getattr(self, name) for name in PARTS}, **self._controls}

    def restore(self, saved: Saved) -> None:
        for name in PARTS:
            setattr(self, name, saved[name])
        self._controls = {name: np.asarray(saved[name]) for name in _core.CONTROLS}
        self._bias = self._bias_of(self._controls)

    def _bias_of(self, controls: ControlArrays) -> float:
        """The bias, where nothing but the bias differs from the network's own controls."""
        own = self.network.controls.arrays()
        for name, value in own.items():
            if name != "bias" and not np.array_equal(controls[name], value):
                raise ValueError(f"only the bias of a density can be controlled, not {name}")
        bias = float(controls["bias"][0])
        if not self._reach[0] <= bias <= self._reach[1]:
            raise ValueError(
                f"the bias of this unit went to {bias:g}, beyond {self._reach[0]:g} to "
                f"{self._reach[1]:g}; take more ticks, or a longer duration"
            )
        return bias

    def _unit(self, bias: float) -> OneUnit:
        net = self.network
        return OneUnit(float(net.stiffness[0, 0]), bias, float(net.quartic[0]), self._kT)

    def _potential(self) -> Array:
        """V of every point."""
        k, q = float(self.network.stiffness[0, 0]), float(self.network.quartic[0])
        return np.asarray(self._x * (0.5 * k * self._x - self._bias) + 0.25 * q * self._x**4)

    def _energies(self) -> Array:
        """V of every point, its least value zero."""
        value = self._potential()
        return np.asarray(value - value.min())

    def _energy(self) -> float:
        return float(self._p @ self._potential())
