"""One run of ``learn``: what it is made of, and the fit that it ends in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ktc._base.codec import Saved, entry, require_alike
from ktc._base.random_stream import restore_stream, saved_stream
from ktc._base.validation import Array, of_shape
from ktc._emulation.ledger import Ledger
from ktc._learning import checks
from ktc._learning.averages import replica_forces
from ktc._learning.batch_noise import covariance_of
from ktc._learning.data import Batches, BatchMoments
from ktc._learning.fit import Fit
from ktc._learning.gradient_noise import LARGEST_STATE, GradientNoise
from ktc._learning.history import Readings, history_of
from ktc._learning.loop import Callback, Loop, Problem
from ktc._learning.loop_state import restored_loop, saved_loop
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.metrics.settings import Metrics
from ktc._learning.metrics.source import MetricSource
from ktc._learning.positive_phase import ClampedPhase, DataPhase, PositivePhase
from ktc._learning.schedule import Schedule
from ktc._model.description import Described
from ktc._model.device import (
    Device,
    EnsembleLedger,
    HasImperfections,
    RealisesControls,
    RemembersSources,
    data_sheet_of,
    is_infinite,
)
from ktc._model.directions import Directions
from ktc._model.network import Network
from ktc._model.parameters import Parameters
from ktc._theory.free_energies import free_energy_change
from ktc._theory.relaxation import has_relaxed


@dataclass(frozen=True)
class Task:
    """What is learned, and how; checked. Names are those of ``learn`` and of ``Fit``."""

    start: Described
    schedule: Schedule
    learned: Parameters
    hidden: NDArray[np.intp]
    samples: Array
    batch: int | None
    ticks: int
    metrics: Metrics
    seed: int | None
    rested: float | None


@dataclass(frozen=True)
class Before:
    """The device before the run: its accounts, and the network that it realised."""

    work: Array
    heat: Array
    realised: Network | None

    @classmethod
    def of(cls, device: Device) -> Before:
        """That of a device now."""
        return cls(np.array(device.ledger.work), np.array(device.ledger.heat), _realised(device))


class LearningRun:
    """A device, and all that steers it, ready to go, or to go on from what was ``saved``."""

    def __init__(
        self, task: Task, device: Device, threads: int | None, before: Before | None = None
    ) -> None:
        self.task, self.device = task, device
        batches = None
        if task.batch is not None:
            batches = Batches(len(task.samples), task.batch, task.seed)
        exact = ExactModel(task.start, task.learned)
        self._source = None
        if task.schedule.uses_metrics:
            friction = task.schedule.uses_friction
            self._source = MetricSource(exact, task.metrics, device, task.seed, threads, friction)
        if is_infinite(device.ledger):
            checks.check_threads(threads, self._source)
        positive: PositivePhase = (
            ClampedPhase(
                task.start, task.learned, task.samples, task.hidden, device, task.seed, threads,
                batches,
            )
            if len(task.hidden)
            else DataPhase(task.samples, task.learned, batches)
        )  # fmt: skip
        begun = task.schedule.begun()
        problem = Problem(
            device, begun, task.ticks, task.learned, positive, self._source, exact,
            _plans(task, device, self._source), task.seed,
        )  # fmt: skip
        self._problem, self._noise = problem, _noise(problem, task.schedule, task.seed)
        self._loop = Loop(problem, self._noise)
        self.before = Before.of(device) if before is None else before
        self._tally: Saved = {}

    @property
    def updates(self) -> int:
        """Number of updates made."""
        return len(self._loop.state.rows)

    @property
    def finished(self) -> bool:
        """Whether all updates were made."""
        return self.updates == self.task.ticks + 1

    @property
    def forgets(self) -> bool:
        """Whether the schedule has a memory of gradients that it does not tell."""
        begun = self._problem.schedule
        return begun is not self.task.schedule and not begun.memory()

    def saved(self) -> dict[str, object]:
        """Everything that changes while it runs, beside the device."""
        positive, ledger = self._problem.positive, self.device.ledger
        return {
            "loop": saved_loop(self._loop.state),
            "memory": dict(self._problem.schedule.memory()),
            "batches": None if positive.batches is None else positive.batches.saved(),
            "clamped": positive.saved() if isinstance(positive, ClampedPhase) else None,
            "noise": None if self._noise is None else saved_stream(self._noise.stream),
            "metrics": None if self._source is None else self._source.saved(),
            "tally": ledger.tallied() if isinstance(ledger, Ledger) else {},
        }

    def restore(self, saved: Saved) -> None:
        """Go on from what was ``saved``, with the device as it was then."""
        positive = self._problem.positive
        parts = {
            "batches": positive.batches is not None,
            "clamped": isinstance(positive, ClampedPhase),
            "noise": self._noise is not None,
        }
        for name, there in parts.items():
            if (saved[name] is not None) != there:
                raise ValueError(f"{name} must {'' if there else 'not '}be saved for this run")
        with entry("memory"):
            self._problem.schedule.recall(saved["memory"])
        if positive.batches is not None:
            positive.batches.restore(saved["batches"])
        if isinstance(positive, ClampedPhase):
            with entry("clamped"):
                positive.restore(saved["clamped"])
        if self._noise is not None:
            restore_stream(self._noise.stream, saved["noise"], "noise")
        if self._source is not None:
            with entry("metrics"):
                self._source.restore(saved["metrics"])
        start, learned = self.task.start.network.controls, self.task.learned
        now = self._loop.state
        self._loop.state = restored_loop(saved["loop"], now, learned, start, self.task.ticks)
        of_shape("before/work", self.before.work, *np.shape(self.device.ledger.work))
        of_shape("before/heat", self.before.heat, *np.shape(self.device.ledger.heat))
        if isinstance(ledger := self.device.ledger, Ledger):
            with ledger.tally():
                require_alike(saved["tally"], ledger.tallied() if saved["tally"] else {}, "tally")
            self._tally = saved["tally"]

    def go(self, progress: bool, callback: Callback | None, keep: Callable[[int], None]) -> Fit:
        """Make the updates that remain."""
        ledger, device, task = self.device.ledger, self.device, self.task
        tally: AbstractContextManager[Callable[[], Mapping[str, float] | None]]
        tally = nullcontext(lambda: None)
        if isinstance(ledger, Ledger):
            tally = ledger.tally(self._tally)
        elif isinstance(ledger, EnsembleLedger):
            tally = ledger.tally()
        with tally as variances_so_far:
            outcome = self._loop.run(progress, callback, keep)
            self._name_sources(outcome.rows["theta"][-1])
            variances = variances_so_far()
        exact, positive = self._problem.exact, self._problem.positive
        source = None if self._loop.rule == "open loop" else self._source
        many, samples, goal = len(task.hidden), task.samples, positive.all_forces()
        moments = BatchMoments.of(samples, task.batch) if exact.whole and not many else None
        scatter = np.cov(samples.T, bias=True).reshape(2 * [samples.shape[1]]) if many else None
        return Fit(
            start=task.start,
            schedule=task.schedule,
            learned=task.learned,
            hidden=task.hidden,
            data_mean=samples.mean(axis=0),
            data_forces=goal,
            samples=len(samples),
            batch=task.batch,
            scatter=scatter if moments is None else moments.scatter,
            batch_scatter=covariance_of(positive, task.learned.size),
            readings=self._readings(variances),
            history=history_of(outcome.rows, exact, None if many else goal),
            stopped_early=outcome.stopped,
            calibration=None if source is None else source.report(),
            rule=self._loop.rule,
            seed=task.seed,
            rested=task.rested,
            imperfections=data_sheet_of(device),
            device=device,
        )

    def _name_sources(self, theta: Array) -> None:
        """Set sources by name: updates set the bias, which may not tell them from others."""
        learned, device = self.task.learned, self.device
        if isinstance(learned, Directions) and isinstance(device, RemembersSources):
            device.set(**learned.all_named(theta))

    def _readings(self, variances: Mapping[str, float] | None) -> Readings:
        """What the device read over the run."""
        device, before, after = self.device, self.before.realised, _realised(self.device)
        infinite = is_infinite(device.ledger)
        change = None if before is None or after is None else free_energy_change(before, after)
        return Readings(
            work=device.ledger.work - self.before.work,
            heat=device.ledger.heat - self.before.heat,
            final_state=np.array(device.moments().mean[None] if infinite else device.read()),
            final_forces=replica_forces(device, self.task.learned)[0],
            positive=self._problem.positive.accounts,
            variances=variances,
            applied_change=change,
        )


def _plans(task: Task, device: Device, source: MetricSource | None) -> bool:
    """Whether a drive may be computed beforehand: of a device that starts in equilibrium and is
    what its design says, as far as it knows, where no measured metrics are asked for.
    """
    settled = task.rested is None or has_relaxed(task.start.network, task.rested)
    asked = task.metrics != Metrics() and source is not None and not source.closed
    return settled and not asked and data_sheet_of(device) is None


def _realised(device: object) -> Network | None:
    """The network as realised at present, at its resistors' temperature, without noise generators.

    None of a device that realises controls exactly.
    """
    if isinstance(device, HasImperfections) and device.imperfections is None:
        return None
    net = device.applied_network if isinstance(device, RealisesControls) else None
    return None if net is None else Network(net.stiffness, net.friction, net.kT, net.bias)


def _noise(problem: Problem, schedule: Schedule, seed: int | None) -> GradientNoise | None:
    """The estimate of what gradient noise costs; None where there is a closed form, where updates
    are not linear in the gradient, or where reading the ensemble would take too much memory.
    """
    network = problem.exact.start.network
    visible = isinstance(problem.positive, DataPhase)
    closed = problem.closed_form and problem.exact.whole and visible and not network.is_sparse
    large = len(problem.device.ledger.work) * network.units > LARGEST_STATE
    if closed or large or problem.schedule is not schedule:
        return None
    return GradientNoise(problem, seed)
