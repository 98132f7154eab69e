"""The learner: trains a device on data, by the calls that a user's script has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.progress import progress_bar
from ktc._base.validation import Array, count, frozen
from ktc._emulation.emulator import Emulator
from ktc._learning.batches import Batches
from ktc._learning.divergence import DIVERGENCE, Divergence
from ktc._learning.fit import Fit
from ktc._learning.history import History
from ktc._learning.joint_learn import hidden_units, learn_jointly
from ktc._learning.metrics.settings import Metrics
from ktc._learning.planning.expected_learning import Deals
from ktc._learning.realised_controls import applied_change, applied_network
from ktc._learning.samples import as_samples
from ktc._learning.schedules import Schedule
from ktc._learning.tick_update import tick_change
from ktc._model.description import Described, network_of
from ktc._model.imperfections import LimitError
from ktc._model.network import Network
from ktc._model.parameters import LEARNABLE
from ktc._theory.gaussian import PARAMETERS, bias_free_energy
from ktc._theory.geometry import Geometry

REPLICAS = 10_000
DEVICE_CALLS = (
    "set",
    "run",
    "moments",
    "read",
    "ledger",
    "controls",
    "network",
    "scale",
    "symbols",
)


def learn(
    device: Any,
    data: ArrayLike,
    schedule: Schedule,
    parameters: Sequence[str] = ("bias",),
    replicas: float | None = None,
    ticks: int = 1000,
    seed: int | None = None,
    threads: int | None = None,
    progress: bool = False,
    *,
    mask: ArrayLike | Mapping[str, ArrayLike] | None = None,
    hidden: Sequence[int] | int = (),
    metrics: Metrics | None = None,
    batch: int | None = None,
) -> Fit:
    """Maximum likelihood on running replicas: dθ/dt = η(t) g(t), and what it costs.

    The gradient g = ⟨∂_θE⟩ over the replicas, which lag behind the controls, − ⟨∂_θE⟩ over the
    data; for the bias of a Network it is data mean − replica mean. Controls are sampled and held
    over ``ticks`` equal holds. The excess work of the run is the bias of the likelihood that such a
    persistent chain reports. Bounds, and what is said of the least dissipation, assume that the
    device starts in equilibrium at its controls, and are reached without inertia; with inertia
    they hold, and are approached to leading order in the relaxation time over the duration.

    Args:
        device: a Network or a Board, of which an Emulator is made that starts in equilibrium at
            the device's own controls; or an Emulator, or any object with its calls ``set``,
            ``run``, ``moments``, ``read``, ``ledger``, ``controls`` and its description
            ``network``, ``scale``, ``symbols``, which goes on from where it stands. ``read`` and
            the ledger's ``work`` and ``heat`` may return arrays that the device goes on to update:
            what is kept of them is copied. What is known
            of a real board is its drawing and its readings: gradient, ΔF and bounds come from
            these, work and heat from the board itself. It may tell its ``shortest_tick`` and
            ``applied_network``, and ``settle`` after the last update.
        data: shape (samples, d), in the device's public state (volts on a Board); one sample may
            be given as (d,), samples of a single unit as (samples,), a single number as it is.
        schedule: learning rate over time; it also sets the duration.
        parameters: one or several of "bias", "stiffness" ("couplings", "diagonal" or both) and
            "quartic"; or ("center",) for λ of ½(x − λ)ᵀK(x − λ), b = Kλ. A scalar rate
            acts on these in public units: θ in volts on a Board, where g is in joules per volt.
        replicas: number of replicas, 10,000 by default; ``math.inf`` for exact ensemble means,
            without sampling noise. Not for a device that has its own.
        ticks: number of holds, at least 1.
        seed: for the emulator; None draws one. Not for a device that has its own.
        threads: for the emulator; None takes all cores. Not for a device that has its own.
        progress: shows a progress bar.
        mask: which entries of the stiffness are learned, symmetric (d, d); or a mapping with one
            mask a name; all by default.
        hidden: numbers of the units that the data do not have. Data then have one column for each
            other unit, in order; a second ensemble, whose visible units the data hold, gives
            ⟨∂_θE⟩ over the data, and its work and heat are in ``positive_phase_work`` and
            ``positive_phase_heat``.
        metrics: how F and ζ are come by, see ``ktc.Metrics``; closed forms and quadrature where
            they exist, by default, and measurement on calibration replicas elsewhere.
        batch: number of samples that each update sees, drawn by the run's seed without replacement
            within an epoch, the remainder of an epoch left out; all of them by default. With
            hidden units it is their clamped replicas that an update reads.

    Returns:
        A Fit: parameters reached, energies spent, bounds, history. A JointFit for whatever is
        not the bias of a Gaussian network alone. An update that would leave the energy without
        a bound is halved until it does not, which ``history.share`` records. Where controls
        diverge, the run stops with what the last good update left, and ``stopped_early`` says why.

    Raises:
        ValueError, TypeError: data of the wrong width or not finite, or so far off that their
            energy overflows, an unknown parameter, numbers out of range, ticks shorter than the
            device's; before anything moves. LimitError where
            a control or a reading leaves the range of a real board, with the tick at which it did.
        OverflowError: a rate so large that the first update diverges already.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> schedule = ktc.schedules.MinimalDissipation(duration=1.0)
        >>> fit = ktc.learn(net, 5.0, schedule, replicas=10_000, ticks=200, seed=1)
        >>> bool(abs(fit.excess_work.mean - fit.bound) < 4 * fit.excess_work.stderr)
        True

    Source: Hnybida, Verret (2025), arXiv 2510.03137.
    """
    if not isinstance(schedule, Schedule):
        raise TypeError(
            f"schedule must be one of ktc.schedules, but is {type(schedule).__name__} {schedule!r}"
        )
    names = _names(parameters)
    steps = count("ticks", ticks)
    numbers = hidden_units(hidden)
    plain = len(names) == 1 and names[0] in PARAMETERS
    if not plain or len(numbers) or mask is not None or metrics is not None or _quartic(device):
        return learn_jointly(
            device, data, schedule, names, steps, progress,
            _running, {"replicas": replicas, "seed": seed, "threads": threads},
            mask=mask, hidden=numbers, metrics=metrics, batch=batch,
        )  # fmt: skip
    parameter = names[0]
    schedule, given = schedule.begun(), schedule
    device = _running(device, replicas, seed, threads)
    units = device.network.units
    samples = as_samples(data, units)
    batches = Batches.of_run(samples, batch, device)
    start = Described(device.network.with_controls(device.controls), device.scale, device.symbols)
    geometry = Geometry.of(start, parameter).sampled(schedule.duration / steps)
    schedule.check(units)
    shortest = getattr(device, "shortest_tick", 0.0)
    # With room for the rounding of a duration over its ticks.
    if schedule.duration / steps < shortest * (1 - 1e-9):
        raise LimitError(
            f"ticks must be at most {max(1, int(schedule.duration / shortest * (1 + 1e-9)))} in "
            f"{schedule.duration:g}, as a tick of this device takes {shortest:g}, but is {steps}"
        )
    goal = frozen(_mean(samples, start))
    deals = Deals.of(samples, batch)

    def shown() -> Array:
        return goal if batches is None else np.asarray(samples[batches.draw()].mean(axis=0))

    before = applied_network(device)
    first_work, first_heat = np.array(device.ledger.work), np.array(device.ledger.heat)
    infinite = getattr(device.ledger, "infinite", False)
    with device.ledger.tally() if infinite else nullcontext(lambda: None) as tally:
        track, stopped = _drive(device, schedule, geometry, shown, steps, progress)
        variances = tally()

    bias, initial = track["bias"], start.network.bias
    gains = np.sum(track["gradient"] * track.pop("change"), axis=1)
    free_energy = bias_free_energy(start, bias) - bias_free_energy(start, initial)
    data_energy = -(bias - initial) @ (goal / device.scale)
    history = History(
        **track,
        free_energy_change=free_energy,
        likelihood_bias=np.cumsum(gains) - (free_energy - data_energy),
    )
    return Fit(
        start=start,
        schedule=given,
        parameter=parameter,
        data_mean=goal,
        samples=len(samples),
        batch=batch,
        scatter=None if deals is None else deals.scatter,
        stopped_early=stopped,
        work=device.ledger.work - first_work,
        heat=device.ledger.heat - first_heat,
        final_state=np.array(device.moments().mean[None] if infinite else device.read()),
        history=history,
        seed=getattr(device, "seed", None),
        imperfections=getattr(device, "imperfections", None),
        applied_change=applied_change(before, device),
        device=device,
        variances=variances,
    )


def _mean(samples: Array, start: Described) -> Array:
    """The data's mean, where doubles hold the energy of a network that rests there."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean: Array = samples.mean(axis=0)
        state = mean / start.scale
        energy = state @ start.network.stiffness @ state
    if not np.isfinite(energy):
        raise ValueError(
            f"data has its mean as far off as {np.abs(samples).max():.6g}, where the energy of the "
            "network overflows; scale it down"
        )
    return mean


