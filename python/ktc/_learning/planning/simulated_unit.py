"""Average costs of learning the bias of one quartic unit with few replicas, by simulated runs."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ktc._base.validation import Array
from ktc._emulation.emulator import Emulator
from ktc._engines.step_size import default_step
from ktc._learning.loop import Loop, Problem
from ktc._learning.metrics.settings import Metrics
from ktc._learning.metrics.source import MetricSource
from ktc._learning.planning.expected_learning import Costs
from ktc._learning.planning.unit_table import TabulatedUnits, UnitTable
from ktc._learning.positive_phase import DataPhase
from ktc._learning.schedule import Schedule
from ktc._model.controls import Controls
from ktc._model.description import Described
from ktc._model.network import Network
from ktc._model.parameters import Parameters

#: Groups of independent runs, from which the error bars follow, and runs in each of them.
GROUPS, RUNS, FEWEST_RUNS = 8, 128, 8
#: Replicas beyond which noise is an Nth of that of one, and the largest number of moves.
MOST_REPLICAS, MOST_MOVES = 1000, 2e8


class Simulated(NamedTuple):
    """Averages over simulated runs, and their standard errors."""

    mean: Costs
    stderr: Costs


def simulated_costs(
    start: Described,
    best: Controls,
    goal: Array,
    schedule: Schedule,
    ticks: int,
    replicas: int,
    table: UnitTable,
) -> Simulated:
    """Average costs over 1,024 runs with so many replicas each, of one fixed seed.

    Runs are units of one network without couplings, each with a bias of its own, driven by the
    learner's own loop.

    Args:
        start: one quartic unit at the controls of its start.
        best: its controls of the greatest likelihood.
        goal: the data's mean, shape (1,).
        schedule, ticks, replicas: as of ``learn``.
        table: F, ζ and free energy of the unit.

    Raises:
        ValueError: a run diverges, because its replicas are too few.
    """
    dt = default_step(start.network, [start.network.controls, best])
    moves = max(1.0, schedule.duration / dt) * replicas * GROUPS
    runs = int(np.clip(MOST_MOVES / moves, FEWEST_RUNS, RUNS))
    copies = _copies(start, runs)
    parameters = Parameters(copies, "bias")
    exact, works, losses = TabulatedUnits(copies, parameters, table), [], []
    samples = np.full((1, runs), goal[0])
    for group in range(GROUPS):
        device = Emulator(copies, replicas, seed=group)
        source = MetricSource(exact, Metrics(), device, None, None)
        data = DataPhase(samples, parameters, None)
        problem = Problem(
            device, schedule.begun(), ticks, parameters, data, source, exact, limited=False
        )
        outcome = Loop(problem).run(progress=False)
        if outcome.stopped:
            raise ValueError(
                f"replicas must be more than {replicas} for this unit: a simulated run fails under "
                f"{schedule!r}: {outcome.stopped}"
            )
        *spent, lost = _costs(start, best, device, float(goal[0]), table)
        works.append(spent)
        losses.append(lost)
    work, scatter = np.mean(works, axis=0), np.std(works, axis=0, ddof=1) / math.sqrt(GROUPS)
    mean, spread = np.mean(losses), np.std(losses) / math.sqrt(np.size(losses))
    (one, other), (error, another) = work.tolist(), scatter.tolist()
    return Simulated(Costs(one, other, float(mean)), Costs(error, another, float(spread)))


def _copies(start: Described, runs: int) -> Described:
    """So many of the unit in one network, without couplings."""
    net = start.network
    stiffness, friction = (
        np.diag(np.repeat(m.diagonal(), runs)) for m in (net.stiffness, net.friction)
    )
    network = Network(
        stiffness, friction, net.common_kT, bias=np.repeat(net.bias, runs),
        quartic=np.repeat(net.quartic, runs),
    )  # fmt: skip
    return Described(network, np.repeat(start.scale, runs), start.symbols)


def _costs(
    start: Described, best: Controls, device: Emulator, goal: float, table: UnitTable
) -> tuple[float, float, Array]:
    """Excess work, the same completed, averages over units, and nats lost by every unit."""
    net, scale = start.network, float(start.scale[0])
    biases, last = device.controls.bias, float(best.bias[0])
    before, whole = table(np.array([float(net.bias[0]), last]))[2].tolist()
    changes = table(biases)[2]
    work = float(np.mean(device.ledger.work)) / len(biases)
    means = device.read().mean(axis=0) / scale
    excess = work - float(changes.mean()) + before
    completed = work - float(np.mean((last - biases) * means)) - whole + before
    lost = ((last - biases) * (goal / scale) + whole - changes) / net.common_kT
    return excess, completed, lost
