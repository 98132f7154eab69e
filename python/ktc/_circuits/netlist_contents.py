"""Contents of a netlist, as they are read or written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ktc._circuits.branch import Branch, Coupling
from ktc._circuits.waveform import Waveform

DEFAULT_KELVIN = 300.0


@dataclass(frozen=True)
class Netlist:
    """Contents of a netlist; ``skipped`` holds lines of commands for a simulator.

    ``initial`` holds voltages of nodes, capacitors and currents of inductors, by lower-case names:
    "v(a)", "c1", "l1"; ``waveforms`` holds those of sources by their names.
    """

    title: str
    kelvin: float
    branches: Sequence[Branch]
    couplings: Sequence[Coupling] = ()
    initial: dict[str, float] = field(default_factory=dict)
    waveforms: dict[str, Waveform] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
