"""What a protocol costs a Gaussian network on average: exact mean and covariance, no sampling."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ktc._base.validation import Array
from ktc._model.controls import Controls
from ktc._model.description import Description
from ktc._model.network import Network
from ktc._model.protocol import Protocol, full_shape
from ktc._model.transition import Transition
from ktc._theory.free_energies import free_energy_change
from ktc._theory.gaussian import gaussian, inverse

#: Transitions that one evaluation keeps: ticks of one stiffness and one hold share theirs.
KEPT = 4096


class Expected(NamedTuple):
    """Averages over infinitely many replicas of a protocol that starts in equilibrium.

    Attributes:
        work: ⟨W⟩.
        excess_work: ⟨W⟩ − ΔF.
        mean, covariance: of the public state at the end, shapes (d,) and (d, d).
        network: the physics at the final controls.
    """

    work: float
    excess_work: float
    mean: Array
    covariance: Array
    network: Network


def expected(device: Description, protocol: Protocol) -> Expected:
    """Exact averages of a bias and stiffness protocol, from equilibrium at the device's controls.

    Mean and covariance move exactly through every hold, P′ = A P Aᵀ + Q, m′ = A m + c; an update
    costs ½ tr ΔK(P + mmᵀ) − Δb·m.

    Raises:
        ValueError: quartic units, several temperatures, sources or noise generators, or controls
            among the protocol's other than bias and stiffness.

    Example:
        >>> import ktc
        >>> unit = ktc.Network(stiffness=1.0, friction=1.0)
        >>> drive = ktc.theory.optimal_drive(unit, 5.0, 1.0, ticks=100)
        >>> round(expected(unit, drive).excess_work, 3)  # 25/3, and the tick's share
        8.333
    """
    net = gaussian(device)
    others = (set(protocol.controls) | set(protocol.final)) - {"bias", "stiffness"}
    if others:
        raise ValueError(
            f"protocol must drive bias and stiffness alone to have exact averages, "
            f"but drives {sorted(others)}"
        )
    waveforms, final = protocol.settings(net.controls)
    held = {name: full_shape(name, values, net.units) for name, values in waveforms.items()}
    move = Mover(net)
    for tick, hold in enumerate(protocol.holds.tolist()):
        bias, stiffness = (
            held[name][tick] if name in held else getattr(net, name)
            for name in ("bias", "stiffness")
        )
        move.set(bias, stiffness)
        move.hold(hold)
    move.set(final.bias, final.stiffness)
    last = net.with_controls(final)
    change = free_energy_change(net, last)
    d, scale = net.units, device.scale
    covariance = move.covariance[:d, :d] * np.outer(scale, scale)
    return Expected(move.work, move.work - change, move.mean[:d] * scale, covariance, last)


class Mover:
    """Mean and covariance of a Gaussian network, momenta included, and the work done on it."""

    def __init__(self, net: Network) -> None:
        self._units = net.units
        self._net = net
        self._transition = lru_cache(KEPT)(_transition_of(net))
        size = len(net.drift)
        self.mean, self.covariance = np.zeros(size), np.zeros((size, size))
        self.mean[: net.units] = np.linalg.solve(net.stiffness, net.bias)
        self.covariance[: net.units, : net.units] = net.common_kT * inverse(net.stiffness)
        if net.inertia is not None:
            self.covariance[net.units :, net.units :] = net.common_kT * np.diag(net.inertia)
        self.work = 0.0
        self._bias, self._stiffness = net.bias, net.stiffness

    def restart(self, other: Mover) -> None:
        """To where ``other`` is, with the transitions that are known here."""
        self.mean, self.covariance = other.mean, other.covariance
        self._bias, self._stiffness, self.work = other._bias, other._stiffness, other.work

    def set(self, bias: Array, stiffness: Array) -> None:
        """One update at held state."""
        d = self._units
        mean = self.mean[:d]
        if stiffness is not self._stiffness:
            change = stiffness - self._stiffness
            second = self.covariance[:d, :d] + np.outer(mean, mean)
            self.work += 0.5 * float(np.sum(change * second))
        self.work -= float((bias - self._bias) @ mean)
        self._bias, self._stiffness = bias, stiffness

    def hold(self, duration: float) -> None:
        """Exact motion at held controls."""
        moved = self._transition(self._stiffness.tobytes(), duration)
        rest = np.zeros(len(self.mean))
        rest[: self._units] = np.linalg.solve(self._stiffness, self._bias)
        self.mean = rest + moved.A @ (self.mean - rest)
        self.covariance = moved.A @ self.covariance @ moved.A.T + moved.Q


def _transition_of(net: Network) -> Callable[[bytes, float], Transition]:
    controls: Controls = net.controls

    def found(stiffness: bytes, duration: float) -> Transition:
        matrix = np.frombuffer(stiffness).reshape(net.units, net.units)
        return net.with_controls(controls.updated(stiffness=matrix)).transition(duration)

    return found
