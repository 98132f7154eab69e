"""Samples that are read when they are asked for, so that accounts need no copy of each run."""

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
        with self._lock:
            return self._read()

    def keep(self) -> None:
        """Materialise the samples, because their source is about to change."""
        with self._lock:
            samples = self._read()
            self._read = lambda: samples

    def __reduce__(self) -> tuple[object, ...]:
        return from_record, (to_record(self),)


def _restored(samples: Array) -> LazySamples:
    if samples.ndim == 0 or samples.size == 0:
        raise ValueError(f"samples must have one row per replica, but have shape {samples.shape}")
    return LazySamples.of(frozen(samples))


register(LazySamples, lambda lazy: {"samples": lazy()}, _restored)


def gained(read: Callable[[], Array], before: Array | None) -> LazySamples:
    """Return the increase of an account since ``before``, None for zero; read-only."""

    def gain() -> Array:
        amount = read()
        return frozen(amount if before is None else np.subtract(amount, before, out=amount))

    return LazySamples(gain)
