"""Comparison of schedules on one model, each against the least possible excess work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ktc._base.estimate import Estimate
from ktc._boards.gaussian_model import GaussianModel
from ktc._learning.fit import Fit
from ktc._learning.learn import learn
from ktc._learning.planning.best_rate import Tuned, best_rate
from ktc._learning.schedule import Schedule
from ktc._learning.schedules import (
    Constant,
    ContinuousMinimalDissipation,
    Cosine,
    Exponential,
    MinimalDissipation,
)
from ktc._theory.least_work import least_excess_work

#: Durations of the scan over the duration of the comparison.
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)

#: η(T)/η(0) of the exponential schedule. A rate that grows, as the optimal one does, makes a better
#: baseline on long runs than one that decays, and no worse one on short runs.
GROWTH = 10.0

#: Schedules of the scan with a rate to tune, by duration and rate.
BASELINES: dict[str, Callable[[float, float], Schedule]] = {
    "Constant": Constant,
    "Exponential": lambda duration, rate: Exponential(duration, rate, GROWTH * rate),
    "Cosine": Cosine,
}

#: Calls of ``advance`` by one ``compare``.
STEPS = 3 + len(FACTORS) * (2 + 2 * len(BASELINES))

#: Coordinates per ensemble of the scan, so that large boards take no longer; fewest replicas.
SCAN_STATES, LEAST_SCAN_REPLICAS = 32_000, 200

TUNING_REPLICAS, TUNING_TICKS = 100, 60


@dataclass(frozen=True)
class Point:
    """Cost of one schedule of one duration, completed to the maximum-likelihood parameters.

    Attributes:
        schedule: its name.
        duration: T [s].
        rate: the tuned rate; None for a schedule without one.
        excess_work: completed excess work [J].
        bound: least excess work of reaching those parameters in T [J].
    """

    schedule: str
    duration: float
    rate: float | None
    excess_work: Estimate
    bound: float

    @property
    def ratio(self) -> Estimate:
        """Excess work over the bound, 1 at best."""
        work = self.excess_work
        return Estimate(
            work.mean / self.bound, work.stderr / self.bound, method="excess work over bound"
        )


@dataclass(frozen=True)
class Comparison:
    """Outcome of ``compare``.

    Attributes:
        model: the programmed board and its data.
        fits: the two runs of the table, minimal dissipation first.
        points: their costs, in the same order.
        scan: every schedule at every duration, each baseline tuned at each.
    """

    model: GaussianModel
    fits: list[Fit]
    points: list[Point]
    scan: list[Point]

    def error(self, fit: Fit) -> float:
        """Rms of learned mean − data mean over the cells, in the encoding's ``scale``."""
        target = self.model.encoding.decode(self.model.mean)
        deviations = self.model.mean_at(fit.history.bias[-1]) - target
        return float(np.sqrt(np.mean((deviations / self.model.encoding.scale) ** 2)))


def compare(
    model: GaussianModel,
    duration: float,
    replicas: int,
    ticks: int,
    seed: int,
    advance: Callable[[str], object] = lambda step: None,
) -> Comparison:
    """Learn the mean from zero volts by minimal dissipation and by baselines, and compare costs.

    Args:
        model: the programmed board and its data.
        duration: T of the two runs [s]; the scan covers a quarter to four times as much.
        replicas: those of the two runs; the scan takes fewer on a large board, the search for rates
            at most 100.
        ticks: holds of the two runs; those of the scan are twice as long, the search has at most
            60.
        seed: seed of the two runs; the search takes the next one, the scan one per duration after
            it.
        advance: called with a few words before each of the ``STEPS`` steps.

    Raises:
        ValueError, TypeError: numbers out of range.
    """
    target = model.board.stiffness @ (model.mean * model.board.capacitance)

    def run(schedule: Schedule, replicas: int, ticks: int, seed: int) -> Fit:
        return learn(
            model.board, model.volts, schedule, replicas=replicas, ticks=ticks, seed=seed % 2**64
        )

    def tuned(name: str, duration: float, guess: float | None) -> Tuned:
        return best_rate(
            model.board,
            model.volts,
            lambda rate: BASELINES[name](duration, rate),
            replicas=min(replicas, TUNING_REPLICAS),
            ticks=min(ticks, TUNING_TICKS),
            seed=(seed + 1) % 2**64,
            # One thread is faster for so little work.
            threads=1,
            bracket=None if guess is None else (guess / 4, guess * 4),
        )

    def point(name: str, fit: Fit, rate: float | None) -> Point:
        bound = least_excess_work(model.board, target, fit.duration)
        return Point(name, fit.duration, rate, fit.completed_excess_work, bound)

    def scanned(place: int, name: str, schedule: Schedule, rate: float | None) -> Point:
        advance(f"{name}, {FACTORS[place]:g} T")
        many = min(replicas, max(LEAST_SCAN_REPLICAS, SCAN_STATES // model.board.cells))
        holds = max(1, round(ticks * FACTORS[place] / 2))
        return point(name, run(schedule, many, holds, seed + 2 + place), rate)

    advance("minimal dissipation")
    minimal = run(MinimalDissipation(duration), replicas, ticks, seed)
    advance("best constant rate")
    best = tuned("Constant", duration, None)
    advance("constant rate")
    constant = run(best.schedule, replicas, ticks, seed)

    scan: list[Point] = []
    guesses: dict[str, float] = {}
    for place, length in enumerate(duration * np.array(FACTORS)):
        blind, informed = (
            MinimalDissipation(length),
            ContinuousMinimalDissipation(length, model.mean),
        )
        scan += [scanned(place, schedule.name, schedule, None) for schedule in (blind, informed)]
        for name in BASELINES:
            advance(f"best rate of {name}, {FACTORS[place]:g} T")
            found = tuned(name, length, guesses.get(name))
            guesses[name] = found.rate * FACTORS[0] / FACTORS[1]
            scan.append(scanned(place, name, found.schedule, found.rate))
    return Comparison(
        model,
        [minimal, constant],
        [point("MinimalDissipation", minimal, None), point("Constant", constant, best.rate)],
        scan,
    )
