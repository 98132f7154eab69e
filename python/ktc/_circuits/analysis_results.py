"""Results of the analyses of a circuit, by names of nodes and elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array


@dataclass(frozen=True)
class OperatingPoint:
    """Direct voltages and currents of a circuit, by name.

    Attributes:
        voltages: of the nodes above ground [V].
        currents: of all elements but wires, from the first node through the element to the
            second [A].
        power: that each source delivers, −u i [W]; negative for one that is charged. It is that of
            the mean voltages and currents, without noise.
        heat: that each resistor dissipates, u²/R [W]; its sum is that of ``power``.
    """

    voltages: Mapping[str, float]
    currents: Mapping[str, float]
    power: Mapping[str, float]
    heat: Mapping[str, float]

    def __repr__(self) -> str:
        volts = ", ".join(f"{name}: {value:.6g} V" for name, value in self.voltages.items())
        return f"<ktc.OperatingPoint: {volts}>"


@dataclass(frozen=True, eq=False)
class SmallSignal:
    """Response of a circuit to a source over frequency, per unit of the source, by name.

    Attributes:
        source: name of the source.
        frequencies: f [Hz], shape (frequencies,).
        voltages: complex amplitudes of the nodes, each of shape (frequencies,), in V per V or A.
        currents: those of the voltage sources, inductors and sources E and H, in A per V or A.
    """

    source: str
    frequencies: Array
    voltages: Mapping[str, NDArray[np.complex128]]
    currents: Mapping[str, NDArray[np.complex128]]

    def __repr__(self) -> str:
        return f"<ktc.SmallSignal: of {self.source} at {len(self.frequencies)} frequencies>"


@dataclass(frozen=True, eq=False)
class MeanPath:
    """Mean voltages and currents of a circuit over time, by name.

    Attributes:
        times: t [s], shape (times,).
        voltages: of the nodes [V], each of shape (times,).
        currents: of the resistors and inductors [A], each of shape (times,).
    """

    times: Array
    voltages: Mapping[str, Array]
    currents: Mapping[str, Array]

    def __repr__(self) -> str:
        return f"<ktc.MeanPath: {', '.join(self.voltages)} at {len(self.times)} times>"


@dataclass(frozen=True, eq=False)
class NoiseSpectrum:
    """One-sided noise density of a voltage or current of a circuit, and its parts.

    Attributes:
        output: the voltage "v(a)", the voltage of a above b "v(a,b)", or the current "i(V1)".
        frequencies: f [Hz], shape (frequencies,).
        density: sum of the shares [V²/Hz or A²/Hz], shape (frequencies,).
        shares: parts of the density, each of shape (frequencies,), by the names of resistors and
            noise sources.
    """

    output: str
    frequencies: Array
    density: Array
    shares: Mapping[str, Array]

    def __repr__(self) -> str:
        return (
            f"<ktc.NoiseSpectrum: {self.output} at {len(self.frequencies)} frequencies, "
            f"{len(self.shares)} sources>"
        )
