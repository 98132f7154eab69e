"""Units: the Boltzmann constant, and the symbols in which a device speaks."""

from __future__ import annotations

from dataclasses import dataclass

from ktc._base.codec import register

BOLTZMANN = 1.380649e-23  # J/K, exact in the SI of 2019


@dataclass(frozen=True)
class Units:
    """Unit symbols for labels. Empty where the user's own consistent units hold."""

    state: str = ""
    bias: str = ""
    stiffness: str = ""
    energy: str = ""
    time: str = ""


register(Units)

CONSISTENT = Units()
SI = Units(state="V", bias="V", stiffness="1/F", energy="J", time="s")
