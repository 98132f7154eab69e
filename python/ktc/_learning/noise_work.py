"""The work of gradient noise in a finished run: exact, or from the replicas' scatter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ktc._learning.batches import BatchMoments
from ktc._learning.gradient_noise import LARGEST_STATE, total_cost
from ktc._learning.planning.expected_learning import expected_of, noise_of_reading

if TYPE_CHECKING:
    from ktc._learning.fit import Fit


def noise_work_of(fit: Fit, closed: bool) -> tuple[float, float | None]:
    """Mean and standard error, None where the mean is exact; see ``Fit.gradient_noise_work``.

    Args:
        fit: the run.
        closed: whether the bias of a dense Gaussian network was learned whole.

    Raises:
        ValueError: where neither form is available.
    """
    rows, readings = fit.history.noise_work, fit.readings
    if len(rows):
        return total_cost(rows, fit.learned.size)
    if not closed:
        raise ValueError(
            f"the work of gradient noise is not available for this run under {fit.schedule!r}: it "
            "needs updates that are linear in the gradient, and ensembles of up to "
            f"{LARGEST_STATE} numbers; compare runs of several numbers of replicas"
        )
    if fit.stopped_early:
        raise ValueError(
            "the work of gradient noise is that of a whole run, but this one stopped at "
            f"{fit.stopped_early}"
        )
    batches = None
    if fit.scatter is not None and fit.batch is not None:
        batches = BatchMoments(fit.scatter, fit.samples, fit.batch)
    found = expected_of(
        fit.start,
        fit.schedule,
        fit.learned.names[0],
        len(fit.history.time) - 1,
        fit.data_mean,
        batches,
        noise_of_reading(fit.imperfections),
    )
    replicas = np.inf if readings.variances is not None else len(readings.work)
    return found.noise(replicas).excess_work, None
