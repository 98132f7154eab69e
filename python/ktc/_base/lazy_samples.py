"""Lazy samples: read on demand, and copied only before their source changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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
        return cls(partial(_same, samples))

    def __call__(self) -> Array:
        """Return the samples."""
        with self._lock:
            return self._read()

    def keep(self) -> None:
        """Materialise the samples, because their source is about to change."""
        with self._lock:
            self._read = partial(_same, self._read())

    def divided(self, by: float) -> LazySamples:
        """Return the samples divided by a number, lazily."""
        return LazySamples(partial(_divided, self, by))

    def shifted(self, amount: float) -> LazySamples:
        """Return the samples plus a number, lazily."""
        return LazySamples(partial(_shifted, self, amount))

    def __reduce__(self) -> tuple[object, ...]:
        return from_record, (to_record(self),)


register(
    LazySamples, lambda lazy: {"samples": lazy()}, lambda samples: LazySamples.of(frozen(samples))
)


def gained(read: Callable[[], Array], before: Array | None) -> LazySamples:
    """Return the increase of an account since ``before``, None for zero; read-only."""
    return LazySamples(partial(_gain, read, before))


def _same(samples: Array) -> Array:
    return samples


def _gain(read: Callable[[], Array], before: Array | None) -> Array:
    amount = read()
    return frozen(amount if before is None else np.subtract(amount, before, out=amount))


def _divided(samples: LazySamples, by: float) -> Array:
    return samples() / by


def _shifted(samples: LazySamples, amount: float) -> Array:
    return samples() + amount
