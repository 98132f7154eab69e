"""Conditional networks: the units that move while others are held at given values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ktc._base.validation import Array, broadcast_to_units, real_array, told
from ktc._model.sparse_stiffness import SparseMatrix

if TYPE_CHECKING:
    from ktc._model.network import Network


class Split(NamedTuple):
    """Numbers of the units that are held, in the order given, and of those that move, ascending."""

    held: NDArray[np.intp]
    moving: NDArray[np.intp]

    @classmethod
    def of(cls, units: ArrayLike, count: int, name: str = "units") -> Split:
        """Check numbers of held units of a network of ``count``; at least one unit must move."""
        given = np.asarray(units)
        if given.dtype.kind not in "iu" and given.size:
            raise TypeError(f"{name} must be numbers of units, but is {told(units)}")
        held = given.astype(np.intp).reshape(-1)
        if given.ndim > 1:
            raise ValueError(f"{name} must be one number or one row, but has shape {given.shape}")
        outside = held[(held < 0) | (held >= count)]
        if len(outside):
            raise ValueError(f"{name} must lie in 0 to {count - 1}, but has {outside[0]}")
        numbers, times = np.unique(held, return_counts=True)
        if (times > 1).any():
            raise ValueError(
                f"{name} must name each unit once, but has {numbers[times > 1][0]} twice"
            )
        if len(held) == count:
            raise ValueError(f"{name} must leave a unit that moves, but has all {count}")
        return cls(held, np.setdiff1d(np.arange(count), held))


def held_values(name: str, values: ArrayLike, split: Split) -> Array:
    """Return one value per held unit; a scalar is the same for all."""
    return broadcast_to_units(name, real_array(name, values), len(split.held))


def couplings(network: Network, split: Split) -> SparseMatrix | Array:
    """K_UC, by which held units act on those that move, sparse where the network is."""
    if network.is_sparse:
        return network.sparse_stiffness[split.moving][:, split.held]
    return network.stiffness[np.ix_(split.moving, split.held)]


def conditional_network(
    network: Network, units: ArrayLike, values: ArrayLike, make: Callable[..., Network]
) -> Network:
    """Return the network of the units that move; ``make`` takes arguments of the constructor."""
    split = Split.of(units, network.units)
    made = make(**_arguments(network, split, held_values("values", values, split)))
    emf = network.controls.emf
    return made.with_controls(emf=emf[split.moving]) if emf.any() else made


def _arguments(network: Network, split: Split, values: Array) -> dict[str, object]:
    """Return arguments of the constructor of the network of the units that move."""
    shared, moving = network.accounts == ("all",), split.moving
    if network.elements is not None:
        raise ValueError(
            "conditioned needs a network of units, but this is a circuit, whose coordinates are "
            "held by voltage sources; put these into the circuit"
        )
    if shared and network.controls.emf.any():
        raise ValueError(
            f"emf must be zero where units share resistors, but is {network.controls.emf}: held "
            "units would cut these apart"
        )
    block = np.ix_(moving, moving)
    whole = network.sparse_stiffness if network.is_sparse else network.stiffness
    return {
        "stiffness": whole[moving][:, moving],
        "friction": network.friction[block] if shared else network.resistance[moving],
        "kT": network.kT if np.ndim(network.kT) == 0 else np.asarray(network.kT)[moving],
        "bias": network.bias[moving] - couplings(network, split) @ values,
        "quartic": network.quartic[moving],
        "inertia": None if network.inertia is None else network.inertia[moving],
        "potential": [network.potentials[unit] for unit in moving],
    }
