"""Reading the cells of a board: through an ADC, with its noise, grid, range and rate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ktc._base.validation import Array
from ktc._boards.real_board import ROUNDING
from ktc._emulation.ideal_frontend import IdealFrontend
from ktc._model.imperfections import Imperfections, LimitError
from ktc._model.moments import Moments

# Replicas that share one stream of read-out noise: it is found by replica number, so that readings
# do not depend on how replicas are split over emulators.
REPLICAS_OF_A_STREAM = 1024


class ReadOut:
    """Readings v + noise of every cell of every replica, at the nearest value of the ADC's grid.

    All that is read at one instant comes from one conversion. Noise is independent from reading to
    reading, cell to cell and replica to replica, and a function of (seed, number of the reading,
    replica) alone; it enters the covariance.

    Attributes:
        count: conversions so far.
        time: of the last one; None before the first.
    """

    def __init__(self, cells: IdealFrontend, spec: Imperfections) -> None:
        self._cells, self._spec = cells, spec
        self.count = 0
        self.time: float | None = None
        self._values: Array | None = None

    def read(self) -> Array:
        """A copy of the readings [V], shape (replicas, d)."""
        return self._state().copy()

    def moments(self) -> Moments:
        """Mean and covariance of the readings over the replicas."""
        if self._spec.reads_exactly:
            self._begin()
            return self._cells.moments()
        values = self._state()
        mean = values.mean(axis=0)
        return Moments(mean, lambda: (values - mean).T @ (values - mean) / len(values))

    def require(self, times: Array, ticks: Sequence[int]) -> None:
        """Refuse readings at ascending future times, each after a tick, that are too close."""
        gaps = np.diff(times, prepend=-np.inf if self.time is None else self.time)
        bad = np.flatnonzero((gaps > 0) & (gaps < self._spec.read_time * (1 - ROUNDING)))
        if len(bad):
            raise LimitError(
                f"the reading after tick {ticks[bad[0]]} comes {gaps[bad[0]]:.6g} s after "
                f"the last one, but the board's ADC takes {self._spec.adc_rate:g} per second, one "
                f"every {self._spec.read_time:g} s; record less often, with a larger every"
            )

    def forget(self) -> None:
        """Discard the last conversion, because the state was placed anew."""
        self._values = None

    def copy(self, cells: IdealFrontend) -> ReadOut:
        """A read-out of a copy of the cells, with the same noise."""
        twin = ReadOut(cells, self._spec)
        twin.count, twin.time, twin._values = self.count, self.time, self._values
        return twin

    def _begin(self) -> None:
        """Note that a conversion is made now."""
        now, least = self._cells.engine.time, self._spec.read_time
        if self.time is not None and 0 < now - self.time < least * (1 - ROUNDING):
            raise LimitError(
                f"the board's ADC takes {self._spec.adc_rate:g} readings a second, one every "
                f"{least:g} s, but this one comes {now - self.time:.6g} s after the last; "
                "run longer between readings"
            )
        self.time = now

    def _state(self) -> Array:
        if self._values is not None and self.time == self._cells.engine.time:
            return self._values
        values = self._cells.read()
        if self._spec.adc_noise > 0:
            values = values + self._spec.adc_noise * self._noise()
        self._refuse_outside(values)
        self._begin()
        self.count += 1
        self._values = self._spec.adc.quantised(values)
        return self._values

    def _refuse_outside(self, values: Array) -> None:
        outside = self._spec.adc.outside(values)
        if not len(outside):
            return
        replica, cell = outside[0]
        number = replica + self._cells.options.first_replica
        raise LimitError(
            f"readings must be within ±{self._spec.adc_range:g} V, the range of the board's ADC, "
            f"but {len(outside)} of {values.size} are not at t = {self._cells.engine.time:g} s, "
            f"such as {values[replica, cell]:.6g} V of cell {cell} in replica {number}; give the "
            "ADC a wider adc_range, or drive the cells less far"
        )

    def _noise(self) -> Array:
        options, size = self._cells.options, REPLICAS_OF_A_STREAM
        first, end = options.first_replica, options.first_replica + int(options.replicas)
        parts = []
        own = (options.first_step,) if options.first_step else ()
        for block in range(first // size, (end - 1) // size + 1):
            key = np.random.SeedSequence((options.seed or 0, self.count, block, *own))
            stream = np.random.Generator(np.random.Philox(key))
            rows = stream.standard_normal((size, self._cells.network.units))
            parts.append(rows[max(first - block * size, 0) : end - block * size])
        return np.concatenate(parts)
