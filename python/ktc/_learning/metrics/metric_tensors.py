"""The metric tensors F and ζ of learning as products with a vector, and algebra by products."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array

#: Relative size of the residual at which conjugate gradients stop, in the preconditioner's norm.
ACCURACY = 1e-8
MOST_STEPS = 1000
#: Number of products that bound eigenvalues, and the seed of the vector that they start from.
LANCZOS_STEPS, SEED = 40, 0x72697473

Product = Callable[[Array], Array]


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
    def traces(self) -> tuple[float | Array, float | Array]:
        """Traces of F and of ζ; of many models a column of each, shape (r, 1)."""

    def solve(self, to_go: float, share: float, gradient: Array) -> Array:
        """[to_go F + share ζ]⁻¹ g."""

    def natural(self, rate: float, gradient: Array) -> Array:
        """rate · F⁻¹ g."""

    def lead(self, velocity: Array) -> Array:
        """F⁻¹ζ θ̇."""


class NoMetrics:
    """The parameters alone, for schedules that declare ``uses_metrics = False``."""

    def __init__(self, blocks: Mapping[str, slice], size: int, schedule: str) -> None:
        self.blocks, self.size, self._schedule = blocks, size, schedule

    @property
    def traces(self) -> tuple[float, float]:
        """Not available."""
        raise self._error("traces")

    def solve(self, to_go: float, share: float, gradient: Array) -> Array:
        """Not available."""
        raise self._error("solve")

    def natural(self, rate: float, gradient: Array) -> Array:
        """Not available."""
        raise self._error("natural")

    def lead(self, velocity: Array) -> Array:
        """Not available."""
        raise self._error("lead")

    def _error(self, name: str) -> TypeError:
        return TypeError(
            f"{self._schedule} asks for {name} of F and zeta, but its uses_metrics is False; set "
            "it to True"
        )


class Indefinite(ValueError):
    """The matrix is not positive definite: xᵀAx is not positive in some direction."""


def conjugate_gradients(
    product: Product, right: Array, precondition: Product, accuracy: float = ACCURACY
) -> Array:
    """A⁻¹ b by products v ↦ A v, preconditioned by v ↦ M v with M near A⁻¹; may be Indefinite.

    Source: Hestenes, Stiefel (1952), J. Res. Natl. Bur. Stand. 49, 409.
    """
    found, residual = np.zeros_like(right), right.copy()
    loaded = precondition(residual)
    direction, size = loaded, float(residual @ loaded)
    target = accuracy**2 * size
    for _ in range(MOST_STEPS):
        if size <= target:
            return found
        pushed = product(direction)
        curvature = float(direction @ pushed)
        if not curvature > 0:
            raise Indefinite("the matrix is not positive definite in a direction that was met")
        step = size / curvature
        found = found + step * direction
        residual = residual - step * pushed
        loaded = precondition(residual)
        before, size = size, float(residual @ loaded)
        direction = loaded + (size / before) * direction
    return found


def extreme_ritz_values(
    product: Product, size: int, steps: int = LANCZOS_STEPS
) -> tuple[float, float]:
    """Bounds of the extreme eigenvalues: those within the Krylov space of a random vector.

    The least is an upper bound, the largest a lower one; they are exact where ``steps`` is the size
    of the matrix. Vectors are orthogonalised against all earlier ones.

    Source: Lanczos (1950), J. Res. Natl. Bur. Stand. 45, 255; Paige (1972), J. Inst. Math. Appl.
    10, 373.
    """
    many = min(steps, size)
    vector = np.random.default_rng(SEED).normal(size=size)
    basis = np.zeros((many, size))
    own, beside = np.zeros(many), np.zeros(many)
    for k in range(many):
        basis[k] = vector / np.linalg.norm(vector)
        pushed = product(basis[k])
        scale = np.linalg.norm(pushed)
        own[k] = basis[k] @ pushed
        for _ in range(2):
            pushed = pushed - basis[: k + 1].T @ (basis[: k + 1] @ pushed)
        beside[k] = np.linalg.norm(pushed)
        if beside[k] <= 1e-12 * scale:
            many = k + 1
            break
        vector = pushed
    values = scipy.linalg.eigh_tridiagonal(own[:many], beside[: many - 1], eigvals_only=True)
    return float(values[0]), float(values[-1])
