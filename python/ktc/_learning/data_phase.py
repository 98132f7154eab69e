"""The positive phase: ⟨∂_θH⟩ under the data, at the present controls."""

from __future__ import annotations

from typing import Protocol

from ktc._base.validation import Array
from ktc._learning.averages import data_forces
from ktc._learning.batches import Batches
from ktc._model.parameters import Parameters


class PositivePhase(Protocol):
    """What the loop asks of the data."""

    @property
    def batches(self) -> Batches | None:
        """Which samples an update sees; None for all."""

    def forces(self) -> Array:
        """⟨∂_θH⟩ over the next batch, shape (p,)."""

    def all_forces(self) -> Array:
        """⟨∂_θH⟩ over all of the data, shape (p,)."""

    def sample_forces(self, most: int) -> Array:
        """∂_θH of at most so many samples, shape (n, p)."""

    def set(self, **controls: Array) -> None:
        """Follow an update of the controls."""

    def run(self, duration: float) -> None:
        """Let time pass."""

    @property
    def work_and_heat(self) -> tuple[float, float]:
        """Mean work and heat so far."""


class DataPhase:
    """Averages over data that all units have: of all samples, or of one batch after another."""

    work_and_heat = (0.0, 0.0)

    def __init__(self, samples: Array, parameters: Parameters, batches: Batches | None) -> None:
        self._samples, self._parameters, self.batches = samples, parameters, batches
        self._all = data_forces(samples, parameters)
        self._few: Array | None = None

    def forces(self) -> Array:
        """⟨∂_θH⟩ over the next batch, shape (p,)."""
        if self.batches is None:
            return self._all
        return data_forces(self._samples[self.batches.draw()], self._parameters)

    def all_forces(self) -> Array:
        """⟨∂_θH⟩ over all of the data, shape (p,)."""
        return self._all

    def sample_forces(self, most: int) -> Array:
        """∂_θH of all samples, or of as many evenly spaced ones, shape (n, p)."""
        if self._few is None:
            self._few = self._parameters.forces(self._samples[:: -(-len(self._samples) // most)])
        return self._few

    def set(self, **controls: Array) -> None:
        """Nothing: the data do not depend on the controls."""

    def run(self, duration: float) -> None:
        """Nothing: the data do not depend on time."""
