"""Checkpoints: a learning run in a file, between two updates, and how it goes on from there."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ktc._base.codec import RecordError, entry, kind_named, kind_of, register, same
from ktc._base.files import FilePath, Storable, damage_in, load_as
from ktc._base.replace_file import as_path
from ktc._base.resources import thread_count
from ktc._base.validation import Array, count, random_seed, tick_count
from ktc._emulation.emulator import Emulator, restored_emulator, saved_emulator
from ktc._learning import checks
from ktc._learning.center import learnable
from ktc._learning.fit import Fit
from ktc._learning.learning_run import Before, LearningRun, Task
from ktc._learning.loop import Callback
from ktc._learning.metrics.settings import Metrics
from ktc._learning.schedule import Schedule
from ktc._model.description import Described
from ktc._model.network import Network

#: Updates between two checkpoints where ``every`` is not given: at least, and share of all.
EVERY, CHECKPOINTS = 100, 20


@dataclass(frozen=True, eq=False, repr=False)
class Checkpoint(Storable):
    """A learning run between two updates, as ``ktc.resume`` goes on with it.

    Parts that may be of classes of a user, the schedule and the callback, are kept by name and
    arguments, and as whether there was one.
    """

    start: Described
    schedule: str
    arguments: Mapping[str, object]
    names: tuple[str, ...]
    mask: Mapping[str, NDArray[np.bool_]] | None
    values: Mapping[str, float] | None
    hidden: NDArray[np.integer]
    samples: Array
    batch: int | None
    ticks: int
    metrics: Metrics
    seed: int | None
    rested: float | None
    work: Array
    heat: Array
    realised: Network | None
    every: int
    watched: bool
    device: Mapping[str, object]
    state: Mapping[str, object]

    @classmethod
    def of(cls, run: LearningRun, every: int, watched: bool) -> Checkpoint:
        """That of a run now."""
        task, before = run.task, run.before
        schedule, arguments = kind_of(task.schedule)
        assert isinstance(run.device, Emulator)  # checked before the run starts
        return cls(
            task.start, schedule, arguments, task.learned.names,
            task.learned.masks, task.learned.values, task.hidden, task.samples, task.batch,
            task.ticks, task.metrics, task.seed, task.rested, before.work, before.heat,
            before.realised, every, watched, saved_emulator(run.device), run.saved(),
        )  # fmt: skip

    def run(self, given: Schedule | None, threads: int | None) -> LearningRun:
        """The run, to go on with the same bits, by the ``checked`` schedule."""
        kind = kind_named(self.schedule)
        schedule: object = given
        if given is None and kind is not None:
            schedule = kind.make(**self.arguments)
        if not isinstance(schedule, Schedule):
            raise RecordError(f"schedule: {self.schedule!r} is no schedule")
        learned = learnable(self.start, self.names, self.mask, self.values)
        random_seed(self.seed)
        checks.check_ticks(None, schedule, tick_count(self.ticks))
        numbers = checks.hidden_units(self.hidden.tolist())
        samples = checks.checked_samples(self.samples, numbers, self.start, learned)
        task = Task(
            self.start, schedule, learned, numbers, samples, self.batch, self.ticks, self.metrics,
            self.seed, self.rested,
        )  # fmt: skip
        with entry("device"):
            device = restored_emulator(**self.device, threads=threads)  # type: ignore[arg-type]
        run = LearningRun(task, device, threads, Before(self.work, self.heat, self.realised))
        with entry("state"):
            run.restore(self.state)
        return run

    def checked(self, given: Schedule | Callable[[float], float] | None) -> Schedule | None:
        """The schedule that was given, if it is that of the run."""
        if given is None:
            if kind_named(self.schedule) is None:
                raise ValueError(
                    f"schedule of the run is of class {self.schedule!r}, which is not defined "
                    "here; import its module first, or pass schedule="
                )
            return None
        if not isinstance(given, Schedule):
            duration = self.arguments.get("duration")
            given = checks.schedule_of(given, duration, self.ticks)  # type: ignore[arg-type]
        name, arguments = kind_of(given)
        if name != self.schedule or not same(dict(arguments), dict(self.arguments)):
            raise ValueError(
                f"schedule must be that of the run, {self.schedule} with the arguments "
                f"{dict(self.arguments)}, but is {given!r}; leave it out, or start a new run"
            )
        return given

    def __post_init__(self) -> None:
        count("every", self.every)

    def __repr__(self) -> str:
        learned = " and ".join(self.names)
        return f"<checkpoint of learning {learned} by {self.schedule}; ktc.resume goes on with it>"


register(Checkpoint, resumes=True)


def checkpoints(
    path: FilePath | None, every: int | None, run: LearningRun, callback: Callback | None
) -> Callable[[int], None]:
    """What the loop calls between updates: it writes a checkpoint after each ``every`` of them."""
    if path is None:
        if every is not None:
            raise ValueError(f"every is {every!r}, but there is no checkpoint; pass checkpoint=")
        return lambda updates: None
    usual = max(EVERY, run.task.ticks // CHECKPOINTS)
    name, step = as_path(path, "checkpoint"), count("every", usual if every is None else every)
    if os.path.lexists(name):
        raise FileExistsError(
            errno.EEXIST, "the checkpoint exists; go on by ktc.resume, or remove it", name
        )
    if not isinstance(run.device, Emulator):
        raise TypeError(
            "checkpoint must be left out, because the state of the device, a "
            f"{type(run.device).__name__}, cannot be saved; only that of a ktc.Emulator can"
        )
    if run.forgets:
        raise TypeError(
            f"checkpoint must be left out, because {run.task.schedule.name} defines begun(), but "
            "not what it remembers; define memory() and recall()"
        )
    return _keeper(name, step, run, callback is not None)


def _keeper(path: str, every: int, run: LearningRun, watched: bool) -> Callable[[int], None]:
    last, file = run.updates, os.path.abspath(path)

    def keep(updates: int) -> None:
        nonlocal last
        due = updates % every == 0 or updates > run.task.ticks
        if due and (updates != last or not updates):
            Checkpoint.of(run, every, watched).save(file)
            last = updates

    return keep


def resume(
    path: FilePath,
    *,
    schedule: Schedule | Callable[[float], float] | None = None,
    callback: Callback | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> Fit:
    """Go on with a learning run from its checkpoint, to the same bits as without interruption.

    ``ktc.learn(..., checkpoint=path)`` writes the checkpoint: before the first update, after each
    ``every`` updates, and after the last. It has the emulator, the data, and all that the run
    remembers, so that a run whose process was killed, or that was stopped by Ctrl-C, ends in the
    same ``Fit``: history, energies, states and controls. Updates since the last checkpoint are
    made again. Checkpoints go on in the same file. A run that was finished returns its fit.

    Args:
        path: the checkpoint.
        schedule: the schedule of the run, where its class is one of yours and its module is not
            imported; None takes it from the file.
        callback: as for ``learn``, and required again where the run had one. It sees the updates
            after the checkpoint, some of them for the second time.
        threads: at most this many; None takes the cores this process may use.
        progress: whether to show a progress bar.

    Returns:
        The Fit of the whole run. Its ``device`` is the emulator as the run left it.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file that is damaged, with the entry at fault, of another kind or format, or
            of another minor version of ktc, which could not go on with the same bits; a schedule
            that is not that of the run, or a callback that is missing.
        OSError: the next checkpoint cannot be written. The last one stays whole.

    Example:
        >>> import ktc
        >>> import os, tempfile
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> path = os.path.join(tempfile.mkdtemp(), "run.ktc")
        >>> schedule = ktc.schedules.NaturalGradient(duration=2.0, rate=1.5)
        >>> options = {"replicas": 100, "ticks": 50, "seed": 1, "checkpoint": path, "every": 20}
        >>> fit = ktc.learn(net, 5.0, schedule, **options)
        >>> again = ktc.resume(path)
        >>> bool((again.history.theta == fit.history.theta).all())
        True
    """
    checks.check_callback(callback)
    number = None if threads is None else thread_count(threads)
    kept = load_as(path, Checkpoint)
    given = kept.checked(schedule)
    with damage_in(path):
        run = kept.run(given, number)
    if kept.watched and callback is None and not run.finished:
        raise ValueError(
            f"callback must be passed again, because the run of {path} had one; to go on without, "
            "pass one that returns nothing"
        )
    return run.go(progress, callback, _keeper(as_path(path), kept.every, run, kept.watched))
