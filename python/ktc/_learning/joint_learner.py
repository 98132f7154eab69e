"""The closed loop for any parameters: read, update, hold; and what stops it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from ktc._base.progress import progress_bar
from ktc._base.validation import Array
from ktc._learning.anticipation import Anticipation
from ktc._learning.averages import replica_forces
from ktc._learning.batches import Batches
from ktc._learning.confinement import confined
from ktc._learning.divergence import DIVERGENCE, Divergence
from ktc._learning.gradient_noise import LARGEST_STATE, GradientNoise
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.metrics.metric import Metric
from ktc._learning.metrics.source import MetricSource
from ktc._learning.schedules import MinimalDissipation, Schedule
from ktc._model.controls import Controls
from ktc._model.imperfections import LimitError
from ktc._model.parameters import Parameters


class PositivePhase(Protocol):
    """⟨∂_θH⟩ under the data, at the present controls."""

    def forces(self) -> Array:
        """Of the next batch, shape (p,)."""

    def all_forces(self) -> Array:
        """Of all of the data, shape (p,)."""

    def set(self, **controls: Array) -> None:
        """Follows an update of the controls."""

    def run(self, duration: float) -> None:
        """Lets time pass."""

    @property
    def batches(self) -> Batches | None:
        """Which samples an update sees; None for all."""

    def sample_forces(self, most: int) -> Array:
        """∂_θH of at most so many samples, shape (n, p)."""

    @property
    def books(self) -> tuple[float, float]:
        """Mean work and heat so far."""


class Outcome(NamedTuple):
    """How far a loop came.

    Attributes:
        track: arrays of ``JointHistory`` by name, as many rows as updates were made.
        stopped: why it stopped early; None where it did not.
    """

    track: dict[str, Array]
    stopped: str | None


class Blocks:
    """The Metric of schedules that need none."""

    def __init__(self, parameters: Parameters) -> None:
        self.blocks: Mapping[str, slice] = parameters.blocks
        self.size = parameters.size

    @property
    def traces(self) -> tuple[float, float]:
        """Not known."""
        raise self._unknown()

    def solve(self, to_go: float, share: float, gradient: Array) -> Array:
        """Not known."""
        raise self._unknown()

    def natural(self, rate: float, gradient: Array) -> Array:
        """Not known."""
        raise self._unknown()

    def lead(self, velocity: Array) -> Array:
        """Not known."""
        raise self._unknown()

    def _unknown(self) -> TypeError:
        return TypeError("a schedule that asks for F or ζ must have uses_metrics = True")


class _Stop(Exception):
    """The loop cannot go on; nothing has changed since the last update."""


class JointLearner:
    """Drives a device through one schedule; ``learn`` prepares it.

    Args:
        device: running, in equilibrium at its controls.
        schedule: as begun for this run.
        parameters: what is learned.
        positive: ⟨∂_θH⟩ under the data.
        metrics: F and ζ.
        exact: for free energies on the way, where they are known.
    """

    def __init__(
        self,
        device: Any,
        schedule: Schedule,
        parameters: Parameters,
        positive: PositivePhase,
        metrics: MetricSource | None,
        exact: ExactModel,
    ) -> None:
        self._device, self._schedule, self._parameters = device, schedule, parameters
        self._positive, self._metrics, self._exact = positive, metrics, exact
        self._judge = Divergence(exact.start.network.common_kT)
        self._blocks: Metric = Blocks(parameters)
        self._flow = np.zeros(parameters.size)
        self._anticipation: Anticipation | None = None
        self._noise: GradientNoise | None = None
        self._respond: Callable[[Array, bool], Array] | None = None

    def run(self, ticks: int, progress: bool) -> Outcome:
        """All updates, or as many as go well."""
        hold = self._schedule.duration / ticks
        rows: dict[str, list[Any]] = {}
        first = self._books()
        stopped = None
        self._anticipation = self._anticipated(hold)
        self._noise = self._noise_of(ticks)
        with progress_bar(ticks, "tick", progress, self._schedule.name) as bar:
            for k in range(ticks + 1):
                try:
                    row = self._update(k, ticks, hold)
                except _Stop as reason:
                    stopped = f"tick {k}: {reason}"
                    break
                if k == ticks and hasattr(self._device, "settle"):
                    self._device.settle()
                books = np.array(self._books()) - first
                row |= dict(
                    zip(("work", "heat", "positive_work", "positive_heat"), books, strict=True)
                )
                for name, value in row.items():
                    rows.setdefault(name, []).append(value)
                if k < ticks:
                    try:
                        self._device.run(hold)
                        self._positive.run(hold)
                    except OverflowError as error:
                        raise OverflowError(
                            f"tick {k}: the replicas themselves were lost under "
                            f"{self._schedule!r}; lower the rate, or take more ticks: {error}"
                        ) from error
                    bar.update(1)
        if not rows:
            raise OverflowError(
                f"nothing was learned under {self._schedule!r}: {stopped}; lower the rate, or "
                "take more ticks"
            )
        return Outcome({name: np.array(values) for name, values in rows.items()}, stopped)

    def _update(self, k: int, ticks: int, hold: float) -> dict[str, Any]:
        schedule, parameters, device = self._schedule, self._parameters, self._device
        time = schedule.duration * (k / ticks)
        controls = device.controls
        forces, mean = replica_forces(device, parameters)
        gradient = forces - self._positive.forces()
        if not np.isfinite(gradient).all():
            raise _Stop("the replicas' averages are not finite any more: the controls diverged")
        theta = parameters.vector(controls)
        with np.errstate(over="ignore", invalid="ignore"):
            if self._anticipation is None:
                change, flow = self._learned(k, ticks, hold, controls, gradient, mean)
            else:
                change, flow = self._ahead(k, time, forces) - theta, np.zeros_like(theta)
        if self._judge.diverged(gradient, change):
            raise _Stop(DIVERGENCE)
        kept, after = confined(parameters, controls, theta, change)
        if kept == 0:
            raise _Stop(
                "no part of the update keeps the energy confined: the data ask for a model that "
                "is not, or the rate is too large"
            )
        settings = parameters.changes(parameters.vector(after), controls)
        try:
            device.set(**settings)
        except LimitError as error:
            raise LimitError(f"tick {k}: {error}") from error
        except (ValueError, OverflowError) as error:
            raise _Stop(str(error)) from error
        self._positive.set(**settings)
        self._flow = kept * flow
        row: dict[str, Any] = {
            "time": time, "parameters": parameters.vector(device.controls),
            "bias": np.array(device.controls.bias), "gradient": gradient, "mean": np.array(mean),
            "share": kept,
        }  # fmt: skip
        if self._noise is not None and (respond := self._respond) is not None:
            row["noise_work"] = self._noise.cost(
                k,
                lambda noise: kept * respond(noise, True),
                lambda noise: kept * respond(noise, False),
            )
        if self._exact.known:
            row["path_free_energy"] = self._exact.free_energy_change(controls, device.controls)
        return row

    def _learned(
        self, k: int, ticks: int, hold: float, controls: Controls, gradient: Array, mean: Array
    ) -> tuple[Array, Array]:
        """Δθ of an update by η g and jumps, and what of it flows over a whole tick."""
        schedule, parameters = self._schedule, self._parameters
        theta = parameters.vector(controls)
        time = schedule.duration * (k / ticks)
        # Controls that are held over a tick are those of its middle: half of the last flow leads to
        # where they are now, and makes the loop second order in the tick.
        first = self._metric(controls, hold, 0) if k == 0 else None
        metric = self._metric_after(controls, theta, 0.5 * self._flow, hold, first)

        def toward(point: Array) -> Array:
            if parameters.names != ("bias",):
                raise ValueError(
                    f"{schedule.name} aims at a mean, which is a target of the bias alone, but "
                    f"parameters are {parameters.names}; take MinimalDissipation"
                )
            units = parameters.places["bias"][0]
            target = np.broadcast_to(point, np.shape(mean))
            return np.asarray(((target - mean) / parameters.scale)[units])

        share = 0.5 if k in (0, ticks) else 1.0
        change, begun = np.zeros(parameters.size), metric
        if k == 0:
            # A jump is by F and ζ where it starts, what flows after it by those where it ends.
            change = schedule.first_jump(gradient, metric, toward)
            begun, metric = metric, self._metric_after(controls, theta, change, hold, metric)
        flow = hold * schedule.velocity(time, gradient, metric)
        change = change + share * flow
        ended = metric
        if k == ticks:
            ended = self._metric_after(controls, theta, change, hold, metric)
            change = change + schedule.last_jump(gradient, ended)

        def respond(noise: Array, aimed: bool) -> Array:
            moved = share * hold * schedule.velocity(time, noise, metric)
            if k == 0:
                aim = noise if aimed else np.zeros_like(noise)
                moved = moved + schedule.first_jump(noise, begun, lambda _: aim)
            if k == ticks:
                moved = moved + schedule.last_jump(noise, ended)
            return np.asarray(moved)

        self._respond = respond
        return change, flow

    def _noise_of(self, ticks: int) -> GradientNoise | None:
        """What tells the noise's work; nothing where updates are not linear in the gradient, or
        where reading the ensemble would take too much memory.
        """
        if self._anticipation is not None or self._schedule.begun() is not self._schedule:
            return None
        if len(self._device.ledger.work) * self._parameters.units > LARGEST_STATE:
            return None
        dealt = self._positive.batches
        return GradientNoise(
            self._device,
            self._parameters,
            ticks,
            None if dealt is None else self._positive.sample_forces,
            0.0 if dealt is None else dealt.share,
        )

    def _anticipated(self, hold: float) -> Anticipation | None:
        """What steers by the whole way; nothing where F and ζ are the same all along it."""
        schedule, metrics = self._schedule, self._metrics
        if not isinstance(schedule, MinimalDissipation) or not schedule.anticipate:
            return None
        assert metrics is not None  # the schedule uses them
        if metrics.constant:
            return None
        goal, controls = self._positive.all_forces(), self._device.controls
        return Anticipation(metrics.equilibria(), schedule, goal, controls, hold)

    def _ahead(self, k: int, time: float, forces: Array) -> Array:
        """θ to hold next, or a stop where the way is not known any more."""
        assert self._anticipation is not None
        try:
            return self._anticipation.parameters(time, forces)
        except (ValueError, np.linalg.LinAlgError) as error:
            if k == 0:
                raise
            raise _Stop(f"the way ahead is not to be had here: {error}") from error

    def _metric(self, controls: Controls, hold: float, k: int) -> Metric:
        """F and ζ at some controls, or a stop where they are not to be had any more."""
        if self._metrics is None:
            return self._blocks
        try:
            return self._metrics.at(controls, hold)
        except (ValueError, np.linalg.LinAlgError) as error:
            if k == 0:
                raise
            raise _Stop(f"F and ζ are not to be had here: {error}") from error

    def _metric_after(
        self, controls: Controls, theta: Array, change: Array, hold: float, metric: Metric | None
    ) -> Metric:
        """The same after a change, unless that is more than the energy bears."""
        if self._metrics is None:
            return self._blocks
        if change.any() and np.isfinite(change).all():
            kept, after = confined(self._parameters, controls, theta, change)
            controls = after if kept == 1 else controls
        elif metric is not None:
            return metric
        return self._metric(controls, hold, 1)

    def _books(self) -> tuple[float, float, float, float]:
        ledger = self._device.ledger
        return (float(np.mean(ledger.work)), float(np.mean(ledger.heat)), *self._positive.books)
