"""Moments and samples that are read from an engine when they are asked for."""

from __future__ import annotations

import weakref
from collections.abc import Iterable

from ktc._base.lazy_samples import LazySamples
from ktc._model.moments import Moments


class DeferredResults:
    """Weakly referenced moments and samples that are read from an engine until it moves on.

    Attributes:
        pending: whether any were handed out since the state last changed.
    """

    def __init__(self) -> None:
        self.pending = False
        self._moments: weakref.ref[Moments] | None = None
        self._samples: list[weakref.ref[LazySamples]] = []

    def known_moments(self) -> Moments | None:
        """The moments of this state, if they are still referenced."""
        return self._moments() if self._moments else None

    def note_moments(self, moments: Moments) -> None:
        """Remember moments that were handed out."""
        self.pending, self._moments = True, weakref.ref(moments)

    def note_samples(self, samples: Iterable[LazySamples]) -> None:
        """Remember the samples of a run that ends here."""
        self.pending, self._samples = True, [weakref.ref(each) for each in samples]

    def keep(self) -> Moments | None:
        """Give held samples their own memory; return the held moments, to be finished."""
        for reference in self._samples:
            if (samples := reference()) is not None:
                samples.keep()
        return self.known_moments()

    def forget(self) -> None:
        """Drop what was kept and finished."""
        self.pending, self._moments, self._samples = False, None, []
