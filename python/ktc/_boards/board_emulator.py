"""The emulator of a real board: the calls of an Emulator, within what the hardware can do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ktc._base import storage
from ktc._base.resources import thread_count
from ktc._base.single_thread import one_thread
from ktc._base.units import Units
from ktc._base.validation import Array, count, known_keywords, positive
from ktc._boards.around_emulator import AroundEmulator
from ktc._boards.limits import ROUNDING, check_protocol, require_pause
from ktc._boards.read_out import ReadOut
from ktc._boards.real_board import ANALOG, RealBoard
from ktc._boards.settling import AnalogOutput, pieces
from ktc._emulation.emulator import Emulator
from ktc._emulation.recorder import QUANTITIES, Recording
from ktc._emulation.run import Run
from ktc._emulation.statistics import Statistics, check_fit
from ktc._engines.step_size import Rates
from ktc._model.controls import Controls
from ktc._model.description import Described
from ktc._model.imperfections import Imperfections
from ktc._model.moments import Moments
from ktc._model.network import Network
from ktc._model.protocol import Protocol, full_shape

if TYPE_CHECKING:
    from ktc._boards.board import Board

# Time constants for which ``settle`` waits: e^-8 of a jump is left, and is then made at once.
TIME_CONSTANTS_TO_SETTLE = 8


class BoardEmulator(AroundEmulator):
    """Replicas of a real board, operated by the calls that an Emulator has.

    Controls are what a script programs; ``applied_controls`` are what the board made of them: on
    the DAC's grid, with offset and mismatch, settling at first order. What is out of a range is
    refused and nothing is clamped. The ledger has the energies of the real board. Readings go
    through the ADC (see ReadOut), and are the voltages of charges over the cells' true capacitance;
    ``network`` and ``scale`` are those of the drawing, which is all that a controller knows. It
    starts in equilibrium at what the board makes of its own controls.

    While an output settles, b(t) = b_new + (b_old − b_new) e^{−t/τ}, each hold is cut into pieces
    with b held at its averages (see ``ktc.settling``), as many as resolve the output and the cells:
    second order in the pieces. Work is then booked while it settles, by ``run`` and not by ``set``;
    stiffness, quartic and kT do not settle.

    Two updates, or two readings, at one instant count as one; closer than the board can otherwise
    they are refused.

    Args:
        board: the board.
        replicas: number of independent copies.
        seed: of the thermal noise and of that of readings.
        **options: those of Emulator.

    Example:
        >>> import ktc
        >>> spec = ktc.Imperfections(dac_bits=4, dac_range=7e-4, offset=1e-5, seed=5)
        >>> board = ktc.Board(1, 1e6, 1e-12, 300.0, imperfections=spec)
        >>> emulator = board.emulator(replicas=10, seed=1)
        >>> emulator.set(bias=3.2e-4)
        >>> float(emulator.controls.bias[0])
        0.00032
        >>> float((emulator.applied_controls.bias - board.real.offset)[0].round(12))
        0.0003
    """

    #: Rebuilds the board of a saved emulator; Board itself says how.
    board_of_archive: ClassVar[Callable[[Mapping[str, Any], Mapping[str, Array]], Board]]

    def __init__(
        self, board: Board, replicas: float = 1000, seed: int | None = None, **options: Any
    ) -> None:
        self.board = board
        self.real: RealBoard = board.real
        self._inner = Emulator(self.real, replicas, seed, **options)
        self._begin()

    def _begin(self) -> None:
        self._turn = self._inner._turn
        self._controls = self.board.network.controls
        applied = self._inner.controls
        self._output = AnalogOutput(
            self.imperfections.settling_time, {name: getattr(applied, name) for name in ANALOG}
        )
        self._updated: float | None = None
        self._read_out = ReadOut(self._inner, self.imperfections)
        self._rates = Rates(self.real.network)

    @property
    def imperfections(self) -> Imperfections:
        """The data sheet of the board; its seed is the number of the board."""
        return self.real.imperfections

    @property
    def description(self) -> Board:
        """The board."""
        return self.board

    @property
    def network(self) -> Network:
        """The physics as it is drawn; ``real.network`` has that of the real board."""
        return self.board.network

    @property
    def scale(self) -> Array:
        """Nominal volts per coulomb of each cell, shape (d,)."""
        return self.board.scale

    @property
    def symbols(self) -> Units:
        """Volts, joules, seconds."""
        return self.board.symbols

    @property
    def controls(self) -> Controls:
        """The controls that are programmed now."""
        return self._controls

    @property
    def applied_controls(self) -> Controls:
        """What the real board makes of them now."""
        return self._inner.controls

    @property
    def applied_network(self) -> Network:
        """The physics of the real board at what it makes of its controls now."""
        return self._inner.network.with_controls(self._inner.controls)

    @property
    def applied(self) -> Described:
        """The real board as it stands, to ask ``ktc.theory`` about: that network, in volts.

        Example:
            >>> import ktc
            >>> spec = ktc.Imperfections(capacitance_tolerance=0.1, seed=2)
            >>> board = ktc.Board(1, 1e6, 1e-12, 300.0, imperfections=spec)
            >>> emulator = board.emulator(replicas=10, seed=1)
            >>> emulator.set(bias=1e-4)
            >>> ktc.theory.equilibrium(emulator.applied).mean.round(9)
            array([0.0001])
        """
        return Described(self.applied_network, self.real.scale, self.symbols)

    @property
    def shortest_tick(self) -> float:
        """Least time of a tick after which the board is read and updated [s]."""
        return max(self.imperfections.update_time, self.imperfections.read_time)

    @one_thread
    def energy(self) -> Array:
        """H of every replica of the real board at the present controls, shape (replicas,)."""
        return self._inner.energy()

    @one_thread
    def read(self) -> Array:
        """Readings of the state [V], shape (replicas, d).

        Raises:
            LimitError: a reading beyond the ADC's range, or too soon after the last one.
        """
        return self._read_out.read()

    @one_thread
    def moments(self) -> Moments:
        """Mean and covariance over the replicas of one reading.

        Raises:
            LimitError: a reading beyond the ADC's range, or too soon after the last one.
        """
        return self._read_out.moments()

    @one_thread
    def set(self, /, **controls: ArrayLike) -> None:
        """Programs controls at held state; books the real board's work where they do not settle.

        Raises:
            TypeError: an unknown control.
            ValueError: a value that no network can hold, or that this board cannot be programmed
                to; LimitError where it is out of range or comes too soon. Nothing has changed then.
        """
        programmed = self._controls.updated(**controls)
        require_pause(self.real, self._pause)
        values = {name: np.asarray(getattr(programmed, name)) for name in controls}
        for name, value in values.items():
            self.real.require(name, value[None], where="")
        if "emf" in values and values["emf"].any() and not self.resolve_heat:
            raise ValueError(
                "emf drives steady currents, which exact holds do not have; make the emulator with "
                "resolve_heat=True"
            )
        applied = {name: self.real.applied(name, value) for name, value in values.items()}
        at_once = {
            name: value
            for name, value in applied.items()
            if self._output.time_constant == 0 or name not in ANALOG
        }
        with self._as_built():
            self._inner.controls.updated(**applied)
            self._inner.set(**at_once)
        self._output.aim(applied)
        self._controls, self._updated = programmed, self.time

    @one_thread
    def run(self, duration: float) -> None:
        """Evolves at held controls for a duration, while outputs settle.

        Raises:
            ValueError: a duration that is not positive and finite.
        """
        hold = positive("duration", duration)
        if not self._output.moving:
            self._inner.run(hold)
            return
        cut = self._cut(np.array([hold]), {}, {})
        self._inner.play(cut.protocol)
        self._output.now |= cut.ends

    @one_thread
    def settle(self) -> None:
        """Waits until outputs have settled, eight time constants; at once where none is moving."""
        if self._output.moving:
            self.run(TIME_CONSTANTS_TO_SETTLE * self._output.time_constant)
            self._inner.set(**self._output.arrive())

    @one_thread
    def play(
        self,
        protocol: Protocol,
        record: Sequence[str] | str | None = None,
        every: int = 1,
        progress: bool = False,
        *,
        statistics: Statistics | None = None,
        to: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
    ) -> Run:
        """Plays a protocol from where the board stands; all limits are checked before it moves.

        Args:
            protocol: what to program.
            record: as ``Emulator.play``; "state", "mean" and "covariance" are readings, "bias" is
                what the board applied, energies are the real board's.
            every: ticks between records.
            progress: shows a progress bar.
            statistics: as ``Emulator.play``; of the true voltages, which no ADC has seen.
            to, overwrite: as ``Emulator.play``.

        Returns:
            A Run of the real board: ``run.programmed`` is the protocol given, ``run.applied`` what
            the board made of it. Its ΔF is that between what was applied before and at the end; a
            final update of a board that settles takes effect in what is run after it.

        Raises:
            TypeError: an unknown quantity, or something that is not a Protocol.
            ValueError: controls that do not fit this board, with the tick named.
            LimitError: a value out of the DAC's range, a tick shorter than the update time,
                records closer than the ADC can read; with the tick named. A reading beyond the
                ADC's range stops the protocol where it is taken.
        """
        waveforms, final = check_protocol(self.real, protocol, self._controls, self._pause)
        names = (record,) if isinstance(record, str) else tuple(record or ())
        known_keywords(names, QUANTITIES, "quantity to record")
        if count("every", every) > protocol.ticks:
            raise ValueError(f"every must be at most the {protocol.ticks} ticks, but is {every}")
        if statistics is not None:
            check_fit(statistics, protocol.times)
        if {"state", "mean", "covariance"} & set(names):
            stops = list(range(every, protocol.ticks + 1, every))
            self._read_out.require(self.time + protocol.times[stops], [k - 1 for k in stops])
        applied = {
            name: self.real.applied(name, full_shape(name, values, self._controls.shape(name)[0]))
            for name, values in waveforms.items()
        }
        last = {
            name: self.real.applied(name, np.asarray(getattr(final, name)))
            for name in protocol.final
        }
        with self._as_built():
            Protocol(protocol.holds, applied, last).settings(self._inner.controls)
        cut = self._cut(protocol.holds, applied, last)
        begun = self.time
        try:
            run = self._inner.play_read_by(
                self,
                cut.protocol,
                Recording(record, every * cut.n, to, overwrite),
                None if statistics is None else replace(statistics, every=statistics.every * cut.n),
                progress,
            )
        except BaseException:
            self._note_stop(protocol, waveforms, applied, begun)
            raise
        self._output.now |= cut.ends
        self._output.target |= {name: applied[name][-1] for name in ANALOG if name in applied}
        self._output.aim(last)
        self._controls = final
        if protocol.final:
            self._updated = self.time
        elif protocol.controls:
            self._updated = begun + protocol.times[-2]
        run.programmed, run.imperfections = protocol, self.imperfections
        return run

    @one_thread
    def write(self, state: ArrayLike) -> None:
        """Places every replica by hand, and opens new books.

        Args:
            state: true voltages, (replicas, d), or (d,) for all alike.
        """
        self._inner.write(state)
        self._read_out.forget()

    @one_thread
    def equilibrate(self) -> None:
        """Draws every replica afresh in equilibrium, with all outputs settled; new books."""
        output, applied = self._output.copy(), self._inner.controls
        if output.moving:
            self._inner.set(**self._output.arrive())
        try:
            self._inner.equilibrate()
        except BaseException:
            if output.moving:
                self._inner.set(**{name: getattr(applied, name) for name in ANALOG})
            self._output = output
            raise
        self._read_out.forget()

    @one_thread
    def reset(self) -> None:
        """Back to the very start: first controls, first state, time zero, the same noise."""
        self._inner.reset()
        self._begin()

    @one_thread
    def copy(self) -> BoardEmulator:
        """An emulator in the same state that goes on by itself, with the same noise."""
        twin = BoardEmulator.__new__(BoardEmulator)
        vars(twin).update(vars(self))
        twin._inner = self._inner.copy()
        twin._turn = twin._inner._turn
        twin._output = self._output.copy()
        twin._read_out = self._read_out.copy(twin._inner)
        return twin

    @one_thread
    def save(self, path: str | os.PathLike[str]) -> None:
        """Saves everything that a resumed run needs to give the same bits."""
        header, arrays = self._inner.archive()
        board, parts = self.board.archive()
        header |= {
            "board": board,
            "updated": self._updated,
            "read": self._read_out.time,
            "readings": self._read_out.count,
        }
        arrays |= {f"board_{k}": v for k, v in parts.items()}
        arrays |= {f"programmed_{k}": v for k, v in self._controls.arrays().items()}
        arrays |= {f"output_{k}": v for k, v in self._output.now.items()}
        arrays |= {f"target_{k}": v for k, v in self._output.target.items()}
        storage.save(path, "BoardEmulator", header, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str], threads: int | None = None) -> BoardEmulator:
        """The emulator that was saved; it goes on with the same bits on any number of threads.

        Raises:
            FileNotFoundError: no such file.
            ValueError: a file that is truncated, of another kind, or of another minor version,
                which could not promise the same bits.
        """
        threads = thread_count(threads)
        header, arrays = storage.load(path, "BoardEmulator", resumes=True)
        with storage.rebuilding(path):
            twin = cls.__new__(cls)
            twin.board = cls.board_of_archive(header["board"], storage.part(arrays, "board_"))
            twin.real = twin.board.real
            twin._inner = Emulator.of_archive(twin.real, header, arrays, threads)
            twin._begin()
            twin._controls = twin._controls.updated(**storage.part(arrays, "programmed_"))
            twin._output.now = storage.part(arrays, "output_")
            twin._output.target = storage.part(arrays, "target_")
            twin._updated = header["updated"]
            twin._read_out.time, twin._read_out.count = header["read"], header["readings"]
            return twin

    @property
    def _pause(self) -> float:
        """Time since the last update."""
        return np.inf if self._updated is None else self.time - self._updated

    @contextmanager
    def _as_built(self) -> Iterator[None]:
        """Says of an error that it is the real board's, not the drawing's."""
        try:
            yield
        except ValueError as error:
            raise ValueError(f"as board {self.imperfections.seed} was built: {error}") from None

    def _cut(self, holds: Array, applied: Mapping[str, Array], last: Mapping[str, Array]) -> _Cut:
        """What the board applies over ticks, cut into pieces where its outputs settle."""
        if self._output.time_constant == 0:
            ends = {name: applied[name][-1] for name in ANALOG if name in applied}
            return _Cut(Protocol(holds, applied, last), ends, 1)
        whole = Protocol(holds, applied, last)
        rates = map(self._rates, whole.extremes(self._inner.controls, applied))
        n = pieces(holds, self._output.time_constant, max(rates))
        outputs = self._output.follow(holds, applied, n)
        ends = {name: output.end for name, output in outputs.items()}
        waveforms = {name: np.repeat(values, n, axis=0) for name, values in applied.items()}
        # EMFs that rest are left alone: exact motion knows none.
        waveforms |= {
            name: output.values for name, output in outputs.items() if output.values.any()
        }
        final = {name: values for name, values in last.items() if name not in ANALOG}
        final |= {name: end for name, end in ends.items() if name in waveforms}
        cut_holds = outputs["bias"].holds
        return _Cut(Protocol(cut_holds, waveforms, final), ends, n)

    def _note_stop(
        self,
        protocol: Protocol,
        waveforms: Mapping[str, Array],
        applied: Mapping[str, Array],
        begun: float,
    ) -> None:
        """A protocol was interrupted: the controls of the tick that it had come to hold on."""
        elapsed = self.time - begun
        tick = int(np.searchsorted(protocol.times, elapsed * (1 - ROUNDING))) - 1
        now = self._inner.controls
        self._output.now = {name: getattr(now, name) for name in ANALOG}
        if tick >= 0:
            self._controls = self._controls.updated(
                **{name: values[tick] for name, values in waveforms.items()}
            )
            self._output.target |= {name: applied[name][tick] for name in ANALOG if name in applied}
            if protocol.controls:
                self._updated = begun + protocol.times[tick]

    def __repr__(self) -> str:
        return (
            f"<ktc.BoardEmulator: {self.replicas} replicas of {self.board!r}, "
            f"seed={self.seed}, time={self.time:g}>"
        )


class _Cut(NamedTuple):
    """A protocol as the board applies it: n pieces a tick, and where its outputs end."""

    protocol: Protocol
    ends: dict[str, Array]
    n: int
