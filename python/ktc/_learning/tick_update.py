"""What a schedule makes of a gradient at one update of a loop whose F and ζ are constant."""

from __future__ import annotations

from collections.abc import Callable

from ktc._base.validation import Array
from ktc._learning.metrics.metric import Metric
from ktc._learning.schedules import Schedule


def tick_change(
    schedule: Schedule,
    metric: Metric,
    tick: int,
    ticks: int,
    gradient: Array,
    toward: Callable[[Array], Array],
) -> Array:
    """Δθ of update ``tick`` = 0, …, ``ticks``: a flow of one hold, half of it and a jump at an end.

    Args:
        toward: as of ``Schedule.first_jump``.
    """
    share = 0.5 if tick in (0, ticks) else 1.0
    time = schedule.duration * (tick / ticks)
    change = share * (schedule.duration / ticks) * schedule.velocity(time, gradient, metric)
    if tick == 0:
        change = change + schedule.first_jump(gradient, metric, toward)
    if tick == ticks:
        change = change + schedule.last_jump(gradient, metric)
    return change
