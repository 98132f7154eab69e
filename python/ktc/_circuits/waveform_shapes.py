"""Functions of time with closed integrals: straight lines between points, and damped waves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ktc._base.validation import Array


class Shape(Protocol):
    """A function of time."""

    def at(self, times: Array) -> Array:
        """Return the values at times; at a jump, the value before it."""

    def integral(self, edges: Array) -> Array:
        """Return the integrals between each two of increasing times, one less than these."""


@dataclass(frozen=True)
class Lines:
    """Straight lines between points, constant before and after them.

    Attributes:
        times, levels: the points; two at one time are a jump.
        delay: is added to all times.
        repeat: the time from which on the points repeat, each after the last; None for once.
        count: how often they repeat; then the first level holds.
    """

    times: Array
    levels: Array
    delay: float
    repeat: float | None = None
    count: float = math.inf

    def at(self, times: Array) -> Array:
        """Return the values at times; at a jump, the value before it."""
        _, place = self._place(times)
        after = np.searchsorted(self.times, place)
        k = np.clip(after - 1, 0, len(self.times) - 2)
        inside = (after > 0) & (after < len(self.times))
        ends = np.where(after > 0, self.levels[-1], self.levels[0])
        return np.where(inside, self.levels[k] + self._slopes()[k] * (place - self.times[k]), ends)

    def integral(self, edges: Array) -> Array:
        """Return the integrals between each two of increasing times, one less than these."""
        base, slopes = self.levels[0], self._slopes()
        above = self.levels - base
        areas = np.diff(self.times) * (above[1:] + above[:-1]) / 2
        until = np.concatenate([[0.0], np.cumsum(areas)])

        def area(x: Array) -> Array:
            """∫ of the lines above the first level up to x, without repetitions."""
            k = np.clip(np.searchsorted(self.times, x) - 1, 0, len(self.times) - 2)
            since = np.clip(x - self.times[k], 0.0, self.times[k + 1] - self.times[k])
            inside = until[k] + since * (above[k] + slopes[k] * since / 2)
            return np.asarray(inside + above[-1] * np.maximum(x - self.times[-1], 0.0))

        rounds, place = self._place(edges)
        parts = np.diff(area(place))
        if self.repeat is not None:
            ends = area(np.array([self.repeat, self.times[-1]]))
            parts = parts + np.diff(rounds) * (ends[1] - ends[0])
        return np.asarray(parts + base * np.diff(edges))

    def _slopes(self) -> Array:
        steps = np.diff(self.times)
        return np.divide(np.diff(self.levels), steps, out=np.zeros_like(steps), where=steps > 0)

    def _place(self, times: Array) -> tuple[Array, Array]:
        """Number of repetitions that are over, and the place in time among the points."""
        x = times - self.delay
        if self.repeat is None:
            return np.zeros_like(x), x
        period = self.times[-1] - self.repeat
        rounds = np.clip(np.floor((x - self.repeat) / period), 0.0, self.count)
        place = np.where(rounds > 0, np.maximum(x - rounds * period, self.repeat), x)
        place = np.minimum(place, self.times[-1])
        return rounds, np.where(rounds == self.count, self.repeat, place)


@dataclass(frozen=True)
class Waves:
    """base + Σ Re c e^{λ (t − start)}, each term from its start on.

    Attributes:
        base: a constant.
        terms: start, c and λ of each term; a start of −∞ stands for 0 without a beginning.
    """

    base: float
    terms: Sequence[tuple[float, complex, complex]]

    def at(self, times: Array) -> Array:
        """Return the values at times; at a jump, the value before it."""
        values = np.full(times.shape, self.base)
        for start, size, rate in self.terms:
            since = times - (start if math.isfinite(start) else 0.0)
            wave = (size * np.exp(rate * np.where(times > start, since, 0.0))).real
            values += np.where(times > start, wave, 0.0)
        return values

    def integral(self, edges: Array) -> Array:
        """Return the integrals between each two of increasing times, one less than these."""
        parts = self.base * np.diff(edges)
        for start, size, rate in self.terms:
            first = np.maximum(edges[:-1], start)
            held = np.maximum(edges[1:] - first, 0.0)
            since = first - (start if math.isfinite(start) else 0.0)
            since = np.where(held > 0, since, 0.0)
            # (e^{λh} − 1)/λ; h itself at λ = 0.
            grown = np.expm1(rate * held) / rate if rate else held
            parts = parts + (size * np.exp(rate * since) * grown).real
        return np.asarray(parts)
