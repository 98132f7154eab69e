"""Planning: how long, in how many ticks, and on how many replicas a board is to learn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from ktc.checks import Array, count, positive
from ktc.learning.batches import Batches
from ktc.learning.samples import as_samples
from ktc.learning.unit_expectation import (
    best_unit,
    expected_of_unit,
    is_one_quartic_unit,
    relaxation_of_unit,
)
from ktc.schedules import MinimalDissipation
from ktc.theory import ExpectedLearning, least_excess_work, wasserstein_bound
from ktc.theory.expected_learning import Deals, expected_of
from ktc.theory.gaussian import gaussian
from ktc.units import Description, Units, network_of

#: What ticks may add to the work of the ideal ensemble; their error falls as 1/ticks².
TICKS_SHARE = 0.01
FEWEST_TICKS, MOST_TICKS = 16, 2**16
# Shortest duration that is thought of, in the fastest relaxation time: as good as a jump.
SHORTEST = 0.1
MOST_DOUBLINGS = 40
BISECTIONS = 8


@dataclass(frozen=True)
class Plan:
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
        return (
            f"{self.replicas} replicas for {self.duration:.4g}{time} in {self.ticks} ticks, "
            f"{seen} at each\n"
            f"dissipate {self.total_excess_work:.4g}{energy}, each {self.excess_work:.4g}{energy} "
            f"or {self.excess_work / self.kT:.4g} kT\n"
            f"of which noise of the gradient {share:.2%}; bound {self.bound:.4g}{energy} each\n"
            f"lose {self.nats_lost:.4g} nats a sample"
        )


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
        >>> import ktc, numpy as np
        >>> board = ktc.Board(cells=4, resistance=1e6, capacitance=1e-12, temperature=300.0)
        >>> data = board.thermal_width * np.array([[3.0, -2.0, 1.0, 2.0]])
        >>> print(plan(board, data, joules=1e-18, nats=0.01))
        127 replicas for 7.905e-06 s in 32 ticks, all samples at each
        dissipate 9.997e-19 J, each 7.871e-21 J or 1.9 kT
        of which noise of the gradient 3.89%; bound 7.527e-21 J each
        lose 0.009931 nats a sample

    Source: Hnybida, Verret (2025), arXiv 2510.03137.
    """
    search = _Search(device, data, ticks, batch, parameter)
    most = None if joules is None else positive("joules", joules)
    time = None if duration is None else positive("duration", duration)
    lost = None if nats is None else positive("nats", nats)
    many = None if replicas is None else count("replicas", replicas)
    asked = {"joules": most, "duration": time, "nats": lost, "replicas": many}
    given = {name for name, value in asked.items() if value is not None}
    if most is not None and given <= {"joules", "nats"}:
        lost = search.units / (2 * search.samples) if lost is None else lost
        found = search.shortest(most, lost)
        return search.plan(found, search.needed(found, lost))
    if time is None or len(given) != 2:
        raise ValueError(
            "a duration and one of joules, nats and replicas must be given, or joules and nats, or "
            f"joules alone, but given are {', '.join(n for n in asked if n in given) or 'none'}"
        )
    found = search.at(time)
    if most is not None:
        many = search.bought(found, most)
    elif lost is not None:
        many = search.needed(found, lost)
    assert many is not None
    return search.plan(found, many)


