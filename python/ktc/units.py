"""The units in which a device speaks, and what its layers below understand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ktc.checks import Array

if TYPE_CHECKING:
    from ktc.network import Network


BOLTZMANN = 1.380649e-23  # J/K, exact in the SI of 2019


@dataclass(frozen=True)
class Units:
    """Unit symbols for labels. Empty where the user's own consistent units hold."""

    state: str = ""
    bias: str = ""
    stiffness: str = ""
    energy: str = ""
    time: str = ""

    def label(self, text: str, quantity: str) -> str:
        """``text`` with the unit of ``quantity`` in brackets, where it has one."""
        unit = getattr(self, quantity)
        return f"{text} [{unit}]" if unit else text


CONSISTENT = Units()
SI = Units(state="V", bias="V", stiffness="1/F", energy="J", time="s")


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
