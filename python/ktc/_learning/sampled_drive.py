"""A drive computed by trial runs, for ensembles that are too large, or not linear systems."""

from __future__ import annotations

import math

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._emulation.emulator import Emulator
from ktc._learning.averages import replica_forces
from ktc._learning.metrics.exact_model import ExactModel
from ktc._model.controls import Controls

#: Number of the random stream of the replicas.
STREAM = 0x6B746470
REPLICAS, HOLDS = 1000, 24
#: Runs of the search; shares of the way at equally spaced times that it starts from.
MOST_RUNS, FIRST = 60, ((0.0, 1.0), (0.25, 0.75), (0.5, 0.5), (0.5, 1.0), (0.0, 0.5))


def sampled_path(
    exact: ExactModel, best: Controls, duration: float, ticks: int, seed: int | None
) -> Array:
    """θ in the middle of equal holds on the straight way from the start to θ*, shape (n, p).

    The share of the way is linear between four times; it is chosen for the least excess work of a
    run that ends with a jump to θ*, by trial runs of the moments of a linear network, or of a
    thousand replicas with the same noise each.

    Source: Nelder, Mead (1965), Comput. J. 7, 308.
    """
    learned, start = exact.parameters, exact.start.network.controls
    origin = learned.vector(start)
    way = learned.vector(best) - origin
    stream = np.random.SeedSequence([seed or 0, STREAM])
    number = int(stream.generate_state(1, np.uint64)[0])
    holds = min(ticks, HOLDS)
    middles = (np.arange(holds) + 0.5) / holds
    knots = np.linspace(0, 1, 4)
    linear = exact.method == "closed form"
    fresh = Emulator(exact.start, math.inf) if linear else Emulator(exact.start, REPLICAS, number)
    kT = exact.start.network.common_kT

    def cost(shares: Array) -> float:
        along = np.interp(middles, knots, shares)
        if not ((along >= 0) & (along <= 1)).all():
            return float("inf")
        emulator = fresh.copy()
        spent, before = 0.0, replica_forces(emulator, learned)[0]
        for share in along.tolist():
            theta = origin + share * way
            emulator.set(**learned.changes(theta, emulator.controls))
            emulator.run(duration / holds)
            after = replica_forces(emulator, learned)[0]
            spent += (1 - share) * float(way @ (after - before))
            before = after
        return spent / kT

    first = min((np.interp(knots, [0, 1], ends) for ends in FIRST), key=cost)
    simplex = np.vstack([first, np.clip(first + 0.15 * np.eye(4), 0, 1)])
    simplex[1:] -= np.where(np.all(simplex[1:] == first, axis=1)[:, None], 0.15 * np.eye(4), 0)
    options = {"initial_simplex": simplex, "maxfev": MOST_RUNS, "xatol": 0.02, "fatol": 1e-3}
    found = scipy.optimize.minimize(cost, first, method="Nelder-Mead", options=options)
    return np.asarray(origin + np.interp(middles, knots, found.x)[:, None] * way)
