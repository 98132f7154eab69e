"""Lazy samples: read on demand, and copied only before their source changes."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import numpy as np

from ktc._base.codec import from_record, register, to_record
from ktc._base.validation import Array, frozen


class LazySamples:
    """Samples, one per replica, that are read on each call until they are materialised."""

    def __init__(self, read: Callable[[], Array]) -> None:
        self._read = read
        self._lock = Lock()

    @classmethod
    def of(cls, samples: Array) -> LazySamples:
        """Wrap samples that exist already."""
        return cls(lambda: samples)

    def __call__(self) -> Array:
        """Return the samples."""
        with self._lock:
            return self._read()

    def keep(self) -> None:
        """Materialise the samples, because their source is about to change."""
        with self._lock:
            samples = self._read()
            self._read = lambda: samples

    def divided(self, by: float) -> LazySamples:
        """Return the samples divided by a number, lazily."""
        return LazySamples(lambda: self() / by)

    def shifted(self, amount: float) -> LazySamples:
        """Return the samples plus a number, lazily."""
        return LazySamples(lambda: self() + amount)

    def __reduce__(self) -> tuple[object, ...]:
        return from_record, (to_record(self),)


register(
    LazySamples, lambda lazy: {"samples": lazy()}, lambda samples: LazySamples.of(frozen(samples))
)


def gained(read: Callable[[], Array], before: Array | None) -> LazySamples:
    """Return the increase of an account since ``before``, None for zero; read-only."""

    def gain() -> Array:
        amount = read()
        return frozen(amount if before is None else np.subtract(amount, before, out=amount))

    return LazySamples(gain)
