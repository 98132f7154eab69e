"""One real board: its components, the controls as it realises them, and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ktc._base.units import BOLTZMANN, SI
from ktc._base.validation import Array, frozen
from ktc._boards.couplings import compiled
from ktc._model.controls import Controls
from ktc._model.elements import NoiseSource
from ktc._model.imperfections import Imperfections, LimitError
from ktc._model.network import Network
from ktc._model.protocol import Protocol

if TYPE_CHECKING:
    from ktc._boards.board import Board

#: Controls that a DAC outputs.
ANALOG = ("bias", "emf")
# Room for the rounding of times that are sums of many holds.
ROUNDING = 1e-9


class RealBoard:
    """Description of the board as built, from a Board as designed.

    Attributes:
        imperfections: its data sheet, with the seed it was drawn from.
        resistance, capacitance: of its cells [Ω, F], shape (d,), parasitics left out.
        mutual: true over nominal value of each coupling, shape (d, d), symmetric.
        offset: constant error of each bias [V], shape (d,).
        temperature: [K], one number or one per cell.
        network: its physics at its realisation of the board's own controls, in coulombs, 1/F, ohms
            and joules.
        scale: volts per coulomb of each cell: 1/(C + C_p) with its true capacitance.
        symbols: volts, joules, seconds.

    Raises:
        ValueError: imperfections that leave nothing physical, such as a stiffness that confines
            nothing; LimitError where an own bias of the board is out of the DAC's range.
    """

    symbols = SI

    def __init__(self, board: Board, imperfections: Imperfections) -> None:
        self.board, d = board, board.cells
        self.imperfections = spec = imperfections
        self.resistance = frozen(
            board.resistance * (1 + spec.resistance_tolerance * self._uniform(0, d))
        )
        self._own = frozen(1 + spec.capacitance_tolerance * self._uniform(1, d))
        self.capacitance = frozen(board.capacitance * self._own)
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
        self.scale = frozen(1 / (self.capacitance + spec.parasitic_capacitance))
        self.network = self._built()

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
            farads, parasitic = self.board.capacitance, spec.parasitic_capacitance
            return self.board.coupling.realised(values, farads, self._own, self.mutual, parasitic)
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
                if reason := self.board.complaint(full):
                    raise ValueError(where.format(tick) + reason)

    def _built(self) -> Network:
        board, spec = self.board, self.imperfections
        self.require("bias", board.bias[None], where="")
        designed = board.coupling.conductances(board.couplings)
        conductances = {pair: value / self.mutual[pair] for pair, value in designed.items()}
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


def check_protocol(
    real: RealBoard, protocol: Protocol, controls: Controls, pause: float = np.inf
) -> tuple[dict[str, Array], Controls]:
    """Waveforms and final controls of a protocol, checked for a board at ``controls``.

    ``pause`` is the time since the last update.
    """
    if not isinstance(protocol, Protocol):
        raise TypeError(f"protocol must be a ktc.Protocol, but is {type(protocol).__name__}")
    waveforms, final = protocol.settings(controls)
    if protocol.controls:
        require_pause(real, pause, "tick 0: ")
        for tick in np.flatnonzero(_too_short(real, protocol.holds))[:1]:
            raise LimitError(
                f"tick {tick}: it lasts {protocol.holds[tick]:.6g} s, but the board needs "
                f"{real.imperfections.update_time:g} s between two updates; take fewer ticks, or "
                "more time"
            )
    elif protocol.final:
        require_pause(real, pause + protocol.duration, "final update: ")
    for name, values in waveforms.items():
        real.require(name, values)
    for name in protocol.final:
        real.require(name, np.asarray(getattr(final, name))[None], where="final update: ")
    return waveforms, final


def _too_short(real: RealBoard, pauses: Array) -> Array:
    """Which pauses are shorter than the update time; updates at one instant are one update."""
    least = real.imperfections.update_time * (1 - ROUNDING)
    return np.asarray((pauses > 0) & (pauses < least))


def require_pause(real: RealBoard, pause: float, where: str = "") -> None:
    """Refuse an update too soon after the last one."""
    if _too_short(real, np.asarray(pause)).any():
        raise LimitError(
            f"{where}this update comes {pause:.6g} s after the last, but the board needs "
            f"{real.imperfections.update_time:g} s between two; run longer between them"
        )
