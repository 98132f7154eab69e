"""Sparse stiffness in compressed rows, checked at a cost proportional to its entries."""

from __future__ import annotations

import sys
from typing import Any, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ktc import _core
from ktc._base.cached import cached_property
from ktc._base.codec import from_record, register, same, to_record
from ktc._base.lazy_imports import interrupts_deferred, scipy
from ktc._base.validation import Array, count, frozen, positive, real_array
from ktc._model.matrices import CONFINE

#: A ``csr_array``, of which SciPy ships no types.
SparseMatrix: TypeAlias = Any

MOST_DENSE_UNITS = _core.MOST_DENSE_UNITS


class SparseStiffness:
    """K of a sparse network: symmetric, without stored zeros, read-only.

    Attributes:
        matrix: K, a ``scipy.sparse.csr_array`` of shape (d, d).
        core: the same matrix as the compiled core holds it.
    """

    def __init__(self, matrix: SparseMatrix) -> None:
        self.matrix = matrix
        for part in (matrix.data, matrix.indices, matrix.indptr):
            frozen(part)
        self.core = _core.Stiffness.of_rows(matrix.indptr, matrix.indices, matrix.data)
        self._dense: Array | None = None

    @classmethod
    def of(cls, value: ArrayLike | SparseMatrix, units: int | None = None) -> SparseStiffness:
        """Check a sparse matrix or a dense array: square, of ``units`` rows, finite, symmetric."""
        if not is_sparse(value):
            value = real_array("stiffness", value)
        shape = value.matrix.shape if isinstance(value, SparseStiffness) else np.shape(value)
        if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0:
            raise ValueError(f"stiffness must be a square matrix (d, d), but has shape {shape}")
        held = value if isinstance(value, SparseStiffness) else cls(_symmetric(_canonical(value)))
        if units is not None and held.units != count("units", units):
            raise ValueError(
                f"stiffness must be of shape ({units}, {units}), one row and column per unit, "
                f"but has shape {shape}"
            )
        return held

    def __reduce__(self) -> tuple[object, ...]:
        return from_record, (to_record(self),)

    @property
    def units(self) -> int:
        """Number of rows d."""
        return int(self.matrix.shape[0])

    @property
    def diagonal(self) -> Array:
        """K_ii, shape (d,)."""
        return np.asarray(self.matrix.diagonal(), dtype=np.float64)

    @cached_property
    def row_sums(self) -> Array:
        """Σ_j |K_ij|, shape (d,)."""
        return frozen(np.asarray(abs(self.matrix).sum(axis=1)).ravel())

    @property
    def couplings(self) -> int:
        """Number of pairs of units that are coupled."""
        return int(self.matrix.nnz - np.count_nonzero(self.diagonal)) // 2

    @property
    def numbers(self) -> Array:
        """The entries that are held."""
        return np.asarray(self.matrix.data)

    def replaced(self, given: ArrayLike | SparseMatrix, quartic: Array) -> SparseStiffness:
        """Return another stiffness of as many units, which confines the energy."""
        if np.ndim(given) == 0 and not is_sparse(given):
            size = positive("stiffness", real_array("stiffness", given))
            given = size * scipy.sparse.eye_array(self.units, format="csr")
        held = SparseStiffness.of(given, self.units)
        held.require_confining(quartic)
        return held

    def dense(self) -> Array:
        """Return K as a dense array; more than 4096 units raise ValueError."""
        if self._dense is None:
            refuse_dense(self.units)
            self._dense = frozen(np.asarray(self.matrix.toarray(), dtype=np.float64))
        return self._dense

    def require_confining(self, quartic: Array) -> None:
        """Refuse a K that is not positive definite among the units without quartic terms.

        A few products show whether a scaling makes K diagonally dominant, hence positive definite.
        Otherwise the signs of the pivots of a sparse factorisation decide.
        """
        bare = quartic == 0
        if not bare.any():
            return
        part = self
        if not bare.all():
            part = SparseStiffness(_canonical(self.matrix[bare][:, bare]))
        diagonal = part.diagonal
        if not (diagonal > 0).all():
            unit = int(np.flatnonzero(bare)[np.argmin(diagonal)])
            raise ValueError(
                f"stiffness must be positive definite, but is {diagonal.min():.6g} at unit "
                f"{unit}; {CONFINE}"
            )
        if not part.core.dominated() and not _positive_pivots(part.matrix, diagonal):
            raise ValueError(
                "stiffness must be positive definite, but a pivot of its factorisation is not "
                f"positive; {CONFINE}"
            )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SparseStiffness):
            return NotImplemented
        return self is other or same(self, other)

    __hash__ = None  # type: ignore[assignment]  # arrays inside

    def __repr__(self) -> str:
        return f"<SparseStiffness: {self.units} units, {self.matrix.nnz} entries>"


def _rows(stiffness: SparseStiffness) -> dict[str, object]:
    matrix = stiffness.matrix
    return {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr}


