"""Descriptions of what can be emulated: a network with a scale and units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ktc._base.codec import register
from ktc._base.units import Units
from ktc._base.validation import Array, of_shape, of_type, require_positive
from ktc._model.network import Network


@runtime_checkable
class Description(Protocol):
    """An object that can be emulated: a Network, or hardware that compiles to one."""

    @property
    def network(self) -> Network:
        """The physics."""

    @property
    def scale(self) -> Array:
        """Public state over the network's own state, per unit, shape (d,)."""

    @property
    def symbols(self) -> Units:
        """Unit symbols of public values."""


@runtime_checkable
class Running(Protocol):
    """An object that evolves in time, such as an emulator."""

    def run(self, duration: float) -> None:
        """Evolve for a duration."""


@dataclass(frozen=True)
class Described:
    """A description of its own, as a loaded emulator has it."""

    network: Network
    scale: Array
    symbols: Units

    def __post_init__(self) -> None:
        of_shape("scale", self.scale, self.network.units)
        require_positive("scale", self.scale)

    def __repr__(self) -> str:
        return repr(self.network)


register(Described)


def network_of(device: Description, name: str = "device") -> Network:
    """Return the network of a description.

    A running emulator is refused, because its ``network`` has the controls at its start and not
    the present ones.
    """
    if isinstance(device, Network):  # saves the slow checks of protocols
        return device
    kind = type(device).__name__
    if isinstance(device, type):
        given = device.__name__
        raise TypeError(f"{name} must be an object, but is the class {given}; pass one {given}")
    if isinstance(device, Running):
        raise TypeError(
            f"{name} must be a Network or a Board, but is a running {kind}; pass what it was made "
            "of, or, at its present controls, emulator.network.with_controls(emulator.controls)"
        )
    if not isinstance(device, Description):
        raise TypeError(f"{name} must be a ktc.Network or a ktc.Board, but is a {kind}")
    return of_type(f"network of {name}", device.network, Network)
