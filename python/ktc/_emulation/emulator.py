"""The emulator: replicas of one network, operated as a device is."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ktc import _core
from ktc._base import storage
from ktc._base.lazy_samples import LazySamples, gained
from ktc._base.resources import memory, thread_count
from ktc._base.single_thread import Exclusive, one_thread
from ktc._base.units import Units
from ktc._base.validation import Array, frozen, positive, random_seed
from ktc._emulation.deferred_results import Instant
from ktc._emulation.differential_entropy import surprisal
from ktc._emulation.emulator_archive import archive, kept, resume
from ktc._emulation.emulator_options import (
    full_state,
    motion,
    precision,
    replica_range,
)
from ktc._emulation.ledger import Ledger
from ktc._emulation.recorder import Recorder, Recording, play_recorded
from ktc._emulation.run import Run
from ktc._emulation.statistics import Observer, Statistics
from ktc._engines.moments_engine import Engine, GaussianEngine, refuse_quartic
from ktc._engines.step_choice import StepChoice
from ktc._model.accounts import accounts_to_keep
from ktc._model.controls import Controls
from ktc._model.description import Described, Description, network_of
from ktc._model.moments import Moments, Reader
from ktc._model.network import Network
from ktc._model.protocol import Protocol
from ktc._model.sparse_stiffness import MOST_DENSE_UNITS

# A smaller ensemble is copied in less time than its covariance takes.
NUMBERS_TO_COPY = 100_000


_TOO_MANY = (
    "{}, are more than the memory of this machine; take fewer, or several emulators in turn with "
    "first_replica"
)


class Emulator(Exclusive):
    """Replicas of a network in exact motion, with an energy ledger.

    It starts in equilibrium at the network's own controls. Controls are held between updates:
    ``set`` books work, ``run`` books heat. Linear networks move exactly over any hold, so there
    is no step size. Overdamped quartic units with one resistor each, at one temperature, move all
    at once by symmetric steps: half of the quartic relaxation, the linear motion by its implicit
    midpoint (exactly where units are uncoupled), the other half; averages are second order in the
    step, and without quartic terms exp(−H/kT) is invariant at any. The rest moves by the splitting
    integrator. The noise of replica r at step s is a function of (seed, r, s) alone: results
    do not depend on threads, nor on how replicas are split over emulators. One thread of Python
    at a time may use an emulator; a call from another one raises RuntimeError meanwhile.

    Args:
        network: a Network, a Board, or another description of one.
        replicas: number of independent copies, in blocks of 64: one takes the memory of 64.
            ``math.inf`` carries the exact mean and covariance of a linear network instead, see
            below.
        seed: below 2**64; None draws one, kept in ``seed``.
        threads: at most this many; None takes the cores this process may use.
        dtype: "float64", or "float32" to keep the state in single precision: half of its memory,
            and about twice the speed of long plays where units move independently or all at once.
            Energies are summed in double; the first law then closes to the rounding of states,
            1e-7 of what was moved, and more for single replicas that moved little.
        dt: longest step of motion that is not exact; None takes a tenth of the network's fastest
            time. Linear networks at one temperature move exactly, without a step.
        resolve_heat: True tells heat apart by resistor, by the splitting integrator; implied where
            temperatures differ, with sources or noise generators, and for quartic units with
            inertia or in circuits with inductors. Without it total heat alone is booked: −ΔH, or
            in a sparse network, which always moves by the splitting integrator, the sum of what
            flowed into its resistors. Their own books take three times the memory of the state.
        first_replica: number of the first replica among all that the seed has: emulators with
            disjoint ranges together hold the same bits as one that has them all.
        state: (replicas, d) or (d,), to start from instead of equilibrium.
        momentum: the same for momenta where there is inertia; zero if only ``state`` is given.
        accounts: names of the accounts to keep, among "work", "heat", "supply", "source",
            "injected", "shadow", "entropy_flow", "heat_per_resistor"; each takes 12 bytes a
            replica. None keeps all that the motion has; ``imbalance()`` needs work and heat.

    With ``replicas=math.inf`` every linear network is carried without sampling noise and without a
    step, resolved heats too: m′ = z* + A (m − z*) and P′ = A P Aᵀ + Q over a hold. ``moments()`` is
    exact, accounts have the shape (1,) and are ensemble means with a standard error of zero,
    ``ledger.variance`` and the ``variance`` of a run's estimates are those over the ensemble, and
    whatever needs single replicas (``read``, ``samples``, states of their own) raises ValueError.
    ``seed``, ``threads`` and ``dtype`` are accepted and mean nothing; ``dt`` and ``first_replica``
    are refused. ``state`` is one for all replicas.

    Raises:
        ValueError, TypeError: a value that is out of range, of a wrong shape, or not a number;
            infinitely many replicas of a network with quartic units, which is not Gaussian.
        MemoryError: more replicas than memory holds.

    Example:
        >>> import ktc
        >>> emulator = ktc.Emulator(ktc.Network(stiffness=1.0, friction=1.0), replicas=1000, seed=7)
        >>> emulator.set(bias=2.0)
        >>> emulator.run(3.0)
        >>> bool(emulator.ledger.imbalance() < 1e-12)
        True
        >>> exact = ktc.Emulator(ktc.Network(stiffness=1.0, friction=1.0), replicas=math.inf)
        >>> exact.set(bias=2.0)
        >>> exact.run(3.0)
        >>> exact.moments().mean.round(4), exact.moments().covariance
        (array([1.9004]), array([[1.]]))
    """

    def __init__(
        self,
        network: Description,
        replicas: float = 1000,
        seed: int | None = None,
        threads: int | None = None,
        dtype: str = "float64",
        dt: float | None = None,
        resolve_heat: bool = False,
        *,
        first_replica: int = 0,
        state: ArrayLike | None = None,
        momentum: ArrayLike | None = None,
        accounts: Sequence[str] | str | None = None,
    ) -> None:
        self.dtype = precision(dtype)
        super().__init__()
        physics = network_of(network, "network")
        if getattr(network, "restricted", False):
            raise ValueError(
                f"network must have no limits of its own, but is {network!r}; make the emulator by "
                "its emulator(...), or pass its .network for the physics alone"
            )
        self.description = network
        self._motion = motion(physics, resolve_heat)
        #: Whether it carries mean and covariance in place of replicas.
        self.infinite = replicas == math.inf
        self.replicas, self.first_replica = replica_range(
            replicas, first_replica, physics.is_sparse
        )
        self.accounts = accounts_to_keep(accounts, self._motion)
        self._steps = StepChoice(physics, self._motion)
        self.dt = None if dt is None else self._steps.given(dt, self.infinite)
        self.seed = random_seed(seed)
        self.threads = thread_count(threads)
        self._start: Array | None = None
        if state is not None or momentum is not None:
            self._start = full_state(physics, network.scale, self.replicas, state, momentum)
        self._instant = Instant()
        self._now: tuple[Controls, Array]
        self._merged: tuple[tuple[Controls, Array] | None, Controls] = (None, physics.controls)
        self._engine: Engine
        self.reset()

    @property
    def network(self) -> Network:
        """The physics, in the network's own units."""
        return self.description.network

    @property
    def scale(self) -> Array:
        """Public state over the network's own, shape (d,): volts per coulomb on a Board."""
        return self.description.scale

    @property
    def symbols(self) -> Units:
        """Unit symbols of the public face."""
        return self.description.symbols

    @property
    def controls(self) -> Controls:
        """The controls that hold now."""
        return self._controls

    @property
    def applied_controls(self) -> Controls:
        """What the device makes of the controls: the same, but on a real board."""
        return self._controls

    @property
    def time(self) -> float:
        """Time that has passed since the start or the last ``reset``."""
        return self._engine.time

    @property
    def ledger(self) -> Ledger:
        """The energy books, opened at the start or when the state was last placed by hand."""
        return Ledger(
            lambda: self._engine, self.network.accounts, self._turn, self.accounts, self._keep
        )

    @property
    def _controls(self) -> Controls:
        """The controls that hold now, put together when they are asked for."""
        now = self._now
        known, bias = now
        if known.bias is bias:
            return known
        merged = self._merged
        if merged[0] is not now:
            merged = self._merged = (now, replace(known, bias=bias))
        return merged[1]

    @_controls.setter
    def _controls(self, controls: Controls) -> None:
        self._now = (controls, controls.bias)

    @one_thread
    def set(self, /, **controls: ArrayLike) -> None:
        """One control update at held state; books work = H(x; θ′) − H(x; θ).

        Args:
            **controls: ``bias`` scalar or (d,), ``stiffness`` (d, d), ``kT`` scalar.

        Raises:
            TypeError: an unknown control.
            ValueError: a value that no network can hold; nothing has changed then.
        """
        if len(controls) > 1 or "bias" not in controls or not self._set_bias(controls["bias"]):
            self._settle(self._controls.updated(**controls))

    @property
    def resolve_heat(self) -> bool:
        """Whether the ledger tells all accounts apart, by the splitting integrator."""
        return self._motion == "split"

    @one_thread
    def run(self, duration: float) -> None:
        """Evolves at held controls for a duration, exactly; books heat and supply.

        Raises:
            ValueError: a duration that is not positive and finite.
        """
        if type(duration) is not float or not 0 < duration < math.inf:
            duration = positive("duration", duration)
        self._keep()
        if self._motion != "exact":
            self._choose_step([self._controls])
        self._engine.hold(duration)

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
        """Plays a protocol from where the emulator stands, and returns its accounts and records.

        All controls are checked before anything moves.

        Args:
            protocol: what to play.
            record: names of quantities to record after every ``every``-th tick, among "state"
                (points, replicas, d), "mean" (points, d), "covariance" (points, d, d), "energy",
                "work", "heat" (points,) (ensemble means), "bias" (points, d). Work is that of the
                ticks so far: the last update, after them, is in ``run.work`` alone.
            every: ticks between records.
            progress: shows a progress bar.
            statistics: what the engine gathers of the state while it plays, in ``run.statistics``.
            to: where records go instead of memory: a folder that holds ``<quantity>.npy`` for
                each, made where it is missing, or one file named ``….npy`` for one quantity. The
                run then has memory maps of them, for reading. A protocol that stops early, by an
                error or Ctrl-C, leaves the records taken so far in them.
            overwrite: replaces files that are there.

        Raises:
            TypeError: an unknown quantity, or something that is not a Protocol.
            ValueError: controls that do not fit this network, with the tick named; statistics that
                do not fit the protocol.
            FileExistsError, OSError: files that are there, or that the disk has no room for.
            MemoryError: statistics or records that take more than this machine has.

        Example:
            >>> import ktc, numpy as np, pathlib, tempfile
            >>> folder = pathlib.Path(tempfile.mkdtemp())
            >>> unit = ktc.Network(stiffness=1.0, friction=1.0)
            >>> emulator = ktc.Emulator(unit, replicas=5, seed=1)
            >>> drive = ktc.Protocol(np.full(100, 0.1), {})
            >>> run = emulator.play(drive, record="state", every=10, to=folder / "x.npy")
            >>> np.load(folder / "x.npy").shape, type(run.series["state"]).__name__
            ((10, 5, 1), 'memmap')
        """
        recording = Recording(record, every, to, overwrite)
        return self.play_read_by(self, protocol, recording, statistics, progress)

    @one_thread
    def play_read_by(
        self,
        reader: Reader,
        protocol: Protocol,
        recording: Recording,
        statistics: Statistics | None,
        progress: bool,
    ) -> Run:
        """``play`` with the states and moments that ``reader`` reads instead of its own."""
        if not isinstance(protocol, Protocol):
            raise TypeError(f"protocol must be a ktc.Protocol, but is {type(protocol).__name__}")
        waveforms, final = protocol.settings(self._controls)
        extremes = [*protocol.extremes(self._controls, waveforms), final]
        for controls in extremes:
            self.network.core.check(controls.arrays(), self._motion)
            if self.infinite:
                refuse_quartic(controls.quartic)
        self._choose_step(extremes)
        observer = None
        if statistics is not None:
            if not isinstance(self._engine, _core.Engine):
                raise ValueError(
                    "statistics are gathered over replicas, of which replicas=math.inf has none "
                    "apart; record='mean' and 'covariance' are exact there"
                )
            observer = Observer(statistics, self._engine, self.scale, protocol.times)
        self._keep()
        initial, before = self._controls, self._balances()
        gaussian = self.resolve_heat and not any(controls.quartic.any() for controls in extremes)
        gaussian = gaussian and not self._beyond_dense
        surprise = self._surprisal() if gaussian else None
        recorder = Recorder(self, reader, protocol, recording)
        with self.ledger.tally() as tally:
            try:
                play_recorded(self._engine, protocol, waveforms, recorder, progress, observer)
            finally:
                recorder.close()
                self._controls = self._engine_controls(waveforms)
            self._settle(final)
            variances = tally()
        samples = self._gained_since(before)
        later = None if surprise is None else self._surprisal()
        if surprise is not None and later is not None:
            samples["entropy_change"] = LazySamples.of(frozen(later - surprise))
        return Run(
            samples=samples,
            variances=variances,
            protocol=protocol,
            network=self.network,
            initial=initial,
            final=final,
            symbols=self.symbols,
            seed=self.seed,
            times=recorder.times,
            series=recorder.series,
            statistics=None if observer is None else observer.result(),
            accounts=self.accounts,
        )

    @one_thread
    def read(self) -> Array:
        """A copy of the state x, shape (replicas, d)."""
        state = self._engine.read(0, self.network.units)
        state *= self.scale
        return state

    @one_thread
    def read_momentum(self) -> Array:
        """A copy of the momenta p, shape (replicas, d).

        Raises:
            ValueError: where the network has no inertia.
        """
        if self.network.inertia is None:
            raise ValueError("this network has no inertia, so there are no momenta to read")
        return self._engine.read(self.network.units, 2 * self.network.units)

    @one_thread
    def write(self, state: ArrayLike, momentum: ArrayLike | None = None) -> None:
        """Places every replica by hand, and opens new books.

        Args:
            state: (replicas, d), or (d,) for all alike.
            momentum: the same for momenta where there is inertia; zero by default.
        """
        full = full_state(self.network, self.scale, self.replicas, state, momentum)
        self._keep()
        self._engine.place(full)

    @one_thread
    def moments(self) -> Moments:
        """Mean and covariance over the replicas."""
        return self._instant.moments(self._moments_now)

    def _moments_now(self) -> Moments:
        scale = self.scale
        return Moments(self._engine.mean()[: len(scale)] * scale, self._covariance)

    @one_thread
    def _covariance(self) -> Array:
        if self._beyond_dense:
            d = self.network.units
            raise ValueError(
                f"the covariance of {d} units takes {8e-9 * d**2:.3g} GB, and a sparse network "
                f"gives one up to {MOST_DENSE_UNITS} units alone; read() the state, and take the "
                "moments of the units that matter"
            )
        return _covariance(self._engine, self.scale)

    @one_thread
    def energy(self) -> Array:
        """H of every replica at the present controls, shape (replicas,)."""
        return self._engine.energy()

    @one_thread
    def equilibrate(self) -> None:
        """Draws every replica afresh from exp(−H/kT)/Z at the present controls; new books.

        Ctrl-C leaves replicas and books as they were, for which draws that take long, those of
        quartic units and sparse networks, keep a copy of the state meanwhile.
        """
        self._keep()
        self._engine.equilibrate()

    @one_thread
    def reset(self) -> None:
        """Back to the very start: first controls, first state, time zero, the same noise.

        Ctrl-C leaves all as it was, as in ``equilibrate``.
        """
        self._keep()
        controls = self.network.controls
        if hasattr(self, "_engine") and isinstance(self._engine, _core.Engine):
            self._engine.restart(controls.arrays(), self._start_array())
            self._choose_step([controls])
        else:
            self._engine = self._new_engine(controls)
        self._controls = controls

    @one_thread
    def copy(self) -> Emulator:
        """An emulator in the same state that goes on by itself, with the same noise."""
        twin = Emulator.__new__(Emulator)
        vars(twin).update(vars(self))
        Exclusive.__init__(twin)
        twin._engine = self._engine.copy()
        twin._instant = Instant()
        return twin

    def __del__(self) -> None:
        # A run must not hold on to the whole ensemble for the sake of its samples.
        if hasattr(self, "_instant"):
            self._instant.keep()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Saves everything that a resumed run needs to give the same bits."""
        storage.save(path, "Emulator", *self.archive())

    @one_thread
    def archive(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Header and arrays of which ``of_archive`` makes the same emulator."""
        return archive(self)

    @classmethod
    def load(cls, path: str | os.PathLike[str], threads: int | None = None) -> Emulator:
        """The emulator that was saved; it goes on with the same bits on any number of threads.

        Raises:
            FileNotFoundError: no such file.
            ValueError: a file that is truncated, of another kind, or of another minor version,
                which could not promise the same bits.
        """
        threads = thread_count(threads)
        header, arrays = storage.load(path, "Emulator", resumes=True)
        with storage.rebuilding(path):
            network = Network.from_dict(storage.part(arrays, "network_"))
            described = Described(network, arrays["scale"], Units(**header["symbols"]))
            return cls.of_archive(described, header, arrays, threads)

    @classmethod
    def of_archive(
        cls,
        description: Description,
        header: Mapping[str, Any],
        arrays: Mapping[str, Array],
        threads: int | None,
    ) -> Emulator:
        """The emulator of ``description`` whose ``archive`` this is."""
        emulator = cls(
            description, threads=threads, state=np.zeros(description.network.units), **kept(header)
        )
        resume(emulator, arrays)
        return emulator

    def _new_engine(self, controls: Controls) -> Engine:
        if self.infinite:
            return GaussianEngine(
                self.network, controls.arrays(), self.resolve_heat, self._start_array()
            )
        needed = f"{self.replicas} replicas, whose states and books take {self._gigabytes():.3g} GB"
        if 1e9 * self._gigabytes() > memory():
            raise MemoryError(_TOO_MANY.format(needed))
        try:
            return _core.Engine(
                network=self.network.core,
                controls=controls.arrays(),
                seed=self.seed,
                first_replica=self.first_replica,
                replicas=int(self.replicas),
                threads=self.threads,
                motion=self._motion,
                dtype=self.dtype,
                longest_step=self._steps.longest(self.dt, [controls]),
                state=self._start_array(),
                accounts=self.accounts,
            )
        except MemoryError:
            raise MemoryError(_TOO_MANY.format(needed)) from None

    def _set_bias(self, bias: ArrayLike) -> bool:
        """Sets a bias that needs no preparation; False, and nothing done, where it does.

        What a controller passes thousands of times a second is checked by the core alone.
        """
        if type(bias) is not np.ndarray or bias.dtype != np.float64:
            return False
        if bias.shape != self._now[1].shape:
            return False
        own = frozen(bias.copy())
        if self._instant.taken:
            if not np.isfinite(own).all():
                return False
            self._keep()
        try:
            self._engine.set({"bias": own})
        except ValueError:
            return False
        self._now = (self._now[0], own)
        return True

    def _settle(self, controls: Controls) -> None:
        self._keep()
        before = self._controls
        self._engine.set(
            {
                name: values
                for name, values in controls.arrays().items()
                if getattr(controls, _held(name)) is not getattr(before, _held(name))
            }
        )
        self._controls = controls

    def _engine_controls(self, played: Iterable[str]) -> Controls:
        """Controls after a protocol of these: what it left alone needs no look, and is the same."""
        held = self._engine.controls()
        return self._controls.updated(**{name: held[name] for name in played})

    @property
    def _beyond_dense(self) -> bool:
        return self.network.is_sparse and self.network.units > MOST_DENSE_UNITS

    def _surprisal(self) -> Array | None:
        if isinstance(self._engine, GaussianEngine):
            return self._engine.surprisal()
        return surprisal(self._engine, self.network.core.dimension)

    def _gigabytes(self) -> float:
        """Memory of coordinates, of accounts (12 bytes each) and of opening energies."""
        d = self.network.units
        accounts = 3 if self.accounts is None else len(self.accounts)
        size = 4 if self.dtype == "float32" else 8
        if self.network.is_sparse:
            # Lanes of whole blocks, and the lines of each unit's resistor.
            lanes = -(-self.replicas // 64) * 64
            return 8e-9 * (lanes * d * (4 if self.resolve_heat else 1) + 60 * d)
        coordinates = d * (1 if self.network.inertia is None else 2)
        return 1e-9 * self.replicas * (size * coordinates + 12 * accounts + 8)

    def _choose_step(self, settings: Iterable[Controls]) -> None:
        if self._motion != "exact" and isinstance(self._engine, _core.Engine):
            self._engine.longest_step = self._steps.longest(self.dt, settings)

    def _balances(self) -> dict[str, Array]:
        """The accounts, without those that are zero, which need no memory."""
        read = partial(_balance, self.ledger)
        return {name: known for name in self.ledger.names if (known := read(name)) is not None}

    def _gained_since(self, before: Mapping[str, Array]) -> dict[str, LazySamples]:
        """What each account has gained, read from the books until they move on."""
        engine = self._engine
        books = Ledger(lambda: engine, self.network.accounts, RLock(), self.accounts)
        samples = {
            name: gained(partial(getattr, books, name), before.get(name)) for name in books.names
        }
        self._instant.note(samples.values())
        return samples

    def _keep(self) -> None:
        """Finishes what somebody still holds of this instant, before the state moves on."""
        if not self._instant.taken:
            return
        held = self._instant.keep()
        if held is None or self._beyond_dense:
            return
        if self.replicas * len(self.scale) <= NUMBERS_TO_COPY:
            engine, scale = self._engine.copy(), self.scale
            held.finish(lambda: _covariance(engine, scale))
        else:
            _ = held.covariance

    def _start_array(self) -> Array:
        return np.empty(0) if self._start is None else self._start

    def __repr__(self) -> str:
        return (
            f"<ktc.Emulator: {self.replicas} replicas of {self.description!r}, "
            f"seed={self.seed}, time={self.time:g}>"
        )


def _held(name: str) -> str:
    """Where Controls keep a control, without making a sparse one dense."""
    return "held_stiffness" if name == "stiffness" else name


def _covariance(engine: Engine, scale: Array) -> Array:
    d = len(scale)
    covariance: Array = engine.moments(True)[1][:d, :d] * np.outer(scale, scale)
    return covariance


def _balance(ledger: Ledger, name: str) -> Array | None:
    """An account, or None where it is zero."""
    amount: Array = getattr(ledger, name)
    return amount if amount.any() else None