class _Search:
    """Expected costs of one device and one data set at any duration."""

    def __init__(
        self,
        device: Description,
        data: ArrayLike,
        ticks: int | None,
        batch: int | None,
        parameter: str,
    ) -> None:
        self._quartic = _planned_by_density(device, batch, parameter)
        self._net, self._device = device.network if self._quartic else gaussian(device), device
        samples = as_samples(data, self._net.units)
        if batch is not None:
            Batches(len(samples), batch, None)
        self.samples, self.units = samples.shape
        self._goal: Array = samples.mean(axis=0)
        self._deals, self._batch = Deals.of(samples, batch), batch
        self._ticks = None if ticks is None else count("ticks", ticks)
        self._parameter = parameter
        spec = getattr(device, "imperfections", None)
        self._reading = 0.0 if spec is None else math.hypot(spec.adc_noise, spec.adc.step / 12**0.5)
        self._shortest = 0.0 if spec is None else max(spec.update_time, spec.read_time)
        if (real := getattr(device, "real", None)) is not None:
            target = self._net.stiffness @ (self._goal / device.scale)
            real.require("bias", target[None], where="to learn the data's mean, ")

    def at(self, duration: float) -> ExpectedLearning:
        """With the ticks that were given, or as few as do."""
        most = MOST_TICKS
        if self._shortest:
            most = int(duration / self._shortest * (1 + 1e-9))
            if most < (self._ticks or 1):
                raise ValueError(
                    f"duration must be at least {self._shortest * (self._ticks or 1):g} for "
                    f"{self._ticks or 1} ticks of this board, but is {duration:g}"
                )
        if self._ticks:
            return self._expected(duration, self._ticks)
        number = min(FEWEST_TICKS, most)
        found = self._expected(duration, number)
        while number < most:
            number = min(2 * number, most)
            coarse, found = found, self._expected(duration, number)
            # An error of 1/n² is a third of what doubling n takes away.
            if abs(coarse.ideal.excess_work - found.ideal.excess_work) < (
                3 * TICKS_SHARE * found.ideal.excess_work
            ):
                break
        return found

    def needed(self, found: ExpectedLearning, nats: float) -> int:
        """Fewest replicas that lose no more than so many nats."""
        return max(1, math.ceil(self._needed(found, nats) * (1 - 1e-12)))

    def bought(self, found: ExpectedLearning, joules: float) -> int:
        """Most replicas that dissipate no more than so many joules."""
        each, once = _dissipated(found)
        replicas = (joules - once) / each
        if replicas < 1:
            raise ValueError(
                f"joules must be at least {each + once:.6g} for one replica in a duration of "
                f"{found.duration:g}, but is {joules:g}; give more, or a longer duration"
            )
        return int(replicas)

    def shortest(self, joules: float, nats: float) -> ExpectedLearning:
        """The shortest duration at which enough replicas for the accuracy are within the budget."""
        fastest = (
            relaxation_of_unit(self._device) if self._quartic else self._net.relaxation_times[0]
        )
        time = SHORTEST * float(fastest)
        time = max(time, self._shortest * (self._ticks or 1))

        def dissipated(found: ExpectedLearning) -> float:
            each, once = _dissipated(found)
            # Of a quartic unit short runs end too far off, with however many replicas.
            if self._quartic and found.ideal.nats_lost >= nats:
                return math.inf
            return each * self.needed(found, nats) + once

        found = self.at(time)
        least, rises = dissipated(found), 0
        if least <= joules:
            return found
        for _ in range(MOST_DOUBLINGS):
            found = self.at(2 * time)
            spent = dissipated(found)
            if spent <= joules:
                return self._bisected(time, found, lambda one: dissipated(one) <= joules)
            rises = rises + 1 if least < spent < math.inf else 0
            least, time = min(least, spent), 2 * time
            # Past the least, where the noise of a longer run outweighs what it saves.
            if rises == 2:
                break
        if least == math.inf:
            self.needed(found, nats)  # which says why
        raise ValueError(
            f"joules must be at least about {least:.4g} to lose no more than {nats:g} nats, "
            f"however long it takes, but is {joules:g}; give more, or allow more nats"
        )

    def plan(self, found: ExpectedLearning, replicas: int) -> Plan:
        """With all that is expected."""
        costs, net = found.costs(replicas), self._net
        return Plan(
            duration=found.duration,
            ticks=found.ticks,
            replicas=replicas,
            batch=self._batch,
            parameter=self._parameter,
            excess_work=costs.excess_work,
            noise_work=found.noise(replicas).excess_work,
            total_excess_work=replicas * costs.excess_work,
            bound=self._bound(found.duration),
            nats_lost=costs.nats_lost,
            kT=net.common_kT,
            symbols=self._device.symbols,
        )

    def _bound(self, duration: float) -> float:
        if self._quartic:
            return wasserstein_bound(self._device, best_unit(self._device, self._goal), duration)
        target = self._net.stiffness @ (self._goal / self._device.scale)
        return least_excess_work(self._device, target, duration)

    def _bisected(
        self, short: float, found: ExpectedLearning, enough: Callable[[ExpectedLearning], bool]
    ) -> ExpectedLearning:
        for _ in range(BISECTIONS):
            middle = self.at(math.sqrt(short * found.duration))
            if enough(middle):
                found = middle
            else:
                short = middle.duration
        return found

    def _needed(self, found: ExpectedLearning, nats: float) -> float:
        left = found.ideal.nats_lost + found.batch.nats_lost
        if left >= nats:
            cause = "its ticks and batches" if self._deals else "its ticks"
            raise ValueError(
                f"nats must be above {left:.6g}, what the schedule and {cause} lose in a duration "
                f"of {found.duration:g} with {found.ticks} ticks and any number of replicas, but "
                f"is {nats:g}; allow more, or take larger batches, more ticks, or a longer duration"
            )
        return (found.replica.nats_lost + found.reading.nats_lost) / (nats - left)

    def _expected(self, duration: float, ticks: int) -> ExpectedLearning:
        rule = MinimalDissipation(duration)
        if self._quartic:
            return expected_of_unit(self._device, rule, ticks, self._goal)
        return expected_of(
            self._device, rule, self._parameter, ticks, self._goal, self._deals, self._reading
        )


def _dissipated(found: ExpectedLearning) -> tuple[float, float]:
    """Excess work of N replicas together: N times the first, and the second."""
    each = found.ideal.excess_work + found.batch.excess_work
    return each, found.replica.excess_work + found.reading.excess_work


def _planned_by_density(device: Description, batch: int | None, parameter: str) -> bool:
    """Whether costs come by the density of one quartic unit; refuses what has neither form."""
    if not network_of(device).quartic.any():
        return False
    if not is_one_quartic_unit(device):
        raise ValueError(
            "device has quartic units that are not one alone, overdamped, and average costs of "
            "learning have no closed form there; run ktc.learn on few replicas at some durations: "
            "excess_work and gradient_noise_work tell what more of them would cost"
        )
    if batch is not None or parameter != "bias":
        raise ValueError(
            "batch must be None and parameter 'bias' to plan for a quartic unit, but they are "
            f"{batch!r} and {parameter!r}"
        )
    return True
