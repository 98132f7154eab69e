"""Read-only properties of an emulator: what it was made of, and where it stands."""

from __future__ import annotations

from typing import Never

from ktc._base.units import Units
from ktc._base.validation import Array
from ktc._emulation.frontend import Frontend
from ktc._emulation.ledger import Ledger
from ktc._model.controls import Controls
from ktc._model.description import Described, Description
from ktc._model.imperfections import Imperfections
from ktc._model.network import Network


class EmulatorProperties:
    """What can be read of an emulator without moving it; nothing here can be assigned."""

    def __init__(self, frontend: Frontend) -> None:
        self._frontend, self._lock = frontend, frontend._lock

    def __setattr__(self, name: str, value: Never) -> None:
        if isinstance(EmulatorProperties.__dict__.get(name), property):
            raise AttributeError(
                f"{name} of an emulator cannot be assigned; change controls by set(...), and make "
                "a new emulator for anything else"
            )
        super().__setattr__(name, value)

    @property
    def description(self) -> Description:
        """What is emulated: the Network or Board that it was made of."""
        return self._frontend.description

    @property
    def network(self) -> Network:
        """The physics as designed, in the network's own units.

        After an update of resistances, friction or other elements it is a network with these.
        """
        return self._frontend.network

    @property
    def scale(self) -> Array:
        """Public state over the network's own, shape (d,): volts per coulomb on a Board."""
        return self._frontend.description.scale

    @property
    def symbols(self) -> Units:
        """Unit symbols of the public face."""
        return self._frontend.description.symbols

    @property
    def replicas(self) -> float:
        """Number of independent copies; ``math.inf`` where only moments are carried."""
        return self._frontend.options.replicas

    @property
    def infinite(self) -> bool:
        """Whether mean and covariance are carried instead of individual replicas."""
        return not self._frontend.engine.sampled

    @property
    def first_replica(self) -> int:
        """Number of the first replica among all that the seed has."""
        return self._frontend.options.first_replica

    @property
    def first_step(self) -> int | None:
        """Number of the first step of noise; None for an infinite ensemble."""
        return self._frontend.options.first_step

    @property
    def seed(self) -> int | None:
        """Seed of the noise; None for an infinite ensemble."""
        return self._frontend.options.seed

    @property
    def threads(self) -> int | None:
        """Largest number of threads; None for an infinite ensemble."""
        return self._frontend.options.threads

    @property
    def dtype(self) -> str:
        """Precision of the state: "float64" or "float32"."""
        return self._frontend.options.dtype

    @property
    def dt(self) -> float | None:
        """Longest time step; None for the default, or where motion is exact."""
        return self._frontend.options.dt

    @property
    def resolve_heat(self) -> bool:
        """Whether the ledger tells all accounts apart, by the splitting integrator."""
        return self._frontend.options.resolve_heat

    @property
    def accounts(self) -> tuple[str, ...] | None:
        """Names of the accounts that are kept; None for all."""
        return self._frontend.options.accounts

    @property
    def controls(self) -> Controls:
        """The controls that hold now, as programmed."""
        return self._frontend.controls

    @property
    def remembered_sources(self) -> Array | None:
        """Values of the sources of a circuit since one was set by name [V or A]; None before.

        They are in the order of ``network.sources``, NaN where controls that were set since leave
        them open.
        """
        sources = self._frontend.sources
        return None if sources is None else sources.copy()

    @property
    def applied_controls(self) -> Controls:
        """The controls as realised by the hardware; the same without hardware."""
        return self._frontend.realised_controls

    @property
    def applied_network(self) -> Network:
        """The physics that moves now: the real board's at the controls that it realises."""
        return self._frontend.realised.network.with_controls(self.applied_controls)

    @property
    def applied(self) -> Described:
        """What moves now, to pass to ``ktc.theory``: that network in public units.

        Example:
            >>> import ktc
            >>> spec = ktc.Imperfections(capacitance_tolerance=0.1, seed=2)
            >>> board = ktc.Board(1, 1e6, 1e-12, 300.0, imperfections=spec)
            >>> emulator = board.emulator(replicas=10, seed=1)
            >>> emulator.set(bias=1e-4)
            >>> ktc.theory.equilibrium(emulator.applied).mean.round(9)
            array([0.0001])
        """
        return Described(self.applied_network, self._frontend.realised.scale, self.symbols)

    @property
    def imperfections(self) -> Imperfections | None:
        """The data sheet of the hardware, with its seed; None without hardware."""
        return self._frontend.imperfections

    @property
    def board(self) -> Description | None:
        """The board whose hardware it works through; None without hardware."""
        return None if self.imperfections is None else self.description

    @property
    def shortest_tick(self) -> float:
        """Least time of a tick after which the device is read and updated; 0 without hardware."""
        return self._frontend.shortest_tick

    @property
    def time(self) -> float:
        """Time that has passed since the start or the last ``reset``."""
        return self._frontend.engine.time

    @property
    def rested(self) -> float:
        """Time that the replicas have been left alone at the present controls.

        Infinite where they were drawn in equilibrium (the stationary state, where temperatures
        differ) at these controls: at the start, and by ``equilibrate``. Zero after an update that
        changes a control, after ``write``, and while outputs of hardware settle. New resistances
        and friction keep an equilibrium at one temperature without sources and noise generators.

        Example:
            >>> import ktc
            >>> emulator = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=10, seed=1)
            >>> emulator.run(1.0)
            >>> before = emulator.rested
            >>> emulator.set(bias=3.0)
            >>> emulator.run(2.0)
            >>> before, emulator.rested
            (inf, 2.0)
        """
        return self._frontend.rested

    @property
    def ledger(self) -> Ledger:
        """Energies since the start, or since the state was last placed by hand."""
        front = self._frontend
        accounts = front.realised.network.accounts
        return Ledger(front.engine, self._lock, accounts, self.accounts, front.keep_results)
