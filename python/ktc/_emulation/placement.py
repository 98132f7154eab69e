"""States that replicas are placed at by hand."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, real_array
from ktc._model.network import Network


def placed_state(
    network: Network,
    scale: Array,
    replicas: float,
    state: ArrayLike | None,
    momentum: ArrayLike | None,
) -> Array:
    """(x, p) of every replica in the network's own coordinates; one row for infinitely many.

    Args:
        network: whose coordinates.
        scale: public state over the network's own, shape (d,).
        replicas: number of rows.
        state: (replicas, d), (d,) or a scalar, in public units.
        momentum: the same for momenta, zero if None.

    Raises:
        ValueError: momentum without state, or without inertia; shapes that do not fit.
    """
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