def _drive(
    device: Any,
    schedule: Schedule,
    geometry: Geometry,
    goal: Callable[[], Array],
    ticks: int,
    progress: bool,
) -> tuple[dict[str, Array], str | None]:
    """The closed loop: read the mean, update the bias, hold; n + 1 updates around n holds.

    Args:
        goal: gives the data's mean, of the next batch, in the public state.

    Returns:
        Arrays of the history by name, and why it stopped early, with as many rows as updates went
        well.
    """
    units, scale = device.network.units, device.scale
    hold = schedule.duration / ticks
    names = ("parameters", "bias", "gradient", "change", "mean")
    track: dict[str, Array] = {name: np.empty((ticks + 1, units)) for name in names}
    track |= {name: np.empty(ticks + 1) for name in ("time", "work", "heat")}
    first = (float(np.mean(device.ledger.work)), float(np.mean(device.ledger.heat)))
    initial = device.controls.bias
    theta_start = np.linalg.solve(geometry.to_bias, initial)
    theta = np.zeros(units)
    judge = Divergence(device.network.kT)
    stopped = None
    with progress_bar(ticks, "tick", progress, schedule.name) as bar:
        for k in range(ticks + 1):
            time = schedule.duration * (k / ticks)
            with _told(k):
                mean = device.moments().mean

            def toward(point: Array, mean: Array = mean) -> Array:
                return np.asarray(geometry.to_bias.T @ ((point - mean) / scale))

            gradient = toward(goal())
            with np.errstate(over="ignore", invalid="ignore"):
                change = tick_change(schedule, geometry, k, ticks, gradient, toward)
                bias = initial + geometry.to_bias @ (theta + change)
            try:
                if judge.diverged(gradient, change) or not np.isfinite(bias).all():
                    raise ValueError(DIVERGENCE)
                with _told(k):
                    device.set(bias=bias)
            except LimitError:
                raise
            except ValueError as error:
                stopped = f"tick {k}: {error}"
                break
            theta = theta + change
            if k == ticks and hasattr(device, "settle"):
                device.settle()
            track["time"][k] = time
            track["parameters"][k] = theta_start + theta
            track["bias"][k], track["gradient"][k], track["mean"][k] = bias, gradient, mean
            track["change"][k] = change
            track["work"][k] = float(np.mean(device.ledger.work)) - first[0]
            track["heat"][k] = float(np.mean(device.ledger.heat)) - first[1]
            if k < ticks:
                device.run(hold)
                bar.update(1)
    done = ticks + 1 if stopped is None else k
    if done == 0:
        raise OverflowError(
            f"nothing was learned under {schedule!r}: {stopped}; lower the rate, or take more ticks"
        )
    return {name: values[:done] for name, values in track.items()}, stopped


