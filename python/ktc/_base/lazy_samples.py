"""Samples that take no memory of their own while what they are read from stands still."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

import numpy as np

from ktc._base.codec import from_record, register, to_record
from ktc._base.validation import Array, frozen


class LazySamples:
    """Samples, one a replica, that are read each time they are asked for, until they are kept.

    Example:
        >>> import numpy as np
        >>> books = np.array([1.0, 2.0])
        >>> samples = LazySamples(lambda: books.copy())
        >>> samples.keep()
        >>> books += 1
        >>> samples()
        array([1., 2.])
    """

    def __init__(self, read: Callable[[], Array]) -> None:
        self._read = read
        self._lock = Lock()

    @classmethod
    def of(cls, samples: Array) -> LazySamples:
        """Samples that are known already."""
        return cls(partial(_same, samples))

    def __call__(self) -> Array:
        """The samples."""
        with self._lock:
            return self._read()

    def keep(self) -> None:
        """Gives them memory of their own: what they are read from is about to change."""
        with self._lock:
            self._read = partial(_same, self._read())

    def divided(self, by: float) -> LazySamples:
        """The same over a number."""
        return LazySamples(partial(_divided, self, by))

    def shifted(self, amount: float) -> LazySamples:
        """The same plus a number."""
        return LazySamples(partial(_shifted, self, amount))

    def __reduce__(self) -> tuple[Any, ...]:
        return from_record, (to_record(self),)


register(
    LazySamples, lambda lazy: {"samples": lazy()}, lambda samples: LazySamples.of(frozen(samples))
)


def gained(read: Callable[[], Array], before: Array | None) -> LazySamples:
    """What an account has gained since it stood at ``before``, None for zero; not for writing."""
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
