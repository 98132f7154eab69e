"""F and ζ measured on replicas in equilibrium, for any potential."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array, count, positive
from ktc._emulation.emulator import Emulator
from ktc._engines.step_size import default_step
from ktc._model.description import Described, Description
from ktc._model.parameters import Parameters
from ktc._theory.free_energies import at_equilibrium
from ktc._theory.matrix_estimate import OPTIMAL, MatrixEstimate, checked_shrinkage
from ktc._theory.metrics import Learnable

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
        >>> found = ktc.theory.fisher_estimate(pair, replicas=2000, seed=1)
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

    Every parameter has a window, found in a first stretch of time; every replica runs through
    ``windows`` stretches, each as long as the longest. ∫∂H dt over a window is correlated with ∂H
    at its start, and from the second stretch on also with ∂H at its end, which time reversal makes
    alike; of two parameters the longer window counts. Integrals are by Gregory's rule, third order
    in ``interval``; error bars are those of up to 50 groups of replicas.

    A parameter's window ends at the first t that is at least six times ∫₀^t|C|/C(0), C its
    autocovariance, and at which what the last quarter of the window has of C, going on for another
    t, would add less than 5 % of ∫C, or less than its own noise. A slow part of C that is smaller
    than the noise of so many replicas is therefore not seen.

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
        >>> found = ktc.theory.friction_estimate(unit, replicas=2000, seed=1)
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
    hold: float | None = None,
) -> tuple[MatrixEstimate, MatrixEstimate]:
    """F and ζ from one ensemble's run: see ``friction_estimate``, whose arguments these are.

    F is averaged over the ends of all windows as well, so that its error bars are smaller than
    those of ``fisher_estimate``.

    Args:
        hold: for controls that are held so long, in place of ``interval``: ζ is then the
            trapezoidal rule at the ticks, (h/kT)[½C(0) + C(h) + C(2h) + …], by which control in
            steady motion under holds is ahead, less half a tick, in linear response of any device.

    Example:
        >>> import ktc
        >>> pair = ktc.Network([[0.0, -1.0], [-1.0, 0.0]], 1.0, quartic=1.0)
        >>> fisher, friction = ktc.theory.metric_estimates(pair, "stiffness", replicas=1000, seed=1)
        >>> fisher.mean.shape, friction.mean.shape
        ((3, 3), (3, 3))
    """
    share, stretches = checked_shrinkage(shrinkage), count("windows", windows)
    emulator, parameters = _running(device, parameter, replicas, seed, threads)
    if hold is not None and interval is not None:
        raise ValueError(f"interval must be left out where hold is {hold}, which takes its place")
    step = default_step(emulator.network, [emulator.controls]) if interval is None else interval
    step = positive("interval", step) if hold is None else positive("hold", hold)
    most = MOST_INTERVALS if longest is None else int(positive("longest", longest) / step)
    if emulator.replicas < 20:
        raise ValueError(
            f"replicas must be at least 20 to have error bars, but are {emulator.replicas}"
        )
    begun = emulator.time
    walk = _Walk(emulator, parameters, step, trapezoidal=hold is not None)
    ends = [walk.forces]
    pairs = [(ends[0], walk.until_decayed(most))]
    ends.append(walk.forces)
    for _ in range(stretches - 1):
        forward, backward = walk.through()
        pairs += [(ends[-1], forward), (walk.forces, backward)]
        ends.append(walk.forces)
    # Of two windows the longer one holds all that both parameters have in common.
    longer = np.subtract.outer(-walk.windows, -walk.windows)
    share_of = np.where(longer > 0, 1.0, np.where(longer == 0, 0.5, 0.0))
    kT, tables = _kT(emulator), []
    for couples, weights in (([(end, end) for end in ends], 0.5), (pairs, share_of)):
        total, spread = _over_groups(couples, np.asarray(weights))
        tables.append((total / kT, spread / kT))
    n = emulator.replicas
    time = emulator.time - begun
    methods = (
        f"covariance over replicas at {stretches + 1} times",
        f"Green–Kubo over {stretches} windows of up to {walk.windows.max() * step:.4g}",
    )
    fisher, friction = (
        MatrixEstimate(*table, shrinkage=share, replicas=n, time=time, method=method)
        for table, method in zip(tables, methods, strict=True)
    )
    return fisher, friction


def _over_groups(couples: list[tuple[Array, Array]], weights: Array) -> tuple[Array, Array]:
    """Mean of w∘M + (w∘M)ᵀ, M = ⟨one otherᵀ⟩ with means removed, and its error bar over groups."""
    n, p = couples[0][0].shape
    centred = [(one - one.mean(axis=0), other - other.mean(axis=0)) for one, other in couples]
    total, squares = np.zeros((p, p)), np.zeros((p, p))
    groups = np.array_split(np.arange(n), min(GROUPS, n // 2))
    for group in groups:
        own = slice(int(group[0]), int(group[-1]) + 1)
        part = np.zeros((p, p))
        for one, other in centred:
            part += one[own].T @ other[own]
        part *= weights * (n / (n - 1) / len(centred) / len(group))
        part = part + part.T
        total += part * (len(group) / n)
        squares += part**2 * (len(group) / n)
    return total, np.sqrt(np.maximum(squares - total**2, 0) / (len(groups) - 1))


class Windows(NamedTuple):
    """What replicas in equilibrium did over windows, each parameter's of its own length.

    Attributes:
        ends: ∂H at the ends of all windows, less its mean, (replicas, p) each.
        pairs: ∂H at one end of a window and ∫∂H dt over it, less their means, (replicas, p) each.
        intervals: number of intervals of each parameter's window, shape (p,).
        length: time of the longest.
    """

    ends: list[Array]
    pairs: list[tuple[Array, Array]]
    intervals: NDArray[np.intp]
    length: float


def correlated_windows(
    emulator: Any,
    parameters: Parameters,
    windows: int = 2,
    growth: float = 1.5,
    hold: float | None = None,
) -> Windows:
    """Runs a device in equilibrium through windows as ``metric_estimates`` describes them.

    The first window, by which the rule finds their lengths, is not among them; lengths are rounded
    up to powers of ``growth``, so that few differ.
    """
    step = default_step(emulator.network, [emulator.controls]) if hold is None else hold
    walk = _Walk(emulator, parameters, step, trapezoidal=hold is not None)
    walk.until_decayed(MOST_INTERVALS)
    powers = np.ceil(np.log(walk.windows) / np.log(growth) - 1e-9)
    walk.windows = np.ceil(growth**powers).astype(np.intp)
    ends, pairs = [_centred(walk.forces)], []
    for _ in range(windows):
        forward, backward = walk.through()
        ends.append(_centred(walk.forces))
        pairs += [(ends[-2], _centred(forward)), (ends[-1], _centred(backward))]
    return Windows(ends, pairs, walk.windows, float(walk.windows.max()) * step)


def _centred(forces: Array) -> Array:
    return np.asarray(forces - forces.mean(axis=0))


class _Walk:
    """Runs an emulator by intervals, and integrates ∂H of every replica.

    Every parameter has a window of its own: what is correlated with ∂H at one end of it. A fast
    force integrated over the time of a slow one would gather noise alone.
    """

    def __init__(
        self, emulator: Any, parameters: Parameters, step: float, trapezoidal: bool
    ) -> None:
        self._emulator, self._parameters, self._step = emulator, parameters, step
        self._trapezoidal = trapezoidal
        self.forces = self._read()
        #: Intervals of each parameter's window, shape (p,).
        self.windows = np.zeros(parameters.size, dtype=np.intp)

    def until_decayed(self, most: int) -> Array:
        """∫∂H dt of every parameter over the window that the rule ends for it."""
        origin = self.forces
        start = origin - origin.mean(axis=0)
        sums_of_forces = 0.5 * origin
        integral = np.empty_like(origin)
        first = np.mean(start**2, axis=0)
        replicas = len(start)
        series, sizes, sums = [first], 0.5 * first, 0.5 * first
        early = origin
        for k in range(1, most + 1):
            late = self.forces
            self._advance()
            if k == 1:
                early = self.forces
            sums_of_forces += self.forces
            series.append(np.mean(start * (self.forces - self.forces.mean(axis=0)), axis=0))
            sums, sizes = sums + series[-1], sizes + np.abs(series[-1])
            if k < 8:
                continue
            tail = k * np.abs(np.mean(series[-(k // 4) :], axis=0))
            # C(t) is a mean over replicas; neighbours in time hardly average its noise.
            allowed = np.maximum(TAIL * np.abs(sums), k * first / np.sqrt(replicas))
            over = (k * first >= CORRELATION_TIMES * sizes) & (tail <= allowed)
            closing = np.flatnonzero(over & (self.windows == 0))
            if len(closing):
                self.windows[closing] = k
                parts = (a[:, closing] for a in (sums_of_forces, origin, early, late, self.forces))
                integral[:, closing] = self._integral(*parts)
            if self.windows.all():
                return integral
        slow = int(np.argmin(self.windows))
        raise ValueError(
            f"correlations of {self._parameters.labels[slow]} outlast a window of "
            f"{most * self._step:.4g}, as {replicas} replicas tell them: take more (in "
            "learn, of ktc.Metrics), make longest larger, or interval, or treat wells apart"
        )

    def through(self) -> tuple[Array, Array]:
        """∫∂H dt over every parameter's window at the start of the longest, and at its end."""
        length = int(self.windows.max())
        origin = self.forces
        sums_of_forces = 0.5 * origin
        forward, backward = np.empty_like(origin), np.zeros_like(origin)
        starts, nexts = origin.copy(), origin.copy()
        early = late = origin
        for k in range(1, length + 1):
            late = self.forces
            self._advance()
            if k == 1:
                early = self.forces
            sums_of_forces += self.forces
            ending = np.flatnonzero(self.windows == k)
            if len(ending):
                parts = (a[:, ending] for a in (sums_of_forces, origin, early, late, self.forces))
                forward[:, ending] = self._integral(*parts)
            after = np.flatnonzero(length - self.windows == k - 1)
            nexts[:, after] = self.forces[:, after]
            opening = np.flatnonzero(length - self.windows == k)
            # What is before a window, with half of its first force, is taken off its sum.
            backward[:, opening] = sums_of_forces[:, opening] - 0.5 * self.forces[:, opening]
            starts[:, opening] = self.forces[:, opening]
        return forward, self._integral(sums_of_forces - backward, starts, nexts, late, self.forces)

    def _integral(self, total: Array, start: Array, early: Array, late: Array, end: Array) -> Array:
        """The trapezoidal rule, with an h/12 of the first differences at both ends (Gregory)."""
        result: Array = self._step * (total - 0.5 * end)
        if not self._trapezoidal:
            result += self._step / 12 * (early - start + late - end)
        return result

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