@contextmanager
def _told(tick: int) -> Iterator[None]:
    """Says at which tick the device met its limits."""
    try:
        yield
    except LimitError as error:
        raise LimitError(f"tick {tick}: {error}") from error


def _names(parameters: Sequence[str]) -> tuple[str, ...]:
    known = tuple(dict.fromkeys(PARAMETERS + LEARNABLE))
    try:
        names = (parameters,) if isinstance(parameters, str) else tuple(parameters)
    except TypeError:
        names = ()
    wrong = [name for name in names if name not in known]
    if not names or wrong:
        raise ValueError(
            f"parameters must be one or several of {known}, such as ('bias',), but is "
            f"{parameters!r}"
        )
    if "center" in names and len(names) > 1:
        raise ValueError(
            f"parameters has 'center', which is K⁻¹b and learned alone, but is {parameters!r}; "
            "take 'bias' beside others"
        )
    return names


def _quartic(device: Any) -> bool:
    """Whether a device has quartic units, now or at its start."""
    network = getattr(device, "network", None)
    return isinstance(network, Network) and bool(
        network.quartic.any() or getattr(device, "controls", network).quartic.any()
    )


def _running(device: Any, replicas: float | None, seed: int | None, threads: int | None) -> Any:
    """The device itself where it runs, or an emulator of what it describes."""
    if not hasattr(device, "run"):
        network_of(device)
        many = REPLICAS if replicas is None else replicas
        if hasattr(device, "emulator"):
            return device.emulator(many, seed, threads=threads)
        return Emulator(device, many, seed, threads)
    for name, value in (("replicas", replicas), ("seed", seed), ("threads", threads)):
        if value is not None:
            raise ValueError(f"{name} is {value!r}, but the device runs already; leave {name} out")
    missing = [name for name in DEVICE_CALLS if not hasattr(device, name)]
    if missing:
        raise TypeError(
            f"device must offer {', '.join(DEVICE_CALLS)}, but {type(device).__name__} lacks "
            + ", ".join(missing)
        )
    return device
