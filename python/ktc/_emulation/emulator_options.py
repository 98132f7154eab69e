"""What an emulator is asked for, checked."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ktc import _core
from ktc._base.validation import Array, count, real_array
from ktc._model.network import Network


def motion(network: Network, resolve_heat: bool) -> str:
    """The motion of an emulator: "exact", "midpoint", "split" or "pooled".

    Pooled motion is split motion that keeps total heat alone, as sparse networks do.
    """
    if not isinstance(resolve_heat, bool):
        raise TypeError(f"resolve_heat must be True or False, but is {resolve_heat!r}")
    return network.core.motion(network.controls.arrays(), resolve_heat)


def precision(dtype: str) -> str:
    """``dtype`` by its name: "float64" or "float32"; NumPy's own names for them will do."""
    try:
        name = np.dtype(dtype).name if dtype is not None else None
    except TypeError:
        name = None
    if name not in ("float64", "float32"):
        raise ValueError(f"dtype must be 'float64' or 'float32', but is {dtype!r}")
    return name


def replica_range(replicas: float, first_replica: int, sparse: bool) -> tuple[float, int]:
    """Number of replicas, maybe infinite, and the first of them among all that a seed has."""
    infinite = replicas == math.inf
    if infinite and sparse:
        raise ValueError(
            "replicas must be finite for a sparse network, as a covariance is dense; make the "
            "network of stiffness.toarray() where that is small enough"
        )
    number = math.inf if infinite else count("replicas", replicas)
    first = count("first_replica", first_replica, least=0)
    if infinite and first:
        raise ValueError(
            f"first_replica must be 0 where replicas is infinite, but is {first_replica}"
        )
    if not infinite and first + number > _core.MOST_REPLICAS:
        raise ValueError(
            "first_replica + replicas must not exceed 2**33, the replicas that a seed has, "
            f"but is {first + number}"
        )
    return number, first


def full_state(
    network: Network,
    scale: Array,
    replicas: float,
    state: ArrayLike | None,
    momentum: ArrayLike | None,
) -> Array:
    """(x, p) of every replica in the network's own coordinates; one for infinitely many."""
    if state is None:
        raise ValueError("momentum is given without state; give both")
    shape = (1 if replicas == math.inf else int(replicas), network.units)
    parts = [_replicated("state", state, shape) / scale]
    if network.inertia is not None:
        parts.append(_replicated("momentum", 0.0 if momentum is None else momentum, shape))
    elif momentum is not None:
        raise ValueError("momentum is given, but this network has no inertia; leave it out")
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def _replicated(name: str, value: ArrayLike, shape: tuple[int, int]) -> Array:
    array = real_array(name, value)
    if array.shape not in (shape, shape[1:], ()):
        raise ValueError(
            f"{name} must have shape {shape} or {shape[1:]}, but has shape {array.shape}"
        )
    return np.broadcast_to(array, shape)
