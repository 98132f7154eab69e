"""Directions of the bias with names as parameters, such as the sources of a circuit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, finite, real_array
from ktc._model.controls import Controls
from ktc._model.description import Described, Description, Running
from ktc._model.network import Network
from ktc._model.parameters import Parameters

#: Part of a direction that others do not have, relative to its size, below which it has none.
LEAST_OWN = 1e-9


class NamedDirections(NamedTuple):
    """Directions of a network's bias.

    Attributes:
        names: names, as the network spells them.
        matrix: B, the change of the bias per unit of each value, shape (d, p).
        symbols: unit symbol of each value.
        settable: whether emulators of the network take the values by name.

    Example:
        >>> import ktc
        >>> circuit = ktc.Circuit.from_netlist("V1 in 0 0\\nR1 in a 1k\\nC1 a 0 1n")
        >>> net = circuit.compile().with_source_energy()
        >>> net.directions(["v1"])
        NamedDirections(names=('V1',), matrix=array([[1.]]), symbols=('V',), settable=True)
    """

    names: tuple[str, ...]
    matrix: Array
    symbols: tuple[str, ...]
    settable: bool = False


@runtime_checkable
class HasDirections(Protocol):
    """A network with named values that enter its bias linearly, as the sources of a circuit do.

    ``ktc.learn`` takes their names as parameters. ``ktc.CompiledCircuit`` is one.
    """

    @property
    def direction_names(self) -> tuple[str, ...]:
        """Names of all directions; they do not depend on case."""

    def directions(self, names: Sequence[str]) -> NamedDirections:
        """Directions of these names; ValueError, with the reason, where one is not available."""

    def direction_values(
        self, names: Sequence[str], controls: Controls, remembered: Array | None = None
    ) -> Mapping[str, float]:
        """Values at controls of these names and of others that are known, by name.

        A device may remember the values of all.
        """

    def with_source_energy(self) -> Network:
        """The same motion, with all in the bias that can be a direction of it."""


class Directions(Parameters):
    """Values s of named directions of the bias, b = b₀ + B s, with other parts of the bias held.

    The conjugate force is ∂H/∂s = −Bᵀx. F is BᵀK⁻¹B, and the friction tensor BᵀζB with ζ of the
    bias.

    Args:
        device: a Gaussian network with directions, at its first controls.
        found: the directions.
        values: s at these controls by name, and values of others that are known.

    Raises:
        ValueError: names without a value, a direction that is zero, or that others give.
    """

    def __init__(
        self, device: Description, found: NamedDirections, values: Mapping[str, float]
    ) -> None:
        net = device.network
        self.units, self.scale, self.names = net.units, device.scale, found.names
        self.size = len(found.names)
        self.labels, self._settable = found.names, found.settable
        if not set(found.names) <= values.keys():
            raise ValueError(f"values must have {found.names}, but has {tuple(values)}")
        self.values: Mapping[str, float] = {
            name: finite(f"values of {name}", value) for name, value in values.items()
        }
        self.symbols = dict(zip(found.names, found.symbols, strict=True))
        self.to_bias: Array = found.matrix
        self.blocks = {name: slice(k, k + 1) for k, name in enumerate(found.names)}
        self.places = {name: (np.array([k]),) for k, name in enumerate(found.names)}
        start = np.array([self.values[name] for name in self.names])
        self._rest = net.bias - found.matrix @ start
        # Columns of unit energy: entries of the bias have units of their own.
        self._white = np.linalg.inv(np.linalg.cholesky(net.stiffness))
        self._refuse_dependent(self._white @ found.matrix)

    def _refuse_dependent(self, columns: Array) -> None:
        sizes = np.linalg.norm(columns, axis=0)
        for k, name in enumerate(self.names):
            if not sizes[k] > 0:
                raise ValueError(f"{name} does not act on any unit: leave it out of parameters")
            unit = columns[:, : k + 1] / sizes[: k + 1]
            shares = np.linalg.lstsq(unit[:, :k], unit[:, k], rcond=None)[0]
            if k and np.linalg.norm(unit[:, :k] @ shares - unit[:, k]) < LEAST_OWN:
                others = [self.names[j] for j in np.flatnonzero(np.abs(shares) > LEAST_OWN)]
                raise ValueError(
                    f"{name} acts on the network as {' and '.join(others)} "
                    f"{'does' if len(others) == 1 else 'do together'}, so that data cannot tell "
                    "them apart: leave one of them out of parameters"
                )

    @property
    def masks(self) -> None:
        """None: directions are chosen by their names."""
        return None

    def vector(self, controls: Controls) -> Array:
        """Return s of some controls, shape (p,)."""
        self._check_units(controls)
        moved = self._white @ (controls.bias - self._rest)
        return np.asarray(np.linalg.lstsq(self._white @ self.to_bias, moved, rcond=None)[0])

    def changes(self, vector: ArrayLike, controls: Controls) -> dict[str, Array]:
        """Return the bias b₀ + B s."""
        return {"bias": np.asarray(self._rest + self.to_bias @ self._checked(vector))}

    def named(self, vector: ArrayLike, changes: Mapping[str, Array]) -> dict[str, Array]:
        """Return the values by name, where emulators take them, and else the bias."""
        if not self._settable:
            return dict(changes)
        values = self._checked(vector)
        return {name: np.array(value) for name, value in zip(self.names, values, strict=True)}

    def all_named(self, vector: ArrayLike) -> dict[str, ArrayLike]:
        """Return the values of all directions that are known, where emulators take them by name."""
        learned = self.named(vector, {})
        return {**self.values, **learned} if learned else {}

    def forces(self, state: ArrayLike) -> Array:
        """Return −Bᵀx of every public state, shape (n, p)."""
        x = np.atleast_2d(real_array("state", state))
        return np.asarray(-(x / self.scale) @ self.to_bias)

    def mean_forces(self, mean: ArrayLike, covariance: ArrayLike | None = None) -> Array:
        """Return −Bᵀ⟨x⟩, shape (p,)."""
        return np.asarray(-self.to_bias.T @ (real_array("mean", mean) / self.scale))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Directions)
            and self.labels == other.labels
            and np.array_equal(self.to_bias, other.to_bias)
            and np.array_equal(self._rest, other._rest)
        )

    __hash__ = Parameters.__hash__


def _network_of(device: object) -> HasDirections | None:
    """The network of a device where it has directions."""
    network: object = device.network if isinstance(device, Description) else None
    return network if isinstance(network, HasDirections) else None


def directions_among(device: object, names: Sequence[object]) -> tuple[str, ...]:
    """Return those of the names that are of directions of a device's network."""
    network = _network_of(device)
    if network is None:
        return ()
    known = set(map(str.lower, network.direction_names))
    return tuple(name for name in names if isinstance(name, str) and name.lower() in known)


def told_directions(device: object) -> str:
    """Return the names of a device's directions for an error; empty where it has none."""
    network = _network_of(device)
    if network is None or not network.direction_names:
        return ""
    return f", or of the sources {', '.join(map(repr, network.direction_names))}"


def with_directions(device: Description) -> Description:
    """Return a device whose named directions act by the bias, where it can be so."""
    network = None if isinstance(device, Running) else _network_of(device)
    if network is None:
        return device
    return Described(network.with_source_energy(), device.scale, device.symbols)


def directions_of(
    device: Description,
    names: Sequence[str],
    values: Mapping[str, float] | None = None,
    remembered: Array | None = None,
) -> Directions:
    """Return directions of a device as parameters, at ``values``, by default the present ones."""
    net, network = device.network, _network_of(device)
    if network is None:
        raise ValueError(f"{net!r} has no directions of these names: {', '.join(names)}")
    if net.quartic.any():
        raise ValueError(
            f"{', '.join(names)} are learned on Gaussian networks, but quartic is {net.quartic}; "
            "take 'bias'"
        )
    found = network.directions(names)
    if values is None:
        values = network.direction_values(found.names, net.controls, remembered)
    return Directions(device, found, values)