def _of_rows(
    data: Array, indices: NDArray[np.integer], indptr: NDArray[np.integer]
) -> SparseStiffness:
    return SparseStiffness.of(
        scipy.sparse.csr_array((data, indices, indptr), shape=(len(indptr) - 1,) * 2)
    )


register(SparseStiffness, _rows, _of_rows)


def is_sparse(value: object) -> TypeGuard[SparseMatrix]:
    """Whether a value is a sparse matrix or array of SciPy, or a SparseStiffness."""
    # A sparse matrix implies that its module is imported; importing it here would be slow.
    module = sys.modules.get("scipy.sparse")
    return isinstance(value, SparseStiffness) or bool(module and module.issparse(value))


def refuse_dense(units: int) -> None:
    """Refuse dense algebra of a sparse network with too many units."""
    if units > MOST_DENSE_UNITS:
        raise ValueError(
            f"this needs a dense ({units}, {units}) matrix of {8e-9 * units**2:.3g} GB, but a "
            f"sparse network has one only up to {MOST_DENSE_UNITS} units; use "
            "controls.sparse_stiffness with scipy.sparse.linalg, or measure on an Emulator"
        )


def _canonical(value: SparseMatrix) -> SparseMatrix:
    """Copy a matrix into a csr_array of doubles without duplicates or zeros, columns ascending."""
    _check_indices(value)
    try:
        given = scipy.sparse.csr_array(value, copy=True)
        if given.dtype.kind not in "biuf":
            raise TypeError(f"entries of {given.dtype}")
        matrix = given.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        kind = type(value).__name__
        raise TypeError(f"stiffness must be a real matrix, but is {kind}: {error}") from None
    _check_indices(given)
    bad = np.flatnonzero(~np.isfinite(matrix.data))
    if len(bad):
        row = int(np.searchsorted(matrix.indptr, bad[0], side="right")) - 1
        place = (row, int(matrix.indices[bad[0]]))
        raise ValueError(f"stiffness must be finite, but is {matrix.data[bad[0]]} at index {place}")
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def _check_indices(value: SparseMatrix) -> None:
    """Refuse indices outside the matrix, which compiled code of SciPy would follow anywhere."""
    try:
        if hasattr(value, "check_format"):
            # SciPy trusts the last pointer, and differences of pointers may wrap around.
            pointers = getattr(value, "indptr", np.zeros(1))
            if pointers[0] != 0 or (pointers[1:] < pointers[:-1]).any():
                raise ValueError("index pointers must start at 0 and must not decrease")
            value.check_format(full_check=True)
        elif getattr(value, "format", None) == "coo":
            scipy.sparse.coo_array((value.data, (value.row, value.col)), shape=value.shape)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"stiffness must have all of its indices within the matrix, but {error}; build it anew"
        ) from None


def _symmetric(matrix: SparseMatrix) -> SparseMatrix:
    """Make a matrix exactly symmetric, if its asymmetry is within rounding."""
    turned = matrix.T.tocsr()
    turned.sort_indices()
    if all(
        np.array_equal(getattr(turned, name), getattr(matrix, name))
        for name in ("indptr", "indices", "data")
    ):
        return matrix
    asymmetry = abs(matrix - turned).tocoo()
    root = np.sqrt(np.abs(matrix.diagonal()))
    i, j = asymmetry.coords if hasattr(asymmetry, "coords") else (asymmetry.row, asymmetry.col)
    half = (0.5 * matrix + 0.5 * turned).tocsr()
    entries = np.asarray(half[i, j]).ravel() if len(i) else np.empty(0)
    size = 1e-12 * np.maximum(root[i] * root[j], np.abs(entries))
    if (asymmetry.data > size).any():
        k = int(np.argmax(asymmetry.data - size))
        a, b = int(i[k]), int(j[k])
        raise ValueError(
            f"stiffness must be symmetric, but stiffness[{a}, {b}] = {matrix[a, b]} and "
            f"stiffness[{b}, {a}] = {matrix[b, a]}; pass (stiffness + stiffness.T)/2 if that is "
            "meant"
        )
    return _canonical(half)


def _positive_pivots(matrix: SparseMatrix, diagonal: Array) -> bool:
    """Whether all pivots of K = Pᵀ L D Lᵀ P, scaled to unit diagonal, are positive.

    Source: Demmel, Eisenstat, Gilbert, Li, Liu (1999), SIAM J. Matrix Anal. Appl. 20, 720.
    """
    with interrupts_deferred():
        from scipy.sparse.linalg import splu

    root = scipy.sparse.diags_array(1 / np.sqrt(diagonal))
    scaled = scipy.sparse.csc_array(root @ matrix @ root)
    try:
        factor = splu(
            scaled,
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
    except RuntimeError:  # a pivot that is zero
        return False
    least = float(factor.U.diagonal().min())
    return bool(least > 4 * matrix.shape[0] * np.finfo(np.float64).eps)
