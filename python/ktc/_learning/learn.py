"""``learn``: train a device on data, by the calls that a user's script has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from numpy.typing import ArrayLike

from ktc._base.files import FilePath
from ktc._base.resources import thread_count
from ktc._base.validation import random_seed, tick_count
from ktc._emulation.emulator import Emulator
from ktc._learning import (
    checks,
    fit_record,  # noqa: F401  # registers fits
)
from ktc._learning.checkpoint import checkpoints
from ktc._learning.device_checks import checked_device
from ktc._learning.fit import Fit
from ktc._learning.learning_run import LearningRun, Task
from ktc._learning.loop import Callback
from ktc._learning.metrics.settings import Metrics
from ktc._learning.schedule import Schedule
from ktc._model.description import Described, Description, Running, network_of
from ktc._model.device import (
    Device,
    DeviceFactory,
    is_infinite,
    remembered_of,
    rested_of,
    seed_of,
)
from ktc._model.directions import directions_among, with_directions

REPLICAS = 10_000


def learn(
    device: Description | Device,
    data: ArrayLike,
    schedule: Schedule | Callable[[float], float],
    *,
    duration: float | None = None,
    parameters: Sequence[str] = ("bias",),
    replicas: float | None = None,
    ticks: int = 1000,
    seed: int | None = None,
    threads: int | None = None,
    progress: bool = False,
    mask: ArrayLike | Mapping[str, ArrayLike] | None = None,
    hidden: Sequence[int] | int = (),
    metrics: Metrics | None = None,
    batch: int | None = None,
    callback: Callback | None = None,
    checkpoint: FilePath | None = None,
    every: int | None = None,
) -> Fit:
    """Learn by maximum likelihood on running replicas, dθ/dt = η(t) g(t), and account for the cost.

    The gradient is g = ⟨∂_θH⟩ over the replicas, which lag behind the controls, − ⟨∂_θH⟩ over the
    data; for the bias of a Network it is data mean − replica mean. The excess work of the run is
    the bias of the likelihood that such a persistent chain reports. Bounds, and statements on least
    dissipation, assume that the device starts in equilibrium at its controls, which
    ``fit.from_equilibrium`` tells, and are reached without inertia; with inertia they are
    approached to leading order in the relaxation time over the duration.

    Args:
        device: a Network or a Board, of which an Emulator is made that starts in equilibrium at
            its own controls; or a running ``ktc.Device``, such as an Emulator or the driver of a
            real board, which continues from its present state; the arrays that it returns are
            copied. Of a real board its design and its readings are known: gradient, ΔF and bounds
            come from these, work and heat from the board itself.
        data: shape (samples, d), in the device's public state (volts on a Board); one sample may
            be given as (d,), samples of a single unit as (samples,), a single number as it is.
        schedule: learning rate over time; it also sets the duration. A function η(t) is a scalar
            rate, evaluated at the updates, as ``schedules.Tabulated``.
        duration: T where schedule is a function, and only there.
        parameters: one or several of "bias", "stiffness" ("couplings", "diagonal" or both) and
            "quartic"; or ("center",) for λ of ½(x − λ)ᵀK(x − λ), b = Kλ; or names of sources of a
            circuit that drive no steady current, such as ("V1", "I2"), for their values in volts
            and amperes, with other sources held. A scalar rate acts on these in public units: θ in
            volts on a Board, where g is in joules per volt.
        replicas: number of replicas, 10,000 by default; ``math.inf`` for exact ensemble means,
            without sampling noise. A running device takes none, and no seed and threads.
        ticks: number of equal holds of the controls, at least 1.
        seed: seed of the emulator, of batches and of measured metrics (with ``math.inf`` replicas
            of the last two alone); None draws one, kept in ``fit.seed``. Runs with the same seed
            have the same noise, so that their costs deviate together: give each run of a sweep its
            own, such as ``numpy.random.SeedSequence(1).generate_state(runs, "uint64")``.
        threads: threads of the emulator and of measured metrics; None takes all cores.
        progress: whether to show a progress bar.
        mask: which entries of the stiffness are learned, symmetric (d, d); or a mapping with one
            mask per name; all by default.
        hidden: numbers of the units that the data do not have. Data then have one column for each
            other unit, in order, at which a second ensemble is clamped; its average is ⟨∂_θH⟩ over
            the data, its work and heat are ``positive_phase_work`` and ``positive_phase_heat``.
        metrics: how F and ζ are obtained; by default as by ``ktc.Metrics()``.
        batch: number of samples per update, drawn by the run's seed without replacement within an
            epoch, the remainder of an epoch left out; all of them by default. With hidden units an
            update reads their clamped replicas.
        callback: called after each update but the last with its ``ktc.UpdateRecord``; the run stops
            there if it returns True.
        checkpoint: file that keeps the run, for ``ktc.resume`` to go on with where it was killed or
            interrupted: written before the first update, after each ``every`` updates, and after
            the last. Emulators alone can be kept. The file must not exist.
        every: number of updates between two checkpoints; by default 100, or a twentieth of all
            where that is more. Each replaces the last one as a whole, and takes the time of writing
            the emulator, the data and the history so far.

    Returns:
        A Fit. An update that would leave the energy unconfined is halved until it does not, which
        ``history.share`` records. Where the controls diverge, the run stops after the last update
        that succeeded, and ``stopped_early`` gives the reason; as where Ctrl-C or ``callback`` stop
        it. Errors of work, heat and excess works are those of repeated runs; ``fit.error_method``
        says how they are obtained with batches, hidden units and coupled quartic units.

    Raises:
        ValueError, TypeError: data of the wrong width, not finite, or so far off that their energy
            overflows, an unknown parameter, numbers out of range; before anything moves.
        LimitError: ticks shorter than the device's, before anything moves; a control or a reading
            out of the range of a real board, with its tick.
        OverflowError: a rate so large that not even the first update succeeds.
        FileExistsError: a checkpoint that exists; resume it, or remove it.
        OSError: the checkpoint cannot be written, as on a full disk: the run stops, and the last
            checkpoint stays whole, for ``ktc.resume`` once there is room.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> schedule = ktc.schedules.MinimalDissipation(duration=1.0)
        >>> fit = ktc.learn(net, 5.0, schedule, replicas=10_000, ticks=200, seed=1)
        >>> bool(abs(fit.excess_work.mean - fit.bound) < 4 * fit.excess_work.stderr)
        True

    Source: Hnybida, Verret (2025), arXiv 2510.03137.
    """
    schedule = checks.schedule_of(schedule, duration, ticks)
    checks.check_schedule(schedule, metrics)
    checks.check_callback(callback)
    settings = metrics or Metrics()
    names, steps = checks.parameter_names(parameters, device), tick_count(ticks)
    numbers = checks.hidden_units(hidden)
    if directions_among(device, names):
        device = with_directions(device)
    given, device = device, _running(device, replicas, seed, threads)
    infinite = is_infinite(device.ledger)
    # An infinite ensemble has no noise, but its batches are drawn all the same.
    seed = random_seed(seed) if infinite and given is not device else seed_of(device)
    rested = rested_of(device)
    start = Described(device.network.with_controls(device.controls), device.scale, device.symbols)
    remembered = remembered_of(device)
    learned = checks.learned_parameters(given, start, names, mask, len(numbers), remembered)
    samples = checks.checked_samples(data, numbers, start, learned)
    checks.check_anticipation(schedule, learned.size, len(numbers), batch, settings)
    schedule.check(start.network.units)
    checks.check_ticks(device, schedule, steps)
    task = Task(
        start=start, schedule=schedule, learned=learned, hidden=numbers, samples=samples,
        batch=batch, ticks=steps, metrics=settings, seed=seed, rested=rested,
    )  # fmt: skip
    run = LearningRun(task, device, threads)
    keep = checkpoints(checkpoint, every, run, callback)
    return run.go(progress, callback, keep)


def _running(
    device: Description | Device, replicas: float | None, seed: int | None, threads: int | None
) -> Device:
    """The device itself where it runs, or an emulator of what it describes."""
    if not isinstance(device, Running):
        network_of(device)
        many = REPLICAS if replicas is None else replicas
        if (
            type(many) is float and many == math.inf
        ):  # which takes neither; batches and measured metrics do
            thread_count(threads)
            seed = threads = None
        if isinstance(device, DeviceFactory):
            return device.emulator(many, seed, threads=threads)
        return Emulator(device, many, seed, threads)
    for name, value in (("replicas", replicas), ("seed", seed), ("threads", threads)):
        if value is not None:
            raise ValueError(
                f"{name} is {value!r}, but the device is running already; leave {name} out"
            )
    return checked_device(device)
