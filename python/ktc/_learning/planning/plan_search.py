"""Expected costs of learning at any duration, and the search for the duration within a budget."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from numpy.typing import ArrayLike

from ktc._base.validation import Array, tick_count
from ktc._boards.board import Board
from ktc._learning.data import Batches, BatchMoments, as_samples, refuse_overflow
from ktc._learning.planning.expected_learning import (
    Costs,
    ExpectedLearning,
    expected_of,
    noise_of_reading,
)
from ktc._learning.planning.quartic_unit import NONE, UnitCosts
from ktc._learning.planning.simulated_unit import MOST_REPLICAS, Simulated, simulated_costs
from ktc._learning.schedules import MinimalDissipation
from ktc._model.description import Description, network_of
from ktc._theory.gaussian import gaussian
from ktc._theory.least_work import least_excess_work

#: Largest share that ticks may add to the work of the ideal ensemble; it falls as 1/ticks².
TICKS_SHARE = 0.01
FEWEST_TICKS, MOST_TICKS = 16, 2**16
# Shortest duration considered, in units of the fastest relaxation time: nearly a jump.
SHORTEST = 0.1
MOST_DOUBLINGS = 40
# For a density, whose steps are as many as a run's relaxation times, up to a thousand of these.
MOST_DOUBLINGS_BY_DENSITY = 14
# Work that counts as zero, in kT.
NOTHING = 1e-9
BISECTIONS = 8
# Of the search for a quartic unit, and the relative width at which it ends.
SECANTS, NARROW = 6, 0.005
# Ticks after which a search, which takes seconds by then, relies on what longer runs are expected
# to dissipate, and the share of it that is certain; ticks that take as long as one by the density.
MANY_TICKS, CERTAIN, TICKS_OF_DENSITY = 2**12, 0.8, 64
# Room in what is then named as the least, for the work that ticks add and for noise.
REACHED = 1.1


class PlanSearch:
    """Expected costs of one device and one data set at any duration."""

    def __init__(
        self,
        device: Description,
        data: ArrayLike,
        ticks: int | None,
        batch: int | None,
        parameter: str,
        anticipate: bool | None = None,
    ) -> None:
        quartic = _planned_by_density(device, batch, parameter, anticipate)
        self._anticipate = anticipate
        self._device = device
        self._net = device.network if quartic else gaussian(device)
        samples = as_samples(data, self._net.units)
        refuse_overflow(samples, self._net, device.scale)
        if batch is not None:
            Batches(len(samples), batch, None)
        self.samples, self.units = samples.shape
        self._goal: Array = samples.mean(axis=0)
        self._unit = UnitCosts(device, self._goal) if quartic else None
        self._batches = BatchMoments.of(samples, batch)
        self._ticks = None if ticks is None else tick_count(ticks)
        self._parameter = parameter
        spec = device.imperfections if isinstance(device, Board) else None
        self._reading = noise_of_reading(spec)
        self._beyond = Costs(0.0, 0.0, 0.0)
        # Of a quartic unit, by duration and ticks, without what is beyond the leading order.
        self._known: dict[tuple[float, int], ExpectedLearning] = {}
        self._shortest = 0.0 if spec is None else max(spec.update_time, spec.read_time)
        if isinstance(device, Board):
            target = self._net.stiffness @ (self._goal / device.scale)
            device.real.require("bias", target[None], where="to learn the data's mean, ")

    def at(self, duration: float, nats: float = math.inf) -> ExpectedLearning:
        """Costs at a duration, with the given ticks or the fewest for the work and an accuracy."""
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
            # An error in 1/n² is a third of what doubling n removes.
            added = abs(coarse.ideal.excess_work - found.ideal.excess_work)
            small = 3 * TICKS_SHARE * found.ideal.excess_work + NOTHING * self._net.common_kT
            # The loss of a quartic unit's rule is not due to its ticks.
            near = self._unit is not None or found.ideal.nats_lost <= TICKS_SHARE * nats
            if added <= small and near:
                break
        return found

    def needed(self, found: ExpectedLearning, nats: float) -> int:
        """Fewest replicas whose loss is at most so many nats."""
        left = _lost(found)
        if left >= nats:
            cause = "its ticks and batches" if self._batches else "its ticks"
            raise ValueError(
                f"nats must be above {left:.6g}, the loss by the schedule and {cause} in a "
                f"duration of {found.duration:g} with {found.ticks} ticks and any number of "
                f"replicas, but is {nats:g}; allow more, or take larger batches, more ticks, or a "
                "longer duration"
            )
        most = (found.replica.nats_lost + found.reading.nats_lost) / (nats - left)
        return max(1, math.ceil(most * (1 - 1e-12)))

    def bought(self, found: ExpectedLearning, joules: float) -> int:
        """Most replicas whose excess work is at most so many joules."""
        each, once = _dissipated(found)
        if each <= NOTHING * self._net.common_kT:
            raise ValueError(
                "data have their mean where the device already is, so that any number of replicas "
                f"dissipates {once:.6g} together; give nats in place of joules"
            )
        replicas = (joules - once) / each
        if replicas < 1:
            raise ValueError(
                f"joules must be at least {each + once:.6g} for one replica in a duration of "
                f"{found.duration:g}, but is {joules:g}; give more, or a longer duration"
            )
        return int(replicas)

    def shortest(self, joules: float, nats: float) -> ExpectedLearning:
        """The shortest duration at which enough replicas for the accuracy are within the budget."""
        net, unit = self._net, self._unit
        fastest = unit.relaxation_time if unit else float(net.relaxation_times[0])
        time = max(SHORTEST * fastest, self._shortest * (self._ticks or 1))

        def dissipated(found: ExpectedLearning) -> float:
            each, once = _dissipated(found)
            # Short runs of a quartic unit, or with batches, may end too far off with any number of
            # replicas.
            if _lost(found) >= nats:
                return math.inf
            return each * self.needed(found, nats) + once

        found = nearest = self.at(time, nats)
        least, rises = dissipated(found), 0
        outlook = _Outlook(self.bound, found, TICKS_OF_DENSITY if unit else 1)
        if least <= joules:
            return found
        for left in range(MOST_DOUBLINGS_BY_DENSITY if unit else MOST_DOUBLINGS, 0, -1):
            replicas = self.needed(found, nats) if _lost(found) < nats else 0
            ahead = outlook.dissipated(time, left, replicas)
            if CERTAIN * min(ahead) > joules:
                least = min(least, REACHED * min(ahead))
                break
            if CERTAIN * ahead[0] > joules:
                time *= 2
                continue
            found = self.at(2 * time, nats)
            outlook.note(found)
            spent = dissipated(found)
            if spent <= joules:
                return self._narrowed(time, found, nats, lambda one: dissipated(one) / joules)
            worse = least < spent < math.inf or self._hopeless(found, nearest, nats)
            rises = rises + 1 if worse else 0
            least, time = min(least, spent), 2 * time
            nearest = min(nearest, found, key=_lost)
            # Past the minimum, the noise of a longer run outweighs what it saves.
            if rises == 2:
                break
        if least == math.inf:
            self.needed(nearest, nats)  # raises, with the reason
        raise ValueError(
            f"joules must be at least about {least:.4g} to lose no more than {nats:g} nats, "
            f"however long it takes, but is {joules:g}; give more, or allow more nats"
        )

    def _hopeless(self, found: ExpectedLearning, nearest: ExpectedLearning, nats: float) -> bool:
        """Whether a longer run loses too much, and more than a shorter one.

        The loss of a quartic unit may first increase with the duration.
        """
        return self._unit is None and _lost(found) >= nats and _lost(found) > _lost(nearest)

    def simulated(self, found: ExpectedLearning, replicas: int) -> Simulated | None:
        """Average costs of so many replicas by simulated runs; None where ``found`` is exact.

        Beyond 1,000 replicas noise is an Nth of that of one.
        """
        unit = self._unit
        if unit is None or found.replica == NONE:
            return None
        few, rule = min(replicas, MOST_REPLICAS), self._rule(found.duration)
        seen = simulated_costs(
            unit.start, unit.best, self._goal, rule, found.ticks, few, unit.table
        )
        share = few / replicas
        mean = (a + (b - a) * share for a, b in zip(found.ideal, seen.mean, strict=True))
        return Simulated(Costs(*mean), Costs(*(share * error for error in seen.stderr)))

    def correct(self, found: ExpectedLearning, replicas: int, seen: Simulated) -> None:
        """Take the noise of one replica to be N times that of simulated runs of N."""
        known = zip(found.ideal, found.replica, self._beyond, seen.mean, strict=True)
        self._beyond = Costs(
            *(before + replicas * (mean - ideal) - noise for ideal, noise, before, mean in known)
        )

    def bound(self, duration: float) -> float:
        """Least excess work of a replica."""
        if self._unit:
            return self._unit.bound(duration)
        target = self._net.stiffness @ (self._goal / self._device.scale)
        return least_excess_work(self._device, target, duration)

    def _narrowed(
        self,
        short: float,
        found: ExpectedLearning,
        nats: float,
        used: Callable[[ExpectedLearning], float],
    ) -> ExpectedLearning:
        """A shorter run that uses no more than the budget, of which ``used`` is the share."""
        if self._unit is not None:
            return self._interpolated(self.at(short), found, used)
        for _ in range(BISECTIONS):
            middle = self.at(math.sqrt(short * found.duration), nats)
            found, short = (middle, short) if used(middle) <= 1 else (found, middle.duration)
        return found

    def _interpolated(
        self,
        low: ExpectedLearning,
        high: ExpectedLearning,
        used: Callable[[ExpectedLearning], float],
    ) -> ExpectedLearning:
        """By secants of ln(used) over ln T, as costs are nearly powers of T."""
        coarse = self._expected(high.duration, low.ticks)
        high = coarse if used(coarse) <= 1 else high
        ticks = high.ticks
        low = self._expected(low.duration, ticks)
        for duration, number in sorted(self._known):
            if number == ticks and low.duration < duration < high.duration:
                known = self._expected(duration, ticks)
                low, high = (low, known) if used(known) <= 1 else (known, high)
        for _ in range(SECANTS):
            above, below, width = used(low), used(high), high.duration / low.duration
            if width < 1 + NARROW or below > 1 - NARROW:
                break
            share = 0.5
            if above < math.inf and below > 0:
                share = min(max(math.log(above) / math.log(above / below), 0.05), 0.95)
            middle = self._expected(low.duration * width**share, ticks)
            low, high = (low, middle) if used(middle) <= 1 else (middle, high)
        return high

    def _rule(self, duration: float) -> MinimalDissipation:
        return MinimalDissipation(duration, anticipate=self._anticipate)

    def _expected(self, duration: float, ticks: int) -> ExpectedLearning:
        rule = self._rule(duration)
        device, goal, parameter = self._device, self._goal, self._parameter
        if self._unit:
            key = duration, ticks
            if key not in self._known:
                self._known[key] = self._unit.expected(rule, ticks)
            found = self._known[key]
            noise = Costs(*map(sum, zip(found.replica, self._beyond, strict=True)))
            return replace(found, replica=noise)
        return expected_of(device, rule, parameter, ticks, goal, self._batches, self._reading)


class _Outlook:
    """What longer runs dissipate, about: the bound, and gradient noise, whose work grows as ln T.

    It is known where there is no noise, or where many ticks have been computed, and the work of
    noise has grown alike over two steps of the search.
    """

    def __init__(
        self, bound: Callable[[float], float], found: ExpectedLearning, ticks: int
    ) -> None:
        self._bound, self._last, self._each = bound, found, ticks
        self._growth, self._ticks = 0.0, 0
        self._known = self._quiet = _dissipated(found)[1] == 0

    def note(self, found: ExpectedLearning) -> None:
        """Take account of a longer run."""
        doublings = math.log2(found.duration / self._last.duration)
        growth = (_dissipated(found)[1] - _dissipated(self._last)[1]) / doublings
        self._ticks += self._each * found.ticks
        grows_alike = self._ticks > MANY_TICKS and 0 < 0.8 * growth < self._growth
        self._known = self._quiet or grows_alike
        self._last, self._growth = found, growth

    def dissipated(self, time: float, doublings: int, replicas: int) -> list[float]:
        """By all replicas together in twice the time, four times, and so on; 0 if not known."""
        if not (self._known and replicas):
            return [0.0]
        before = math.log2(time / self._last.duration)
        noise = _dissipated(self._last)[1]
        return [
            replicas * self._bound(time * 2**k) + noise + (before + k) * self._growth
            for k in range(1, doublings + 1)
        ]


def _lost(found: ExpectedLearning) -> float:
    """Loss in nats that is independent of the number of replicas."""
    return found.ideal.nats_lost + found.batch.nats_lost


def _dissipated(found: ExpectedLearning) -> tuple[float, float]:
    """Excess work of N replicas together: N times the first, plus the second."""
    each = found.ideal.excess_work + found.batch.excess_work
    return each, found.replica.excess_work + found.reading.excess_work


def _planned_by_density(
    device: Description, batch: int | None, parameter: str, anticipate: bool | None
) -> bool:
    """Whether costs are by the density of one quartic unit; refuse what has neither form."""
    net = network_of(device)
    if net.is_linear:
        return False
    if net.controls.on_site:
        raise ValueError(
            "device has potentials, for which average costs of learning are not available; run "
            "ktc.learn on few replicas at some durations"
        )
    if net.units > 1 or net.inertia is not None or not net.has_friction:
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
    if anticipate:
        raise ValueError(
            "anticipate must be None or False to plan for a quartic unit, but is True; None plans "
            "the drive that is computed before the run"
        )
    return True
