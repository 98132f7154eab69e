"""What a schedule asks of F and ζ, however they are known or measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ktc._base.validation import Array


class Metric(Protocol):
    """F = Cov(∂_θE)/kT and the friction tensor ζ of the learned parameters θ, as a schedule's η
    needs them: never as matrices, so that thousands of parameters can do without.
    """

    @property
    def blocks(self) -> Mapping[str, slice]:
        """For each kind of parameter its slice of θ."""

    @property
    def size(self) -> int:
        """Number of parameters p."""

    @property
    def traces(self) -> tuple[float, float]:
        """Of F and of ζ."""

    def solve(self, to_go: float, share: float, gradient: Array) -> Array:
        """[to_go F + share ζ]⁻¹ g."""

    def natural(self, rate: float, gradient: Array) -> Array:
        """rate · F⁻¹ g."""

    def lead(self, velocity: Array) -> Array:
        """F⁻¹ζ θ̇."""
