"""Integrals of ∂H/∂θ over correlation windows of replicas in equilibrium."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array
from ktc._engines.step_size import default_step
from ktc._measure.lagged_covariances import (
    MOST_INTERVALS,
    LaggedCovariances,
    Observe,
    summed,
    windows_of,
)
from ktc._measure.slow_modes import TAIL, Modes, slow_modes
from ktc._model.device import Device
from ktc._model.parameters import Parameters


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

    Every parameter has a window of its own, with no slow modes. A first run determines the
    lengths. They are rounded up to powers of ``growth``, so that few differ.
    """
    step = default_step(device.network, [device.controls]) if hold is None else hold
    seen = LaggedCovariances(device, parameters.forces, step, pairwise=False)
    found = surveyed(seen, parameters, step, MOST_INTERVALS).windows
    powers = np.ceil(np.log(found) / np.log(growth) - 1e-9)
    found = np.ceil(growth**powers).astype(np.intp)
    integrator = WindowIntegrator(
        device, parameters.forces, found, TAIL * found, step, hold is not None
    )
    ends, pairs = [_centred(integrator.forces)], []
    for _ in range(windows):
        forward, backward = integrator.through()
        ends.append(_centred(integrator.forces))
        pairs += [(ends[-2], _centred(forward)), (ends[-1], _centred(backward))]
    return Windows(ends, pairs, found, float(found.max()) * step)


def surveyed(seen: LaggedCovariances, parameters: Parameters, step: float, most: int) -> Modes:
    """Run until the windows of all combinations of forces have ended; return them.

    Raises:
        ValueError: windows that outlast ``most`` intervals.
    """
    modes, intervals = None, 0
    while intervals < most:
        intervals = min(most, max(intervals + 8, int(1.02 * intervals)))
        seen.extend(intervals)
        own = windows_of(seen.lags, seen.own, seen.replicas)
        if own.all():
            modes = slow_modes(seen, parameters.size)
            if modes.windows.all():
                return modes
    slow = int(np.argmin(own[: parameters.size]))
    raise ValueError(
        f"correlations of {parameters.labels[slow]} outlast a window of "
        f"{most * step:.4g}, measured on {seen.replicas} replicas: take more replicas (in "
        "learn, by ktc.Metrics), a larger longest or interval, or one well at a time"
    )


def _centred(forces: Array) -> Array:
    return np.asarray(forces - forces.mean(axis=0))


class WindowIntegrator:
    """Run a device by intervals and integrate forces of every replica over their windows.

    Every force has a window of its own length, because the integral of a fast force over the
    correlation time of a slow one would only add noise. After a window C goes on at its last value
    for a given time: an eighth of a window of six correlation times is 0.75 of what is left of an
    exponential.

    Args:
        device: a running device.
        observe: forces, shape (replicas, p), of a public state.
        windows: number of intervals in the window of each force, shape (p,).
        tails: number of intervals for which C goes on at its last value, shape (p,).
        step: the interval.
        trapezoidal: whether integrals are by the trapezoidal rule, or by the Gregory rule.

    Attributes:
        forces: their present values, shape (replicas, p).
    """

    def __init__(
        self,
        device: Device,
        observe: Observe,
        windows: NDArray[np.intp],
        tails: Array,
        step: float,
        trapezoidal: bool,
    ) -> None:
        self._device, self._observe, self._step = device, observe, step
        self._windows, self._trapezoidal = windows, trapezoidal
        self._tails = step * tails
        self.forces = observe(device.read())

    def through(self) -> tuple[Array, Array]:
        """Run for the longest window; return ∫∂H dt over windows at its start and at its end."""
        length, windows = int(self._windows.max()), self._windows
        origin = self.forces
        sums_of_forces = 0.5 * origin
        forward, backward = np.empty_like(origin), np.zeros_like(origin)
        starts, nexts = origin.copy(), origin.copy()
        early = late = origin
        edges = np.concatenate([windows - 1, windows, length - windows, length - windows + 1])
        passed = 0
        for k in np.union1d(edges[edges > 0], 1).tolist():
            late = self.forces
            total, self.forces = summed(self._device, self._observe, self._step, k - passed)
            sums_of_forces, passed = sums_of_forces + total, k
            if k == 1:
                early = self.forces
            ending = np.flatnonzero(windows == k)
            if len(ending):
                parts = (a[:, ending] for a in (sums_of_forces, origin, early, late, self.forces))
                tail = self._tails[ending] * self.forces[:, ending]
                forward[:, ending] = self._integral(*parts) + tail
            after = np.flatnonzero(length - windows == k - 1)
            nexts[:, after] = self.forces[:, after]
            opening = np.flatnonzero(length - windows == k)
            # The sum before a window, with half of the first force in it, is subtracted later.
            backward[:, opening] = sums_of_forces[:, opening] - 0.5 * self.forces[:, opening]
            starts[:, opening] = self.forces[:, opening]
        whole = self._integral(sums_of_forces - backward, starts, nexts, late, self.forces)
        return forward, whole + self._tails * starts

    def _integral(self, total: Array, start: Array, early: Array, late: Array, end: Array) -> Array:
        """The trapezoidal rule, or with differences at both ends times h/12 the Gregory rule."""
        result: Array = self._step * (total - 0.5 * end)
        if not self._trapezoidal:
            result += self._step / 12 * (early - start + late - end)
        return result
