"""Autocovariances of ∂H/∂θ on replicas in equilibrium, at lags that grow geometrically."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array
from ktc._model.device import Device

# A window of six correlation times omits e⁻⁶ = 0.25 % of an exponential; more replicas see more.
CORRELATION_TIMES = 6.0
MOST_INTERVALS = 20_000
# The fewest intervals of a window, and the growth of lags.
FEWEST, GROWTH = 8, 1.02
# Lags at single intervals, and the most intervals between two read-outs after them.
FINE, MOST_STRIDE = 32, 16
# Numbers of states that are read before their forces are summed.
MOST_NUMBERS = 2**15

Observe = Callable[[Array], Array]


def summed(device: Device, observe: Observe, step: float, intervals: int) -> tuple[Array, Array]:
    """Run a device for some intervals; return the sum of the forces after each, and the last."""
    total, left = np.zeros(()), intervals
    while left:
        states = [_after(device, step)]
        many = min(left, max(1, MOST_NUMBERS // states[0].size))
        states += [_after(device, step) for _ in range(many - 1)]
        forces = observe(np.concatenate(states) if many > 1 else states[0])
        # One row per force, so that sums stream through memory.
        rows = forces.T.reshape(forces.shape[1], many, -1)
        total, left = total + rows.sum(axis=1), left - many
    return total.T, rows[:, -1].T


def _after(device: Device, step: float) -> Array:
    device.run(step)
    return device.read()


class LaggedCovariances:
    """C(t) of forces with their values at one start, and ∫C, of a device that runs on.

    Args:
        device: a running device in equilibrium.
        observe: forces, shape (replicas, q), of a public state.
        step: interval between read-outs.
        pairwise: whether covariances are of all pairs, shape (q, q), or of each force with itself.
        adaptive: whether read-outs may be further apart after the first ``FINE`` intervals.

    Attributes:
        lags: numbers of intervals, ascending from 0, shape (J,).
        sums: ½C(0) + C(1) + … + C(lag), shape (J, q, q) or (J, q); in pairs the first force is the
            earlier one.
        stride: number of intervals between read-outs from now on.
    """

    def __init__(
        self, device: Device, observe: Observe, step: float, pairwise: bool, adaptive: bool = False
    ) -> None:
        self._device, self._observe, self._step = device, observe, step
        self._pairwise, self.replicas = pairwise, len(device.read())
        self._adaptive, self.stride = adaptive, 1
        self._start = _centred(observe(device.read()))
        self._last = self._product(self._start)
        self._lags, self._sums = [0], [0.5 * self._last]

    @property
    def lags(self) -> NDArray[np.intp]:
        return np.array(self._lags)

    @property
    def sums(self) -> Array:
        return np.array(self._sums)

    @property
    def own(self) -> Array:
        """Sums of every force with itself, shape (J, q)."""
        sums = self.sums
        return np.einsum("jii->ji", sums) if self._pairwise else sums

    def extend(self, intervals: int) -> None:
        """Run on to the given number of intervals."""
        while self._lags[-1] < intervals:
            if self._adaptive and self._lags[-1] == FINE:
                self.stride = coarsest_stride(self.own, self.replicas)
            here, stride = self._lags[-1], self.stride
            many = max(1, -(-(int(here * GROWTH) - here) // stride))
            step = self._step * stride
            total, last = summed(self._device, self._observe, step, many)
            change = stride * self._product(_centred(total))
            if stride > 1:  # the trapezoidal rule in between
                before, self._last = self._last, self._product(_centred(last))
                change = change + 0.5 * (stride - 1) * (before - self._last)
            elif self._adaptive:
                self._last = change
            self._lags.append(here + many * stride)
            self._sums.append(self._sums[-1] + change)

    def _product(self, now: Array) -> Array:
        if self._pairwise:
            return np.asarray(self._start.T @ now / self.replicas)
        return np.asarray(np.mean(self._start * now, axis=0))


def _centred(forces: Array) -> Array:
    return np.asarray(forces - forces.mean(axis=0))


def coarsest_stride(own: Array, replicas: int) -> int:
    """Largest power of two of intervals m that read-outs may be apart.

    The Gregory rule is wrong by x³/24 of an exponential, x = 1 − C(m)/C(0), which must be at most
    0.2/√N, a sixth of an error bar of ζ, and x at most 0.4.

    Args:
        own: ½C(0) + … + C(lag) at all lags to ``MOST_STRIDE`` or more, shape (J, q).
        replicas: N.
    """
    most, stride = min(0.4, (4.8 / np.sqrt(replicas)) ** (1 / 3)), 1
    while 2 * stride <= MOST_STRIDE:
        decayed = own[2 * stride] - own[2 * stride - 1] < (1 - most) * 2 * own[0]
        if decayed.any():
            break
        stride *= 2
    return stride


def windows_of(lags: NDArray[np.intp], own: Array, replicas: int) -> NDArray[np.intp]:
    """Window of each force, in intervals; 0 where C has not decayed at the last lag.

    A window ends at the first t ≥ max(6, 1 + ½ ln N) ∫₀^t|C|/C(0) at which the mean of C over its
    last quarter is less than the noise of C, C(0)/√N.

    Args:
        lags: numbers of intervals from 0, shape (J,).
        own: ½C(0) + … + C(lag), shape (J, q).
        replicas: N.
    """
    first = 2 * own[0]
    sizes = np.vstack([own[:1], np.abs(np.diff(own, axis=0))]).cumsum(axis=0)
    quarter = np.searchsorted(lags, 0.75 * lags, side="right") - 1
    width = np.maximum(lags - lags[quarter], 1)[:, None]
    tail = np.abs(own - own[quarter]) / width
    times = max(CORRELATION_TIMES, 1 + 0.5 * np.log(replicas))
    over = (lags[:, None] * first >= times * sizes) & (tail <= first / np.sqrt(replicas))
    over &= lags[:, None] >= FEWEST
    return np.where(over.any(axis=0), lags[np.argmax(over, axis=0)], 0)
