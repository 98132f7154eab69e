"""One update of the controls by a schedule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ktc._base.validation import Array
from ktc._learning.metrics.metric_tensors import MetricTensors
from ktc._learning.schedule import Schedule


class Update:
    """Δθ of update ``tick`` = 0, …, ``ticks``: a flow of one hold, half of it and a jump at an end.

    The first jump is by F and ζ where it starts, what flows after it by those where it ends, and
    the last jump by those where the flow ends. ``flow`` is what flows over a whole hold, shape
    (p,), known after ``change``.
    """

    def __init__(self, schedule: Schedule, tick: int, ticks: int) -> None:
        self._schedule = schedule
        self._first, self._last = tick == 0, tick == ticks
        self._time = schedule.duration * (tick / ticks)
        self._hold = schedule.duration / ticks
        self._share = 0.5 if tick in (0, ticks) else 1.0

    def change(
        self,
        gradient: Array,
        toward: Callable[[Array], Array],
        metric: MetricTensors,
        metric_after: Callable[[Array], MetricTensors] | None = None,
    ) -> Array:
        """Δθ by g, ``Schedule.first_jump``'s ``toward``, F and ζ now, and those after a Δθ."""
        schedule = self._schedule
        after = metric_after or (lambda _: metric)
        jump = None
        self._begun = self._flowing = self._ended = metric
        if self._first:
            jump = schedule.first_jump(gradient, metric, toward)
            self._flowing = after(jump)
        self.flow = self._hold * schedule.velocity(self._time, gradient, self._flowing)
        change = self._share * self.flow if jump is None else jump + self._share * self.flow
        if self._last:
            self._ended = after(change)
            change = change + schedule.last_jump(gradient, self._ended)
        return change

    def response(self, noise: Array, aimed: bool = True) -> Array:
        """Δθ of noise δg in the gradient, at the F and ζ of the last ``change``.

        ``aimed`` is whether the noise is in ``toward`` too, as that of the replicas is.
        """
        schedule = self._schedule
        moved = self._share * self._hold * schedule.velocity(self._time, noise, self._flowing)
        if self._first:
            aim = noise if aimed else np.zeros_like(noise)
            moved = moved + schedule.first_jump(noise, self._begun, lambda _: aim)
        if self._last:
            moved = moved + schedule.last_jump(noise, self._ended)
        return np.asarray(moved)
