"""F and ζ measured on replicas as products with a vector: memory of replicas × parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ktc.checks import Array
from ktc.learning.conjugate_gradients import Indefinite, conjugate_gradients
from ktc.theory.sampled_metrics import Windows

#: Conjugate gradients on a noisy matrix need not be more accurate than it is.
ACCURACY = 1e-4


class SampledProducts:
    """A Metric of centred conjugate forces φ: F v = φᵀ(φ v)/(N kT), ζ v likewise with ∫φ dt.

    Both are drawn to their own diagonals by the share of least expected error (Ledoit, Wolf 2004;
    Schäfer, Strimmer 2005), found without the matrix: with z of unit variance, Σ r² over all pairs
    is the squared size of zᵀz/N or of zzᵀ/N, whichever is smaller, and the sum of its error bars'
    squares that of |z|⁴. Where the friction tensor is negative in a direction that is met, its
    share is moved half of the way to one, and that is reported.

    Args:
        windows: of an ensemble in equilibrium.
        kT: its thermal energy.
        blocks: for each kind of parameter its slice.
        shrinkage: "optimal", a share, or None.
    """

    def __init__(
        self,
        windows: Windows,
        kT: float,
        blocks: Mapping[str, slice],
        shrinkage: float | str | None,
    ) -> None:
        self.blocks = blocks
        ends, sums = windows.ends, windows.sums
        pairs = [(0.5 * (ends[k] + ends[k + 1]), s) for k, s in enumerate(sums)]
        # Independent replicas stand one below the other: windows of one replica hardly correlate.
        self._state = np.concatenate(ends)
        self._start = np.concatenate([pair[0] for pair in pairs])
        self._sum = np.concatenate([pair[1] for pair in pairs])
        self._factor = (1 / (kT * len(self._state)), 1 / (kT * len(self._sum)))
        self._own = (
            self._factor[0] * np.sum(self._state**2, axis=0),
            self._factor[1] * np.sum(self._start * self._sum, axis=0),
        )
        if not (self._own[1] > 0).all():
            place = int(np.argmin(self._own[1]))
            raise ValueError(
                f"the measured friction of parameter {place} is {self._own[1][place]:.3g}, which "
                "is not positive: noise rules it; take more replicas for metrics"
            )
        independent = len(ends[0])
        self._shares = [
            _share(
                self._state, self._state, self._own[0] / self._factor[0], independent, shrinkage
            ),
            _share(self._start, self._sum, self._own[1] / self._factor[1], independent, shrinkage),
        ]

    @property
    def size(self) -> int:
        """Number of parameters p."""
        return len(self._own[0])

    @property
    def shrinkage(self) -> tuple[float, float]:
        """Shares of the diagonal in F and ζ."""
        return self._shares[0], self._shares[1]

    @property
    def traces(self) -> tuple[float, float]:
        """Of F and of ζ."""
        return float(self._own[0].sum()), float(self._own[1].sum())

    def pulled(self, vector: Array) -> Array:
        """F v."""
        raw = self._factor[0] * (self._state.T @ (self._state @ vector))
        share = self._shares[0]
        return np.asarray((1 - share) * raw + share * self._own[0] * vector)

    def friction(self, vector: Array) -> Array:
        """ζ v."""
        raw = self._start.T @ (self._sum @ vector) + self._sum.T @ (self._start @ vector)
        share = self._shares[1]
        return np.asarray((1 - share) * 0.5 * self._factor[1] * raw + share * self._own[1] * vector)

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
                if share == 0 or self._shares[1] >= 1:
                    raise
                self._shares[1] = min(1.0, 0.5 + 0.5 * self._shares[1] + 1e-3)

    def natural(self, rate: float, gradient: Array) -> Array:
        """rate · F⁻¹ g."""
        return rate * self.solve(1.0, 0.0, gradient)

    def lead(self, velocity: Array) -> Array:
        """F⁻¹ζ θ̇."""
        return self.solve(1.0, 0.0, self.friction(velocity))

    def sampled(self, hold: float) -> SampledProducts:
        """Itself: single modes are not known here, so ticks must be shorter than they relax."""
        return self


def _share(
    one: Array, other: Array, own: Array, independent: int, shrinkage: float | str | None
) -> float:
    """Σ stderr²/Σ r² over all pairs, r = Σ_n a_n b_n at unit diagonal."""
    if shrinkage is None:
        return 0.0
    if not isinstance(shrinkage, str):
        return shrinkage
    root = np.sqrt(own)
    a, b = one / root, other / root
    rows, columns = a.shape
    if columns <= rows:
        squares = float(np.sum((a.T @ b) ** 2))
    else:
        squares = float(np.sum((a @ a.T) * (b @ b.T)))
    # Σ_n |a_n|²|b_n|² is the sum over pairs of Σ_n (a_n b_n)²; rows of one replica count as one.
    noise = (float(np.sum(np.sum(a**2, axis=1) * np.sum(b**2, axis=1))) - squares / rows) * (
        rows / independent
    )
    pairs = max(squares - columns, noise)
    return float(min(1.0, noise / pairs)) if pairs > 0 else 0.0
