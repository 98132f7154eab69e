"""A board: cells of a resistor and a capacitor with programmable couplings, in SI units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ktc._base.cached import cached_property
from ktc._base.codec import register
from ktc._base.files import Storable
from ktc._base.units import BOLTZMANN, SI
from ktc._base.validation import Array, count, flag, frozen, positive_per_unit, refusing_overflow
from ktc._boards.board_frontend import BoardFrontend
from ktc._boards.couplings import compiled, coupling_of, programmable
from ktc._boards.encoding import Encoding
from ktc._boards.real_board import RealBoard, check_protocol
from ktc._boards.topology import MOST_CELLS, Edge, Topology, fitting
from ktc._emulation.emulator import Emulator
from ktc._emulation.frontend import Frontend
from ktc._emulation.ideal_frontend import IdealFrontend
from ktc._engines.ensemble_options import EnsembleOptions
from ktc._model.imperfections import Imperfections
from ktc._model.protocol import Protocol

Couplings = float | Sequence[float] | Mapping[Edge, float] | Array


class Board(Storable):
    """Noisy RC cells with programmable couplings.

    Cell i has a charge q_i behind a resistor R_i; the stored energy is
    H = ½ qᵀKq − bᵀq with elastances K [1/F] and source voltages b [V], and the resistors are at
    temperature T_i, usually one T. The public state is the voltage v_i = q_i/C_i of a cell's charge
    over its own capacitance. Uncoupled, ⟨v²⟩ = k_B T/C and τ = R C.

    Couplings are of one of three kinds:

    | coupling | values | K | programmable while it runs |
    |---|---|---|---|
    | "elastance" | S_ij [1/F] | diag(1/C) + S | ``stiffness`` (all of K), ``bias`` |
    | "capacitive" | capacitors C_ij [F] | inverse of Maxwell's matrix | ``stiffness``, ``bias`` |
    | "resistive" | resistors R_ij [Ω] | diag(1/C) | ``bias``, ``emf`` |

    Args:
        cells: number of cells d.
        resistance: R in ohms, scalar or (d,).
        capacitance: C in farads, scalar or (d,).
        temperature: T in kelvin, scalar or (d,). Where cells differ, heat flows through their
            couplings; these must not be "resistive", whose resistors have no cell's temperature.
        stiffness: K in 1/F, shape (d, d), symmetric positive definite; diag(1/C) by default.
            Its off-diagonal entries are the couplings. Only for "elastance".
        bias: b in volts, scalar or (d,); zero by default.
        topology: which pairs can be coupled; all by default.
        coupling: the kind of couplings.
        couplings: their values instead of ``stiffness``: a scalar for all edges, a mapping from
            pairs (i, j) to values, or one number per edge in the order of ``topology.edges``.
        imperfections: how the real board differs from this design; None for an ideal one.

    Attributes:
        network: the board as designed: a Network in coulombs, 1/F, ohms and joules.
        scale: volts per coulomb of each cell, 1/C.
        symbols: volts, joules, seconds.

    Raises:
        ValueError, TypeError: values that are not positive, of a wrong shape, not finite, or not
            numbers; a coupling that the topology does not have, the pair named; a bias out of the
            range of the board's DAC.

    Example:
        >>> import ktc
        >>> board = ktc.Board(cells=2, resistance=1e6, capacitance=1e-12, temperature=300.0)
        >>> board.thermal_width.round(7)
        array([6.44e-05, 6.44e-05])
        >>> emulator = board.emulator(replicas=10, seed=1)
        >>> emulator.read().shape
        (10, 2)
        >>> spec = ktc.Imperfections(capacitance_tolerance=0.01)
        >>> ring = ktc.Board(4, 1e6, 1e-12, 300.0, topology=ktc.Topology.ring(4),
        ...                  coupling="capacitive", couplings=0.5e-12, imperfections=spec)
        >>> ring.stiffness[0].round(-9)  # 1/F: the inverse of Maxwell's matrix couples all charges
        array([5.83e+11, 1.67e+11, 8.30e+10, 1.67e+11])

    Source: Johnson (1928), Phys. Rev. 32, 97; Nyquist (1928), Phys. Rev. 32, 110.
    """

    symbols = SI

    def __init__(
        self,
        cells: int,
        resistance: ArrayLike,
        capacitance: ArrayLike,
        temperature: ArrayLike,
        stiffness: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        *,
        topology: Topology | None = None,
        coupling: str = "elastance",
        couplings: Couplings | None = None,
        imperfections: Imperfections | None = None,
    ) -> None:
        self.cells = count("cells", cells, most=MOST_CELLS)
        self.resistance = frozen(positive_per_unit("resistance", resistance, self.cells))
        self.capacitance = frozen(positive_per_unit("capacitance", capacitance, self.cells))
        with refusing_overflow("1/capacitance"):
            self.scale = frozen(1 / self.capacitance)
        self.temperature = self._kelvin(temperature, coupling)
        self.topology = fitting(topology, self.cells)
        self.coupling = coupling_of(coupling)
        self._couplings: dict[Edge, float] | None = None
        if stiffness is None:
            given: Couplings = {} if couplings is None else couplings
            self._couplings = self.coupling.values(self.topology, given)
            matrix = self.coupling.stiffness(self.capacitance, self._couplings)
        else:
            if couplings is not None or coupling != "elastance":
                raise ValueError(
                    "stiffness is for boards whose coupling is 'elastance' and takes the place of "
                    f"couplings, but is given to one of {coupling!r} with "
                    f"couplings={'given' if couplings is not None else None}; give couplings alone"
                )
            matrix = programmable(self.coupling, self.topology, self.capacitance, stiffness)
        self.network = compiled(
            matrix,
            self.resistance,
            self.coupling.conductances(self._couplings or {}),
            BOLTZMANN * self.temperature,
            bias,
        )
        if imperfections is not None and not isinstance(imperfections, Imperfections):
            raise TypeError(
                "imperfections must be ktc.Imperfections or None, but is "
                f"{type(imperfections).__name__}"
            )
        self.imperfections = imperfections
        # Built at once, so that a board that cannot be built fails where it is described.
        self._real = None if imperfections is None else RealBoard(self, imperfections)

    @property
    def real(self) -> RealBoard:
        """The board as built: its components drawn at random from its imperfections."""
        return RealBoard(self, Imperfections()) if self._real is None else self._real

    @property
    def ideal(self) -> Board:
        """The same board without imperfections."""
        return self._with(imperfections=None)

    @cached_property
    def couplings(self) -> dict[Edge, float]:
        """Programmed values of the nonzero couplings, by pair of cells."""
        if self._couplings is not None:
            return self._couplings
        present = np.argwhere(np.triu(self.stiffness, 1)).tolist()
        return {(i, j): float(self.stiffness[i, j]) for i, j in present}

    @property
    def stiffness(self) -> Array:
        """Elastances K [1/F], shape (d, d)."""
        return self.network.stiffness

    @property
    def bias(self) -> Array:
        """Source voltages b [V], shape (d,)."""
        return self.network.bias

    @property
    def kT(self) -> float:
        """k_B T [J]; ValueError where cells have several temperatures, as ``network.kT`` has."""
        return self.network.common_kT

    @property
    def thermal_width(self) -> Array:
        """Rms voltage √(k_B T_i/C_i) of each uncoupled cell [V], shape (d,)."""
        return np.sqrt(BOLTZMANN * self.temperature / self.capacitance)

    @property
    def restricted(self) -> bool:
        """Whether it has limits that a Network has not: imperfections, or missing couplings."""
        free = self.topology.complete and self.coupling.name == "elastance"
        return self.imperfections is not None or not free

    def emulator(
        self,
        replicas: float = 1000,
        seed: int | None = None,
        *,
        ideal: bool = False,
        threads: int | None = None,
        dtype: str = "float64",
        dt: float | None = None,
        resolve_heat: bool = False,
        first_replica: int = 0,
        state: ArrayLike | None = None,
        momentum: ArrayLike | None = None,
        accounts: Sequence[str] | str | None = None,
        first_step: int | None = None,
    ) -> Emulator:
        """Replicas of this board, kept to its limits: ranges and rates of converters, couplings.

        Args:
            replicas: number of independent copies.
            seed: of the thermal noise and of readings; the imperfections have their own.
            ideal: True runs the board as designed, with its topology but without imperfections.
            threads, dtype, dt, resolve_heat, first_replica, state, momentum, accounts,
                first_step: as for ``ktc.Emulator``.

        Example:
            >>> import ktc
            >>> board = ktc.Board(cells=1, resistance=1e6, capacitance=1e-12, temperature=300.0)
            >>> emulator = board.emulator(replicas=4, seed=3)
            >>> emulator.set(bias=1e-4)  # volts
            >>> emulator.run(5e-6)  # seconds
            >>> emulator.ledger.work.shape  # joules
            (4,)
        """
        board = self.ideal if flag("ideal", ideal) else self
        physics = board.realised.network
        options = EnsembleOptions.checked(
            physics, replicas, seed, threads, dtype, dt, resolve_heat, first_replica, accounts,
            first_step,
        )  # fmt: skip
        cells = IdealFrontend.of(board.realised, options, state, momentum)
        return Emulator.operating(board.frontend(cells))

    @property
    def realised(self) -> Board | RealBoard:
        """What emulators of this board move: the board as built where it is ``restricted``."""
        return self.real if self.restricted else self

    def frontend(self, inner: IdealFrontend) -> Frontend:
        """The frontend of this board's emulators, in front of one of what is ``realised``."""
        return BoardFrontend(self, inner) if self.restricted else inner

    def check(self, protocol: Protocol) -> None:
        """Check a protocol, from this board's own controls, against the board's limits.

        ``play`` checks the same from the controls that hold then.

        Raises:
            LimitError: a value out of the DAC's range, or a tick shorter than the update time, the
                tick named.
            ValueError: controls that no board like this can hold, the tick named.
        """
        check_protocol(self.real, protocol, self.network.controls)

    def complaint(self, stiffness: Array) -> str | None:
        """Why this board cannot be programmed to ``stiffness``, or None where it can."""
        return self.coupling.complaint(self.topology, self.capacitance, stiffness)

    def stiffness_of(self, couplings: Couplings) -> Array:
        """The control ``stiffness`` [1/F] that programs these couplings, shape (d, d).

        Example:
            >>> import ktc
            >>> board = ktc.Board(2, 1e6, 1e-12, 300.0, coupling="capacitive")
            >>> emulator = board.emulator(replicas=10, seed=1)
            >>> emulator.set(stiffness=board.stiffness_of({(0, 1): 1e-12}))
        """
        values = self.coupling.values(self.topology, couplings)
        return self.coupling.stiffness(self.capacitance, values)

    def node_voltages(self, emulator: Emulator) -> Array:
        """Voltages of the cells' nodes to ground [V], shape (replicas, d), from one reading.

        V = K q, less b on a board of resistive couplings; q = C v with v as it was read and the
        nominal C, K and b, which is what a controller knows.

        Example:
            >>> import ktc
            >>> board = ktc.Board(2, 1e6, 1e-12, 300.0, coupling="capacitive", couplings=1e-12)
            >>> import numpy as np
            >>> covariance = np.cov(board.node_voltages(board.emulator(100_000, seed=1)).T)
            >>> (covariance * 1e-12 / board.kT).round(1)  # (2, 1; 1, 2)/3
            array([[0.7, 0.3],
                   [0.3, 0.7]])
        """
        charge = emulator.read() * self.capacitance
        now = emulator.controls
        return self.coupling.node_voltages(now.stiffness, now.bias, charge)

    def encoding(self, offset: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Encoding:
        """Code between data and volts in which ``scale`` of the data is one thermal width.

        Moving a cell by many thermal widths costs their square in kT, so a default in other units
        would accidentally make experiments expensive.

        Args:
            offset: data value that stands for zero volts.
            scale: data difference, such as a standard deviation, that stands for √(k_B T/C).

        Example:
            >>> import ktc
            >>> board = ktc.Board(cells=1, resistance=1e6, capacitance=1e-12, temperature=300.0)
            >>> float(board.encoding(scale=4.0).encode([8.0])[0] / board.thermal_width[0])
            2.0
        """
        return Encoding(self.thermal_width, offset, scale)

    def program(
        self,
        stiffness: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        couplings: Couplings | None = None,
    ) -> Board:
        """The same board with other couplings or biases of its own."""
        changes: dict[str, Any] = {}
        if stiffness is not None or couplings is not None:
            changes |= {"stiffness": stiffness, "couplings": couplings}
        if bias is not None:
            changes["bias"] = bias
        return self._with(**changes)

    def _with(self, **changes: Any) -> Board:
        return Board(**{**_arguments(self), **changes})

    def _kelvin(self, temperature: ArrayLike, coupling: str) -> float | Array:
        """One number where all cells have the same temperature."""
        kelvin = positive_per_unit("temperature", temperature, self.cells)
        if (kelvin == kelvin[0]).all():
            return float(kelvin[0])
        if coupling == "resistive":
            raise ValueError(
                f"temperature must be one number where the coupling is 'resistive', but is {kelvin}"
                ": resistors between cells would be at none of them; describe it as a ktc.Circuit, "
                "each resistor with its own"
            )
        return frozen(kelvin)

    def __repr__(self) -> str:
        kelvin = np.unique(self.temperature)
        span = f"{kelvin[0]:g} to {kelvin[-1]:g}" if len(kelvin) > 1 else f"{kelvin[0]:g}"
        parts = [f"{self.cells} RC cells at {span} K"]
        if self.restricted:
            parts.append(f"{self.coupling.name} couplings, {self.topology.name}")
        if self.imperfections is not None:
            parts.append(f"imperfections of seed {self.imperfections.seed}")
        return f"<ktc.Board: {', '.join(parts)}>"


def _arguments(board: Board) -> dict[str, Any]:
    """The constructor's arguments that make an equal board."""
    given = board._couplings is not None
    return {
        "cells": board.cells,
        "resistance": board.resistance,
        "capacitance": board.capacitance,
        "temperature": board.temperature,
        "stiffness": None if given else board.stiffness,
        "bias": board.bias,
        "topology": board.topology,
        "coupling": board.coupling.name,
        "couplings": board._couplings,
        "imperfections": board.imperfections,
    }


def _fields(board: Board) -> dict[str, object]:
    fields = _arguments(board)
    if board._couplings is not None:
        fields["couplings"] = (
            np.array(list(board._couplings), dtype=np.int64).reshape(-1, 2),
            np.array(list(board._couplings.values())),
        )
    return fields


def _of_fields(couplings: tuple[NDArray[np.int64], Array] | None, **others: Any) -> Board:
    if couplings is None:
        return Board(**others)
    pairs, values = (array.tolist() for array in couplings)
    return Board(couplings=dict(zip(map(tuple, pairs), values, strict=True)), **others)


register(Board, _fields, _of_fields)
