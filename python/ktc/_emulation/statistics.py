"""Running statistics: what a run gathers of the state, over time and replicas, without a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ktc import _core
from ktc._base.resources import within_memory
from ktc._base.validation import Array, count, flag, frozen, real_array
from ktc._emulation.run_statistics import RunStatistics, equal_interval
from ktc._engines.engine import Engine


@dataclass(frozen=True, eq=False)
class Statistics:
    """What to gather of the state x after every ``every``-th tick, over time and replicas.

    Mean and variance are always gathered. The engine accumulates them while it plays, so that
    memory does not grow with the number of ticks. Sums are of deviations from the first
    observation's ensemble mean, compensated, in double precision. Results do not depend on the
    number of threads.

    Args:
        covariance: True gathers ⟨(x − ⟨x⟩)(x − ⟨x⟩)ᵀ⟩ too: d²/2 products per replica.
        histogram: ascending edges, (bins + 1,) for all units alike or (d, bins + 1), in the units
            of the state. A bin holds its lower edge; the last one both of its edges.
        autocorrelation: largest lag, in observations. The last ``autocorrelation + 1`` states are
            kept, and each observation costs as many products per unit; needs observations at
            equal intervals.
        every: ticks from one observation to the next.

    Raises:
        TypeError, ValueError: an argument of a wrong type, or out of range.

    Example:
        >>> import ktc, numpy as np
        >>> emulator = ktc.Emulator(ktc.Network(stiffness=2.0, friction=1.0), replicas=1000, seed=3)
        >>> wanted = ktc.Statistics(histogram=np.linspace(-3, 3, 31), autocorrelation=30)
        >>> run = emulator.play(ktc.Protocol(np.full(200, 0.1), {}), statistics=wanted)
        >>> found = run.statistics
        >>> found.samples, found.histogram.shape, found.autocorrelation.shape
        (200000, (1, 30), (31, 1))
        >>> float(found.variance[0].round(1)), float(found.integrated_time[0].round(1))
        (0.5, 0.5)
    """

    covariance: bool = False
    histogram: Any = None
    autocorrelation: int | None = None
    every: int = 1

    def __post_init__(self) -> None:
        flag("covariance", self.covariance)
        if self.autocorrelation is not None:
            count("autocorrelation", self.autocorrelation)
        count("every", self.every)
        if self.histogram is not None:
            object.__setattr__(self, "histogram", _edges(self.histogram))


class Observer:
    """Accumulates statistics on one engine, for a protocol whose ticks begin and end at ``times``.

    ``scale`` is the public state over the network's own, shape (d,).
    """

    def __init__(self, wanted: Statistics, engine: Engine, scale: Array, times: Array) -> None:
        self._interval = check_fit(wanted, times)
        lags, d = wanted.autocorrelation, len(scale)
        self._edges = np.empty((0, 0))
        if wanted.histogram is not None:
            edges = np.atleast_2d(wanted.histogram)
            if len(edges) not in (1, d):
                raise ValueError(
                    f"histogram must have edges of shape (bins + 1,) or ({d}, bins + 1), one row "
                    f"per unit, but has shape {edges.shape}"
                )
            size, bins = 8 * d * edges.shape[1], f"histogram has {edges.shape[1] - 1} bins"
            with within_memory(size, _too_large([bins], d, size)):
                self._edges = np.ascontiguousarray(np.broadcast_to(edges, (d, edges.shape[1])))
        slots = 0 if lags is None else lags + 1
        plan = engine.statistics_plan(scale, wanted.covariance, self._edges, slots, wanted.every)
        asked = [f"autocorrelation is {lags}"] if lags is not None else []
        if self._edges.size:
            asked.append(f"histogram has {self._edges.shape[1] - 1} bins")
        if wanted.covariance:
            asked.append("covariance is True")
        needed = _too_large(asked, d, plan.bytes)
        with within_memory(plan.bytes, needed):
            self.core = _core.Statistics(plan)

    def result(self) -> RunStatistics:
        """The accumulated statistics."""
        found: Mapping[str, Any] = self.core.result()
        names = ("mean", "variance", "covariance", "autocovariance")
        arrays = {name: found[name] for name in names if found[name].size}
        if self._edges.size:
            arrays |= {"counts": found["counts"], "edges": self._edges}
        return RunStatistics(found["observations"], found["samples"], self._interval, arrays)


def _too_large(asked: list[str], units: int, size: float) -> str:
    return (
        f"statistics of {units} units take {1e-9 * size:.3g} GB, more than the memory of this "
        f"machine: {', '.join(asked) or 'mean and variance'}; ask for less, or take fewer replicas"
    )


def check_fit(wanted: Statistics, times: Array) -> float | None:
    """The interval of observations; None where it is not always the same.

    Refuses what does not fit a protocol whose ticks begin and end at ``times``.
    """
    if not isinstance(wanted, Statistics):
        raise TypeError(f"statistics must be a ktc.Statistics, but is {type(wanted).__name__}")
    ticks, lags = len(times) - 1, wanted.autocorrelation
    if wanted.every > ticks:
        raise ValueError(
            f"every of the statistics must be at most the {ticks} ticks, but is {wanted.every}"
        )
    interval = equal_interval(times[wanted.every :: wanted.every])
    if lags is None:
        return interval
    observations = ticks // wanted.every
    if lags >= observations:
        raise ValueError(
            f"autocorrelation must be below the {observations} observations that the protocol "
            f"has, but is {lags}; play more ticks, or ask for less"
        )
    if interval is None:
        raise ValueError(
            "autocorrelation needs observations at equal intervals; play a protocol of equal holds"
        )
    return interval


def _edges(histogram: ArrayLike) -> Array:
    edges = real_array("histogram", histogram)
    if edges.ndim not in (1, 2) or edges.shape[-1] < 2 or edges.size == 0:
        raise ValueError(
            "histogram must have edges of shape (bins + 1,) or (d, bins + 1) with at least one "
            f"bin, but has shape {edges.shape}"
        )
    falls = np.argwhere(~(np.diff(edges) > 0))
    if len(falls):
        *row, k = falls[0].tolist()
        here, there = (*row, k), (*row, k + 1)
        raise ValueError(
            f"histogram must have ascending edges, but {edges[here]} is followed by "
            f"{edges[there]} at index {there}"
        )
    return frozen(edges)
