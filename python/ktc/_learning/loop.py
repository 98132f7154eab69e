"""The closed loop of learning: read, update, hold; and what stops it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ktc._base.lazy_imports import InterruptGate
from ktc._base.progress import progress_bar
from ktc._base.validation import Array, frozen
from ktc._learning.averages import replica_forces
from ktc._learning.confinement import MARGIN, confined
from ktc._learning.device_checks import check_controls
from ktc._learning.gradient_noise import GradientNoise
from ktc._learning.history import UpdateRecord
from ktc._learning.loop_state import LoopState, Outcome, Row
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.metrics.metric_tensors import MetricTensors, NoMetrics
from ktc._learning.metrics.source import MetricSource
from ktc._learning.path_to_target import Anticipation
from ktc._learning.positive_phase import PositivePhase
from ktc._learning.restraint import Restraint, restraint_of
from ktc._learning.schedule import Schedule, Update
from ktc._learning.steering import Steering, steering_of
from ktc._model.controls import Controls
from ktc._model.device import Device, Settles, is_infinite
from ktc._model.imperfections import LimitError
from ktc._model.parameters import Parameters

#: A run has blown up where |g·Δθ| of an update exceeds this many times kT, or this many times that
#: of the first update where it is larger.
LARGEST_GAIN = 1e6


@dataclass(frozen=True)
class Problem:
    """What is learned, on what, and by which rule.

    ``schedule`` is as made for this run (``Schedule.begun``), ``metrics`` None where it needs
    neither F nor ζ; ``exact`` has the free energies on the path where they are available.
    ``plans`` is whether a drive computed beforehand may replace the rule of F and ζ, ``limited``
    whether updates by a rule that reacts to noise have the limits of ``Restraint``.
    """

    device: Device
    schedule: Schedule
    ticks: int
    parameters: Parameters
    positive: PositivePhase
    metrics: MetricSource | None
    exact: ExactModel
    plans: bool = False
    seed: int | None = None
    limited: bool = True

    @property
    def replicas(self) -> float:
        """N, or ``math.inf``."""
        ledger = self.device.ledger
        return math.inf if is_infinite(ledger) else len(ledger.work)

    @property
    def closed_form(self) -> bool:
        """Whether F and ζ are constant closed forms: of the bias of a Gaussian network."""
        return self.exact.constant and (self.metrics is None or self.metrics.steady)


#: Sees each update but the last, and stops the run where it returns True.
Callback: TypeAlias = Callable[[UpdateRecord], bool | None]


class _Stop(Exception):
    """The loop cannot go on; nothing has changed since the last update."""


@contextmanager
def _stopping() -> Iterator[None]:
    """A stop where the free energy of a model is not available at such parameters."""
    try:
        yield
    except ValueError as error:
        raise _Stop(str(error)) from error


class Loop:
    """Drives a device through one schedule; ``noise`` estimates what gradient noise costs."""

    def __init__(self, problem: Problem, noise: GradientNoise | None = None) -> None:
        self._problem, self._noise = problem, noise
        self._device, self._parameters = problem.device, problem.parameters
        self._controls = problem.device.controls
        self._theta = problem.parameters.vector(self._controls)
        self._hold = problem.schedule.duration / problem.ticks
        self._least_gain = problem.exact.start.network.common_kT
        self._flow = np.zeros(problem.parameters.size)
        self._rows: list[Row] = []
        self._first = np.array(self._work_and_heat())
        self._gate = InterruptGate()
        self._steering = steering_of(problem)
        # F and ζ where they are the same at all controls.
        self._constant = self._tensors(self._controls, 0) if problem.closed_form else None
        reacts = self._steering is None or isinstance(self._steering, Anticipation)
        self._restraint: Restraint | None = None
        if problem.limited and reacts and self._constant is None:
            self._restraint = restraint_of(problem)

    @property
    def rule(self) -> str:
        """The rule of the run, as in ``Fit.rule``."""
        if self._steering is not None:
            return self._steering.rule
        return "rate" if self._problem.metrics is None else "metrics"

    @property
    def state(self) -> LoopState:
        """Where the loop stands; setting it goes on from there."""
        steering = None if self._steering is None else self._steering.saved()
        restraint = None if self._restraint is None else self._restraint.saved()
        theta, controls, gain = self._theta, self._controls, self._least_gain
        return LoopState(
            theta, controls, gain, self._flow, self._first, self._rows, steering, restraint
        )

    @state.setter
    def state(self, state: LoopState) -> None:
        self._theta, self._controls, self._least_gain, self._flow = state[:4]
        self._first, self._rows = state.first, state.rows
        if self._steering is not None and state.steering is not None:
            self._steering.restore(state.steering)
        if self._restraint is not None and state.restraint is not None:
            self._restraint.restore(state.restraint)

    def run(
        self,
        progress: bool,
        callback: Callback | None = None,
        keep: Callable[[int], None] = lambda updates: None,
    ) -> Outcome:
        """Make all updates, or as many as succeed; OverflowError where none does.

        ``keep`` is called between two updates, and after the last, with the number of those made.
        """
        problem, ticks, made = self._problem, self._problem.ticks, len(self._rows)
        stopped = None
        name = problem.schedule.name
        with self._gate, progress_bar(ticks, "tick", progress, name) as bar:
            bar.update(min(made, ticks))
            for k in range(made, ticks + 2):
                try:
                    keep(k)
                    if k <= ticks:
                        self._tick(k, callback)
                except _Stop as reason:
                    stopped = f"tick {k}: {reason}"
                    break
                except KeyboardInterrupt:
                    if not self._rows:
                        raise
                    stopped = f"tick {k}: interrupted" if k <= ticks else None
                    break
                if k < ticks:
                    bar.update(1)
        if not self._rows:
            raise OverflowError(
                f"nothing was learned under {problem.schedule!r}: {stopped}; lower the rate, or "
                "take more ticks"
            )
        return Outcome(self._arrays(self._rows), stopped)

    def _tick(self, k: int, callback: Callback | None) -> None:
        """One update, and the hold after it; an interruption leaves both whole or undone."""
        problem, device = self._problem, self._device
        try:
            chosen = self._choose(k)
            self._gate.closed = True
            try:
                self._update(k, *chosen)
            finally:
                self._gate.open()
        except LimitError as error:
            raise LimitError(f"tick {k}: {error}") from error
        if callback is not None and k < problem.ticks:
            told = callback(self._record(k))
            if told is not None and not isinstance(told, (bool, np.bool_)):
                raise TypeError(
                    f"callback must return True to stop, or nothing, but returned {told!r}"
                )
            if told:
                raise _Stop("stopped by the callback")
        if k < problem.ticks:
            try:
                device.run(self._hold)
                problem.positive.run(self._hold)
            except OverflowError as error:
                raise OverflowError(
                    f"tick {k}: the state overflowed under {problem.schedule!r}; lower the "
                    f"rate, or take more ticks: {error}"
                ) from error

    def _record(self, k: int) -> UpdateRecord:
        row = self._rows[-1]
        work, heat = (np.array(row.spent) - self._first)[:2].tolist()
        time = self._problem.schedule.duration * (k / self._problem.ticks)
        theta, gradient, mean = (frozen(np.array(a)) for a in (row.theta, row.gradient, row.mean))
        return UpdateRecord(k, time, theta, gradient, mean, work, heat)

    def _arrays(self, rows: list[Row]) -> dict[str, Array]:
        *columns, work_and_heat = zip(*rows, strict=True)
        names = Row._fields[:-1]
        found = {n: np.array(c) for n, c in zip(names, columns, strict=True) if c[0] is not None}
        accounts = ("work", "heat", "positive_work", "positive_heat")
        found |= zip(accounts, np.transpose(np.array(work_and_heat) - self._first), strict=True)
        share = np.arange(len(rows)) / self._problem.ticks
        return found | {"time": self._problem.schedule.duration * share}

    def _choose(self, k: int) -> tuple[Array, Array, Update | None, Array]:
        """Read the replicas: gradient, mean, and the next change of θ with its update."""
        problem, parameters = self._problem, self._parameters
        forces, mean = replica_forces(self._device, parameters, first=k == 0)
        gradient = forces - problem.positive.forces()
        self._forces = forces
        if not np.isfinite(gradient).all():
            raise _Stop("the replicas' averages are not finite: the controls diverged")
        if k == 0 and self._restraint is not None:
            self._restraint.begin(forces)
        update = None
        with np.errstate(over="ignore", invalid="ignore"):
            if self._steering is None:
                update = Update(problem.schedule, k, problem.ticks)
                change = self._learned(update, k, gradient, forces)
            else:
                change = self._steered(self._steering, k, forces) - self._theta
            gain = abs(float(gradient @ change))
        finite = np.isfinite(change).all()
        if not finite and np.isnan(change).any():
            reason = f"{problem.schedule!r} gives NaN for a finite gradient"
            raise _Stop(reason) if k else ValueError(f"tick 0: {reason}; correct its velocity")
        if k == 0 and np.isfinite(gain):
            self._least_gain = max(self._least_gain, gain)
        if not finite or not gain <= LARGEST_GAIN * self._least_gain:
            raise _Stop("the controls diverged: the rate is too large for its ticks")
        return gradient, np.array(mean), update, change

    def _update(
        self, k: int, gradient: Array, mean: Array, update: Update | None, change: Array
    ) -> None:
        """Set the next controls, and record it."""
        parameters = self._parameters
        before = self._device.controls if k == 0 else None
        share, bias, free_energy = self._apply(change)
        if before is not None:
            settings = parameters.changes(self._theta, before)
            check_controls(self._device, before, settings)
        noise = None if self._steering is None else self._steering.noise_work
        if update is not None:
            self._flow = share * update.flow
            if self._noise is not None:
                noise = self._noise.cost(k, update, share)
        if k == self._problem.ticks and isinstance(self._device, Settles):
            self._device.settle()
        row = (self._theta, bias, gradient, mean, share, free_energy, noise)
        self._rows.append(Row(*row, self._work_and_heat()))

    def _apply(self, change: Array) -> tuple[float, Array, float | None]:
        """Set θ + Δθ, cut back where the energy would lose its bound.

        Returns the share of Δθ that was made, the bias, and ΔF where it is available.
        """
        parameters, before, after, share = self._parameters, self._controls, None, 1.0
        energy: float | None = None
        if self._constant is None:
            share, after, energy = self._cut_back(change)
        theta = self._theta + share * change
        try:
            settings = parameters.changes(theta, before)
            self._device.set(**settings)
        except LimitError:
            raise
        except (ValueError, OverflowError) as error:
            raise _Stop(str(error)) from error
        self._problem.positive.set(**settings)
        self._theta = theta
        if after is None:
            return share, settings["bias"], None
        self._controls = after
        exact = self._problem.exact
        if energy is None and exact.known:
            with _stopping():
                energy = exact.free_energy_change(before, after)
        return share, after.bias, energy

    def _cut_back(self, change: Array) -> tuple[float, Controls, float | None]:
        """The share of Δθ that keeps the energy confined and the run within its limits.

        Returns it with the controls after it, and ΔF where the limits took it.
        """
        before, theta, restraint = self._controls, self._theta, self._restraint
        margin = MARGIN if self._steering is None else self._steering.margin
        floor = None if restraint is None else restraint.floor
        share, after = confined(self._parameters, before, theta, change, margin, floor)
        if restraint is not None and share < 1:
            floor = restraint.softer_floor
            share, after = confined(self._parameters, before, theta, change, margin, floor)
        if share == 0:
            raise _Stop(
                "no part of the update keeps the energy confined: the data ask for an "
                "unconfined model, or the rate is too large"
            )
        if restraint is None:
            return share, after, None
        if restraint.is_hopeless(share):
            raise _Stop("updates would unconfine the energy: the rate is too large")
        step = theta, share * change, self._forces, before, after
        with _stopping():
            kept, after, energy = restraint.limited(*step)
        return share * kept, after, energy

    def _learned(self, update: Update, k: int, gradient: Array, forces: Array) -> Array:
        """Δθ of an update by the schedule's rate."""

        def toward(point: Array) -> Array:
            if not self._parameters.by_bias:
                raise ValueError(
                    f"{self._problem.schedule.name} aims at a mean, which is a target of the bias "
                    f"alone, but parameters are {self._parameters.names}; take MinimalDissipation"
                )
            target = np.broadcast_to(point, np.shape(self._parameters.scale))
            return forces - self._parameters.mean_forces(target)

        if self._constant is not None:
            return update.change(gradient, toward, self._constant)
        # Controls held over a tick are those of its middle: half of the last flow leads to where
        # they are now, and makes the loop second order in the tick.
        here = self._tensors_after(0.5 * self._flow) if k else self._tensors(self._controls, 0)
        return update.change(gradient, toward, here, lambda step: self._tensors_after(step, here))

    def _steered(self, steering: Steering, k: int, forces: Array) -> Array:
        """θ to hold next, or a stop where the path to the target is no longer available."""
        try:
            time = self._problem.schedule.duration * (k / self._problem.ticks)
            return steering.parameters(time, forces, self._controls)
        except (ValueError, np.linalg.LinAlgError) as error:
            if k == 0:
                raise
            raise _Stop(f"cannot compute the path to the target: {error}") from error

    def _tensors(self, controls: Controls, k: int) -> MetricTensors:
        """F and ζ at some controls, or a stop where they can no longer be evaluated."""
        metrics = self._problem.metrics
        if metrics is None:
            learned = self._parameters
            return NoMetrics(learned.blocks, learned.size, self._problem.schedule.name)
        try:
            return metrics.at(controls, self._hold)
        except (ValueError, np.linalg.LinAlgError) as error:
            if k == 0:
                raise
            raise _Stop(f"cannot evaluate F and zeta at these parameters: {error}") from error

    def _tensors_after(
        self, change: Array, unchanged: MetricTensors | None = None
    ) -> MetricTensors:
        """F and ζ after a change of θ, or at the present θ where it would unconfine the energy."""
        controls = self._controls
        if self._problem.metrics is not None:
            if change.any() and np.isfinite(change).all():
                share, after = confined(self._parameters, controls, self._theta, change)
                controls = after if share == 1 else controls
            elif unchanged is not None:
                return unchanged
        return self._tensors(controls, 1)

    def _work_and_heat(self) -> list[float]:
        ledger, clamped = self._device.ledger, self._problem.positive.accounts or ()
        # As np.mean, whose own checks would take a tenth of a tick of few replicas.
        means = [
            float(np.add.reduce(one)) / len(one) for one in (ledger.work, ledger.heat, *clamped)
        ]
        return means if clamped else [*means, 0.0, 0.0]
