"""The run of all inputs of an inference, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ktc._base.estimate import Estimate
from ktc._base.resources import allocating
from ktc._base.validation import Array, broadcast_to_units, count, items, real_array
from ktc._emulation.emulator import Emulator
from ktc._emulation.frontend import Hardware
from ktc._engines.step_size import default_step
from ktc._model.conditional import Split
from ktc._model.description import Described, Description, network_of
from ktc._tasks.held_inputs import ROWS, HeldInputs

#: Numbers of the state that move at once by default: 64 MiB of doubles.
NUMBERS_AT_ONCE = 2**23


class Options(NamedTuple):
    """Options of the emulators, as of ``ktc.Emulator``."""

    seed: int
    threads: int | None
    dtype: str
    dt: float | None


class InferenceTask:
    """Checked inputs and outputs of a device, and the run of all inputs, chunk by chunk."""

    def __init__(
        self,
        device: Description,
        inputs: tuple[ArrayLike, ArrayLike],
        outputs: ArrayLike | None,
        replicas: int,
        state: ArrayLike | None,
    ) -> None:
        self.whole, network = device, network_of(device, "network")
        if isinstance(device, Hardware) and device.restricted:
            raise ValueError(
                f"network must have no limits of its own, but is {device!r}; pass its .network "
                "for the physics alone"
            )
        units, values = _pair(inputs)
        self.split = Split.of(units, network.units, "inputs")
        if not len(self.split.held):
            raise ValueError("inputs must name a unit to hold, but name none")
        self.values = _rows(values, len(self.split.held))
        self.outputs = _checked_outputs(outputs, self.split)
        self.replicas = count("replicas_per_input", replicas)
        self.scale, held = self.whole.scale, self.split.held
        self._start = None if state is None else self._placed(state)
        resting = network.conditioned(held, np.zeros(len(held)))
        self.moving = Described(resting, self.scale[self.split.moving], self.whole.symbols)
        self._held = HeldInputs(network, self.split)

    def _placed(self, state: ArrayLike) -> Array:
        units = len(self.scale)
        return broadcast_to_units("state", real_array("state", state), units) / self.scale

    def checked_labels(self, labels: ArrayLike | None) -> NDArray[np.intp] | None:
        """One number of an output per input."""
        if labels is None:
            return None
        given, outputs = np.asarray(labels), len(self.outputs)
        if given.shape != (len(self.values),) or given.dtype.kind not in "iu":
            raise ValueError(
                f"labels must be one whole number per input, shape ({len(self.values)},), but are "
                f"{given.dtype} of shape {given.shape}"
            )
        outside = given[(given < 0) | (given >= outputs)]
        if len(outside):
            raise ValueError(
                f"labels must lie in 0 to {outputs - 1}, numbers of the outputs, but have "
                f"{outside[0]}"
            )
        return given.astype(np.intp)

    def chunk(self, asked: int | None) -> int:
        """Number of inputs that move at once, a multiple of ``ROWS``."""
        units = max(len(self.split.moving), len(self.split.held))
        if asked is not None:
            return -(-count("chunk", asked) // ROWS) * ROWS
        return max(NUMBERS_AT_ONCE // (units * self.replicas) // ROWS, 1) * ROWS

    def step(self, asked: float | None) -> float | None:
        """One step for all inputs: ``asked``, or the default at their largest forces."""
        network = self.moving.network
        if asked is not None or network.moves_exactly:
            return asked
        largest = np.abs(network.bias)
        for _, values in self._chunks(self.chunk(None)):
            bias = np.abs(network.bias + self._held.forces(values))
            largest = np.maximum(largest, bias.max(axis=0))
        return default_step(network, [network.controls.updated(bias=largest)])

    def _chunks(self, size: int) -> Iterator[tuple[int, Array]]:
        """Number of the first input and the values in the network's own units, by chunks."""
        scale = self.scale[self.split.held]
        for first in range(0, len(self.values), size):
            given = real_array("inputs", self.values[first : first + size])
            yield first, given / scale

    def run(
        self, duration: float, size: int, options: Options
    ) -> tuple[Array, Array, Array, Array]:
        """Mean and variance of each input's outputs, (n, m); mean of its work and heat, (n,).

        Work and heat of a single input are those of its replicas.
        """
        parts = []
        for first, values in self._chunks(size):
            with allocating("replicas_per_input", self.replicas):
                state, work, heat = self._moved(first, values, duration, options)
            read = state.reshape(len(values), self.replicas, -1)
            spread = read.var(axis=1, ddof=1) if self.replicas > 1 else np.zeros_like(read[:, 0])
            if len(self.values) > 1:
                work, heat = (each.reshape(read.shape[:2]).mean(axis=1) for each in (work, heat))
            parts.append((read.mean(axis=1), spread, work, heat))
        mean, spread, work, heat = (np.concatenate(part) for part in zip(*parts, strict=True))
        return mean, spread, work, heat

    def _moved(
        self, first: int, values: Array, duration: float, options: Options
    ) -> tuple[Array, Array, Array]:
        """Outputs, (replicas, m), work and heat of the replicas of these inputs."""
        r, moving = self.replicas, self.split.moving
        start, before = self._before(first, len(values) * r, options)
        pushes = np.repeat(self._held.forces(values), r, axis=0)
        energy = np.repeat(self._held.energy(values), r)
        work = energy - self._held.energy(before)
        work -= np.sum(start * (pushes - self._held.forces(before)), axis=1)
        columns = np.searchsorted(moving, self.outputs)
        network, state, heat = self.moving.network, [], []
        for k in range(len(values)):
            rows = slice(k * r, (k + 1) * r)
            bias = network.bias + pushes[k * r]
            emulator = Emulator(
                Described(network.with_controls(bias=bias), self.moving.scale, self.moving.symbols),
                r, options.seed, options.threads, options.dtype, options.dt, first_step=0,
                first_replica=(first + k) * r, state=start[rows] * self.moving.scale,
            )  # fmt: skip
            emulator.run(duration)
            state.append(emulator.read()[:, columns])
            heat.append(emulator.ledger.heat)
        return np.concatenate(state), work, np.concatenate(heat)

    def _before(self, first: int, replicas: int, options: Options) -> tuple[Array, Array]:
        """State of the moving and of the held units before inputs come, one row per replica."""
        if self._start is None:
            drawn = Emulator(
                self.whole, replicas, options.seed, options.threads,
                first_replica=first * self.replicas,
            )  # fmt: skip
            whole = drawn.read() / self.scale
        else:
            whole = np.broadcast_to(self._start, (replicas, len(self._start)))
        return whole[:, self.split.moving], whole[:, self.split.held]

    def estimate(self, samples: Array) -> Estimate:
        """The mean of what ``run`` found, over inputs, or over the replicas of a single one."""
        network = self.moving.network
        method = "mean over inputs" if len(self.values) > 1 else "mean over replicas"
        kT = network.common_kT if network.controls.isothermal else None
        return Estimate.of_samples(samples, method=method, unit=self.whole.symbols.energy, kT=kT)


def _pair(inputs: tuple[ArrayLike, ArrayLike]) -> tuple[ArrayLike, ArrayLike]:
    pair = items("inputs", inputs)
    if len(pair) != 2:
        raise ValueError(f"inputs must be a pair (units, values), but has {len(pair)} items")
    return pair[0], pair[1]


def _rows(values: ArrayLike, held: int) -> Array:
    """Values as rows of one input each, without a copy of a memory map."""
    given = values if isinstance(values, np.memmap) else real_array("inputs", values)
    rows = given.reshape(1, -1) if given.ndim < 2 else given
    if rows.ndim != 2 or rows.shape[1] != held or not len(rows):
        raise ValueError(
            f"values of inputs must be of shape (n, {held}), one column per held unit, but have "
            f"shape {given.shape}"
        )
    return rows


def _checked_outputs(outputs: ArrayLike | None, split: Split) -> NDArray[np.intp]:
    if outputs is None:
        return split.moving
    units = len(split.held) + len(split.moving)
    given = Split.of(outputs, units, "outputs").held
    both = np.intersect1d(given, split.held)
    if len(both) or not len(given):
        found = f"have unit {both[0]} of the inputs" if len(both) else "name none"
        raise ValueError(f"outputs must be units that move, but {found}")
    return given
