"""What engines have in common that carry a distribution instead of replicas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from ktc._base.validation import Array
from ktc._model.controls import Controls


class WithoutReplicas:
    """Base of engines of infinitely many replicas, which move without a time step of their own."""

    sampled = False
    #: Books either tell all accounts apart or are those of exact moves.
    pooled = False

    def prepare(self, settings: Iterable[Controls]) -> None:
        """Do nothing: there is no time step to choose."""

    def read(self, begin: int, end: int) -> NoReturn:
        """Refuse: there are no individual replicas."""
        raise ValueError(
            "read() needs individual replicas; replicas=math.inf has only moments(). Make the "
            "emulator with a finite number of replicas for samples"
        )

    def statistics_plan(
        self, scale: Array, covariance: bool, edges: Array, slots: int, every: int
    ) -> NoReturn:
        """Refuse: there are no individual replicas."""
        raise ValueError(
            "statistics need individual replicas; with replicas=math.inf record 'mean' and "
            "'covariance' instead, which are exact"
        )
