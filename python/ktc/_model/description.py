"""Descriptions: what can be emulated, as a network with a scale and units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ktc._base.codec import register
from ktc._base.units import Units
from ktc._base.validation import Array
from ktc._model.network import Network


class Description(Protocol):
    """What can be emulated: a Network, or hardware that compiles to one."""

    @property
    def network(self) -> Network:
        """The physics by itself."""

    @property
    def scale(self) -> Array:
        """Public state over the network's own state, unit by unit, shape (d,)."""

    @property
    def symbols(self) -> Units:
        """Units of the public face."""


@dataclass(frozen=True)
class Described:
    """A description by itself, as a saved emulator brings it back."""

    network: Network
    scale: Array
    symbols: Units

    def __repr__(self) -> str:
        return repr(self.network)


register(Described)


def network_of(device: Description, name: str = "device") -> Network:
    """The network of a description, refused where ``device`` is something else.

    A running emulator is none: its ``network`` has the controls it started with, not those it
    has now.

    Args:
        device: what to take the network of.
        name: what the caller's argument is called.

    Raises:
        TypeError: a running device, or something that describes none.
    """
    kind = type(device).__name__
    if hasattr(device, "run"):
        raise TypeError(
            f"{name} must be a Network or a Board, but is a running {kind}; pass what it was made "
            "of, or, at its present controls, emulator.network.with_controls(emulator.controls)"
        )
    if not all(hasattr(device, part) for part in ("network", "scale", "symbols")):
        raise TypeError(f"{name} must be a ktc.Network or a ktc.Board, but is a {kind}")
    return device.network
