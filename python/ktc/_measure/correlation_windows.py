"""Integrals of ∂H/∂θ over correlation windows of replicas in equilibrium."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array
from ktc._engines.step_size import default_step
from ktc._model.device import Device
from ktc._model.parameters import Parameters

# A window of six correlation times omits e⁻⁶ = 0.25 % of an exponential.
CORRELATION_TIMES = 6.0
# Largest share of the integral that the last quarter of a window may add over another window.
TAIL = 0.05
MOST_INTERVALS = 20_000


class Windows(NamedTuple):
    """∂H of replicas in equilibrium at the ends of windows, and its integrals over the windows.

    ``ends`` are ∂H − ⟨∂H⟩ at the ends of all windows, ``pairs`` ∂H at one end of a window and
    ∫∂H dt over it, both less their means, shape (replicas, p) each. Every parameter has a window of
    so many intervals; the longest has the given length.
    """

    ends: list[Array]
    pairs: list[tuple[Array, Array]]
    intervals: NDArray[np.intp]
    length: float


def correlated_windows(
    device: Device,
    parameters: Parameters,
    windows: int = 2,
    growth: float = 1.5,
    hold: float | None = None,
) -> Windows:
    """Run a device in equilibrium through windows, as ``theory.friction_estimate`` describes.

    The first window, which determines the lengths, is not part of the result. Lengths are rounded
    up to powers of ``growth``, so that few differ.
    """
    step = default_step(device.network, [device.controls]) if hold is None else hold
    integrator = WindowIntegrator(device, parameters, step, trapezoidal=hold is not None)
    integrator.until_decayed(MOST_INTERVALS)
    powers = np.ceil(np.log(integrator.windows) / np.log(growth) - 1e-9)
    integrator.windows = np.ceil(growth**powers).astype(np.intp)
    ends, pairs = [_centred(integrator.forces)], []
    for _ in range(windows):
        forward, backward = integrator.through()
        ends.append(_centred(integrator.forces))
        pairs += [(ends[-2], _centred(forward)), (ends[-1], _centred(backward))]
    return Windows(ends, pairs, integrator.windows, float(integrator.windows.max()) * step)


def longer_window(windows: NDArray[np.intp]) -> Array:
    """Weight of each entry of ∂H ∫∂Hᵀdt: the longer of two windows has all their correlation."""
    longer = np.subtract.outer(-windows, -windows)
    return np.where(longer > 0, 1.0, np.where(longer == 0, 0.5, 0.0))


def _centred(forces: Array) -> Array:
    return np.asarray(forces - forces.mean(axis=0))


class WindowIntegrator:
    """Run a device by intervals and integrate ∂H of every replica.

    Every parameter has a window of its own length, because the integral of a fast force over the
    correlation time of a slow one would only add noise.

    Attributes:
        time: duration of the run so far.
        forces: ∂H now, shape (replicas, p).
        windows: number of intervals in the window of each parameter, shape (p,).
    """

    def __init__(
        self, device: Device, parameters: Parameters, step: float, trapezoidal: bool
    ) -> None:
        self._device, self._parameters, self._step = device, parameters, step
        self._trapezoidal = trapezoidal
        self._intervals, self.time = 0, 0.0
        self.forces = parameters.forces(device.read())
        self.windows = np.zeros(parameters.size, dtype=np.intp)

    def until_decayed(self, most: int) -> Array:
        """Run until the windows of all parameters have ended, and return ∫∂H dt over them."""
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
            # C(t) is a mean over replicas, and its noise is correlated over the tail.
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
            f"{most * self._step:.4g}, measured on {replicas} replicas: take more replicas (in "
            "learn, by ktc.Metrics), a larger longest or interval, or one well at a time"
        )

    def through(self) -> tuple[Array, Array]:
        """Run for the longest window; return ∫∂H dt over windows at its start and at its end."""
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
            # The sum before a window, with half of the first force in it, is subtracted later.
            backward[:, opening] = sums_of_forces[:, opening] - 0.5 * self.forces[:, opening]
            starts[:, opening] = self.forces[:, opening]
        return forward, self._integral(sums_of_forces - backward, starts, nexts, late, self.forces)

    def _integral(self, total: Array, start: Array, early: Array, late: Array, end: Array) -> Array:
        """The trapezoidal rule, or with differences at both ends times h/12 the Gregory rule."""
        result: Array = self._step * (total - 0.5 * end)
        if not self._trapezoidal:
            result += self._step / 12 * (early - start + late - end)
        return result

    def _advance(self) -> None:
        self._device.run(self._step)
        self._intervals += 1
        self.time = self._intervals * self._step
        self.forces = self._parameters.forces(self._device.read())
