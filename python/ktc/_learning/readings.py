"""Readings of a device over a learning run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ktc._base.codec import register
from ktc._base.validation import Array


@dataclass(frozen=True)
class Readings:
    """Energies and states of one run, per replica.

    Attributes:
        work, heat: work and heat of the run, shape (replicas,).
        final_state: public state after the last update, shape (replicas, d); the mean, of shape
            (1, d), of an infinite ensemble.
        final_forces: ⟨∂_θH⟩ over the replicas then, shape (p,).
        positive: work and heat of the clamped ensemble, shape (clamped replicas,) each; None
            without hidden units.
        variances: exact variances of work and heat by name, of an infinite ensemble; None else.
        applied_change: ΔF of the controls as realised by a real board; None elsewhere.
    """

    work: Array
    heat: Array
    final_state: Array
    final_forces: Array
    positive: tuple[Array, Array] | None = None
    variances: Mapping[str, float] | None = None
    applied_change: float | None = None


register(Readings)
