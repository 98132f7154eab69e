"""The drive of the moving trap, and its expected work."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.work import close

TICKS, STEP, TARGET = 1000, 1e-3, 5.0
#: Position of the trap: at the start, in each tick (at its midpoint in time), and at the end.
CENTRE = np.concatenate(
    [[0.0], TARGET * ((np.arange(TICKS) + 0.5) * STEP + 1) / (TICKS * STEP + 2), [TARGET]]
)
LEAST_WORK = TARGET**2 / (TICKS * STEP + 2)
#: Euler–Maruyama's bias of mean and variance at this step, an upper bound of both by halving it.
STEP_BIAS = 0.02


def check_work(work: Any) -> str:
    """Check mean and variance of the work to five standard errors and the bias of the step."""
    values = np.asarray(work, dtype=float)
    mean_error = np.sqrt(2 * LEAST_WORK / values.size)
    variance_error = 2 * LEAST_WORK * np.sqrt(2 / values.size)
    mean = close("mean work", float(values.mean()), LEAST_WORK, 5 * mean_error + STEP_BIAS)
    spread = float(values.var(ddof=1))
    return f"{mean}; " + close("variance", spread, 2 * LEAST_WORK, 5 * variance_error + STEP_BIAS)
