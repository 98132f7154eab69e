"""Planning: duration, ticks and replicas with which to learn on a board."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from ktc._base.codec import register
from ktc._base.files import Storable
from ktc._base.units import Units
from ktc._base.validation import choice, count, finite, not_negative, positive
from ktc._learning.planning.expected_learning import Costs, ExpectedLearning
from ktc._learning.planning.plan_search import PlanSearch
from ktc._learning.planning.simulated_unit import Simulated
from ktc._learning.schedules import MinimalDissipation
from ktc._model.description import Description

#: Rounds in which the noise of simulated runs corrects the search.
ROUNDS = 4


@dataclass(frozen=True)
class Plan(Storable):
    """Settings of a learning run, and its expected costs, which are averages over runs.

    Costs of a Gaussian device are exact, and those of a drive that is computed before the run to
    1e-3. Those of a quartic unit by the rule of F and ζ are averages over 1,024 simulated runs
    (fewer where many replicas or long runs make them slow), with standard errors.

    Energies are in joules and times in seconds on a Board, in a Network's own units elsewhere.

    Attributes:
        duration: T of ``schedules.MinimalDissipation``.
        ticks, replicas: number of holds, and of replicas.
        batch: number of samples per update; None for all.
        parameter: the learned parameter, "bias" or "center".
        excess_work: W − ΔF that a replica dissipates, its share of the gradient noise included.
        noise_work: part of it that is due to gradient noise.
        total_excess_work: excess work of all replicas together.
        bound: least excess work of a replica by any drive of the bias to the data's mean in T; of a
            quartic unit by any drive whatever.
        nats_lost: log-likelihood of the data per sample below its maximum.
        excess_stderr, nats_stderr: standard errors of ``excess_work`` and ``nats_lost``, zero where
            they are exact.
        anticipate: of the schedule; None for the rule that it takes by default.
        kT, symbols: thermal energy, and unit symbols.
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
    excess_stderr: float = 0.0
    nats_stderr: float = 0.0
    anticipate: bool | None = None

    def __post_init__(self) -> None:
        for name in ("ticks", "replicas"):
            count(name, getattr(self, name))
        if self.batch is not None:
            count("batch", self.batch)
        choice("parameter", self.parameter, ("bias", "center"))
        for name in ("duration", "kT"):
            positive(name, getattr(self, name))
        for name in ("excess_work", "noise_work", "total_excess_work", "bound", "nats_lost"):
            finite(name, getattr(self, name))
        for name in ("excess_stderr", "nats_stderr"):
            not_negative(name, getattr(self, name))

    @property
    def schedule(self) -> MinimalDissipation:
        """The schedule of the plan."""
        return MinimalDissipation(self.duration, anticipate=self.anticipate)

    @property
    def settings(self) -> dict[str, Any]:
        """Keywords of ``learn``: ``ktc.learn(board, data, **plan.settings)``."""
        return {
            "schedule": self.schedule, "parameters": (self.parameter,), "replicas": self.replicas,
            "ticks": self.ticks, "batch": self.batch,
        }  # fmt: skip

    def __str__(self) -> str:
        energy, time = (f" {s}" if s else "" for s in (self.symbols.energy, self.symbols.time))
        seen = "all samples" if self.batch is None else f"{self.batch} samples"
        share = self.noise_work / self.excess_work
        many = "1 replica" if self.replicas == 1 else f"{self.replicas} replicas"
        each = f"each {self.excess_work:.4g}{energy} or {self.excess_work / self.kT:.4g} kT"
        error = f" ± {self.nats_stderr:.2g}" if self.nats_stderr else ""
        return (
            f"{many} for {self.duration:.4g}{time} in {self.ticks} ticks, {seen} per update\n"
            f"excess work: {self.total_excess_work:.4g}{energy}, {each}\n"
            f"gradient noise: {share:.2%} of it; bound: {self.bound:.4g}{energy} each\n"
            f"log-likelihood loss: {self.nats_lost:.4g}{error} nats per sample"
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
    anticipate: bool | None = None,
) -> Plan:
    """Plan duration, ticks and replicas within a budget, and give the expected costs.

    Of the energy that all replicas dissipate together, the duration, and the loss in nats, two are
    given and the third is found. N replicas dissipate N W(T) + w(T) by ``MinimalDissipation``,
    where w is due to gradient noise and the same for any N, and lose n(T)/N nats; all three are by
    ``theory.expected_learning``. A budget and an accuracy give the shortest duration, a budget and
    a duration the most replicas, an accuracy and a duration the fewest; a duration and replicas
    give their costs.

    The drive of a quartic unit is by default computed before the run (``fit.rule`` is "open loop").
    It ends at the maximum-likelihood bias whatever the noise of replicas, so that it loses nothing,
    any accuracy is reached by one replica, and N replicas dissipate N W(T), by the density of the
    unit on a grid.

    With ``anticipate=False`` a quartic unit is driven by its present F and ζ, which change with the
    noise of the bias, so that few replicas lose up to ten times what the leading order in 1/N
    tells. There W and n of infinitely many replicas are by the density, and what noise adds is by
    simulated runs of the plan with N replicas, of a fixed seed, in a second or two. The search is
    repeated until these agree with what it expects within two standard errors, which the plan
    reports.

    Densities and simulated runs are computations of the design on this computer. They need no
    device, and their work is not energy that anybody spends.

    Args:
        device: a Gaussian Network or Board, or a Network of one overdamped quartic unit; not a
            running emulator. A real board is planned for by its design, with its ADC's noise and
            steps, and no tick shorter than its own.
        data: as of ``learn``.
        joules: largest excess work W − ΔF of all replicas together, in the unit of kT on a Network.
        duration: T, in seconds on a Board.
        nats: largest loss of log-likelihood per sample against the maximum over the bias. Where
            neither it nor a duration is given it is d/2n, the uncertainty that n samples leave.
        replicas: number of replicas, with a duration.
        ticks: number of holds; by default the fewest that add at most one per cent to the work.
        batch, parameter: as for ``theory.expected_learning``.
        anticipate: of the schedule, None or False; see above. No matter for a Gaussian device.

    Returns:
        A Plan; ``ktc.learn(device, data, **plan.settings)`` carries it out.

    Raises:
        ValueError, TypeError: numbers that are not positive; too many given, or too few; a budget
            that is too small, with the least that is needed; an accuracy that batches, or ticks
            that are given, do not allow; any other device that is not Gaussian. LimitError where
            the data's mean needs a bias beyond a real board's range.

    Example:
        >>> import ktc, numpy as np
        >>> board = ktc.Board(cells=4, resistance=1e6, capacitance=1e-12, temperature=300.0)
        >>> data = board.thermal_width * np.array([[3.0, -2.0, 1.0, 2.0]])
        >>> print(ktc.plan(board, data, joules=1e-18, nats=0.01))
        127 replicas for 7.905e-06 s in 32 ticks, all samples per update
        excess work: 9.997e-19 J, each 7.871e-21 J or 1.9 kT
        gradient noise: 3.89% of it; bound: 7.527e-21 J each
        log-likelihood loss: 0.009931 nats per sample

    Source: Hnybida, Verret (2025), arXiv 2510.03137.
    """
    asked = {"joules": joules, "duration": duration, "nats": nats}
    given = {name: positive(name, value) for name, value in asked.items() if value is not None}
    if replicas is not None:
        given["replicas"] = count("replicas", replicas)
    search = PlanSearch(device, data, ticks, batch, parameter, anticipate)
    found, number = _chosen(search, given)
    errors, settled = Costs(0.0, 0.0, 0.0), None
    for _ in range(ROUNDS):
        if settled == (found.duration, number):
            break
        seen = search.simulated(found, number)
        if seen is None:
            break
        errors, settled = seen.stderr, (found.duration, number)
        if _agree(found.costs(number), seen):
            break
        search.correct(found, number, seen)
        found, number = _chosen(search, given)
    costs = found.costs(number)
    return Plan(
        duration=found.duration, ticks=found.ticks, replicas=number, batch=batch,
        parameter=parameter, excess_work=costs.excess_work,
        noise_work=found.noise(number).excess_work,
        total_excess_work=number * costs.excess_work, bound=search.bound(found.duration),
        nats_lost=costs.nats_lost, kT=device.network.common_kT, symbols=device.symbols,
        excess_stderr=errors.excess_work, nats_stderr=errors.nats_lost,
        anticipate=anticipate,
    )  # fmt: skip


def _chosen(search: PlanSearch, given: Mapping[str, float]) -> tuple[ExpectedLearning, int]:
    """The run within what is given, and its replicas."""
    if "joules" in given and given.keys() <= {"joules", "nats"}:
        lost = given.get("nats", search.units / (2 * search.samples))
        found = search.shortest(given["joules"], lost)
        return found, search.needed(found, lost)
    if "duration" not in given or len(given) != 2:
        raise ValueError(
            "a duration and one of joules, nats and replicas must be given, or joules and nats, or "
            f"joules alone, but given are {', '.join(given) or 'none'}"
        )
    found = search.at(given["duration"], given.get("nats", math.inf))
    if "joules" in given:
        return found, search.bought(found, given["joules"])
    if "nats" in given:
        return found, search.needed(found, given["nats"])
    return found, int(given["replicas"])


def _agree(expected: Costs, seen: Simulated) -> bool:
    """Whether simulated runs have the expected costs, within two standard errors."""
    pairs = zip(expected, *seen, strict=True)
    return all(abs(one - mean) <= 2 * error for one, mean, error in pairs)
