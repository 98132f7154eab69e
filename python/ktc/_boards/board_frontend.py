"""The hardware frontend of a board: converters that program and read the real cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.codec import Saved
from ktc._base.lazy_imports import interrupts_deferred
from ktc._base.validation import Array, count, positive
from ktc._boards.read_out import ReadOut
from ktc._boards.real_board import ANALOG, ROUNDING, check_protocol, require_pause
from ktc._boards.settling import AnalogOutput, pieces
from ktc._emulation.ideal_frontend import IdealFrontend
from ktc._emulation.recorder import Recording
from ktc._emulation.run import Run
from ktc._emulation.statistics import check_fit
from ktc._engines.step_size import Rates
from ktc._model.controls import Controls
from ktc._model.moments import Moments
from ktc._model.network import Network
from ktc._model.protocol import Protocol
from ktc._model.waveforms import full_shape

if TYPE_CHECKING:
    from ktc._boards.board import Board

# Time constants for which ``settle`` waits: e^-8 of a jump is left, and is then made at once.
TIME_CONSTANTS_TO_SETTLE = 8


class BoardFrontend:
    """``Frontend`` of a real board, in front of an ideal one of the board as it was built.

    Controls are what a script programs. The board realises them on the DAC's grid, with offset and
    mismatch, settling at first order; readings go through the ADC. While an output settles,
    b(t) = b_new + (b_old − b_new) e^{−t/τ}, each hold is cut into pieces with b held at its
    averages (see ``settling``), as many as resolve the output and the cells: second order in the
    pieces. Stiffness, quartic and kT do not settle.

    Args:
        board: the board as designed.
        cells: an ideal frontend of ``board.real``, in equilibrium at its own controls.
    """

    sources: Array | None = None  #: a board has none

    def __init__(self, board: Board, cells: IdealFrontend) -> None:
        self.description = board
        self.real = self.realised = board.real
        self.imperfections = board.real.imperfections
        self._rates = Rates(self.real.network)
        self._stand_before(cells)
        self._begin()

    def _stand_before(self, cells: IdealFrontend) -> None:
        self._cells, self._lock = cells, cells._lock
        self.engine, self.options = cells.engine, cells.options

    def _begin(self) -> None:
        self.controls = self.description.network.controls
        realised = self._cells.controls
        self._output = AnalogOutput(
            self.imperfections.settling_time, {name: getattr(realised, name) for name in ANALOG}
        )
        self._updated: float | None = None
        self.read_out = ReadOut(self._cells, self.imperfections)

    @property
    def network(self) -> Network:
        return self.description.network

    @property
    def realised_controls(self) -> Controls:
        return self._cells.controls

    @property
    def rested(self) -> float:
        return 0.0 if self._output.moving else self._cells.rested

    @property
    def shortest_tick(self) -> float:
        return max(self.imperfections.update_time, self.imperfections.read_time)

    @property
    def _time(self) -> float:
        return self.engine.time

    def read(self) -> Array:
        return self.read_out.read()

    def moments(self) -> Moments:
        return self.read_out.moments()

    def set(self, controls: Mapping[str, ArrayLike]) -> None:
        """Program controls; the real board's work goes to the ledger where they do not settle."""
        if not controls:
            return
        programmed = self.controls.updated(**controls)
        require_pause(self.real, self._pause)
        values = {name: np.asarray(getattr(programmed, name)) for name in controls}
        for name, value in values.items():
            self.real.require(name, value[None], where="")
        if "emf" in values and values["emf"].any() and self.options.motion == "exact":
            raise ValueError(
                "emf delivers energy, of which this emulator keeps no account; make the emulator "
                "with resolve_heat=True"
            )
        realised = {name: self.real.applied(name, value) for name, value in values.items()}
        with self._as_built():
            now = self._cells.controls
            after = now.updated(**realised)
            if self._output.time_constant > 0:
                after = replace(after, **{name: getattr(now, name) for name in ANALOG})
            if {"stiffness", "quartic"} & realised.keys():
                self._cells.refuse_overflow(after)
            with interrupts_deferred():
                self._cells.apply(after)
                self._output.aim(realised)
                self.controls, self._updated = programmed, self._time

    def run(self, duration: float) -> None:
        hold = positive("duration", duration)
        if not self._output.moving:
            self._cells.run(hold)
            return
        cut = self._cut(Protocol([hold], {}))
        try:
            self._cells.play(cut.protocol, Recording())
        finally:
            self._note_outputs()
        self._output.now |= cut.ends

    def settle(self) -> None:
        if self._output.moving:
            self.run(TIME_CONSTANTS_TO_SETTLE * self._output.time_constant)
            with interrupts_deferred():
                self._cells.set(self._output.arrive())

    def play(self, protocol: Protocol, recording: Recording) -> Run:
        """Play a protocol; all limits are checked before anything moves."""
        waveforms, final = check_protocol(self.real, protocol, self.controls, self._pause)
        self._check_records(protocol, recording)
        realised = {
            name: self.real.applied(name, full_shape(name, values, self.controls.shape(name)[0]))
            for name, values in waveforms.items()
        }
        last = {
            name: self.real.applied(name, np.asarray(getattr(final, name)))
            for name in protocol.final
        }
        whole = Protocol(protocol.holds, realised, last)
        with self._as_built():
            whole.settings(self._cells.controls)
        cut = self._cut(whole)
        begun, rested = self._time, self.rested
        statistics = recording.statistics
        if statistics is not None:
            statistics = replace(statistics, every=statistics.every * cut.n)
        recording = recording._replace(every=recording.every * cut.n, statistics=statistics)
        try:
            run = self._cells.play(cut.protocol, recording, self)
        except BaseException:
            self._note_stop(protocol, waveforms, realised, begun)
            raise
        with interrupts_deferred():
            self._output.now |= cut.ends
            reached = {name: realised[name][-1] for name in ANALOG if name in realised}
            self._output.target |= reached
            self._output.aim(last)
            self.controls = final
            if protocol.final:
                self._updated = self._time
            elif protocol.controls:
                self._updated = begun + protocol.times[-2]
        sheet = self.imperfections
        return replace(run, programmed=protocol, imperfections=sheet, rested=rested)

    def write(self, state: ArrayLike, momentum: ArrayLike | None = None) -> None:
        self._cells.write(state, momentum)
        self.read_out.forget()

    def equilibrate(self) -> None:
        output, realised = self._output.copy(), self._cells.controls
        try:
            if output.moving:
                self._cells.set(self._output.arrive())
            self._cells.equilibrate()
        except BaseException:
            if output.moving:
                self._cells.set({name: getattr(realised, name) for name in ANALOG})
            self._output = output
            raise
        self.read_out.forget()

    def reset(self) -> None:
        self._cells.reset()
        self._begin()

    def keep_results(self) -> None:
        self._cells.keep_results()

    def copy(self) -> BoardFrontend:
        twin = BoardFrontend.__new__(BoardFrontend)
        vars(twin).update(vars(self))
        twin._stand_before(self._cells.copy())
        twin._output = self._output.copy()
        twin.read_out = self.read_out.copy(twin._cells)
        return twin

    def saved(self) -> Saved:
        return {
            "cells": self._cells.saved(),
            "programmed": self.controls,
            "output": self._output.now,
            "target": self._output.target,
            "updated": self._updated,
            "read": self.read_out.time,
            "readings": self.read_out.count,
        }

    def restore(self, saved: Saved) -> None:
        self._cells.restore(saved["cells"])
        count("readings", saved["readings"], least=0)
        for name in ("updated", "read"):
            if saved[name] is not None and not 0 <= saved[name] <= self._time * (1 + ROUNDING):
                raise ValueError(
                    f"{name} must be from 0 to the time {self._time:g}, but is {saved[name]:g}"
                )
        self.controls = self.controls.checked(saved["programmed"])
        self._updated = saved["updated"]
        self._output.now, self._output.target = dict(saved["output"]), dict(saved["target"])
        self.read_out.time, self.read_out.count = saved["read"], saved["readings"]

    def _check_records(self, protocol: Protocol, recording: Recording) -> None:
        names, stops = recording.checked(protocol.ticks)
        if recording.statistics is not None:
            check_fit(recording.statistics, protocol.times)
        if {"state", "mean", "covariance"} & set(names):
            self.read_out.require(self._time + protocol.times[stops], [k - 1 for k in stops])

    @property
    def _pause(self) -> float:
        """Time since the last update."""
        return np.inf if self._updated is None else self._time - self._updated

    @contextmanager
    def _as_built(self) -> Iterator[None]:
        """Say of an error that it concerns the real board, not the design."""
        try:
            yield
        except ValueError as error:
            raise ValueError(f"as board {self.imperfections.seed} was built: {error}") from None

    def _cut(self, whole: Protocol) -> _Cut:
        """A protocol of realised controls, cut into pieces where outputs settle."""
        holds, realised = whole.holds, whole.controls
        if self._output.time_constant == 0:
            ends = {name: realised[name][-1] for name in ANALOG if name in realised}
            return _Cut(whole, ends, 1)
        rates = map(self._rates, whole.extremes(self._cells.controls, realised))
        n = pieces(holds, self._output.time_constant, max(rates))
        outputs = self._output.follow(holds, realised, n)
        ends = {name: output.end for name, output in outputs.items()}
        waveforms = {name: np.repeat(values, n, axis=0) for name, values in realised.items()}
        # EMFs that rest are left alone: exact motion knows none.
        waveforms |= {
            name: output.values for name, output in outputs.items() if output.values.any()
        }
        final = {name: values for name, values in whole.final.items() if name not in ANALOG}
        final |= {name: end for name, end in ends.items() if name in waveforms}
        return _Cut(Protocol(outputs["bias"].holds, waveforms, final), ends, n)

    def _note_outputs(self) -> None:
        """Outputs are where the cells have them."""
        now = self._cells.controls
        self._output.now = {name: getattr(now, name) for name in ANALOG}

    def _note_stop(
        self,
        protocol: Protocol,
        waveforms: Mapping[str, Array],
        realised: Mapping[str, Array],
        begun: float,
    ) -> None:
        """A protocol was interrupted: the controls of the tick that it had come to hold on."""
        elapsed = self._time - begun
        tick = int(np.searchsorted(protocol.times, elapsed * (1 - ROUNDING))) - 1
        self._note_outputs()
        if tick >= 0:
            self.controls = self.controls.updated(
                **{name: values[tick] for name, values in waveforms.items()}
            )
            reached = {name: values[tick] for name, values in realised.items() if name in ANALOG}
            self._output.target |= reached
            if protocol.controls:
                self._updated = begun + protocol.times[tick]


class _Cut(NamedTuple):
    """A protocol as the board realises it: n pieces per tick, and where its outputs end."""

    protocol: Protocol
    ends: dict[str, Array]
    n: int
