"""Open-loop drives of Gaussian networks: exact averages, and the drive of least work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, of_type, positive, tick_count
from ktc._engines.factory import STATIONARY
from ktc._engines.moments_engine import MomentsEngine
from ktc._model.description import Description
from ktc._model.network import Network
from ktc._model.protocol import Protocol
from ktc._model.waveforms import full_shape
from ktc._theory.free_energies import free_energy_change
from ktc._theory.gaussian import gaussian

DRIVEN = ("bias", "stiffness")


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
    costs ½ tr ΔK(P + mmᵀ) − Δb·m. ``ktc.Emulator`` with ``replicas=math.inf`` plays the same.

    Raises:
        ValueError: nonlinear units, several temperatures, sources or noise generators, or controls
            among the protocol's other than bias and stiffness.

    Example:
        >>> import ktc
        >>> unit = ktc.Network(stiffness=1.0, friction=1.0)
        >>> drive = ktc.theory.optimal_drive(unit, 5.0, 1.0, ticks=100)
        >>> round(ktc.theory.expected(unit, drive).excess_work, 3)  # 25/3, and the tick's share
        8.333
    """
    net = gaussian(device)
    of_type("protocol", protocol, Protocol)
    others = (protocol.controls.keys() | protocol.final.keys()) - set(DRIVEN)
    if others:
        raise ValueError(
            f"protocol must drive only bias and stiffness to have exact averages, "
            f"but drives {sorted(others)}"
        )
    waveforms, final = protocol.settings(net.controls)
    engine = MomentsEngine(net, False, STATIONARY, variances=False)
    held = {name: full_shape(name, values, net.units) for name, values in waveforms.items()}
    engine.play(protocol.holds, held)
    engine.set({"bias": final.bias, "stiffness": final.stiffness})
    last = net.with_controls(final)
    work, d, scale = float(engine.work()[0]), net.units, device.scale
    mean, covariance = engine.moments(True)
    excess, spread = work - free_energy_change(net, last), covariance[:d, :d]
    return Expected(work, excess, mean[:d] * scale, spread * np.outer(scale, scale), last)


class OptimizedDrive(NamedTuple):
    """A drive found by numerical optimisation.

    Attributes:
        protocol: of least work among those held for each tick, the last update apart.
        excess_work: ⟨W⟩ − ΔF of it, exactly.
        evaluations: of the work that the search took.
        converged: whether the search ended at a minimum, and not at its limit of steps.
    """

    protocol: Protocol
    excess_work: float
    evaluations: int
    converged: bool


def optimized_drive(
    device: Description,
    final: Mapping[str, ArrayLike],
    duration: float,
    ticks: int,
    controls: tuple[str, ...] | None = None,
) -> OptimizedDrive:
    """The piecewise constant drive of least work to ``final``, from equilibrium, by minimisation.

    ⟨W⟩ follows from the exact motion of mean and covariance; the values held in each tick are
    varied by the method of Broyden, Fletcher, Goldfarb and Shanno, biases in units of √(kT K_ii)
    and stiffnesses by their Cholesky factors, which keeps them positive definite. Gradients are
    differences. No jumps are put in: the search finds them.

    Args:
        device: a Gaussian network at its initial controls, with inertia or without.
        final: values after the last tick, of "bias", "stiffness" or both.
        duration: T.
        ticks: n equal ticks.
        controls: what may vary on the way, by default what ``final`` names. Bias and stiffness
            together are full control of a Gaussian, whose bound is ``wasserstein_bound``.

    Raises:
        ValueError: nonlinear units, no equilibrium, other controls, or values that do not fit.

    Example:
        >>> import ktc
        >>> unit = ktc.Network(stiffness=1.0, friction=1.0)
        >>> found = ktc.theory.optimized_drive(unit, {"bias": 5.0}, duration=1.0, ticks=4)
        >>> found.protocol.controls["bias"].ravel().round(2)  # jumps at both ends, 5/3 each
        array([1.88, 2.29, 2.71, 3.12])
    """
    net = gaussian(device)
    steps = tick_count(ticks)
    holds = np.full(steps, positive("duration", duration) / steps)
    names = tuple(final) if controls is None else controls
    unknown = [name for name in (*names, *final) if name not in DRIVEN]
    if unknown or not names:
        raise ValueError(
            f"controls must be one or both of {DRIVEN}, but are {unknown or names}: exact averages "
            "are those of Gaussian networks"
        )
    last = net.controls.updated(**dict(final))
    closing = {name: getattr(last, name) for name in {*names, *final}}
    plan = _Plan(net, names, steps)
    ends = [net.bias, net.stiffness], [last.bias, last.stiffness]
    kT = net.common_kT
    # Gradients are differences: all but one tick of an evaluation are those of another one.
    start = MomentsEngine(net, False, STATIONARY, variances=False, motions=4 * steps)

    def work(unknowns: Array) -> float:
        engine = start.copy()
        engine.play(holds, plan.waveforms(unknowns))
        engine.set(closing)
        return float(engine.work()[0]) / kT

    guess = plan.guess(*ends)
    found = scipy.optimize.minimize(work, guess, method="BFGS", options={"gtol": 1e-6})
    held = plan.waveforms(found.x)
    # A control that does not vary on the way jumps at the end: it needs a waveform of its own.
    for name in closing:
        held.setdefault(name, np.stack([getattr(net, name)] * steps))
    protocol = Protocol(holds, held, closing)
    least = expected(device, protocol).excess_work
    # Precision lost in differences of works is how BFGS ends when it cannot do better.
    return OptimizedDrive(protocol, least, int(found.nfev), found.status in (0, 2))


class _Plan:
    """Unknowns of all ticks, and the controls that they stand for."""

    def __init__(self, net: Network, names: tuple[str, ...], ticks: int) -> None:
        self._names, self._ticks = names, ticks
        root = np.sqrt(net.stiffness.diagonal())
        self._unit, self._square = np.sqrt(net.common_kT) * root, np.outer(root, root)
        self._lower = np.tril_indices(net.units)

    def waveforms(self, unknowns: Array) -> dict[str, Array]:
        """Values of every tick, by name."""
        rows, d = unknowns.reshape(self._ticks, -1), len(self._unit)
        found = {}
        if "bias" in self._names:
            found["bias"], rows = rows[:, :d] * self._unit, rows[:, d:]
        if "stiffness" in self._names:
            factors = np.zeros((self._ticks, d, d))
            factors[:, *self._lower] = rows
            found["stiffness"] = factors @ np.swapaxes(factors, 1, 2) * self._square
        return found

    def guess(self, start: list[Array], end: list[Array]) -> Array:
        """The straight ramp at the middles of the ticks."""
        parts = []
        for k in range(self._ticks):
            share = (k + 0.5) / self._ticks
            bias, stiffness = (a + share * (b - a) for a, b in zip(start, end, strict=True))
            if "bias" in self._names:
                parts.append(bias / self._unit)
            if "stiffness" in self._names:
                parts.append(np.linalg.cholesky(stiffness / self._square)[self._lower])
        return np.concatenate(parts)
