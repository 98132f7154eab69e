"""Moments: averages over the replicas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ktc._base.cached import cached_property
from ktc._base.validation import Array, frozen


class Moments:
    """Mean and second central moment over the replicas at one time.

    The covariance costs more than the mean, and is computed when it is first read; where the
    ensemble is large, at the latest just before the emulator moves on. Both are read-only, and
    shared by all who read them at the same time.

    Attributes:
        mean: ⟨x⟩, shape (d,).
    """

    def __init__(self, mean: Array, covariance: Callable[[], Array]) -> None:
        self.mean = frozen(mean)
        self._find = covariance

    @cached_property
    def covariance(self) -> Array:
        """⟨(x − ⟨x⟩)(x − ⟨x⟩)ᵀ⟩ over the replicas (divided by their number), shape (d, d)."""
        return frozen(self._find())

    def finish(self, covariance: Callable[[], Array]) -> None:
        """Replace the function that computes the covariance, if it is not known yet."""
        self._find = covariance

    def __reduce__(self) -> tuple[object, ...]:
        return _known, (self.mean, self.covariance)

    def __repr__(self) -> str:
        return f"<ktc.Moments: mean={self.mean!r}>"


def _known(mean: Array, covariance: Array) -> Moments:
    return Moments(mean, lambda: covariance)


class Reader(Protocol):
    """An object that reads the state of an ensemble."""

    def read(self) -> Array:
        """Return the state, shape (replicas, d)."""

    def moments(self) -> Moments:
        """Return mean and covariance over the replicas."""
