"""``learn`` of any parameters: checks, both phases, F and ζ, and the fit that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, count
from ktc._learning.averages import replica_forces
from ktc._learning.batches import Batches
from ktc._learning.clamped_phase import ClampedPhase
from ktc._learning.data_phase import DataPhase
from ktc._learning.joint_fit import JointFit
from ktc._learning.joint_history import JointHistory
from ktc._learning.joint_learner import JointLearner, PositivePhase
from ktc._learning.metrics.exact_model import MOST_DENSE, ExactModel
from ktc._learning.metrics.likelihood import refuse_unreachable
from ktc._learning.metrics.settings import Metrics
from ktc._learning.metrics.source import MetricSource
from ktc._learning.realised_controls import applied_change, applied_network
from ktc._learning.samples import as_samples
from ktc._learning.schedules import Schedule
from ktc._model.description import Described
from ktc._model.imperfections import LimitError
from ktc._model.parameters import CONTROL_OF, Parameters
from ktc._theory.free_energies import at_equilibrium

#: Number of the random stream of the clamped ensemble.
CLAMPED_STREAM = 0x6B74636C
# Data whose energy is so many kT would overflow before anything is learned.
LARGEST = 1e100


def learn_jointly(
    device: Any,
    data: ArrayLike,
    schedule: Schedule,
    names: tuple[str, ...],
    ticks: int,
    progress: bool,
    running: Callable[..., Any],
    options: Mapping[str, Any],
    *,
    mask: ArrayLike | Mapping[str, ArrayLike] | None,
    hidden: Array,
    metrics: Metrics | None,
    batch: int | None,
) -> JointFit:
    """See ``ktc.learn``, which this is where more than a Gaussian network's bias is learned."""
    if metrics is not None and not isinstance(metrics, Metrics):
        raise TypeError(f"metrics must be ktc.Metrics, but is {type(metrics).__name__}")
    if names == ("center",):
        raise ValueError(
            "parameters is ('center',), a coordinate of Gaussian networks learned alone, without "
            "mask, hidden units and quartic units; take 'bias'"
        )
    described_by = device
    device = running(device, options["replicas"], options["seed"], options["threads"])
    start = Described(device.network.with_controls(device.controls), device.scale, device.symbols)
    at_equilibrium(start)
    if start.network.is_sparse and names != ("bias",):
        raise ValueError(
            f"parameters must be ('bias',) on a sparse network, but is {names}; make the network "
            "of stiffness.toarray() where that is small enough"
        )
    parameters = Parameters(start, names, mask)
    _refuse_unprogrammable(described_by, start, parameters)
    d = start.network.units
    if len(hidden) and hidden[-1] >= d:
        raise ValueError(f"hidden must be numbers below {d}, the units, but has {hidden[-1]}")
    if len(hidden) == d:
        raise ValueError("hidden must leave at least one visible unit, but names all")
    visible = np.setdiff1d(np.arange(d), hidden)
    samples = as_samples(data, len(visible))
    with np.errstate(over="ignore", invalid="ignore"):
        energy = (
            np.abs(samples / start.scale[visible]).max() ** 2
            * np.abs(start.network.stiffness.diagonal()).max()
        )
    if not energy < LARGEST * start.network.common_kT:
        raise ValueError(
            f"data are as far off as {np.abs(samples).max():.6g}, where the energy of the "
            "network overflows; scale it down"
        )
    if not len(hidden):
        refuse_unreachable(samples, parameters, start.network.controls)
    _refuse_to_anticipate(schedule, parameters, len(hidden), batch, metrics)
    batches = Batches.of_run(samples, batch, device)
    schedule.check(d)
    _check_ticks(device, schedule, ticks)
    infinite = bool(getattr(device.ledger, "infinite", False))
    exact = ExactModel(start, parameters)
    source = None
    if schedule.uses_metrics:
        source = MetricSource(
            exact, metrics or Metrics(), device, options["threads"], schedule.uses_friction
        )
    positive: PositivePhase
    clamped = None
    if len(hidden):
        if infinite:
            raise ValueError("replicas must be finite with hidden units, which data clamp")
        seed = np.random.SeedSequence([getattr(device, "seed", None) or 0, CLAMPED_STREAM])
        many = max(int(device.replicas), len(samples))
        positive = clamped = ClampedPhase(
            start, parameters, samples, hidden, many,
            int(seed.generate_state(1, np.uint64)[0]), options["threads"], batches,
        )  # fmt: skip
    else:
        positive = DataPhase(samples, parameters, batches)
    before = applied_network(device)
    first_work, first_heat = np.array(device.ledger.work), np.array(device.ledger.heat)
    learner = JointLearner(device, schedule.begun(), parameters, positive, source, exact)
    with device.ledger.tally() if infinite else nullcontext(lambda: None) as tally:
        outcome = learner.run(ticks, progress)
        variances = tally()
    track = outcome.track
    changes = np.cumsum(track.pop("path_free_energy", np.empty(0)))
    goal = positive.all_forces()
    bias = np.empty(0)
    if exact.known and not len(hidden):
        theta = np.concatenate([[parameters.vector(start.network.controls)], track["parameters"]])
        steps = np.diff(theta, axis=0)
        gains = np.sum(track["gradient"] * steps, axis=1)
        bias = np.cumsum(gains) - (changes - (theta[1:] - theta[0]) @ goal)
    moments = device.moments()
    return JointFit(
        learned=parameters,
        mask=_masks(parameters, d),
        hidden=hidden,
        data_forces=goal,
        final_forces=replica_forces(device, parameters)[0],
        stopped_early=outcome.stopped,
        calibration=None if source is None else source.report(),
        positive=None
        if clamped is None
        else (np.array(clamped.emulator.ledger.work), np.array(clamped.emulator.ledger.heat)),
        start=start,
        schedule=schedule,
        data_mean=samples.mean(axis=0),
        samples=len(samples),
        batch=batch,
        work=device.ledger.work - first_work,
        heat=device.ledger.heat - first_heat,
        final_state=np.array(moments.mean[None] if infinite else device.read()),
        history=JointHistory(**track, path_free_energy=changes, path_likelihood_bias=bias),
        seed=getattr(device, "seed", None),
        imperfections=getattr(device, "imperfections", None),
        applied_change=applied_change(before, device),
        device=device,
        variances=variances if infinite else None,
    )


