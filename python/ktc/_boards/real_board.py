"""One real board: components drawn from its data sheet, and controls as it realises them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ktc._base.units import BOLTZMANN, SI, Units
from ktc._base.validation import Array, frozen
from ktc._boards.couplings import compiled
from ktc._model.elements import NoiseSource
from ktc._model.imperfections import Imperfections, LimitError
from ktc._model.network import Network

if TYPE_CHECKING:
    from ktc._boards.board import Board

#: Controls that a DAC outputs.
ANALOG = ("bias", "emf")


class RealBoard:
    """Description of the board as built, from a Board as designed.

    Attributes:
        imperfections: its data sheet, with the seed it was drawn from.
        resistance, capacitance: of its cells [Ω, F], shape (d,), parasitics left out.
        mutual: true over nominal value of each coupling, shape (d, d), symmetric.
        offset: constant error of each bias [V], shape (d,).
        temperature: [K], one number or one a cell.
        network: its physics, in coulombs, 1/F, ohms and joules.

    Raises:
        ValueError: imperfections that leave nothing physical, such as a stiffness that confines
            nothing; LimitError where an own bias of the board is out of the DAC's range.
    """

    def __init__(self, board: Board, imperfections: Imperfections) -> None:
        self.board = board
        self.imperfections = spec = imperfections
        d = board.cells
        self.resistance = frozen(
            board.resistance * (1 + spec.resistance_tolerance * self._uniform(0, d))
        )
        own = 1 + spec.capacitance_tolerance * self._uniform(1, d)
        self._own = frozen(own)
        self.capacitance = frozen(board.capacitance * own)
        pairs = np.triu(self._uniform(2, d, d), 1)
        self.mutual = frozen(1 + spec.coupling_tolerance * (pairs + pairs.T))
        self.offset = frozen(spec.offset * self._stream(3).standard_normal(d))
        self.temperature = board.temperature + spec.temperature_error
        if np.min(self.temperature) <= 0:
            raise ValueError(
                f"temperature_error must leave a positive temperature, but is "
                f"{spec.temperature_error} K at {board.temperature} K"
            )
        self._gain = board.coupling.gain(self.capacitance, spec.parasitic_capacitance)
        self._network = self._built()

    @property
    def network(self) -> Network:
        """The physics of the real board at its realisation of the board's own controls."""
        return self._network

    @property
    def scale(self) -> Array:
        """Volts per coulomb of each cell: 1/(C + C_p) with its true capacitance."""
        return 1 / (self.capacitance + self.imperfections.parasitic_capacitance)

    @property
    def symbols(self) -> Units:
        """Volts, joules, seconds."""
        return SI

    def applied(self, name: str, values: Array) -> Array:
        """A control as the hardware realises it when programmed to ``values``.

        bias: (nearest value of the DAC's grid + offset), times C/(C + C_p) where the source lies in
        series with the capacitor; emf: nearest value of the grid; stiffness: as its true components
        and the parasitic capacitance make it; kT: of the true temperature; others as they are.

        Args:
            values: at full shape, with any axes before it.
        """
        spec = self.imperfections
        if name == "bias":
            return np.asarray(self._gain * (spec.dac.quantised(values) + self.offset))
        if name == "emf":
            return spec.dac.quantised(values)
        if name == "kT":
            return np.asarray(values + BOLTZMANN * spec.temperature_error)
        if name == "stiffness":
            return self.board.coupling.realised(
                values,
                self.board.capacitance,
                self._own,
                self.mutual,
                spec.parasitic_capacitance,
            )
        return values

    def require(self, name: str, values: Array, where: str = "tick {}: ") -> None:
        """Refuse values beyond the DAC's range, and couplings that the board does not have.

        Args:
            values: shape (ticks, ...), each scalar or at full shape.
            where: what stands before a message, with a place for the tick.

        Raises:
            LimitError: a value out of the DAC's range.
            ValueError: a stiffness that the board cannot be programmed to.
        """
        if name in ANALOG:
            bad = self.imperfections.dac.outside(values)
            if len(bad):
                tick, *cell = bad[0].tolist()
                place = f" at index {cell[0]}" if cell else ""
                raise LimitError(
                    where.format(tick) + f"{name} must be within "
                    f"±{self.imperfections.dac_range:g} V, the range of the board's DAC, but is "
                    f"{values[tuple(bad[0])]:g} V{place}"
                )
        if name == "stiffness":
            for tick, matrix in enumerate(values):
                full = matrix if matrix.ndim else matrix * np.eye(self.board.cells)
                reason = self.board.complaint(full)
                if reason:
                    raise ValueError(where.format(tick) + reason)

    def _built(self) -> Network:
        board, spec = self.board, self.imperfections
        self.require("bias", board.bias[None], where="")
        factors = self.mutual
        conductances = {
            (i, j): value / factors[i, j]
            for (i, j), value in board.coupling.conductances(board.couplings).items()
        }
        noises = []
        if spec.pickup > 0:
            # A voltage e behind R is a current e/R; half of a one-sided density is the two-sided.
            noises = [
                NoiseSource(axis, spec.pickup / 2 / value**2)
                for axis, value in zip(np.eye(board.cells), self.resistance, strict=True)
            ]
        try:
            return compiled(
                self.applied("stiffness", board.stiffness),
                self.resistance,
                conductances,
                BOLTZMANN * self.temperature,
                self.applied("bias", board.bias),
                noises,
            )
        except ValueError as error:
            raise ValueError(f"as board {spec.seed} was built: {error}") from None

    def _stream(self, purpose: int) -> np.random.Generator:
        key = np.random.SeedSequence((self.imperfections.seed, purpose))
        return np.random.Generator(np.random.Philox(key))

    def _uniform(self, purpose: int, *shape: int) -> Array:
        return self._stream(purpose).uniform(-1.0, 1.0, shape)
