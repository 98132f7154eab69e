"""The contract of a frontend: what lies between a script and the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from numpy.typing import ArrayLike

from ktc._base.codec import Saved
from ktc._base.single_thread import Locked
from ktc._base.validation import Array
from ktc._emulation.recorder import Recording
from ktc._emulation.run import Run
from ktc._engines.engine import Engine
from ktc._engines.ensemble_options import EnsembleOptions
from ktc._model.controls import Controls
from ktc._model.description import Description
from ktc._model.imperfections import Imperfections
from ktc._model.moments import Moments
from ktc._model.network import Network
from ktc._model.protocol import Protocol as Drive

if TYPE_CHECKING:
    from ktc._emulation.ideal_frontend import IdealFrontend


class Frontend(Locked, Protocol):
    """Programs the engine's controls and reads its state, ideally or as hardware does.

    ``ktc.Emulator`` holds the lock and the documentation; a frontend does the work.

    Attributes:
        engine: the ensemble.
        options: the options of the ensemble.
        sources: values of the sources of a circuit, since one was set by name.
    """

    engine: Engine
    options: EnsembleOptions
    sources: Array | None

    @property
    def description(self) -> Description:
        """What a script works with: its network, scale and units."""

    @property
    def network(self) -> Network:
        """The network as designed, with the elements that it has now."""

    @property
    def realised(self) -> Description:
        """What the engine moves: the same, or the hardware as it was built."""

    @property
    def controls(self) -> Controls:
        """The controls as programmed."""

    @property
    def realised_controls(self) -> Controls:
        """The controls as realised by the hardware."""

    @property
    def imperfections(self) -> Imperfections | None:
        """The data sheet of the hardware; None without hardware."""

    @property
    def rested(self) -> float:
        """Time since controls or state last changed; infinite where replicas were drawn since."""

    @property
    def shortest_tick(self) -> float:
        """Least time of a tick after which the device is read and updated."""

    def set(self, controls: Mapping[str, ArrayLike]) -> None:
        """Program one control update."""

    def run(self, duration: float) -> None:
        """Evolve at held controls."""

    def settle(self) -> None:
        """Wait until analog outputs have settled."""

    def play(self, protocol: Drive, recording: Recording) -> Run:
        """Play a protocol."""

    def read(self) -> Array:
        """Read the state, shape (replicas, d)."""

    def moments(self) -> Moments:
        """Read mean and covariance over the replicas."""

    def write(self, state: ArrayLike, momentum: ArrayLike | None) -> None:
        """Place every replica."""

    def equilibrate(self) -> None:
        """Draw every replica in the stationary state."""

    def reset(self) -> None:
        """Go back to the start."""

    def keep_results(self) -> None:
        """Materialise lazy results before the state or the ledger changes."""

    def copy(self) -> Frontend:
        """A frontend in the same state, with an engine and a lock of its own."""

    def saved(self) -> Saved:
        """Everything beside description and options that ``restore`` needs."""

    def restore(self, saved: Saved) -> None:
        """Go on from what was ``saved``."""


@runtime_checkable
class Hardware(Protocol):
    """A description that has a frontend of its own, such as a ``ktc.Board``."""

    @property
    def restricted(self) -> bool:
        """Whether the hardware does anything that an ideal frontend does not."""

    @property
    def realised(self) -> Description:
        """What the engine of its emulators moves: the hardware as it was built."""

    def frontend(self, inner: IdealFrontend) -> Frontend:
        """The hardware's frontend in front of an ideal one of what is ``realised``."""
