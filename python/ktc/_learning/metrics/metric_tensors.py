"""The metric tensors of learning, F and ζ, as products with a vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ktc._base.validation import Array


class MetricTensors(Protocol):
    """What a schedule's rate needs of F and ζ at some controls.

    F = Cov(∂_θH)/kT, shape (p, p), is kT times the Fisher information Cov(∂_θH)/kT²; ζ is the
    friction tensor. They are asked for as products, so that thousands of parameters need no matrix.
    """

    @property
    def blocks(self) -> Mapping[str, slice]:
        """The slice of θ of each kind of parameter."""

    @property
    def size(self) -> int:
        """Number of parameters p."""

    @property
    def traces(self) -> tuple[float, float]:
        """Traces of F and of ζ."""

    def solve(self, to_go: float, share: float, gradient: Array) -> Array:
        """[to_go F + share ζ]⁻¹ g."""

    def natural(self, rate: float, gradient: Array) -> Array:
        """rate · F⁻¹ g."""

    def lead(self, velocity: Array) -> Array:
        """F⁻¹ζ θ̇."""
