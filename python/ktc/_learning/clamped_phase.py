"""The positive phase of a model with hidden units: replicas whose visible units the data hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from ktc._base.validation import Array
from ktc._emulation.emulator import Emulator
from ktc._learning.averages import data_forces, replica_forces
from ktc._learning.batches import Batches
from ktc._model.controls import Controls
from ktc._model.description import Described
from ktc._model.network import Network
from ktc._model.parameters import Parameters

#: Friction of a clamped unit over the network's own largest one: it moves by √2·10⁻⁵
#: of its thermal width in a relaxation time, so that it stands still.
CLAMP = 1e10
# Relaxation times for which hidden units run before learning starts.
BURN_IN = 10.0


class ClampedPhase:
    """A second ensemble of the same network, one data sample a replica on its visible units.

    Visible units are held by friction: H(v, h) is that of the network, K_hv v enters the force on
    the hidden units as it does in it, and they relax to exp(−H(v, h)/kT)/Z(v), which is where a
    device whose visible nodes are clamped relaxes to. Its books are those of the whole H: work of
    the updates on clamped cells too, and the heat of the hidden units.

    Args:
        start: the device at its first controls.
        parameters: what is learned.
        samples: of the visible units, public, shape (n, visible).
        hidden: numbers of the hidden units.
        replicas: in all, dealt to the samples in turn; at least one each.
        seed: of the noise.
        threads: of the emulator.
        batches: which samples' replicas an update reads; all by default.
    """

    def __init__(
        self,
        start: Described,
        parameters: Parameters,
        samples: Array,
        hidden: Array,
        replicas: int,
        seed: int | None,
        threads: int | None,
        batches: Batches | None = None,
    ) -> None:
        net = start.network
        if (
            net.inertia is not None
            or not net.has_friction
            or np.count_nonzero(net.friction - np.diag(net.friction.diagonal()))
        ):
            raise ValueError(
                "hidden units need an overdamped network with one resistor a unit: what holds the "
                "visible ones is their own; take a diagonal friction, and no inertia"
            )
        visible = np.setdiff1d(np.arange(net.units), hidden)
        friction = net.friction.diagonal().copy()
        friction[visible] = CLAMP * friction.max()
        quartic = net.quartic if net.quartic.any() else None
        held = Network(
            net.stiffness,
            friction,
            net.common_kT,
            net.bias,
            quartic,
        )
        free = Emulator(start, replicas, seed, threads)
        state = free.read()
        state[:, visible] = samples[np.arange(replicas) % len(samples)]
        # A constant motion for all of the run: quartic terms may be learned from zero.
        self._emulator = Emulator(
            Described(held, start.scale, start.symbols), replicas, seed, threads, state=state
        )
        self._parameters, self.batches = parameters, batches
        self._sample = np.arange(replicas) % len(samples)
        own = net.stiffness[np.ix_(hidden, hidden)] / friction[hidden][:, None]
        rates = np.abs(np.linalg.eigvals(own))
        self.burn_in = float(BURN_IN / rates.min()) if rates.min() > 0 else 0.0
        if self.burn_in:
            self._emulator.run(self.burn_in)

    def forces(self) -> Array:
        """⟨∂_θH⟩ over the next batch of samples and their hidden states, shape (p,)."""
        if self.batches is None:
            return self.all_forces()
        read = np.isin(self._sample, self.batches.draw())
        return data_forces(self._emulator.read()[read], self._parameters)

    def all_forces(self) -> Array:
        """⟨∂_θH⟩ over all samples and hidden states, shape (p,)."""
        return replica_forces(self._emulator, self._parameters)[0]

    def sample_forces(self, most: int) -> Array:
        """∂_θH of one replica of each sample, or of as many that lie apart evenly, (n, p)."""
        many = int(self._sample.max()) + 1
        return self._parameters.forces(self._emulator.read()[: many : -(-many // most)])

    def set(self, **controls: Array) -> None:
        """The same update as the free replicas'."""
        self._emulator.set(**controls)

    def run(self, duration: float) -> None:
        """Hidden units move."""
        self._emulator.run(duration)

    @property
    def books(self) -> tuple[float, float]:
        """Mean work and heat."""
        ledger = self._emulator.ledger
        return float(np.mean(ledger.work)), float(np.mean(ledger.heat))

    @property
    def emulator(self) -> Any:
        """The ensemble."""
        return self._emulator

    @property
    def controls(self) -> Controls:
        """That hold now."""
        return self._emulator.controls
