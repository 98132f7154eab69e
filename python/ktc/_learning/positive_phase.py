"""The positive phase: ⟨∂_θH⟩ under the data, or under replicas whose visible units these clamp."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ktc._base.codec import Saved
from ktc._base.validation import Array
from ktc._emulation.emulator import Emulator, restored_emulator, saved_emulator
from ktc._learning.averages import data_forces, replica_forces
from ktc._learning.data import Batches
from ktc._model.description import Described
from ktc._model.device import Device, is_infinite
from ktc._model.network import Network
from ktc._model.parameters import Parameters

#: Friction of a clamped unit over the network's largest: it moves by √2·10⁻⁵ of its thermal width
#: in a relaxation time.
CLAMP = 1e10
#: Number of the random stream of the clamped ensemble.
STREAM = 0x6B74636C
# Relaxation times for which hidden units run before learning starts.
BURN_IN = 10.0


class DataPhase:
    """Averages over data that all units have: of all samples, or of one batch after another."""

    accounts = None

    def __init__(
        self, samples: Array, parameters: Parameters, batches: Batches | None = None
    ) -> None:
        self._samples, self._parameters, self.batches = samples, parameters, batches
        self._all = data_forces(samples, parameters)
        self._few: Array | None = None

    @property
    def whole(self) -> bool:
        """Whether every update sees all samples."""
        return self.batches is None or self.batches.share == 0

    def forces(self) -> Array:
        """⟨∂_θH⟩ over the next batch, shape (p,)."""
        if self.batches is None:
            return self._all
        return data_forces(self._samples[self.batches.draw()], self._parameters)

    def all_forces(self) -> Array:
        """⟨∂_θH⟩ over all of the data, shape (p,)."""
        return self._all

    def forces_by_sample(self) -> Array:
        """∂_θH of every sample, shape (n, p)."""
        return self._parameters.forces(self._samples)

    def sample_forces(self, most: int) -> Array:
        """∂_θH of all samples, or of as many evenly spaced ones, shape (n, p)."""
        if self._few is None:
            self._few = self._parameters.forces(self._samples[:: -(-len(self._samples) // most)])
        return self._few

    def set(self, **controls: Array) -> None:
        """Nothing: the data do not depend on the controls."""

    def run(self, duration: float) -> None:
        """Nothing: the data do not depend on time."""


class ClampedPhase:
    """A second ensemble of the same network, with the visible units of each replica at one sample.

    Visible units are held by friction: H(v, h) is that of the network, so that hidden units feel
    the force K_hv v and relax to exp(−H(v, h)/kT)/Z(v), as those of a device with clamped visible
    nodes do. Its accounts are those of the whole H: work of the updates on clamped units too, and
    the heat of the hidden units. There are as many replicas as the device has, dealt to the samples
    in turn, at least one each.
    """

    def __init__(
        self,
        start: Described,
        parameters: Parameters,
        samples: Array,
        hidden: NDArray[np.intp],
        device: Device,
        seed: int | None,
        threads: int | None,
        batches: Batches | None,
    ) -> None:
        if is_infinite(device.ledger):
            raise ValueError("replicas must be finite with hidden units, which data clamp")
        net = start.network
        separate = net.has_friction and not np.triu(net.friction, 1).any()
        if net.inertia is not None or not separate:
            raise ValueError(
                "hidden units need an overdamped network with one resistor per unit, by which the "
                "visible units are held; take a diagonal friction, and no inertia"
            )
        visible = np.setdiff1d(np.arange(net.units), hidden)
        friction = net.friction.diagonal().copy()
        friction[visible] = CLAMP * friction.max()
        held = Network(
            net.stiffness, friction, net.common_kT, net.bias, net.quartic, potential=net.potentials
        )
        replicas = max(len(device.ledger.work), len(samples))
        stream = np.random.SeedSequence([seed or 0, STREAM])
        seed = int(stream.generate_state(1, np.uint64)[0])
        self._sample = np.arange(replicas) % len(samples)
        state = Emulator(start, replicas, seed, threads).read()
        state[:, visible] = samples[self._sample]
        clamped = Described(held, start.scale, start.symbols)
        self._emulator = Emulator(clamped, replicas, seed, threads)
        self._emulator.write(state)
        self._parameters, self.batches, self._threads = parameters, batches, threads
        self.hidden, self._samples = hidden, samples
        self.set, self.run = self._emulator.set, self._emulator.run
        own = net.stiffness[np.ix_(hidden, hidden)] / friction[hidden][:, None]
        slowest = np.abs(np.linalg.eigvals(own)).min()
        if slowest > 0:
            self.run(float(BURN_IN / slowest))

    def forces(self) -> Array:
        """⟨∂_θH⟩ over the next batch of samples and their hidden states, shape (p,)."""
        if self.batches is None:
            return self.all_forces()
        read = np.isin(self._sample, self.batches.draw())
        return data_forces(self._emulator.read()[read], self._parameters)

    def all_forces(self) -> Array:
        """⟨∂_θH⟩ over all samples and their hidden states, shape (p,)."""
        return replica_forces(self._emulator, self._parameters)[0]

    @property
    def whole(self) -> bool:
        """Whether every update sees all samples."""
        return self.batches is None or self.batches.share == 0

    def forces_by_sample(self) -> Array:
        """⟨∂_θH⟩ over the replicas of every sample, shape (n, p)."""
        forces = self._parameters.forces(self._emulator.read())
        many = len(self._samples)
        found = np.zeros((many, forces.shape[1]))
        np.add.at(found, self._sample, forces)
        return found / np.bincount(self._sample, minlength=many)[:, None]

    @property
    def state(self) -> Array:
        """Public state of every clamped replica, shape (replicas, d)."""
        return self._emulator.read()

    @property
    def moments(self) -> tuple[Array, Array]:
        """Mean and covariance (divided by n) of the data."""
        spread = np.cov(self._samples.T, bias=True).reshape(2 * [self._samples.shape[1]])
        return self._samples.mean(axis=0), spread

    def sample_forces(self, most: int) -> Array:
        """∂_θH of one replica of each sample, or of as many evenly spaced ones, shape (n, p)."""
        many = int(self._sample.max()) + 1
        return self._parameters.forces(self._emulator.read()[: many : -(-many // most)])

    def saved(self) -> dict[str, object]:
        """The ensemble, as ``restore`` takes it."""
        return saved_emulator(self._emulator)

    def restore(self, saved: Saved) -> None:
        """Go on with the ensemble that was ``saved``."""
        found = restored_emulator(**saved, threads=self._threads)
        sizes = [(e.replicas, e.network.units) for e in (found, self._emulator)]
        if sizes[0] != sizes[1]:
            raise ValueError(f"clamped must have {sizes[1]} replicas and units, not {sizes[0]}")
        self._emulator, self.set, self.run = found, found.set, found.run

    @property
    def accounts(self) -> tuple[Array, Array]:
        """Work and heat of each replica so far."""
        ledger = self._emulator.ledger
        return np.array(ledger.work), np.array(ledger.heat)


PositivePhase: TypeAlias = DataPhase | ClampedPhase
