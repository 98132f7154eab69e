"""A device that works by an Emulator inside it."""

from __future__ import annotations

from ktc._base.single_thread import Exclusive
from ktc._emulation.emulator import Emulator
from ktc._emulation.ledger import Ledger


class AroundEmulator(Exclusive):
    """What such a device says of its ensemble is what the Emulator inside it says."""

    _inner: Emulator

    @property
    def replicas(self) -> float:
        """Number of independent copies; infinite as of an Emulator."""
        return self._inner.replicas

    @property
    def first_replica(self) -> int:
        """Number of the first replica among all that the seed has."""
        return self._inner.first_replica

    @property
    def seed(self) -> int:
        """Seed of the thermal noise and of that of readings."""
        return self._inner.seed

    @property
    def threads(self) -> int:
        """At most this many threads."""
        return self._inner.threads

    @property
    def dt(self) -> float | None:
        """Longest step of motion in steps; None for its default, or for exact motion."""
        return self._inner.dt

    @property
    def accounts(self) -> tuple[str, ...] | None:
        """Names of the accounts that are kept; None for all."""
        return self._inner.accounts

    @property
    def resolve_heat(self) -> bool:
        """Whether the ledger tells all accounts apart, by the splitting integrator."""
        return self._inner.resolve_heat

    @property
    def time(self) -> float:
        """Time that has passed since the start or the last ``reset``."""
        return self._inner.time

    @property
    def ledger(self) -> Ledger:
        """The energy books of the real device."""
        return self._inner.ledger
