"""Sparse stiffness of rings, grids and given graphs of springs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.lazy_imports import scipy
from ktc._base.resources import allocating
from ktc._base.validation import count, flag, per_unit, real_array, refusing_overflow
from ktc._model.sparse_stiffness import SparseMatrix

#: Units of a lattice: its arrays take some 200 bytes each.
MOST_UNITS = 10**8


@refusing_overflow("own or coupling")
def springs(
    units: int, edges: ArrayLike, own: ArrayLike = 1.0, coupling: ArrayLike = 1.0
) -> SparseMatrix:
    """Sparse K of springs on a graph: H = ½ Σ_i k_i x_i² + ½ Σ_(i,j) c_ij (x_i − x_j)².

    Args:
        units: number of units d.
        edges: pairs of unit numbers, shape (edges, 2), each pair once in either order.
        own: k, scalar or (d,).
        coupling: c, scalar or one number per edge, (edges,), of any sign.

    Returns:
        A ``scipy.sparse.csr_array`` of shape (d, d), which ``ktc.Network`` and
        ``Emulator.set(stiffness=...)`` take: K_ii = k_i + Σ_j c_ij, K_ij = −c_ij.

    Raises:
        ValueError: a pair that does not join two units, or one that is given twice.

    Example:
        >>> import ktc
        >>> ktc.lattices.springs(3, [(0, 1), (1, 2)], own=1.0, coupling=0.5).toarray()
        array([[ 1.5, -0.5,  0. ],
               [-0.5,  2. , -0.5],
               [ 0. , -0.5,  1.5]])

    Source: Laplacian of a graph; Chung (1997), Spectral Graph Theory.
    """
    d = count("units", units, most=MOST_UNITS)
    pairs = real_array("edges", edges)
    if pairs.size == 0:
        pairs = pairs.reshape(0, 2)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or (pairs != np.floor(pairs)).any():
        raise ValueError(
            f"edges must be pairs of whole numbers, shape (edges, 2), but have shape {pairs.shape}"
        )
    low, high = np.sort(pairs.astype(np.int64), axis=1).T
    wrong = np.flatnonzero((low < 0) | (high >= d) | (low == high))
    if len(wrong):
        raise ValueError(
            f"edges must join two of the units 0 to {d - 1}, but edges[{wrong[0]}] is "
            f"{tuple(pairs[wrong[0]].astype(int).tolist())}"
        )
    code, times = np.unique(low * d + high, return_counts=True)
    if (times > 1).any():
        twice = int(code[np.argmax(times > 1)])
        raise ValueError(f"edges must name a pair once, but name {divmod(twice, d)} twice")
    c = real_array("coupling", coupling)
    if c.ndim > 0 and c.shape != low.shape:
        raise ValueError(
            f"coupling must be a scalar or of shape ({len(low)},), one number per edge, but has "
            f"shape {c.shape}"
        )
    strength = np.broadcast_to(c, low.shape)
    with allocating("units", d):
        diagonal = per_unit("own", own, d).copy()
        np.add.at(diagonal, low, strength)
        np.add.at(diagonal, high, strength)
        values = np.concatenate([diagonal, -strength, -strength])
        pairs_of_ends = (low, high), (high, low)
        rows, columns = (np.concatenate([np.arange(d), *ends]) for ends in pairs_of_ends)
        return scipy.sparse.coo_array((values, (rows, columns)), shape=(d, d)).tocsr()


def ring(units: int, own: ArrayLike = 1.0, coupling: ArrayLike = 1.0) -> SparseMatrix:
    """Sparse K of a ring of springs, each unit coupled to the next and the last to the first.

    Args:
        units: number of units, at least 3.
        own, coupling: as ``springs``; edge i joins units i and i + 1.

    Example:
        >>> import ktc
        >>> ktc.lattices.ring(4, own=1.0, coupling=0.25).toarray()[0]
        array([ 1.5 , -0.25,  0.  , -0.25])
    """
    d = count("units", units, least=3, most=MOST_UNITS)
    with allocating("units", d):
        number = np.arange(d)
        return springs(d, np.stack([number, (number + 1) % d], axis=1), own, coupling)


def grid(
    rows: int, columns: int, own: ArrayLike = 1.0, coupling: ArrayLike = 1.0, periodic: bool = False
) -> SparseMatrix:
    """Sparse K of a square grid of springs between neighbours; unit (r, c) is r·columns + c.

    Args:
        rows, columns: at least 1, or 3 where periodic.
        own: k, scalar or (rows·columns,).
        coupling: c, scalar or one number per edge: first edges along rows, then along columns,
            both in the order of their first unit.
        periodic: whether opposite sides are coupled, as on a torus.

    Example:
        >>> import ktc
        >>> ktc.lattices.grid(1000, 1000, own=1.0, coupling=0.5).shape
        (1000000, 1000000)
        >>> ktc.lattices.grid(3, 3, periodic=True).toarray()[4]
        array([ 0., -1.,  0., -1.,  5., -1.,  0., -1.,  0.])
    """
    least = 3 if flag("periodic", periodic) else 1
    shape = (count("rows", rows, least=least), count("columns", columns, least=least))
    units = count("rows · columns", shape[0] * shape[1], most=MOST_UNITS)
    with allocating("rows · columns", units):
        number = np.arange(units).reshape(shape)
        if periodic:
            right = [number, np.roll(number, -1, axis=1)]
            down = [number, np.roll(number, -1, axis=0)]
        else:
            right, down = [number[:, :-1], number[:, 1:]], [number[:-1], number[1:]]
        edges = [np.stack([one.ravel(), other.ravel()], axis=1) for one, other in (right, down)]
        return springs(units, np.concatenate(edges), own, coupling)
