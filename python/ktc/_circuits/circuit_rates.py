"""Rates of a large circuit, and an order in which to eliminate its coordinates."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._model.sparse_stiffness import SparseMatrix

#: Circuits of at most this many coordinates have their rates from dense eigenvalues.
FEW = 64
#: Relative accuracy of estimated rates, and the share by which the slowest is put lower.
TOLERANCE, MARGIN = 1e-2, 1.2


def elimination(pattern: SparseMatrix) -> tuple[NDArray[np.int64], int]:
    """Return an order of elimination of a symmetric matrix of little fill, and the fill.

    Source: Liu (1985), ACM Trans. Math. Softw. 11, 141 (minimum degree), by SuperLU.
    """
    size = pattern.shape[0]
    links = abs(pattern)
    links.data[:] = -1.0
    rows = -np.asarray(links.sum(axis=1)).ravel()
    matrix = scipy.sparse.csc_array(links + scipy.sparse.diags_array(2 * rows + 2.0))
    factor = symmetric_factor(matrix)
    order = np.empty(size, dtype=np.int64)
    order[factor.perm_c] = np.arange(size)
    return order, int(factor.L.nnz)


def symmetric_factor(matrix: SparseMatrix) -> scipy.sparse.linalg.SuperLU:
    """Return a factor of a matrix that needs no exchange of rows."""
    return scipy.sparse.linalg.splu(
        scipy.sparse.csc_array(matrix),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )


def rates_of(storage: SparseMatrix, flow: SparseMatrix) -> tuple[float, float]:
    """Return bounds of the fastest and the slowest rate of S dw/dt = F w.

    ``flow`` is J − G of all coordinates, of which those after the state are in balance. The bounds
    are singular values of S^-½ F S^-½.
    """
    n = storage.shape[0]
    reduced, whole = _Reduced(flow, n), storage.toarray() if n <= FEW else None
    if whole is not None:
        root = np.linalg.cholesky(whole)
        drift = np.linalg.solve(root, np.linalg.solve(root, reduced.times(np.eye(n))).T).T
        sizes = np.linalg.svd(drift, compute_uv=False)
        fastest, slowest = float(sizes[0]), float(sizes[-1])
    else:
        held = symmetric_factor(storage)
        fastest = _largest(
            n,
            lambda w: reduced.times(held.solve(reduced.times(w)), turned=True),
            storage,
            held.solve,
        )
        slowest = 1 / _largest(n, reduced.resolved(storage), storage, held.solve)
    # Rounded up, so that rounding of the estimate does not change the default step.
    fastest = 2 ** (math.ceil(4 * math.log2(fastest * (1 + TOLERANCE))) / 4)
    return fastest, slowest / MARGIN


class _Reduced:
    """F of the state, with the coordinates after it in balance: F_ss − F_se F_ee⁻¹ F_es."""

    def __init__(self, flow: SparseMatrix, n: int) -> None:
        self.flow, self.n = flow.tocsc(), n
        self.parts = [flow[:n, :n], flow[:n, n:], flow[n:, :n]]
        self.turned = [self.parts[0].T, self.parts[2].T, self.parts[1].T]
        self.inner = symmetric_factor(flow[n:, n:]) if flow.shape[0] > n else None

    def times(self, w: Array, turned: bool = False) -> Array:
        own, out, into = self.turned if turned else self.parts
        result = own @ w
        if self.inner is not None:
            result = result - out @ self.inner.solve(np.asarray(into @ w))
        return np.asarray(result)

    def resolved(self, storage: SparseMatrix) -> Callable[[Array], Array]:
        """S F⁻ᵀ S F⁻¹ S of the state."""
        factor, more = scipy.sparse.linalg.splu(self.flow), self.flow.shape[0] - self.n

        def solved(w: Array, turned: str) -> Array:
            return np.asarray(factor.solve(np.concatenate([w, np.zeros(more)]), turned)[: self.n])

        def product(w: Array) -> Array:
            once = storage @ solved(storage @ w.ravel(), "N")
            return np.asarray(storage @ solved(once, "T"))

        return product


def _operator(n: int, product: Callable[[Array], Array]) -> scipy.sparse.linalg.LinearOperator:
    return scipy.sparse.linalg.LinearOperator((n, n), matvec=product, dtype=np.float64)


def _largest(
    n: int,
    product: Callable[[Array], Array],
    metric: SparseMatrix,
    solve: Callable[[Array], Array],
) -> float:
    """The root of the largest μ of A x = μ M x."""
    found = scipy.sparse.linalg.eigsh(
        _operator(n, product),
        k=1,
        M=metric,
        Minv=_operator(n, solve),
        which="LM",
        v0=np.random.default_rng(1).normal(size=n),
        tol=TOLERANCE,
        return_eigenvectors=False,
    )
    return math.sqrt(float(found[0]))
