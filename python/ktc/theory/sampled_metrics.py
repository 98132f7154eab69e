"""F and ζ measured on replicas in equilibrium, for any potential."""

from __future__ import annotations

from typing import Any

import numpy as np

from ktc.checks import Array, count, positive
from ktc.emulator import Emulator
from ktc.free_energies import at_equilibrium
from ktc.step_size import default_step
from ktc.theory.matrix_estimate import OPTIMAL, MatrixEstimate, checked_shrinkage
from ktc.theory.metrics import Learnable
from ktc.theory.parameters import Parameters
from ktc.units import Described, Description

REPLICAS = 10_000
# A window of six correlation times leaves e⁻⁶ = 0.25 % of an exponential out.
CORRELATION_TIMES = 6.0
# What the last quarter of a window carries on at must add less than this share of the integral.
TAIL = 0.05
MOST_INTERVALS = 20_000
GROUPS = 50


def fisher_estimate(
    device: Description | Any,
    parameter: Learnable = "bias",
    replicas: int | None = None,
    seed: int | None = None,
    shrinkage: float | str | None = OPTIMAL,
    threads: int | None = None,
) -> MatrixEstimate:
    """F = Cov(∂_θH)/kT over replicas: unbiased, with error bars from fourth moments.

    Args:
        device: a description, whose equilibrium is drawn afresh; or a running emulator, whose
            present replicas are taken as they stand, in equilibrium or not.
        parameter: one or several of ``LEARNABLE``, or ``Parameters``.
        replicas: 10,000 by default; of a running emulator all.
        seed: of the draw.
        shrinkage: "optimal" (see ``MatrixEstimate``), a share from 0 to 1, or None.
        threads: of the draw.

    Raises:
        ValueError: no equilibrium, fewer than two replicas.

    Example:
        >>> import ktc
        >>> pair = ktc.Network([[0.0, -1.0], [-1.0, 0.0]], 1.0, quartic=1.0)
        >>> found = fisher_estimate(pair, replicas=2000, seed=1)
        >>> found.mean.shape, found.replicas
        ((2, 2), 2000)
    """
    share = checked_shrinkage(shrinkage)
    emulator, parameters = _running(device, parameter, replicas, seed, threads)
    forces = parameters.forces(emulator.read())
    forces -= forces.mean(axis=0)
    n = len(forces)
    covariance = forces.T @ forces / n
    scatter = (forces**2).T @ forces**2 / n - covariance**2
    kT = _kT(emulator)
    return MatrixEstimate(
        covariance * (n / (n - 1)) / kT,
        np.sqrt(np.maximum(scatter, 0) / n) / kT,
        shrinkage=share,
        replicas=n,
        time=0.0,
        method="covariance over replicas",
    )


def friction_estimate(
    device: Description | Any,
    parameter: Learnable = "bias",
    replicas: int | None = None,
    seed: int | None = None,
    *,
    windows: int = 4,
    interval: float | None = None,
    longest: float | None = None,
    shrinkage: float | str | None = OPTIMAL,
    threads: int | None = None,
) -> MatrixEstimate:
    """ζ = (1/kT)∫₀^∞ ⟨δ∂H(0) δ∂H(t)ᵀ⟩ dt over replicas in equilibrium (Green, Kubo).

    Every replica runs through ``windows`` stretches of time t_w. Of each, ∫∂H dt is correlated with
    ∂H at its start and at its end, which time reversal makes alike. Integrals are by Gregory's
    rule, third order in ``interval``; error bars are those of up to 50 groups of replicas.

    The window ends at the first t that is, for every parameter, at least six times ∫₀^t|C|/C(0),
    C its autocovariance, and at which what the last quarter of the window has of C, going on for
    another t, would add less than 5 % of ∫C, or less than its own noise. A slow part of C that
    is smaller than the noise of so many replicas is therefore not seen.

    Args:
        device: a description, whose equilibrium is drawn afresh; or a running emulator in
            equilibrium at its present controls, which goes on by the time that this takes
            and books what it costs.
        parameter: one or several of ``LEARNABLE``, or ``Parameters``.
        replicas: 10,000 by default; of a running emulator all.
        seed: of the ensemble.
        windows: more of them lower the error bars as 1/√windows, and cost as much time each.
        interval: time between read-outs; a tenth of the network's fastest time by default.
        longest: the longest window; 20,000 intervals by default.
        shrinkage: "optimal" (see ``MatrixEstimate``), a share from 0 to 1, or None.
        threads: of the ensemble.

    Raises:
        ValueError: no equilibrium, fewer than twenty replicas, or correlations that outlast
            ``longest``.

    Source: Sivak, Crooks (2012), Phys. Rev. Lett. 108, 190602; windows: Sokal (1997), in Functional
    Integration, 131.

    Example:
        >>> import ktc
        >>> unit = ktc.Network(stiffness=1.0, friction=1.0, quartic=1.0)
        >>> found = friction_estimate(unit, replicas=2000, seed=1)
        >>> bool(abs(found.mean - ktc.theory.friction_tensor(unit)) < 5 * found.stderr)
        True
    """
    return metric_estimates(
        device,
        parameter,
        replicas,
        seed,
        windows=windows,
        interval=interval,
        longest=longest,
        shrinkage=shrinkage,
        threads=threads,
    )[1]


