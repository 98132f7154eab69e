"""The ideal frontend: controls reach the engine as programmed, and the true state is read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.codec import Saved
from ktc._base.lazy_imports import interrupts_deferred
from ktc._base.resources import allocating
from ktc._base.single_thread import Turn, one_thread
from ktc._base.validation import Array, frozen, not_negative, of_type, positive, real_array
from ktc._circuits.compiled_circuit import CompiledCircuit
from ktc._circuits.named_controls import resolved_change
from ktc._emulation.deferred_results import DeferredResults
from ktc._emulation.extreme_controls import refuse_overflow
from ktc._emulation.playing import play_from
from ktc._emulation.recorder import Recording
from ktc._emulation.run import Run
from ktc._engines.engine import Engine
from ktc._engines.ensemble_options import EnsembleOptions
from ktc._engines.factory import STATIONARY, new_engine
from ktc._model.controls import Controls
from ktc._model.description import Described, Description
from ktc._model.moments import Moments, Reader
from ktc._model.network import Network
from ktc._model.protocol import Protocol
from ktc._model.sparse_stiffness import MOST_DENSE_UNITS
from ktc._theory.relaxation import rest_after

# A smaller ensemble is copied in less time than its covariance takes.
NUMBERS_TO_COPY = 100_000


class IdealFrontend:
    """``Frontend`` without hardware; hardware frontends work through one.

    ``reset`` goes back to ``start``, (replicas, n), or to the stationary state where it is empty.
    ``since`` is the time of the last change of controls or of the state from outside, −∞ where the
    replicas were drawn in the stationary state after it.
    """

    imperfections = None
    shortest_tick = 0.0

    def __init__(
        self,
        description: Description,
        options: EnsembleOptions,
        engine: Engine,
        start: Array = STATIONARY,
    ) -> None:
        self._lock = Turn()
        self.description = self.realised = description
        self.options, self.engine, self.start = options, engine, start
        self.network, self.scale = description.network, description.scale
        #: values of the sources of a circuit that were last given by name
        self.sources: Array | None = None
        self.results = DeferredResults()
        self._stepped = not options.exact
        self._now: tuple[Controls, Array]
        self._merged: tuple[tuple[Controls, Array] | None, Controls]
        self._merged = (None, self.network.controls)
        self.controls = self.network.controls
        self.since = -math.inf if start is STATIONARY else engine.time

    @classmethod
    def of(
        cls,
        description: Description,
        options: EnsembleOptions,
        state: ArrayLike | None = None,
        momentum: ArrayLike | None = None,
    ) -> IdealFrontend:
        """One with a new engine: in equilibrium, or at a state in public units."""
        start, given = STATIONARY, [each for each in (state, momentum) if each is not None]
        if given:
            start = placed_state(description, options.replicas, state, momentum)
        if options.first_step is None and not options.infinite:
            alike = all(np.ndim(each) < 2 for each in given)
            step = _chosen_step(start[:1] if alike else start) if given else 0
            options = replace(options, first_step=step)
        return cls(description, options, new_engine(description.network, options, start), start)

    @property
    def controls(self) -> Controls:
        """The controls that hold now; their bias is put in when they are asked for."""
        now = self._now
        known, bias = now
        if known.bias is bias:
            return known
        merged = self._merged
        if merged[0] is not now:
            merged = self._merged = (now, replace(known, bias=bias))
        return merged[1]

    @controls.setter
    def controls(self, controls: Controls) -> None:
        self._now = (controls, controls.bias)

    @property
    def realised_controls(self) -> Controls:
        return self.controls

    @property
    def rested(self) -> float:
        return self.engine.time - self.since

    @property
    def beyond_dense(self) -> bool:
        """Whether a covariance would be too large a matrix."""
        return self.network.is_sparse and self.network.units > MOST_DENSE_UNITS

    def set(self, controls: Mapping[str, ArrayLike]) -> None:
        """Update controls at held state.

        A bias that needs no conversion is checked by the engine alone, because a controller sets
        it thousands of times a second.
        """
        if len(controls) > 1 or "bias" not in controls or not self._set_bias(controls["bias"]):
            present = self.controls
            change = resolved_change(self.network, present, controls, self.sources)
            updated = present.updated(self.options.replicas, **change.controls)
            if {"stiffness", "quartic"} & change.controls.keys():
                self.refuse_overflow(updated)
            self.apply(updated, change.network)
            self.sources = change.sources

    def refuse_overflow(self, controls: Controls) -> None:
        """Refuse controls at which the energy of the present state, or its square, overflows."""
        refuse_overflow(controls, self.engine, self.options)

    def _set_bias(self, bias: ArrayLike) -> bool:
        """Set a bias; False, with nothing changed, where it has to be converted or explained."""
        if type(bias) is not np.ndarray or bias.dtype != np.float64:
            return False
        if bias.shape != self._now[1].shape:
            return False
        own = frozen(bias.copy())
        if self.results.pending:
            if not np.isfinite(own).all():
                return False
            self.keep_results()
        try:
            self.engine.set({"bias": own})
            before = self._now[1]
            # Nearly every update changes the first unit.
            if own.item(0) != before.item(0) or (own != before).any():
                self.since = self.engine.time
            self._now = (self._now[0], own)
        except ValueError:
            return False
        except KeyboardInterrupt:
            self.follow(["bias"])
            raise
        return True

    def apply(self, controls: Controls, network: Network | None = None) -> None:
        """Update to controls that are valid, and to a network with other elements."""
        self.keep_results()
        before, after = self.controls, self.network if network is None else network
        changes = {
            name: values
            for name, values in controls.arrays().items()
            if getattr(controls, _held(name)) is not getattr(before, _held(name))
        }
        exchanged = after is not self.network
        if exchanged:
            self.require_exchangeable()
        since = self.since if controls == before else self.engine.time
        if exchanged and since == self.since:
            since = self.engine.time - rest_after(self.network, self.rested, [after], before)
        with interrupts_deferred():
            if exchanged:
                self.engine.exchange(after, changes)
            else:
                self.engine.set(changes)
            self.controls, self.since = controls, since
            self._adopt(after)

    def require_exchangeable(self) -> None:
        """Refuse other elements for a description that is more than a network."""
        if not isinstance(self.description, Network | Described):
            raise ValueError(
                f"friction is fixed by the resistors of {self.description!r}; make the emulator of "
                "its .network"
            )

    def _adopt(self, network: Network) -> None:
        """Describe what the engine moves now."""
        if network is self.network:
            return
        self.network, self.realised = network, self.description
        if network is not self.description.network:
            self.realised = Described(network, self.scale, self.description.symbols)

    def follow(self, names: Iterable[str]) -> None:
        """Take over these controls from the engine, which a stop may have left at new ones."""
        self._adopt(self.engine.network)
        held = self.engine.controls()
        self.since = self.engine.time
        changes = {name: held[name] for name in names}
        self.controls = self.controls.updated(self.options.replicas, **changes)

    def run(self, duration: float) -> None:
        if type(duration) is not float or not 0 < duration < math.inf:
            duration = positive("duration", duration)
        if self.results.pending:
            self.keep_results()
        if self._stepped:
            self.engine.prepare([self.controls])
            self.engine.warn_if_long(np.array([duration]))
        self.engine.hold(duration)

    def settle(self) -> None:
        """Return at once: ideal outputs do not settle."""

    def play(self, protocol: Protocol, recording: Recording, reader: Reader | None = None) -> Run:
        """Play a protocol; ``reader`` gives the states and moments that are recorded."""
        return play_from(self, reader or self, protocol, recording)

    def read(self) -> Array:
        state = self.engine.read(0, self.network.units)
        state *= self.scale
        return state

    def moments(self) -> Moments:
        known = self.results.known_moments()
        if known is None:
            scale = self.scale
            known = Moments(self.engine.mean()[: len(scale)] * scale, self._covariance)
            self.results.note_moments(known)
        return known

    @one_thread
    def _covariance(self) -> Array:
        if self.beyond_dense:
            d = self.network.units
            raise ValueError(
                f"the covariance of {d} units takes {8e-9 * d**2:.3g} GB, and a sparse network "
                f"gives one up to {MOST_DENSE_UNITS} units only; read() the state, and take the "
                "moments of the units that matter"
            )
        return _covariance(self.engine, self.scale)

    def write(self, state: ArrayLike, momentum: ArrayLike | None = None) -> None:
        placed = placed_state(self.description, self.options.replicas, state, momentum)
        self.keep_results()
        with interrupts_deferred():
            self.engine.place(placed)
            self.since = self.engine.time

    def equilibrate(self) -> None:
        self.keep_results()
        self.engine.equilibrate()
        self.since = -math.inf

    def reset(self) -> None:
        self.keep_results()
        origin = self.description.network
        controls = origin.controls
        try:
            if self.network is not origin:
                self.engine.exchange(origin, controls.arrays())
            self.engine.restart(controls.arrays(), self.start)
            self.controls, self.sources = controls, None
            self.since = self.engine.time if self.start.size else -math.inf
            self._adopt(origin)
        except KeyboardInterrupt:
            if self.engine.network is self.network:
                self.engine.set(self.controls.arrays())
            else:
                self.engine.exchange(self.network, self.controls.arrays())
            raise

    def keep_results(self) -> None:
        if not self.results.pending:
            return
        held = self.results.keep()
        if held is not None and not self.beyond_dense:
            if self.options.replicas * len(self.scale) <= NUMBERS_TO_COPY:
                engine, scale = self.engine.copy(), self.scale
                held.finish(lambda: _covariance(engine, scale))
            else:
                _ = held.covariance
        # Last, so that an interruption leaves them to the next call.
        self.results.forget()

    def copy(self) -> IdealFrontend:
        twin = IdealFrontend.__new__(IdealFrontend)
        vars(twin).update(vars(self))
        twin._lock, twin.engine, twin.results = Turn(), self.engine.copy(), DeferredResults()
        return twin

    def saved(self) -> Saved:
        """State of the engine, and its controls apart: a sparse stiffness is an object."""
        controls = self.controls
        snapshot = self.engine.snapshot()
        state = {name: values for name, values in snapshot.items() if name not in controls.arrays()}
        since = None if self.since == -math.inf else self.since
        sources = np.empty(0) if self.sources is None else self.sources
        return {
            "engine": state,
            "held": controls,
            "start": self.start,
            "exchanged": [] if self.network is self.description.network else [self.network],
            "since": since,
            "sources": sources,
        }

    def restore(self, saved: Saved) -> None:
        controls = self.controls.checked(saved["held"], self.options.replicas)
        not_negative("state/engine/time", saved["engine"]["time"])
        for network in saved["exchanged"]:
            self.engine.exchange(of_type("state/exchanged", network, Network), {})
            self._adopt(network)
        self.engine.restore({**saved["engine"], **controls.arrays()})
        start = saved["start"]
        # None, one for all replicas, or one for each.
        if start.size and start.shape[1:] != self.start.shape[1:]:
            raise ValueError(f"start is of shape {start.shape}")
        sources = saved["sources"]
        network = self.network
        count = len(network.sources) if isinstance(network, CompiledCircuit) else 0
        if sources.shape not in ((0,), (count,)) or np.isinf(sources).any():
            raise ValueError(f"sources must be {count} values, but are of shape {sources.shape}")
        self.controls, self.start = controls, start
        self.since = -math.inf if saved["since"] is None else saved["since"]
        self.sources = sources if sources.size else None

    def __del__(self) -> None:
        # A run must not hold on to the whole ensemble for the sake of its samples.
        if hasattr(self, "results"):
            self.results.keep()


def _held(name: str) -> str:
    """Where Controls keep a control, without making a sparse one dense."""
    return "held_stiffness" if name == "stiffness" else name


def _covariance(engine: Engine, scale: Array) -> Array:
    d = len(scale)
    return np.asarray(engine.moments(True)[1][:d, :d] * np.outer(scale, scale))


def _chosen_step(start: Array) -> int:
    """The first step of noise for given states, below 2**62.

    Chunks that each start from the states of the last one would otherwise repeat the noise that
    these states contain. Zeros of both signs are alike.
    """
    with interrupts_deferred():
        import hashlib  # slow to import

    digest = hashlib.blake2b(np.ascontiguousarray(start + 0.0).data, digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 2


def placed_state(
    description: Description,
    replicas: float,
    state: ArrayLike | None,
    momentum: ArrayLike | None,
) -> Array:
    """(x, p) of every replica in the network's own coordinates; one row for infinitely many.

    ``state`` and ``momentum`` are (replicas, d), (d,) or a scalar, in public units.
    """
    network = description.network
    if state is None:
        raise ValueError("momentum is given without state; give both")
    shape = (1 if replicas == math.inf else int(replicas), network.units)
    parts = [_replicated("state", state, shape)]
    if network.inertia is not None:
        parts.append(_replicated("momentum", 0.0 if momentum is None else momentum, shape))
    elif momentum is not None:
        raise ValueError("momentum is given, but this network has no inertia; leave it out")
    with allocating("replicas", replicas):
        parts[0] = parts[0] / description.scale
        return np.ascontiguousarray(np.concatenate(parts, axis=1))


def _replicated(name: str, value: ArrayLike, shape: tuple[int, int]) -> Array:
    array = real_array(name, value)
    if array.shape not in (shape, shape[1:], ()):
        raise ValueError(
            f"{name} must have shape {shape} or {shape[1:]}, but has shape {array.shape}"
        )
    return np.broadcast_to(array, shape)
