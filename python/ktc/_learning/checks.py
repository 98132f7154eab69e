"""What ``learn`` refuses before anything moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ktc._base.validation import Array, count, tick_count, told
from ktc._learning.center import learnable
from ktc._learning.data import as_samples, refuse_overflow
from ktc._learning.metrics.exact_model import MOST_DENSE
from ktc._learning.metrics.likelihood import refuse_unreachable
from ktc._learning.metrics.settings import Metrics
from ktc._learning.metrics.source import MetricSource
from ktc._learning.scalar_schedules import Tabulated
from ktc._learning.schedule import Schedule
from ktc._model.description import Described, Description
from ktc._model.device import Describes, HasShortestTick, Programmable
from ktc._model.directions import directions_among, told_directions
from ktc._model.imperfections import LimitError
from ktc._model.network import Network
from ktc._model.parameters import CONTROL_OF, LEARNABLE, Parameters
from ktc._theory.free_energies import at_equilibrium
from ktc._theory.gaussian import PARAMETERS


def parameter_names(parameters: str | Sequence[str], device: object = None) -> tuple[str, ...]:
    """Names of learnable parameters: "center" alone, or directions of a device, or others."""
    try:
        given: tuple[object, ...]
        given = (parameters,) if isinstance(parameters, str) else tuple(parameters)
    except TypeError:
        given = ()
    names = tuple(name for name in given if isinstance(name, str))
    linear = _linear(device)
    own = directions_among(device, names)
    known = tuple(dict.fromkeys(PARAMETERS + LEARNABLE + linear))
    if not given or len(names) < len(given) or not set(names) <= {*known, *own}:
        raise ValueError(
            f"parameters must be one or several of {known}, such as ('bias',)"
            f"{told_directions(device)}, but is {told(parameters)}"
        )
    _check_beside(parameters, names, own)
    return names


def _linear(device: object) -> tuple[str, ...]:
    """Parameters of potentials in which the energy is linear; none of what is no device."""
    if isinstance(device, type) or not isinstance(device, Description):
        return ()
    network: object = device.network
    return network.controls.on_site.linear if isinstance(network, Network) else ()


def _check_beside(parameters: object, names: tuple[str, ...], own: tuple[str, ...]) -> None:
    """Refuse sources of a circuit, and a center, beside others."""
    if own and len(own) < len(names):
        raise ValueError(
            f"parameters has {own[0]!r} beside {next(n for n in names if n not in own)!r}, but is "
            f"{parameters!r}: sources of a circuit act by its bias, and are learned alone"
        )
    if len({name.lower() for name in own}) < len(own):
        raise ValueError(f"parameters names a source twice: {parameters!r}; name it once")
    if "center" in names and len(names) > 1:
        raise ValueError(
            f"parameters has 'center', which is K⁻¹b and learned alone, but is {parameters!r}; "
            "take 'bias' beside others"
        )


def hidden_units(hidden: Sequence[int] | int) -> NDArray[np.intp]:
    """Numbers of the hidden units, ascending."""
    try:
        many = [hidden] if isinstance(hidden, int) or not np.iterable(hidden) else list(hidden)
    except ValueError as error:  # a damaged sparse matrix
        raise TypeError(
            f"hidden must be whole numbers, but is a {type(hidden).__name__}: {error}"
        ) from None
    numbers = sorted(count("hidden", unit, least=0, most=2**31) for unit in many)
    for one, other in pairwise(numbers):
        if one == other:
            raise ValueError(f"hidden must name a unit once, but names {one} twice")
    return np.array(numbers, dtype=np.intp)


def learned_parameters(
    given: object,
    start: Described,
    names: tuple[str, ...],
    mask: ArrayLike | Mapping[str, ArrayLike] | None,
    hidden: int,
    remembered: Array | None = None,
) -> Parameters:
    """The learned parameters, where the device can learn them.

    ``remembered`` are values of sources that it remembers.
    """
    own = directions_among(start, names)
    # Directions tell by name which of them leaves no equilibrium.
    found = learnable(start, names, mask, remembered=remembered) if own else None
    at_equilibrium(start)
    if found is not None:
        return found
    if start.network.is_sparse and names not in (("bias",), ("center",)):
        raise ValueError(
            f"parameters must be ('bias',) on a sparse network, but is {names}; make the network "
            "of stiffness.toarray() where that is small enough"
        )
    if names == ("center",) and hidden:
        raise ValueError("parameters is ('center',), which hidden units do not have; take 'bias'")
    learned = learnable(start, names, mask)
    _check_programmable(given, start, learned)
    return learned


def checked_samples(
    data: ArrayLike, hidden: NDArray[np.intp], start: Described, learned: Parameters
) -> Array:
    """Samples of the visible units, where there is a model that they ask for."""
    net, units = start.network, start.network.units
    if len(hidden) and hidden[-1] >= units:
        raise ValueError(
            f"hidden must be numbers below {units}, the number of units, but has {hidden[-1]}"
        )
    if len(hidden) == units:
        raise ValueError("hidden must leave at least one visible unit, but names all")
    visible = np.setdiff1d(np.arange(units), hidden)
    samples = as_samples(data, len(visible))
    refuse_overflow(samples, net, start.scale[visible])
    if not len(hidden):
        refuse_unreachable(samples, learned, net.controls)
    return samples


def schedule_of(
    schedule: Schedule | Callable[[float], float], duration: float | None, ticks: int
) -> Schedule:
    """The schedule, or that of a function of time."""
    if isinstance(schedule, Schedule):
        if duration is not None:
            raise ValueError(
                f"duration is {duration!r}, but the schedule sets the duration; leave it out"
            )
        return schedule
    given: object = schedule
    if not callable(given) or isinstance(given, type):
        raise TypeError(
            "schedule must be one of ktc.schedules, or a function of time, but is "
            f"{type(given).__name__} {told(given)}"
        )
    if duration is None:
        raise TypeError("schedule is a function of time, whose duration must be given: duration=")
    return Tabulated.of_function(schedule, duration, tick_count(ticks))


def check_callback(callback: object) -> None:
    """Refuse a callback that cannot be called."""
    if callback is not None and not callable(callback):
        raise TypeError(
            f"callback must be a function of a ktc.UpdateRecord, but is {told(callback)}"
        )


def check_schedule(schedule: Schedule, metrics: object) -> None:
    """Refuse an incomplete schedule, and metrics that it does not use."""
    try:
        schedule.duration  # noqa: B018  # raises where there is none
    except AttributeError:
        raise TypeError(
            f"schedule has no duration: __init__ of {type(schedule).__name__} must call "
            "super().__init__(duration)"
        ) from None
    if metrics is not None and not isinstance(metrics, Metrics):
        raise TypeError(f"metrics must be ktc.Metrics, but is {type(metrics).__name__}")
    if metrics is not None and not schedule.uses_metrics:
        raise ValueError(
            f"metrics is {metrics!r}, but {schedule.name} uses neither F nor zeta; leave "
            "metrics out"
        )


def check_threads(threads: int | None, metrics: MetricSource | None) -> None:
    """Refuse threads of an infinite ensemble where no metrics are measured either."""
    if threads is not None and (metrics is None or not metrics.measured):
        raise ValueError(
            f"threads is {threads}, but nothing is sampled where replicas is inf and metrics are "
            "not measured; leave threads out"
        )


def check_ticks(device: object, schedule: Schedule, ticks: int) -> None:
    """Refuse ticks that are shorter than the device's."""
    shortest = device.shortest_tick if isinstance(device, HasShortestTick) else 0.0
    # With room for the rounding of a duration over its ticks.
    if schedule.duration / ticks < shortest * (1 - 1e-9):
        raise LimitError(
            f"ticks must be at most {max(1, int(schedule.duration / shortest * (1 + 1e-9)))} in "
            f"{schedule.duration:g}, because a tick of this device takes {shortest:g}, but is "
            f"{ticks}"
        )


