"""Stiffness that is the inverse of a sparse matrix, as that of a large circuit is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ktc import _core
from ktc._base.codec import register
from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, frozen
from ktc._model.sparse_stiffness import SparseMatrix, SparseStiffness, refuse_dense


class InverseStiffness(SparseStiffness):
    """K = S⁻¹ of a sparse S, symmetric positive definite, which is held by its factor.

    Attributes:
        storage: S, a ``scipy.sparse.csr_array`` of shape (d, d): capacitances and inductances.
        order: an order of elimination, of the rows of S.
    """

    def __init__(self, storage: SparseMatrix, order: NDArray[np.int64]) -> None:
        self.storage, self.order = storage, order
        for part in (storage.data, storage.indices, storage.indptr, order):
            frozen(part)
        self.core = _core.Stiffness.inverse_of(storage, order)
        self._dense: Array | None = None

    @property
    def matrix(self) -> SparseMatrix:
        """K as a ``csr_array``; one that is not diagonal raises ValueError beyond 4096 units."""
        if self.storage.nnz == self.units:
            return scipy.sparse.csr_array(scipy.sparse.diags_array(1 / self.storage.diagonal()))
        return scipy.sparse.csr_array(self.dense())

    @property
    def units(self) -> int:
        """Number of rows d."""
        return int(self.storage.shape[0])

    @property
    def numbers(self) -> Array:
        """The entries of S."""
        return np.asarray(self.storage.data)

    def times(self, columns: Array) -> Array:
        """Return K times a vector (d,) or a matrix (d, columns)."""
        given = np.ascontiguousarray(columns, dtype=np.float64)
        return self.core.times(given.reshape(self.units, -1)).reshape(given.shape)

    def dense(self) -> Array:
        """Return K as a dense array; more than 4096 units raise ValueError."""
        if self._dense is None:
            refuse_dense(self.units)
            inverse = self.times(np.eye(self.units))
            self._dense = frozen(0.5 * (inverse + inverse.T))
        return self._dense

    def replaced(self, given: ArrayLike | SparseMatrix, quartic: Array) -> SparseStiffness:
        """Refuse another stiffness: the capacitances of a large circuit are fixed."""
        own: object = self
        if given is not own:
            raise ValueError(
                "stiffness of a large circuit cannot change while it runs; make another circuit, "
                "or compile it with sparse=False"
            )
        self.require_confining(quartic)
        return self

    def require_confining(self, quartic: Array) -> None:
        """Refuse quartic terms; the factor has shown that S is positive definite."""
        if quartic.any():
            raise ValueError(
                "quartic must be zero in a large circuit; compile it with sparse=False"
            )

    def __repr__(self) -> str:
        return f"<InverseStiffness: {self.units} units, {self.storage.nnz} entries of its inverse>"


def csr_parts(matrix: SparseMatrix) -> dict[str, object]:
    """Return the arrays of a csr_array, which ``csr_of`` takes."""
    arrays = {name: getattr(matrix, name) for name in ("data", "indices", "indptr")}
    return {**arrays, "columns": int(matrix.shape[1])}


def csr_of(
    data: Array, indices: NDArray[np.integer], indptr: NDArray[np.integer], columns: int
) -> SparseMatrix:
    """Return a csr_array of its parts, checked."""
    shape = (len(indptr) - 1, columns)
    matrix = scipy.sparse.csr_array((data, indices, indptr), shape=shape)
    matrix.check_format(full_check=True)
    return matrix


register(
    InverseStiffness,
    lambda held: {"storage": csr_parts(held.storage), "order": held.order},
    lambda storage, order: InverseStiffness(csr_of(**storage), order),
)
