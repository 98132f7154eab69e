"""Measured F and ζ as products with a vector, inverted by conjugate gradients."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ktc._base.cached import cached_property
from ktc._base.validation import Array
from ktc._learning.metrics.metric_tensors import (
    Indefinite,
    conjugate_gradients,
    extreme_ritz_values,
)
from ktc._measure.correlation_windows import Windows
from ktc._measure.slow_modes import longer_window
from ktc._theory.matrix_estimate import Shrinkage

#: Conjugate gradients on a noisy matrix need not be more accurate than it is.
ACCURACY = 1e-4

#: Largest number of parameters for which products are by matrices, 64 MB each at 2,900 of them and
#: 134 MB at 4,096; beyond, they are by the replicas' forces themselves.
MOST_MATRIX = 4096


class SampledProducts:
    """F and ζ from centred conjugate forces φ: F v = φᵀ(φ v)/(N kT), ζ v likewise with ∫φ dt.

    Of two parameters whose windows differ the longer window is used, as in
    ``theory.friction_estimate``. Both are shrunk toward their own diagonals by the share of least
    expected error (Ledoit, Wolf 2004; Schäfer, Strimmer 2005), without the matrix: with z of
    unit variance, Σ r² over all pairs is the squared size of zᵀz/N or of zzᵀ/N, whichever is
    smaller, and the sum of its error bars' squares that of |z|⁴. Where the friction tensor is
    negative in a direction that is met, its shrinkage is moved half of the way to one, and that is
    reported. Noise must not have made a diagonal entry of ζ negative.
    """

    def __init__(
        self, windows: Windows, kT: float, blocks: Mapping[str, slice], shrinkage: Shrinkage
    ) -> None:
        self.blocks = blocks
        self._ends, self._pairs = windows.ends, windows.pairs
        lengths = np.unique(windows.intervals)
        self._classes = [np.flatnonzero(windows.intervals == length) for length in lengths]
        rows = len(windows.ends[0])
        self._factor = (1 / (kT * rows * len(self._ends)), 1 / (kT * rows * len(self._pairs)))
        self._own = (
            self._factor[0] * sum(np.sum(end**2, axis=0) for end in self._ends),
            self._factor[1] * sum(np.sum(one * other, axis=0) for one, other in self._pairs),
        )
        if not (self._own[1] > 0).all():
            place = int(np.argmin(self._own[1]))
            raise ValueError(
                f"the measured friction of parameter {place} is {self._own[1][place]:.3g}, which "
                "is not positive: noise dominates it; take more replicas for metrics"
            )
        self.size = len(windows.intervals)
        self.traces = float(self._own[0].sum()), float(self._own[1].sum())
        self._matrices = None if self.size > MOST_MATRIX else self._collected(windows.intervals)
        self.shares = [
            _share(self._ends[0], self._ends[0], len(self._ends), shrinkage),
            _share(*self._pairs[0], len(self._ends) - 1, shrinkage),
        ]
        if self._matrices is not None:
            self._ends, self._pairs = [], []

    @property
    def shrinkage(self) -> tuple[float, float]:
        """Share of the diagonal in F and in ζ."""
        return self.shares[0], self.shares[1]

    def _collected(self, intervals: NDArray[np.intp]) -> tuple[Array, Array]:
        """Raw F and ζ as matrices, which are fewer numbers than the replicas' forces."""
        fisher, friction = np.zeros((2, self.size, self.size))
        for end in self._ends:
            fisher += self._factor[0] * (end.T @ end)
        for one, other in self._pairs:
            friction += self._factor[1] * (one.T @ other)
        friction *= longer_window(intervals)
        friction += friction.T.copy()
        return fisher, friction

    @cached_property
    def _extremes(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Extreme Ritz values of the raw F and ζ at unit diagonal."""
        one, two = np.sqrt(self._own)
        return (
            extreme_ritz_values(lambda v: self._raw_fisher(v / one) / one, self.size),
            extreme_ritz_values(lambda v: self._raw_friction(v / two) / two, self.size),
        )

    @property
    def least_eigenvalue(self) -> tuple[float, float]:
        """Upper bounds of the least eigenvalues of the raw F and ζ at unit diagonal."""
        return self._extremes[0][0], self._extremes[1][0]

    @property
    def condition(self) -> tuple[float, float]:
        """Lower bounds of the condition numbers of F and ζ at unit diagonal, after shrinkage."""
        both = zip(self.shares, np.array(self._extremes), strict=True)
        ends = ((1 - share) * pair + share for share, pair in both)
        one, two = (float(most / least) if least > 0 else np.inf for least, most in ends)
        return one, two

    def pulled(self, vector: Array) -> Array:
        """F v."""
        share = self.shares[0]
        return np.asarray((1 - share) * self._raw_fisher(vector) + share * self._own[0] * vector)

    def friction(self, vector: Array) -> Array:
        """ζ v."""
        share = self.shares[1]
        return np.asarray((1 - share) * self._raw_friction(vector) + share * self._own[1] * vector)

    def _raw_fisher(self, vector: Array) -> Array:
        if self._matrices is not None:
            return np.asarray(self._matrices[0] @ vector)
        raw = np.zeros_like(vector)
        for end in self._ends:
            raw += self._factor[0] * (end.T @ (end @ vector))
        return raw

    def _raw_friction(self, vector: Array) -> Array:
        if self._matrices is not None:
            return np.asarray(self._matrices[1] @ vector)
        raw = np.zeros_like(vector)
        for start, integral in self._pairs:
            # With w_ab 1 where b has the longer window, ½ where they are alike: (w∘M + (w∘M)ᵀ) v.
            before = np.zeros(len(start))
            for own in self._classes:
                here = start[:, own] @ vector[own]
                raw[own] += integral[:, own].T @ (before + 0.5 * here)
                before += here
            after = np.zeros(len(start))
            for own in reversed(self._classes):
                here = integral[:, own] @ vector[own]
                raw[own] += start[:, own].T @ (after + 0.5 * here)
                after += here
        return np.asarray(self._factor[1] * raw)

    def solve(self, to_go: float, share: float, gradient: Array) -> Array:
        """[to_go F + share ζ]⁻¹ g."""

        def product(v: Array) -> Array:
            result = to_go * self.pulled(v) if to_go else np.zeros_like(v)
            return result + share * self.friction(v) if share else result

        own = to_go * self._own[0] + share * self._own[1]
        while True:
            try:
                return conjugate_gradients(product, gradient, lambda v: v / own, ACCURACY)
            except Indefinite:
                if share == 0 or self.shares[1] >= 1:
                    raise
                self.shares[1] = min(1.0, 0.5 + 0.5 * self.shares[1] + 1e-3)

    def natural(self, rate: float, gradient: Array) -> Array:
        """rate · F⁻¹ g."""
        return rate * self.solve(1.0, 0.0, gradient)

    def lead(self, velocity: Array) -> Array:
        """F⁻¹ζ θ̇."""
        return self.solve(1.0, 0.0, self.friction(velocity))


def _share(one: Array, other: Array, windows: int, shrinkage: Shrinkage) -> float:
    """Σ stderr²/Σ r² over all pairs, r at unit diagonal, of an average over ``windows``."""
    if shrinkage is None:
        return 0.0
    if not isinstance(shrinkage, str):
        return shrinkage
    rows, columns = one.shape
    own = np.sum(one * other, axis=0)
    # A single window may lose a diagonal entry in noise that the average over windows has not.
    sizes = np.sqrt(np.sum(one**2, axis=0) * np.sum(other**2, axis=0))
    root = np.sqrt(np.maximum(own, 0.1 * sizes))
    a, b = one / root, other / root
    pairs = (a.T @ b) ** 2 if columns <= rows else (a @ a.T) * (b @ b.T)
    squares = float(np.sum(pairs))
    # Σ_n |a_n|²|b_n|² is the sum over all pairs of parameters of Σ_n (a_n b_n)².
    noise = float(np.sum(np.sum(a**2, axis=1) * np.sum(b**2, axis=1))) - squares / rows
    signal = max(squares - columns - noise, 0.0)
    noise /= windows
    return float(noise / (signal + noise)) if noise > 0 else 0.0
