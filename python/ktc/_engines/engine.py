"""The contract of the engines that move an ensemble, and a base of those without replicas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NoReturn, Protocol, TypeAlias

import numpy as np

from ktc import _core
from ktc._base.codec import Saved
from ktc._base.validation import Array
from ktc._model.controls import Controls
from ktc._model.network import Network

#: Controls by name, as ``Controls.arrays`` gives them; a sparse stiffness is an object of the core.
ControlArrays: TypeAlias = dict[str, Any]

# Directions narrower than this relative to the others are rounding, not spread.
NARROWEST = 1e-13


class Engine(Protocol):
    """An ensemble of one network in motion, with its energy accounts.

    States are in the network's own coordinates. An account is an array with one entry per replica;
    where ``sampled`` is False it has one entry, the ensemble mean. Every call either completes or
    raises before the state has changed.

    Attributes:
        sampled: whether there are individual replicas, to ``read`` and to gather statistics of.
        itemised: whether source, injected, shadow and entropy are told apart from total heat.
        driven: whether there is an account of the energy from sources.
        netted: whether heat is less what noise generators inject.
        pooled: whether itemised books keep total heat only, not the heat of each resistor.
        network: the network that it moves now.
    """

    sampled: bool
    itemised: bool
    driven: bool
    netted: bool
    pooled: bool
    network: Network

    @property
    def time(self) -> float:
        """Time since the start."""

    def check(self, controls: Controls, network: Network | None = None, /) -> None:
        """Refuse controls that this engine cannot hold, or not of such a network (ValueError)."""

    def prepare(self, settings: Iterable[Controls], /) -> None:
        """Choose the time step for these controls, where motion has one."""

    def warn_if_long(self, holds: Array, /) -> None:
        """Warn (UserWarning) before holds that would take more than a minute by steps."""

    def set(self, changes: ControlArrays, /) -> None:
        """Update controls at held state; books work. Other controls stay as they are."""

    def exchange(self, network: Network, changes: ControlArrays, /) -> None:
        """Go on with a network of other resistances or friction, after an update of controls.

        Units, heat accounts, sources and generators are the same. An error leaves all as it was.
        """

    def hold(self, duration: float, /) -> None:
        """Evolve at held controls; books heat and supply."""

    def play(
        self,
        holds: Array,
        waveforms: ControlArrays,
        statistics: _core.Statistics | None = None,
        /,
    ) -> int:
        """Play ticks, each an update and a hold; return how many were played."""

    def controls(self) -> ControlArrays:
        """The controls that hold now."""

    def equilibrate(self) -> None:
        """Draw the stationary state at the present controls; opens new books."""

    def place(self, state: Array, /) -> None:
        """Place the replicas at ``state``, shape (replicas, n); opens new books."""

    def restart(self, controls: ControlArrays, state: Array, /) -> None:
        """Go back to the start at these controls, with the same noise; no ``state`` if empty."""

    def open_books(self) -> None:
        """Set all accounts to zero."""

    def read(self, begin: int, end: int, /) -> Array:
        """Coordinates [begin, end) of every replica; ValueError where not ``sampled``."""

    def mean(self) -> Array:
        """Ensemble mean of the state, shape (n,)."""

    def moments(self, with_covariance: bool, /) -> tuple[Array, Array]:
        """Mean and covariance of the state, the latter empty unless asked for."""

    def reach(self) -> float:
        """Largest |x| of any unit and replica; one standard deviation beyond a mean."""

    def surprisal(self) -> Array | None:
        """−ln p of the normal density with these moments; None where it is degenerate."""

    def statistics_plan(
        self, scale: Array, covariance: bool, edges: Array, slots: int, every: int
    ) -> _core.StatisticsPlan:
        """Lay out running statistics of the state; ValueError where not ``sampled``."""

    def energy(self) -> Array:
        """H at the present controls."""

    def energy_change(self) -> Array:
        """H now minus H when the books were opened."""

    def work(self) -> Array:
        """Σ over updates of H(x; θ′) − H(x; θ)."""

    def heat(self) -> Array:
        """Heat that flowed into all resistors."""

    def supply(self) -> Array:
        """∫ bᵀdx."""

    def source(self) -> Array:
        """Energy from sources outside H."""

    def injected(self) -> Array:
        """Energy from noise generators."""

    def shadow(self) -> Array:
        """Energy error of inexact lossless moves."""

    def entropy(self) -> Array:
        """Σ_r ∫ dQ_r/kT_r."""

    def heat_per_account(self) -> Array:
        """Heat of each account, shape (replicas, accounts)."""

    def imbalance(self) -> float:
        """Largest relative violation of the first law."""

    def variances(self) -> Mapping[str, float] | None:
        """Exact variances of accounts over the ensemble; None where ``sampled``."""

    def tally(
        self, saved: Saved | None = None
    ) -> AbstractContextManager[Callable[[], Mapping[str, float] | None]]:
        """Inside, a call returns ``variances`` of what was booked since it was entered.

        ``saved`` is what ``tallied`` returned in an earlier one, with which it goes on.
        """

    def tallied(self) -> Saved:
        """State of the innermost ``tally``; empty where it has none."""

    def copy(self) -> Engine:
        """An engine in the same state that goes on independently."""

    def snapshot(self) -> dict[str, Any]:
        """Everything that ``restore`` needs to go on with the same bits."""

    def restore(self, saved: dict[str, Any], /) -> None:
        """Return to the state of a snapshot."""


class WithoutReplicas:
    """Base of engines of infinitely many replicas, which move without a time step of their own."""

    sampled = False
    netted = False
    #: Books either tell all accounts apart or are those of exact moves.
    pooled = False

    def tick(self, changes: ControlArrays, duration: float | None) -> None:
        """Make an update, a hold, or both; an error leaves the state as it was."""
        raise NotImplementedError

    def prepare(self, settings: Iterable[Controls]) -> None:
        """Do nothing: there is no time step to choose."""

    def warn_if_long(self, holds: Array) -> None:
        """Do nothing: moments take no steps."""

    def set(self, changes: ControlArrays) -> None:
        self.tick(changes, None)

    def hold(self, duration: float) -> None:
        self.tick({}, duration)

    def play(
        self,
        holds: Array,
        waveforms: ControlArrays,
        statistics: _core.Statistics | None = None,
    ) -> int:
        for tick, hold in enumerate(holds.tolist()):
            self.tick({name: values[tick] for name, values in waveforms.items()}, hold)
        return len(holds)

    def moments(self, with_covariance: bool) -> tuple[Array, Array]:
        """Mean and covariance of the state."""
        raise NotImplementedError

    def reach(self) -> float:
        mean, covariance = self.moments(True)
        return float(np.abs(mean).max() + np.sqrt(np.diagonal(covariance).max()))

    def read(self, begin: int, end: int) -> NoReturn:
        raise ValueError(
            "read() needs individual replicas; replicas=math.inf has only moments(). Make the "
            "emulator with a finite number of replicas for samples"
        )

    def statistics_plan(
        self, scale: Array, covariance: bool, edges: Array, slots: int, every: int
    ) -> NoReturn:
        raise ValueError(
            "statistics need individual replicas; with replicas=math.inf record 'mean' and "
            "'covariance' instead, which are exact"
        )


def spread(covariance: Array) -> tuple[Array, Array, Array] | None:
    """Widths, correlations and their eigenvalues; None where a direction has no width."""
    width = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    if not (width > 0).all():
        return None
    scaled = covariance / np.outer(width, width)
    values = np.linalg.eigvalsh(scaled)
    return None if values[0] < NARROWEST * len(width) else (width, scaled, values)
