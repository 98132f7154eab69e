"""The Boltzmann constant, and unit symbols."""

from __future__ import annotations

from dataclasses import dataclass

from ktc._base.codec import register

BOLTZMANN = 1.380649e-23  # J/K, exact in the SI of 2019


@dataclass(frozen=True)
class Units:
    """Unit symbols for labels; empty where units are the user's own consistent ones."""

    state: str = ""
    bias: str = ""
    stiffness: str = ""
    energy: str = ""
    time: str = ""


register(Units)

CONSISTENT = Units()
SI = Units(state="V", bias="V", stiffness="1/F", energy="J", time="s")
