"""A board: cells of a resistor and a capacitor with programmable couplings, in SI units."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ktc.checks import Array, count, frozen, positive, positive_per_unit, real_array
from ktc.emulator import Emulator
from ktc.encoding import Encoding
from ktc.network import Network
from ktc.units import SI, Units

BOLTZMANN = 1.380649e-23  # J/K, exact in the SI of 2019


class Board:
    """Noisy RC cells at one temperature, coupled by programmable elastances.

    Cell i has a charge q_i behind a resistor R_i; the stored energy is
    H = ½ qᵀKq − bᵀq with elastances K [1/F] and source voltages b [V], and the resistors are at
    temperature T. The public state is the voltage v_i = q_i/C_i of a cell's charge over its own
    capacitance. Uncoupled, ⟨v²⟩ = k_B T/C and τ = R C.

    Args:
        cells: number of cells d.
        resistance: R in ohms, scalar or (d,).
        capacitance: C in farads, scalar or (d,).
        temperature: T in kelvin, one number.
        stiffness: K in 1/F, shape (d, d), symmetric positive definite; diag(1/C) by default.
            Its off-diagonal entries are the couplings.
        bias: b in volts, scalar or (d,); zero by default.

    Raises:
        ValueError, TypeError: values that are not positive, of a wrong shape, not finite, or not
            numbers.

    Example:
        >>> board = Board(cells=2, resistance=1e6, capacitance=1e-12, temperature=300.0)
        >>> board.thermal_width.round(7)
        array([6.44e-05, 6.44e-05])
        >>> emulator = board.emulator(replicas=10, seed=1)
        >>> emulator.read().shape
        (10, 2)

    Source: Johnson (1928), Phys. Rev. 32, 97; Nyquist (1928), Phys. Rev. 32, 110.
    """

    def __init__(
        self,
        cells: int,
        resistance: ArrayLike,
        capacitance: ArrayLike,
        temperature: float,
        stiffness: ArrayLike | None = None,
        bias: ArrayLike | None = None,
    ) -> None:
        self.cells = count("cells", cells)
        self.resistance = frozen(positive_per_unit("resistance", resistance, self.cells))
        self.capacitance = frozen(positive_per_unit("capacitance", capacitance, self.cells))
        self.temperature = positive("temperature", temperature)
        own = np.diag(1 / self.capacitance)
        matrix = own if stiffness is None else real_array("stiffness", stiffness)
        if matrix.shape != own.shape:
            raise ValueError(
                f"stiffness must be of shape {own.shape} for {self.cells} cells, "
                f"but has shape {matrix.shape}"
            )
        self._network = Network(matrix, self.resistance, BOLTZMANN * self.temperature, bias)

    @property
    def network(self) -> Network:
        """The board as a Network in coulombs, 1/F, ohms and joules."""
        return self._network

    @property
    def stiffness(self) -> Array:
        """Elastances K [1/F], shape (d, d)."""
        return self._network.stiffness

    @property
    def bias(self) -> Array:
        """Source voltages b [V], shape (d,)."""
        return self._network.bias

    @property
    def kT(self) -> float:
        """k_B T [J]."""
        return self._network.common_kT

    @cached_property
    def scale(self) -> Array:
        """Volts per coulomb of each cell, 1/C."""
        return frozen(1 / self.capacitance)

    @property
    def symbols(self) -> Units:
        """Volts, joules, seconds."""
        return SI

    @property
    def thermal_width(self) -> Array:
        """Rms voltage √(k_B T/C) of each cell by itself [V], shape (d,)."""
        return np.sqrt(self.kT / self.capacitance)

    def emulator(self, replicas: int = 1000, seed: int | None = None, **options: Any) -> Emulator:
        """Replicas of this board; ``options`` are those of Emulator.

        Example:
            >>> board = Board(cells=1, resistance=1e6, capacitance=1e-12, temperature=300.0)
            >>> emulator = board.emulator(replicas=4, seed=3)
            >>> emulator.set(bias=1e-4)  # volts
            >>> emulator.run(5e-6)  # seconds
            >>> emulator.ledger.work.shape  # joules
            (4,)
        """
        return Emulator(self, replicas=replicas, seed=seed, **options)

    def encoding(self, offset: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Encoding:
        """Code between data and volts in which ``scale`` of the data is one thermal width.

        Moving a cell by many thermal widths costs their square in kT, so a default in other units
        would make experiments dear by accident.

        Args:
            offset: data value that stands for zero volts.
            scale: data difference, such as a standard deviation, that stands for √(k_B T/C).

        Example:
            >>> board = Board(cells=1, resistance=1e6, capacitance=1e-12, temperature=300.0)
            >>> float(board.encoding(scale=4.0).encode([8.0])[0] / board.thermal_width[0])
            2.0
        """
        return Encoding(self.thermal_width, offset, scale)

    def program(self, stiffness: ArrayLike | None = None, bias: ArrayLike | None = None) -> Board:
        """The same board with other couplings or biases of its own."""
        return Board(
            self.cells,
            self.resistance,
            self.capacitance,
            self.temperature,
            self.stiffness if stiffness is None else stiffness,
            self.bias if bias is None else bias,
        )

    def __repr__(self) -> str:
        return f"<ktc.Board: {self.cells} RC cells at {self.temperature:g} K>"
