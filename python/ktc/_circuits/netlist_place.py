"""What holds for the elements of a netlist: where they stand, and their temperatures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NOMINAL_KELVIN = 300.15  # 27 °C


@dataclass(frozen=True)
class Place:
    """Where the elements of a statement stand.

    Attributes:
        path: calls of subcircuits, "X1.X2"; empty in the netlist itself.
        ports: nodes of the circuit by nodes of the subcircuit, in lower case.
        copies: number of equal elements in parallel, from ``m=`` of the calls.
    """

    path: str
    ports: Mapping[str, str]
    copies: float = 1.0

    def node(self, name: str) -> str:
        """Return the node of the circuit."""
        inner = f"{self.path}.{name}" if self.path else name
        return self.ports.get(name.lower(), inner)

    def joins(self, plus: str, minus: str) -> bool:
        """Whether a call of a subcircuit joins two nodes of the circuit, which differ inside."""
        return bool(self.path) and plus.lower() == minus.lower()

    def name(self, element: str) -> str:
        """Return the name of an element: R1 of the call X1 is R.X1.R1."""
        return f"{element[0]}.{self.path}.{element}" if self.path else element


@dataclass(frozen=True)
class Settings:
    """What holds for all elements of a netlist.

    Attributes:
        kelvin: temperature of resistors without their own; None where the netlist gives none.
        nominal: temperature at which values are given, for ``tc1=`` and ``tc2=``.
        waveforms: "refuse", "initial" for their values at time 0, or "drive" to keep them.
    """

    kelvin: float | None = None
    nominal: float = NOMINAL_KELVIN
    waveforms: str = "refuse"
