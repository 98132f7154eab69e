"""Devices: the calls that a controller makes, as protocols for emulators and for hardware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from inspect import getattr_static
from typing import Protocol, runtime_checkable

from numpy.typing import ArrayLike

from ktc._base.validation import Array
from ktc._model.controls import Controls
from ktc._model.description import Description, Running
from ktc._model.imperfections import Imperfections
from ktc._model.network import Network


@runtime_checkable
class DeviceMoments(Protocol):
    """Averages over the replicas at one instant, in the public state; ``ktc.Moments`` is one."""

    @property
    def mean(self) -> Array:
        """⟨x⟩, shape (d,)."""

    @property
    def covariance(self) -> Array:
        """⟨(x − ⟨x⟩)(x − ⟨x⟩)ᵀ⟩, shape (d, d). Learning a bias alone does not ask for it."""


class DeviceLedger(Protocol):
    """Energy accounts per replica; ``ktc.Ledger`` is one."""

    @property
    def work(self) -> Array:
        """Work done on the network so far, shape (replicas,)."""

    @property
    def heat(self) -> Array:
        """Heat that has flowed into the resistors so far, shape (replicas,)."""


@runtime_checkable
class Device(Description, Running, Protocol):
    """Replicas of a network that run, are read, and whose controls are set: what ``learn`` drives.

    ``ktc.Emulator`` is a Device, and so is any object with these nine members, such as the driver
    of a real board. Optional abilities have protocols of their own: ``HasShortestTick``,
    ``Settles``, ``Rests``, ``RealisesControls``, ``Programmable``, ``Seeded``,
    ``HasImperfections`` and, of the ledger, ``EnsembleLedger``.

    Energies are in the unit of ``network.kT``; times in the network's unit of time. The public
    state is ``scale`` times the state of the network (volts on a Board).

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> isinstance(ktc.Emulator(net, replicas=10), ktc.Device), isinstance(net, ktc.Device)
        (True, False)
    """

    @property
    def controls(self) -> Controls:
        """The controls that were set last."""

    @property
    def ledger(self) -> DeviceLedger:
        """Energy accounts since the device was started."""

    def set(self, /, **controls: ArrayLike) -> None:
        """Update controls by name, at held state.

        Values that the device cannot hold raise ValueError, those beyond its range
        ``ktc.LimitError``, and change nothing.
        """

    def moments(self) -> DeviceMoments:
        """Averages over the replicas now."""

    def read(self) -> Array:
        """The public state of every replica, shape (replicas, d)."""


@runtime_checkable
class HasShortestTick(Protocol):
    """A device that needs time between two updates."""

    @property
    def shortest_tick(self) -> float:
        """Least duration of a hold."""


@runtime_checkable
class Settles(Protocol):
    """A device whose outputs reach their controls only after a while."""

    def settle(self) -> None:
        """Wait until the last update has taken effect."""


@runtime_checkable
class Rests(Protocol):
    """A device that knows how long it has been left alone, and so whether it is in equilibrium."""

    @property
    def rested(self) -> float:
        """Time since controls or state last changed; infinite where it is in equilibrium."""


@runtime_checkable
class RealisesControls(Protocol):
    """A device that knows its own errors: the controls as realised by the hardware."""

    @property
    def applied_network(self) -> Network | None:
        """The network as realised at present; None where controls are realised exactly."""


@runtime_checkable
class Programmable(Protocol):
    """Linear hardware whose couplings are limited, such as a ``ktc.Board``."""

    def complaint(self, stiffness: Array) -> str | None:
        """Why the hardware cannot be programmed to a stiffness (d, d); None where it can."""


@runtime_checkable
class Seeded(Protocol):
    """A device whose noise is reproducible."""

    @property
    def seed(self) -> int | None:
        """Seed of its noise; None where there is none."""


@runtime_checkable
class HasImperfections(Protocol):
    """A device that knows whether it works through hardware, and its data sheet."""

    @property
    def imperfections(self) -> Imperfections | None:
        """The data sheet; None for an ideal device, such as an emulator without hardware."""


@runtime_checkable
class Describes(Protocol):
    """A running device that knows what it was made of."""

    @property
    def description(self) -> Description:
        """The Network, Board or other description."""


@runtime_checkable
class RemembersSources(Protocol):
    """A device of a circuit that knows the values of its sources, which controls may not tell."""

    @property
    def remembered_sources(self) -> Array | None:
        """Values in the order of the circuit's sources, NaN where not known; None for none."""


@runtime_checkable
class EnsembleLedger(Protocol):
    """A ledger that may hold exact averages over infinitely many replicas."""

    @property
    def infinite(self) -> bool:
        """Whether ``work`` and ``heat`` are exact means, of shape (1,)."""

    def tally(self) -> AbstractContextManager[Callable[[], Mapping[str, float] | None]]:
        """Inside, a call gives the exact variances of what was booked since it was entered."""


@runtime_checkable
class DeviceFactory(Protocol):
    """Hardware as designed, which makes running devices of itself, such as a ``ktc.Board``."""

    def emulator(self, replicas: float, seed: int | None, *, threads: int | None = None) -> Device:
        """Replicas that start in equilibrium at its own controls."""


def require_device(device: object) -> Device:
    """``device``, if it has all members of ``Device``."""
    if isinstance(device, type):
        given = device.__name__
        raise TypeError(f"device must be an object, but is the class {given}; pass one {given}")
    if isinstance(device, Device):
        return device
    members = ("set", "run", "moments", "read", "ledger", "controls", "network", "scale", "symbols")
    missing = [name for name in members if getattr_static(device, name, None) is None]
    raise TypeError(
        f"device must be a ktc.Device, with {', '.join(members)}, but {type(device).__name__} "
        f"lacks {', '.join(missing)}"
    )


def seed_of(device: object) -> int | None:
    """Seed of a device's noise; None where it has none."""
    return device.seed if isinstance(device, Seeded) else None


def rested_of(device: object) -> float | None:
    """How long a device has been left alone; None where it does not know."""
    return device.rested if isinstance(device, Rests) else None


def data_sheet_of(device: object) -> Imperfections | None:
    """Data sheet of a real board; None of any other device."""
    return device.imperfections if isinstance(device, HasImperfections) else None


def remembered_of(device: object) -> Array | None:
    """Values of sources that a device remembers; None where it remembers none."""
    return device.remembered_sources if isinstance(device, RemembersSources) else None


def is_infinite(ledger: object) -> bool:
    """Whether a ledger's accounts are exact means over infinitely many replicas."""
    return isinstance(ledger, EnsembleLedger) and ledger.infinite
