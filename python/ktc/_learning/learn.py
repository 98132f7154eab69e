"""``learn``: train a device on data, by the calls that a user's script has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.resources import thread_count
from ktc._base.validation import random_seed, tick_count
from ktc._emulation.emulator import Emulator
from ktc._learning import (
    checks,
    fit_record,  # noqa: F401  # registers fits
)
from ktc._learning.averages import replica_forces
from ktc._learning.data import Batches, BatchMoments
from ktc._learning.device_checks import checked_device
from ktc._learning.fit import Fit
from ktc._learning.gradient_noise import LARGEST_STATE, GradientNoise
from ktc._learning.history import Readings, history_of
from ktc._learning.loop import Callback, Loop, Outcome, Problem
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.metrics.settings import Metrics
from ktc._learning.metrics.source import MetricSource
from ktc._learning.positive_phase import ClampedPhase, DataPhase, PositivePhase
from ktc._learning.schedule import Schedule
from ktc._model.description import Described, Description, Running, network_of
from ktc._model.device import (
    Device,
    DeviceFactory,
    EnsembleLedger,
    HasImperfections,
    RealisesControls,
    data_sheet_of,
    is_infinite,
    rested_of,
    seed_of,
)
from ktc._model.network import Network
from ktc._theory.free_energies import free_energy_change
from ktc._theory.relaxation import has_relaxed

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
            "quartic"; or ("center",) for λ of ½(x − λ)ᵀK(x − λ), b = Kλ. A scalar rate acts on
            these in public units: θ in volts on a Board, where g is in joules per volt.
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

    Returns:
        A Fit. An update that would leave the energy unconfined is halved until it does not, which
        ``history.share`` records. Where the controls diverge, the run stops after the last update
        that succeeded, and ``stopped_early`` gives the reason; as where Ctrl-C or ``callback`` stop
        it.

    Raises:
        ValueError, TypeError: data of the wrong width, not finite, or so far off that their energy
            overflows, an unknown parameter, numbers out of range; before anything moves.
        LimitError: ticks shorter than the device's, before anything moves; a control or a reading
            out of the range of a real board, with its tick.
        OverflowError: a rate so large that not even the first update succeeds.

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
    names, steps = checks.parameter_names(parameters), tick_count(ticks)
    numbers = checks.hidden_units(hidden)
    given, device = device, _running(device, replicas, seed, threads)
    infinite = is_infinite(device.ledger)
    # An infinite ensemble has no noise, but its batches are drawn all the same.
    seed = random_seed(seed) if infinite and given is not device else seed_of(device)
    rested = rested_of(device)
    start = Described(device.network.with_controls(device.controls), device.scale, device.symbols)
    learned = checks.learned_parameters(given, start, names, mask, len(numbers))
    samples = checks.checked_samples(data, numbers, start, learned)
    checks.check_anticipation(schedule, learned.size, len(numbers), batch, settings)
    batches = None if batch is None else Batches(len(samples), batch, seed)
    schedule.check(start.network.units)
    checks.check_ticks(device, schedule, steps)
    exact = ExactModel(start, learned)
    source = None
    if schedule.uses_metrics:
        source = MetricSource(exact, settings, device, seed, threads, schedule.uses_friction)
    if infinite:
        checks.check_threads(threads, source)
    positive: PositivePhase = (
        ClampedPhase(start, learned, samples, numbers, device, seed, threads, batches)
        if len(numbers)
        else DataPhase(samples, learned, batches)
    )
    plans = _plans(device, start, metrics, source)
    problem = Problem(
        device, schedule.begun(), steps, learned, positive, source, exact, plans, seed
    )
    loop = Loop(problem, _noise(problem, schedule, seed))
    outcome, readings = _driven(loop, problem, progress, callback)
    moments = BatchMoments.of(samples, batch) if exact.whole and not len(numbers) else None
    scatter = np.cov(samples.T, bias=True).reshape(2 * [samples.shape[1]]) if len(numbers) else None
    goal = positive.all_forces()
    return Fit(
        start=start,
        schedule=schedule,
        learned=learned,
        hidden=numbers,
        data_mean=samples.mean(axis=0),
        data_forces=goal,
        samples=len(samples),
        batch=batch,
        scatter=scatter if moments is None else moments.scatter,
        readings=readings,
        history=history_of(outcome.rows, exact, None if len(numbers) else goal),
        stopped_early=outcome.stopped,
        calibration=source.report() if source and loop.rule != "open loop" else None,
        rule=loop.rule,
        seed=seed,
        rested=rested,
        imperfections=data_sheet_of(device),
        device=device,
    )


def _driven(
    loop: Loop, problem: Problem, progress: bool, callback: Callback | None
) -> tuple[Outcome, Readings]:
    """Run the loop, with the readings of the device over it."""
    device, positive = problem.device, problem.positive
    before, ledger = _realised(device), device.ledger
    first_work, first_heat = np.array(ledger.work), np.array(ledger.heat)
    tally: AbstractContextManager[Callable[[], Mapping[str, float] | None]]
    tally = ledger.tally() if isinstance(ledger, EnsembleLedger) else nullcontext(lambda: None)
    with tally as variances_so_far:
        outcome = loop.run(progress, callback)
        variances = variances_so_far()
    infinite, after = is_infinite(ledger), _realised(device)
    change = None if before is None or after is None else free_energy_change(before, after)
    return outcome, Readings(
        work=device.ledger.work - first_work,
        heat=device.ledger.heat - first_heat,
        final_state=np.array(device.moments().mean[None] if infinite else device.read()),
        final_forces=replica_forces(device, problem.parameters)[0],
        positive=positive.accounts,
        variances=variances,
        applied_change=change,
    )


def _realised(device: object) -> Network | None:
    """The network as realised at present, at its resistors' temperature, without noise generators.

    None of a device that realises controls exactly.
    """
    if isinstance(device, HasImperfections) and device.imperfections is None:
        return None
    net = device.applied_network if isinstance(device, RealisesControls) else None
    return None if net is None else Network(net.stiffness, net.friction, net.kT, net.bias)


def _plans(
    device: Device, start: Described, metrics: Metrics | None, source: MetricSource | None
) -> bool:
    """Whether a drive may be computed beforehand: of a device that starts in equilibrium and is
    what its design says, as far as it knows, where no measured metrics are asked for.
    """
    rested = rested_of(device)
    settled = rested is None or has_relaxed(start.network, rested)
    asked = metrics is not None and source is not None and not source.closed
    return settled and not asked and data_sheet_of(device) is None


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
