"""Direct currents of circuits, also of those with capacitors in series or inductors in parallel."""

from __future__ import annotations

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._circuits.nodal_equations import NodalEquations
from ktc._circuits.undetermined import MOST_SINGULAR, undetermined

ROUNDING = 1e-9


def direct_solution(equations: NodalEquations, side: Array) -> Array:
    """Return the constant solution of G x = b.

    Where G is singular, at nodes between capacitors or in loops of inductors, it is the one that
    is reached from rest: with left and right null vectors W and N of G,

        G x = b,  Wᵀ C x = 0.

    Raises:
        CircuitError: no solution, or more than one; it names nodes and elements.
    """
    system = equations.system()
    if not system.singular:
        return np.asarray(system.solve(side))
    if equations.size > MOST_SINGULAR:
        raise undetermined(equations, (), "at direct current")
    scaled = system.scaled.toarray()
    left, sizes, right = np.linalg.svd(scaled)
    rank = int(np.sum(sizes > 1e-13 * sizes.max(initial=0.0)))
    null, left_null = _separated(right[rank:].T), _separated(left[:, rank:])
    storage = equations.storage.toarray()
    kept = (left_null.T * system.row_scale) @ storage * system.column_scale
    largest = np.abs(kept).max(axis=1, initial=0.0)
    kept /= np.where(largest > 0, largest, 1.0)[:, None]
    freedom = kept @ null
    loose = np.linalg.svd(freedom, compute_uv=False).min(initial=1.0) < ROUNDING
    scaled_side = system.row_scale * side
    missed = left_null.T @ scaled_side
    moved = np.abs(missed) > ROUNDING * np.abs(scaled_side).max(initial=0.0)
    if loose or moved.any():
        direction = null if loose else null @ np.linalg.solve(freedom, np.where(moved, missed, 0))
        weight = np.abs(direction.reshape(len(direction), -1)).max(axis=1)
        rows = np.flatnonzero(weight > 1e-6 * weight.max(initial=0.0))
        raise undetermined(equations, rows.tolist(), "at direct current", bool(moved.any()))
    bordered = np.block([[scaled, left_null], [kept, np.zeros((len(kept), len(kept)))]])
    solution = np.linalg.solve(bordered, np.concatenate([scaled_side, np.zeros(len(kept))]))
    return np.asarray(system.column_scale * solution[: equations.size])


def _separated(null: Array) -> Array:
    """Return a basis of the same space with one vector for each part that is coupled.

    Farads and henries of parts that are not would otherwise meet in one equation.
    """
    chosen = scipy.linalg.qr(null.T, mode="r", pivoting=True)[1][: null.shape[1]]
    basis = null @ np.linalg.inv(null[chosen])
    return np.where(np.abs(basis) > 1e-10, basis, 0.0)
