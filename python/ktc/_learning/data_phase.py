"""The positive phase where every unit is visible: averages of the data, which nothing moves."""

from __future__ import annotations

from ktc._base.validation import Array
from ktc._learning.averages import data_forces
from ktc._learning.batches import Batches
from ktc._model.parameters import Parameters


class DataPhase:
    """⟨∂_θH⟩ over data that all units have: all of them, or one batch after another."""

    books = (0.0, 0.0)

    def __init__(self, samples: Array, parameters: Parameters, batches: Batches | None) -> None:
        self._samples, self._parameters, self.batches = samples, parameters, batches
        self._all = data_forces(samples, parameters)
        self._few: Array | None = None

    def forces(self) -> Array:
        """Of the next batch, shape (p,)."""
        if self.batches is None:
            return self._all
        return data_forces(self._samples[self.batches.draw()], self._parameters)

    def all_forces(self) -> Array:
        """Of all of the data, shape (p,)."""
        return self._all

    def sample_forces(self, most: int) -> Array:
        """∂_θH of all samples, or of as many that lie apart evenly, shape (n, p)."""
        if self._few is None:
            self._few = self._parameters.forces(self._samples[:: -(-len(self._samples) // most)])
        return self._few

    def set(self, **controls: Array) -> None:
        """The data do not depend on the controls."""

    def run(self, duration: float) -> None:
        """Nor on time."""
