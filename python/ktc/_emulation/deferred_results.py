"""What somebody holds of an emulator as it stands, to be finished before it moves on."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable

from ktc._base.lazy_samples import LazySamples
from ktc._model.moments import Moments


class Instant:
    """Moments and samples that are read from the engine while it stands; it holds none of them."""

    def __init__(self) -> None:
        self._moments: weakref.ref[Moments] | None = None
        self._samples: list[weakref.ref[LazySamples]] = []

    @property
    def taken(self) -> bool:
        """Whether anything was asked for since the emulator came to stand."""
        return self._moments is not None or bool(self._samples)

    def moments(self, make: Callable[[], Moments]) -> Moments:
        """The moments that somebody holds already, or new ones."""
        known = self._moments() if self._moments else None
        if known is None:
            known = make()
            self._moments = weakref.ref(known)
        return known

    def note(self, samples: Iterable[LazySamples]) -> None:
        """The samples of a run that ends here."""
        self._samples = [weakref.ref(each) for each in samples]

    def keep(self) -> Moments | None:
        """Gives samples that somebody holds their own memory; the moments that somebody holds."""
        for reference in self._samples:
            if (samples := reference()) is not None:
                samples.keep()
        held = self._moments() if self._moments else None
        self._moments, self._samples = None, []
        return held