def check_anticipation(
    schedule: Schedule, size: int, hidden: int, batch: int | None, metrics: Metrics
) -> None:
    """Refuse to anticipate where the path to the target is not available."""
    if not schedule.anticipate:
        return
    if size > MOST_DENSE:
        raise ValueError(
            f"anticipate must be False for more than {MOST_DENSE} parameters, whose F and ζ are "
            f"not built as matrices, but {size} are learned"
        )
    for name, given, why in (
        ("hidden", hidden, "hidden units have no averages in the data"),
        ("batch", batch is not None, "batches do not show the averages of all data"),
    ):
        if given:
            raise ValueError(
                f"anticipate must be False with {name}: {why}, so that the path to the target is "
                "not available"
            )
    if metrics.fisher == "replicas":
        raise ValueError(
            "anticipate must be False where fisher of metrics is 'replicas', which have no F along "
            "the path to the target"
        )


def _check_programmable(device: object, start: Described, parameters: Parameters) -> None:
    """Refuse parameters that the hardware cannot change, by name."""
    made_of = device.description if isinstance(device, Describes) else None
    board = next((one for one in (device, made_of) if isinstance(one, Programmable)), None)
    if "quartic" in parameters.names:
        if board is not None:
            raise ValueError(
                "parameters has 'quartic', which a Board cannot be programmed to: its cells are "
                "linear; take a Network"
            )
        units = parameters.places["quartic"][0]
        linear = [int(unit) for unit in units if start.network.quartic[unit] == 0]
        if linear:
            raise ValueError(
                f"quartic of unit {linear[0]} is learned, but starts at zero, where the network "
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
