"""Errors of averages over replicas that share one controller, by repeating the run many times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ktc._base.random_stream import philox
from ktc._base.validation import Array
from ktc._learning.many_loops import ManyLoops
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.run_errors import RunErrors
from ktc._learning.shared_controller import batched
from ktc._model.controls import Controls

if TYPE_CHECKING:
    from ktc._learning.fit import Fit

#: Updates of all repeated runs together, and bounds of the number of runs.
MOST_UPDATES, FEWEST_RUNS, MOST_RUNS = 64_000, 32, 200
#: Largest number of parameters where F and ζ are needed, and elsewhere: all of the bias and
#: stiffness of five and of nine units, for which repeated runs take up to seven times the run.
MOST_BY_METRICS, MOST_BY_RATE = 20, 54
#: Number of the random stream of the repeated runs.
STREAM = 0x6B746372
#: Share of a normal distribution within its standard deviation.
WITHIN = 0.6826894921370859


class RepeatedRuns(RunErrors):
    """Errors of a run's accounts by the scatter of repeated runs about their mean.

    The error is the distance from the mean of all runs within which 68.3 % of them lie: of a normal
    distribution its standard deviation. Runs of few replicas scatter asymmetrically and with long
    tails, so that their standard deviation covers more than that.
    """

    name, description = "repeated runs", "the scatter of repeated runs"

    def __init__(self, loops: ManyLoops) -> None:
        self._loops = loops
        self._accounts = {
            "work": loops.work,
            "heat": loops.heat,
            "excess work": loops.excess_work,
        }

    def error(self, account: str | Controls, alone: float) -> float:
        """Error of an account, or of the work with one last jump to controls."""
        if isinstance(account, Controls):
            return _distance(self._loops.completed_work(account))
        return _distance(self._accounts[account])


def repeated_runs(fit: Fit, exact: ExactModel) -> RepeatedRuns | None:
    """Errors of a run's accounts; None where its loop cannot be repeated on moments alone."""
    if not _may_repeat(fit, exact):
        return None
    updates = len(fit.history.time)
    ticks = round(fit.duration / float(fit.history.time[1]))
    runs = min(max(MOST_UPDATES // updates, FEWEST_RUNS), MOST_RUNS)
    stream, replicas = philox(fit.seed or 0, STREAM), len(fit.readings.work)
    try:
        with np.errstate(all="ignore"):  # of runs that blow up, which stop
            loops = ManyLoops(exact, fit.schedule, fit.data_forces, ticks, runs, replicas, stream)
            loops.run(updates)
    except (ValueError, np.linalg.LinAlgError):
        return None
    return RepeatedRuns(loops)


def _may_repeat(fit: Fit, exact: ExactModel) -> bool:
    """Whether bias and stiffness of a linear overdamped network were learned by a rate."""
    net, learned = fit.start.network, fit.learned
    exact_means = fit.readings.variances is not None
    if exact_means or batched(fit) or len(fit.hidden) or len(fit.history.time) < 2:
        return False
    if exact.method != "closed form" or learned.by_bias or net.inertia is not None:
        return False
    if not net.has_friction or fit.imperfections is not None or fit.from_equilibrium is False:
        return False
    few = MOST_BY_METRICS if fit.schedule.uses_metrics else MOST_BY_RATE
    return learned.size <= few and fit.calibration is None and fit.rule in ("rate", "metrics")


def _distance(values: Array) -> float:
    return float(np.quantile(np.abs(values - values.mean()), WITHIN))
