"""Direct currents of circuits, also of those with capacitors in series or inductors in parallel."""

from __future__ import annotations

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._circuits.compilation import too_far_apart
from ktc._circuits.linear_system import probes
from ktc._circuits.nodal_equations import NodalEquations
from ktc._circuits.undetermined import (
    MOST_SINGULAR,
    at,
    require_accurate,
    require_floating,
    undetermined,
)

ROUNDING = 1e-9


def direct_solution(equations: NodalEquations, side: Array) -> Array:
    """Return the constant solution of G x = b.

    Where G is singular, at nodes between capacitors or in loops of inductors, it is the one that
    is reached from rest: with left and right null vectors W and N of G,

        G x = b,  Wᵀ C x = 0.

    Raises:
        CircuitError: no solution, more than one, or one that rounding decides on; it names
            nodes and elements.
    """
    system = equations.system()
    if not system.singular:
        found = np.asarray(system.solve(side))
        rounding = system.rounding(side, found)
        require_accurate(equations, found, rounding, system.column_scale, at(0.0))
        return found
    if equations.size > MOST_SINGULAR:
        raise undetermined(equations, ())
    scaled = system.scaled.toarray()
    left, sizes, right = np.linalg.svd(scaled)
    rank = int(np.sum(sizes > 1e-13 * sizes.max(initial=0.0)))
    inverse = (right[:rank].T / sizes[:rank]) @ left[:, :rank].T
    null, error = _separated(right[rank:].T, scaled, inverse)
    left_null, left_error = _separated(left[:, rank:], scaled.T, inverse.T)
    if max(error, left_error) > ROUNDING:
        raise too_far_apart(list(equations.branches.values()), "rounding decides on a voltage")
    require_floating(equations, null)
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
        raise undetermined(equations, rows.tolist(), grows=bool(moved.any()))
    bordered = np.block([[scaled, left_null], [kept, np.zeros((len(kept), len(kept)))]])
    rows = np.append(system.row_scale, np.ones(len(kept)))

    def solved(sides: Array) -> Array:
        padded = np.pad(sides, ((0, 0), (0, len(kept))))
        solution = np.linalg.solve(bordered, (rows * padded).T).T
        return np.asarray(system.column_scale * solution[:, : equations.size])

    found = solved(side[None])
    found = np.asarray((found + solved(side - found @ system.matrix.T))[0])
    missed = abs(system.matrix) @ np.abs(found) + np.abs(side)
    rounding = np.abs(solved(probes(equations.size) * missed)).max(axis=0)
    require_accurate(equations, found, rounding, system.column_scale, at(0.0))
    return found


def _separated(null: Array, matrix: Array, inverse: Array) -> tuple[Array, float]:
    """Return a basis of a null space with one vector for each part that is coupled, and its error.

    Farads and henries of parts that are not would otherwise meet in one equation.
    """
    chosen = scipy.linalg.qr(null.T, mode="r", pivoting=True)[1][: null.shape[1]]
    error = 0.0
    for _ in range(3):
        basis = null @ np.linalg.inv(null[chosen])
        missed = inverse @ (matrix @ basis)
        null, error = basis - missed, float(np.abs(missed).max(initial=0.0))
    return np.asarray(np.where(np.abs(null) > 1e-10, null, 0.0)), error