def metric_estimates(
    device: Description | Any,
    parameter: Learnable = "bias",
    replicas: int | None = None,
    seed: int | None = None,
    *,
    windows: int = 4,
    interval: float | None = None,
    longest: float | None = None,
    shrinkage: float | str | None = OPTIMAL,
    threads: int | None = None,
) -> tuple[MatrixEstimate, MatrixEstimate]:
    """F and ζ from one ensemble's run: see ``friction_estimate``, whose arguments these are.

    F is averaged over the ends of all windows as well, so that its error bars are smaller than
    those of ``fisher_estimate``.

    Example:
        >>> import ktc
        >>> pair = ktc.Network([[0.0, -1.0], [-1.0, 0.0]], 1.0, quartic=1.0)
        >>> fisher, friction = metric_estimates(pair, "stiffness", replicas=1000, seed=1)
        >>> fisher.mean.shape, friction.mean.shape
        ((3, 3), (3, 3))
    """
    share, stretches = checked_shrinkage(shrinkage), count("windows", windows)
    emulator, parameters = _running(device, parameter, replicas, seed, threads)
    controls = emulator.controls
    step = default_step(emulator.network, [controls]) if interval is None else interval
    step = positive("interval", step)
    most = MOST_INTERVALS if longest is None else int(positive("longest", longest) / step)
    if emulator.replicas < 20:
        raise ValueError(
            f"replicas must be at least 20 to have error bars, but are {emulator.replicas}"
        )
    begun = emulator.time
    walk = _Walk(emulator, parameters, step)
    ends, sums = [walk.forces], []
    sums.append(walk.until_decayed(most))
    ends.append(walk.forces)
    for _ in range(stretches - 1):
        sums.append(walk.through(walk.intervals))
        ends.append(walk.forces)
    ends = [end - end.mean(axis=0) for end in ends]
    sums = [integral - integral.mean(axis=0) for integral in sums]
    kT, n = _kT(emulator), emulator.replicas
    tables: list[tuple[Array, Array]] = []
    for kind in ("fisher", "friction"):
        total = np.zeros((parameters.size,) * 2)
        squares = total.copy()
        groups = np.array_split(np.arange(n), min(GROUPS, n // 2))
        for group in groups:
            own = slice(int(group[0]), int(group[-1]) + 1)
            if kind == "fisher":
                pairs = [(end[own], end[own]) for end in ends]
            else:
                pairs = [
                    (0.5 * (ends[k][own] + ends[k + 1][own]), sums[k][own])
                    for k in range(stretches)
                ]
            part = np.zeros_like(total)
            for one, other in pairs:
                part += one.T @ other
            part = 0.5 * (part + part.T) / len(pairs) / len(group) / kT * (n / (n - 1))
            total += part * (len(group) / n)
            squares += part**2 * (len(group) / n)
        spread = np.sqrt(np.maximum(squares - total**2, 0) / (len(groups) - 1))
        tables.append((total, spread))
    time = emulator.time - begun
    methods = (
        f"covariance over replicas at {stretches + 1} times",
        f"Green–Kubo over {stretches} windows of {walk.intervals * step:.4g}",
    )
    fisher, friction = (
        MatrixEstimate(*table, shrinkage=share, replicas=n, time=time, method=method)
        for table, method in zip(tables, methods, strict=True)
    )
    return fisher, friction


class _Walk:
    """Runs an emulator by intervals, and integrates ∂H of every replica."""

    def __init__(self, emulator: Any, parameters: Parameters, step: float) -> None:
        self._emulator, self._parameters, self._step = emulator, parameters, step
        self.forces = self._read()
        self.intervals = 0

    def until_decayed(self, most: int) -> Array:
        """∫∂H dt over a window that the rule ends; its length is then ``intervals``."""
        origin = self.forces
        start = origin - origin.mean(axis=0)
        total = 0.5 * origin
        first = np.mean(start**2, axis=0)
        replicas = len(start)
        series, sizes = [first], 0.5 * first
        sums = 0.5 * first
        early = late = self.forces
        for k in range(1, most + 1):
            before = self.forces
            self._advance()
            total += self.forces
            series.append(np.mean(start * (self.forces - self.forces.mean(axis=0)), axis=0))
            sums, sizes = sums + series[-1], sizes + np.abs(series[-1])
            if k == 1:
                early = self.forces
            late = before
            last = series[-max(1, k // 4) :]
            tail = k * np.abs(np.mean(last, axis=0))
            # C(t) is a mean over replicas; neighbours in time hardly average its noise.
            allowed = np.maximum(TAIL * np.abs(sums), k * first / np.sqrt(replicas))
            if (
                k >= 8
                and (k * first >= CORRELATION_TIMES * sizes).all()
                and (tail <= allowed).all()
            ):
                self.intervals = k
                return self._gregory(total - 0.5 * self.forces, origin, early, late)
        slow = int(np.argmax(tail / np.maximum(allowed, 1e-300)))
        raise ValueError(
            f"correlations of {self._parameters.labels[slow]} outlast a window of "
            f"{most * self._step:.4g}: make longest larger, or interval, or treat wells apart"
        )

    def through(self, intervals: int) -> Array:
        """∫∂H dt over as many intervals."""
        start = self.forces
        total = 0.5 * start
        early = late = start
        for k in range(1, intervals + 1):
            late = self.forces
            self._advance()
            total += self.forces
            if k == 1:
                early = self.forces
        return self._gregory(total - 0.5 * self.forces, start, early, late)

    def _gregory(self, trapezoid: Array, start: Array, early: Array, late: Array) -> Array:
        """Ends of the trapezoidal rule corrected by the first differences, an h/12 of each."""
        differences = early - start + late - self.forces
        integral: Array = self._step * (trapezoid + differences / 12)
        return integral

    def _advance(self) -> None:
        self._emulator.run(self._step)
        self.forces = self._read()

    def _read(self) -> Array:
        return self._parameters.forces(self._emulator.read())


def _running(
    device: Any,
    parameter: Learnable,
    replicas: int | None,
    seed: int | None,
    threads: int | None,
) -> tuple[Any, Parameters]:
    """An ensemble in equilibrium: the device itself where it runs, or one of its own."""
    if not hasattr(device, "run"):
        at_equilibrium(device)
        number = count("replicas", REPLICAS if replicas is None else replicas, least=2)
        emulator = Emulator(device, number, seed, threads)
        return emulator, _parameters(device, parameter)
    for name, value in (("replicas", replicas), ("seed", seed), ("threads", threads)):
        if value is not None:
            raise ValueError(f"{name} is {value!r}, but the device runs already; leave {name} out")
    present = device.network.with_controls(device.controls)
    described = Described(present, device.scale, device.symbols)
    at_equilibrium(described)
    if device.replicas < 2:
        raise ValueError("device must have two replicas or more, but has one")
    return device, _parameters(described, parameter)


def _parameters(device: Description, parameter: Learnable) -> Parameters:
    return parameter if isinstance(parameter, Parameters) else Parameters(device, parameter)


def _kT(emulator: Any) -> float:
    return float(emulator.controls.kT)
