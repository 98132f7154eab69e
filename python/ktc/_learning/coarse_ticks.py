"""Ticks that are long beside the relaxation of a Gaussian ensemble: the better of two drives."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

from ktc._emulation.emulator import Emulator
from ktc._learning.averages import replica_forces
from ktc._learning.metrics.likelihood import maximum_likelihood
from ktc._learning.open_loop_steering import MOST_UNITS, OpenLoop, open_loop
from ktc._learning.transport_steering import TransportSteering, transport_steering

if TYPE_CHECKING:
    from ktc._learning.loop import Problem

#: Ticks are coarse where they are this many times the fastest relaxation time of start or data,
#: and costly where the run spends more than this many times the least of any control. Above
#: ``ENOUGH`` times it the other drive is computed.
COARSE, COSTLY, ENOUGH = 2.0, 1.1, 1.05


def better_in_ticks(problem: Problem, transport: TransportSteering) -> TransportSteering | OpenLoop:
    """Transport, or a drive computed for held controls where ticks are coarse and it costs less.

    Transport is the least work of controls that change all the time. Both are tried on the infinite
    ensemble, for up to twelve units and from equilibrium.
    """
    coarse = transport.coarseness
    if coarse <= COARSE:
        return transport
    exact, duration, ticks = problem.exact, problem.schedule.duration, problem.ticks
    net, goal = exact.start.network, problem.positive.all_forces()
    found: TransportSteering | OpenLoop = transport
    if problem.plans and net.units <= MOST_UNITS:
        best = maximum_likelihood(exact, goal)
        hold = duration / ticks
        twin = transport_steering(exact, problem.metrics, goal, duration, hold, math.inf)
        spent, least = _excess(problem, twin), exact.bound(best, duration)
        if spent > ENOUGH * least:
            other = open_loop(exact, best, duration, ticks, warn=False)
            cost = _excess(problem, other)
            if other is not None and cost < spent:
                found, spent = other, cost
        if spent <= COSTLY * least:
            return found
    warnings.warn(
        f"ticks are {coarse:.3g} times the fastest relaxation time of the start or of the data's "
        f"model: the run may cost more than its bound; take {math.ceil(ticks * coarse / COARSE)} "
        "or more",
        RuntimeWarning,
        stacklevel=8,
    )
    return found


def _excess(problem: Problem, steering: TransportSteering | OpenLoop | None) -> float:
    """Excess work of a run of the infinite ensemble; infinite where there is none."""
    if steering is None:
        return math.inf
    exact, learned = problem.exact, problem.exact.parameters
    emulator = Emulator(exact.start, math.inf)
    start, hold = emulator.controls, problem.schedule.duration / problem.ticks
    try:
        for k in range(problem.ticks + 1):
            forces = replica_forces(emulator, learned)[0]
            theta = steering.parameters(hold * k, forces, emulator.controls)
            emulator.set(**learned.changes(theta, emulator.controls))
            if k < problem.ticks:
                emulator.run(hold)
    except (ValueError, OverflowError):
        return math.inf
    spent = float(emulator.ledger.work[0])
    return spent - exact.free_energy_change(start, emulator.controls)
