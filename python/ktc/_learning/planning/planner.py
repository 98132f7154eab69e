"""Planning: how long, in how many ticks, and on how many replicas a board is to learn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from ktc._base.codec import register
from ktc._base.files import Storable
from ktc._base.units import Units
from ktc._base.validation import count, positive
from ktc._learning.planning.expected_learning import ExpectedLearning
from ktc._learning.planning.plan_search import PlanSearch
from ktc._learning.schedules import MinimalDissipation
from ktc._model.description import Description


@dataclass(frozen=True)
class Plan(Storable):
    """How to learn, and what is expected of it: averages over runs, exact for the drawing.

    Energies are in joules and times in seconds on a Board, in a Network's own units elsewhere.

    Attributes:
        duration: T of ``schedules.MinimalDissipation``.
        ticks: number of holds.
        replicas: number of replicas.
        batch: number of samples an update sees; None for all.
        parameter: what is learned, "bias" or "center".
        excess_work: W − ΔF that a replica dissipates, its share of the noise included.
        noise_work: what of it is due to the noise of the gradient.
        total_excess_work: of all replicas together.
        bound: least excess work of a replica by any drive of the bias to the data's mean in T; of a
            quartic unit by any drive whatever.
        nats_lost: log-likelihood of the data per sample below its maximum.
        kT: thermal energy.
        symbols: unit symbols.
    """

    duration: float
    ticks: int
    replicas: int
    batch: int | None
    parameter: str
    excess_work: float
    noise_work: float
    total_excess_work: float
    bound: float
    nats_lost: float
    kT: float
    symbols: Units

    @property
    def schedule(self) -> MinimalDissipation:
        """The schedule of the plan."""
        return MinimalDissipation(self.duration)

    @property
    def settings(self) -> dict[str, Any]:
        """Keywords of ``learn``: ``ktc.learn(board, data, **plan.settings)``."""
        return {
            "schedule": self.schedule,
            "parameters": (self.parameter,),
            "replicas": self.replicas,
            "ticks": self.ticks,
            "batch": self.batch,
        }

    def __str__(self) -> str:
        energy, time = (f" {s}" if s else "" for s in (self.symbols.energy, self.symbols.time))
        seen = "all samples" if self.batch is None else f"{self.batch} samples"
        share = self.noise_work / self.excess_work
        many = "1 replica" if self.replicas == 1 else f"{self.replicas} replicas"
        return (
            f"{many} for {self.duration:.4g}{time} in {self.ticks} ticks, "
            f"{seen} at each\n"
            f"dissipate {self.total_excess_work:.4g}{energy}, each {self.excess_work:.4g}{energy} "
            f"or {self.excess_work / self.kT:.4g} kT\n"
            f"of which noise of the gradient {share:.2%}; bound {self.bound:.4g}{energy} each\n"
            f"lose {self.nats_lost:.4g} nats a sample"
        )


register(Plan)


def plan(
    device: Description,
    data: ArrayLike,
    joules: float | None = None,
    *,
    duration: float | None = None,
    nats: float | None = None,
    replicas: int | None = None,
    ticks: int | None = None,
    batch: int | None = None,
    parameter: str = "bias",
) -> Plan:
    """Duration, ticks and replicas that a budget buys, and what to expect of them.

    Of what all replicas dissipate together, how long it takes, and how many nats are lost, two are
    given and the third is found: N replicas dissipate N W(T) + w(T) by ``MinimalDissipation``,
    the second the noise of the gradient, which is the same for any N, and lose n(T)/N nats; all
    three by ``theory.expected_learning``. A budget and an accuracy buy the shortest duration, a
    budget and a duration the most replicas, an accuracy and a duration the fewest; of a duration
    and replicas it is told what they cost.

    Args:
        device: a Network or a Board that is Gaussian, or a Network of one overdamped quartic unit,
            whose density is followed on a grid, and its noise to leading order (up to a third too
            small where F changes tenfold on the way); not a running emulator. Of a real board the
            drawing, with its ADC's noise and steps, and no tick shorter than it can do.
        data: as of ``learn``.
        joules: most excess work W − ΔF of all replicas together, in the unit of kT on a Network.
        duration: T, in seconds on a Board.
        nats: most log-likelihood a sample to lose against the maximum over the bias. Where neither
            it nor a duration is given it is d/2n, what n samples leave open in any case.
        replicas: number of replicas, beside a duration.
        ticks: number of holds; by default as few as add no more than one per cent to the work.
        batch: as of ``learn``.
        parameter: "bias" or "center".

    Returns:
        A Plan; ``ktc.learn(device, data, **plan.settings)`` carries it out.

    Raises:
        ValueError, TypeError: numbers that are not positive; too many given, or too few; a budget
            that is too small, with the least that is needed; an accuracy that batches, or ticks
            that are given, do not allow; any other device that is not Gaussian. LimitError where
            the data's mean needs a bias beyond a real board's range.

    Example:
        >>> import ktc
        >>> import ktc, numpy as np
        >>> board = ktc.Board(cells=4, resistance=1e6, capacitance=1e-12, temperature=300.0)
        >>> data = board.thermal_width * np.array([[3.0, -2.0, 1.0, 2.0]])
        >>> print(ktc.plan(board, data, joules=1e-18, nats=0.01))
        127 replicas for 7.905e-06 s in 32 ticks, all samples at each
        dissipate 9.997e-19 J, each 7.871e-21 J or 1.9 kT
        of which noise of the gradient 3.89%; bound 7.527e-21 J each
        lose 0.009931 nats a sample

    Source: Hnybida, Verret (2025), arXiv 2510.03137.
    """
    search = PlanSearch(device, data, ticks, batch, parameter)

    def planned(found: ExpectedLearning, replicas: int) -> Plan:
        costs = found.costs(replicas)
        return Plan(
            duration=found.duration,
            ticks=found.ticks,
            replicas=replicas,
            batch=batch,
            parameter=parameter,
            excess_work=costs.excess_work,
            noise_work=found.noise(replicas).excess_work,
            total_excess_work=replicas * costs.excess_work,
            bound=search.bound(found.duration),
            nats_lost=costs.nats_lost,
            kT=device.network.common_kT,
            symbols=device.symbols,
        )

    most = None if joules is None else positive("joules", joules)
    time = None if duration is None else positive("duration", duration)
    lost = None if nats is None else positive("nats", nats)
    many = None if replicas is None else count("replicas", replicas)
    asked = {"joules": most, "duration": time, "nats": lost, "replicas": many}
    given = {name for name, value in asked.items() if value is not None}
    if most is not None and given <= {"joules", "nats"}:
        lost = search.units / (2 * search.samples) if lost is None else lost
        found = search.shortest(most, lost)
        return planned(found, search.needed(found, lost))
    if time is None or len(given) != 2:
        raise ValueError(
            "a duration and one of joules, nats and replicas must be given, or joules and nats, or "
            f"joules alone, but given are {', '.join(n for n in asked if n in given) or 'none'}"
        )
    found = search.at(time, math.inf if lost is None else lost)
    if most is not None:
        many = search.bought(found, most)
    elif lost is not None:
        many = search.needed(found, lost)
    assert many is not None
    return planned(found, many)
