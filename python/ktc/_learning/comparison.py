"""Comparison of schedules on one model, each against the least possible excess work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ktc._base.estimate import Estimate
from ktc._base.validation import seeds_of
from ktc._boards.gaussian_model import GaussianModel
from ktc._learning.fit import Fit
from ktc._learning.learn import learn
from ktc._learning.planning.best_rate import Tuned, best_rate
from ktc._learning.scalar_schedules import Constant, Cosine, Exponential
from ktc._learning.schedule import Schedule
from ktc._learning.schedules import ContinuousMinimalDissipation, MinimalDissipation
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

    ``rate`` is None for a schedule that has none to tune; ``bound`` is the least excess work of
    reaching those parameters in T; ``seed`` is that of the run.
    """

    schedule: str
    duration: float
    rate: float | None
    excess_work: Estimate
    bound: float
    seed: int | None = None

    @property
    def ratio(self) -> Estimate:
        """Excess work over the bound, 1 at best."""
        work = self.excess_work
        return Estimate(
            work.mean / self.bound, work.stderr / self.bound, method="excess work over bound"
        )


@dataclass(frozen=True)
class Comparison:
    """Outcome of ``compare``: two runs, minimal dissipation first, their costs, and those of every
    schedule at every duration, each baseline tuned at each.
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

    ``duration``, ``replicas`` and ``ticks`` are those of two runs. The scan covers a quarter to
    four times the duration, by ticks twice as long, and takes fewer replicas on a large board.
    Every run, and every search of a best rate, has a seed of its own, which ``seed`` determines:
    all costs are independent. ``advance`` is called with a few words before each of the ``STEPS``
    steps.
    """
    board, data, seeds = model.board, model.volts, seeds_of(seed)
    target = board.stiffness @ (model.mean * board.capacitance)

    def tuned(name: str, duration: float, guess: float | None) -> Tuned:
        return best_rate(
            board,
            data,
            lambda rate: BASELINES[name](duration, rate),
            replicas=min(replicas, TUNING_REPLICAS),
            ticks=min(ticks, TUNING_TICKS),
            seed=next(seeds),
            # One thread is faster for so little work.
            threads=1,
            bracket=None if guess is None else (guess / 4, guess * 4),
        )

    def point(fit: Fit, rate: float | None = None) -> Point:
        bound = least_excess_work(board, target, fit.duration)
        work = fit.completed_excess_work
        return Point(fit.schedule.name, fit.duration, rate, work, bound, fit.seed)

    def scanned(place: int, schedule: Schedule, rate: float | None = None) -> Point:
        advance(f"{schedule.name}, {FACTORS[place]:g} T")
        many = min(replicas, max(LEAST_SCAN_REPLICAS, SCAN_STATES // board.cells))
        return point(learned(schedule, many, max(1, round(ticks * FACTORS[place] / 2))), rate)

    def learned(schedule: Schedule, replicas: int, ticks: int) -> Fit:
        fit = learn(board, data, schedule, replicas=replicas, ticks=ticks, seed=next(seeds))
        if fit.interrupted:
            raise KeyboardInterrupt
        return fit

    advance("minimal dissipation")
    minimal = learned(MinimalDissipation(duration), replicas, ticks)
    advance("best constant rate")
    best = tuned("Constant", duration, None)
    advance("constant rate")
    constant = learned(best.schedule, replicas, ticks)

    scan: list[Point] = []
    guesses: dict[str, float] = {}
    for place, length in enumerate(duration * np.array(FACTORS)):
        scan.append(scanned(place, MinimalDissipation(length)))
        scan.append(scanned(place, ContinuousMinimalDissipation(length, model.mean)))
        for name in BASELINES:
            advance(f"best rate of {name}, {FACTORS[place]:g} T")
            found = tuned(name, length, guesses.get(name))
            guesses[name] = found.rate * FACTORS[0] / FACTORS[1]
            scan.append(scanned(place, found.schedule, found.rate))
    points = [point(minimal), point(constant, best.rate)]
    return Comparison(model, [minimal, constant], points, scan)
