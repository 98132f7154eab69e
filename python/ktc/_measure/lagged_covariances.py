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

Observe = Callable[[Array], Array]


class LaggedCovariances:
    """C(t) of forces with their values at one start, and ∫C, of a device that runs on.

    Args:
        device: a running device in equilibrium.
        observe: forces, shape (replicas, q), of a public state.
        step: interval between read-outs.
        pairwise: whether covariances are of all pairs, shape (q, q), or of each force with itself.

    Attributes:
        lags: numbers of intervals, ascending from 0, shape (J,).
        sums: ½C(0) + C(1) + … + C(lag), shape (J, q, q) or (J, q); in pairs the first force is the
            earlier one.
    """

    def __init__(self, device: Device, observe: Observe, step: float, pairwise: bool) -> None:
        self._device, self._observe, self._step = device, observe, step
        self._pairwise, self.replicas = pairwise, len(device.read())
        self._start = self._centred()
        self._sum = 0.5 * self._product(self._start)
        self._lags, self._sums = [0], [self._sum]

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
            after = max(self._lags[-1] + 1, int(self._lags[-1] * GROWTH))
            for _ in range(self._lags[-1], after):
                self._device.run(self._step)
                self._sum = self._sum + self._product(self._centred())
            self._lags.append(after)
            self._sums.append(self._sum)

    def _centred(self) -> Array:
        forces = self._observe(self._device.read())
        return np.asarray(forces - forces.mean(axis=0))

    def _product(self, now: Array) -> Array:
        if self._pairwise:
            return np.asarray(self._start.T @ now / self.replicas)
        return np.asarray(np.mean(self._start * now, axis=0))


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
