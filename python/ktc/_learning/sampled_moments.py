"""Sample mean and scatter of the replicas of many runs of a linear network, drawn exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array


class SampledMoments:
    """Mean and scatter of N normal replicas of each of r runs, without the replicas.

    Replicas that move as x′ = A x + c + ξ, with ξ normal of covariance Q = L Lᵀ, keep a sample mean
    and a scatter S = Σ(x − m)(x − m)ᵀ that are a Markov process of their own:

        m′ = A m + c + L z/√N,    S′ = (A Y + L Z)(A Y + L Z)ᵀ + L W Lᵀ,

    with S = Y Yᵀ, Y of shape (d, k), k = min(d, N − 1), normal z and Z of independent entries, and
    W of Wishart's distribution with N − 1 − k degrees of freedom. So a step costs the same for any
    number of replicas.

    Args:
        mean: mean of the distribution at the start, shape (d,).
        root: L with the covariance L Lᵀ of the start, shape (d, d).
        runs, replicas: r and N.
        stream: where all normals are drawn.

    Attributes:
        mean: m, shape (r, d).
        factor: Y, shape (r, d, k).

    Source: Muirhead (1982), Aspects of Multivariate Statistical Theory, ch. 3 and 10; Bartlett
    (1933), Proc. R. Soc. Edinb. 53, 260.
    """

    def __init__(
        self, mean: Array, root: Array, runs: int, replicas: int, stream: np.random.Generator
    ) -> None:
        self._replicas, self._stream = replicas, stream
        size = len(mean)
        self._kept = min(size, replicas - 1)
        self.mean = np.repeat(mean[None], runs, axis=0)
        self.factor = np.zeros((runs, size, self._kept))
        nothing = np.zeros((runs, size, size))
        self.move(np.arange(runs), nothing, self.mean, np.broadcast_to(root, nothing.shape))

    @property
    def covariance(self) -> Array:
        """S/N, shape (r, d, d)."""
        return np.asarray(self.factor @ np.swapaxes(self.factor, 1, 2) / self._replicas)

    def move(self, chosen: NDArray[np.intp], moved: Array, offset: Array, root: Array) -> None:
        """Apply A, c and L, one of each to each of the ``chosen`` runs."""
        many, size = offset.shape
        draw = self._stream.standard_normal
        push = (root @ draw((many, size, 1)))[..., 0] / np.sqrt(self._replicas)
        self.mean[chosen] = (moved @ self.mean[chosen][..., None])[..., 0] + offset + push
        carried = moved @ self.factor[chosen] + root @ draw((many, size, self._kept))
        degrees = self._replicas - 1 - self._kept
        if degrees:
            added = root @ self._wishart_root(many, size, degrees)
            both = np.concatenate([carried, added], axis=2)
            carried = np.linalg.cholesky(both @ np.swapaxes(both, 1, 2))
        self.factor[chosen] = carried

    def _wishart_root(self, many: int, size: int, degrees: int) -> Array:
        """B with B Bᵀ of Wishart's distribution, by Bartlett where it is not singular."""
        if degrees < size:
            return self._stream.standard_normal((many, size, degrees))
        root = np.tril(self._stream.standard_normal((many, size, size)), -1)
        own = np.arange(size)
        root[:, own, own] = np.sqrt(self._stream.chisquare(degrees - own, (many, size)))
        return root