def hidden_units(hidden: Sequence[int] | int) -> Array:
    """Numbers of the hidden units, ascending."""
    many = list(hidden) if np.iterable(hidden) else [hidden]
    numbers = sorted(count("hidden", unit, least=0) for unit in many)
    for one, other in pairwise(numbers):
        if one == other:
            raise ValueError(f"hidden must name a unit once, but names {one} twice")
    return np.array(numbers, dtype=np.intp)


def _refuse_to_anticipate(
    schedule: Schedule,
    parameters: Parameters,
    hidden: int,
    batch: int | None,
    metrics: Metrics | None,
) -> None:
    """Refuses what has no way ahead that could be known."""
    if not getattr(schedule, "anticipate", False):
        return
    if parameters.size > MOST_DENSE:
        raise ValueError(
            f"anticipate must be False for more than {MOST_DENSE} parameters, whose F and ζ are "
            f"not made as matrices, but {parameters.size} are learned"
        )
    for name, given, why in (
        ("hidden", hidden, "have no averages in the data"),
        ("batch", batch is not None, "do not show where all of the data are"),
    ):
        if given:
            raise ValueError(
                f"anticipate must be False with {name}: {'hidden units' if hidden else 'batches'} "
                f"{why}, so that there is no way ahead to be known"
            )
    if metrics is not None and metrics.fisher == "replicas":
        raise ValueError(
            "anticipate must be False where fisher of metrics is 'replicas', which have no F of "
            "the way ahead"
        )


def _check_ticks(device: Any, schedule: Schedule, ticks: int) -> None:
    shortest = getattr(device, "shortest_tick", 0.0)
    if schedule.duration / ticks < shortest * (1 - 1e-9):
        raise LimitError(
            f"ticks must be at most {max(1, int(schedule.duration / shortest * (1 + 1e-9)))} in "
            f"{schedule.duration:g}, as a tick of this device takes {shortest:g}, but is {ticks}"
        )


def _masks(parameters: Parameters, units: int) -> dict[str, Any]:
    """What was learned, as the mask of which the same Parameters are made."""
    masks = {}
    for name, places in parameters.places.items():
        shape = (units,) * len(places)
        array = np.zeros(shape, dtype=bool)
        array[places] = True
        masks[name] = array | array.T
    return masks


def _refuse_unprogrammable(device: Any, start: Described, parameters: Parameters) -> None:
    """Refuses by name what the hardware has no knob for."""
    known = (device, getattr(device, "board", None), getattr(device, "description", None))
    board = next((one for one in known if hasattr(one, "complaint")), None)
    if "quartic" in parameters.names:
        still = [int(i) for i in parameters.places["quartic"][0] if start.network.quartic[i] == 0]
        if board is not None:
            raise ValueError(
                "parameters has 'quartic', which a Board cannot be programmed to: its cells are "
                "linear; take a Network"
            )
        if still:
            raise ValueError(
                f"quartic of unit {still[0]} is learned, but starts at zero, where the network "
                "moves as a linear one; start it at a positive value, or mask it"
            )
    if board is None or not set(parameters.names) & set(CONTROL_OF):
        return
    controls = start.network.controls
    moved = parameters.vector(controls)
    own = controls.stiffness.diagonal()
    for name, block in parameters.blocks.items():
        if name in CONTROL_OF:
            i, j = parameters.places[name]
            moved[block] += 1e-3 * np.sqrt(own[i] * own[j]) / len(own)
    reason = board.complaint(np.asarray(parameters.changes(moved, controls)["stiffness"]))
    if reason:
        raise ValueError(
            f"parameters {parameters.names} include what this Board cannot be programmed to; "
            f"leave it out by mask: {reason}"
        )
