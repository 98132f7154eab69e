"""Values of the sources of a large circuit that give the controls of an emulator."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, finite
from ktc._circuits.source_values import DRIVEN, driven_controls, known_values, may_move, places_of
from ktc._circuits.sparse_equation import SparseEquation
from ktc._model.controls import Controls

#: Most entries of the dense matrix that is solved for sources that are not given.
MOST_ENTRIES = 20_000_000


def present_sources(
    equation: SparseEquation,
    controls: Controls | Mapping[str, Array],
    given: Mapping[str, float],
    remembered: Array | None = None,
) -> Array:
    """Return the values of the sources: those given, and others that give the controls.

    The others have remembered values, or those in the circuit, where these give the controls. The
    shape is (points, sources), for controls or for waveforms of those that sources act on.

    Raises:
        ValueError: controls that no values of the sources give, or that do not determine them.
    """
    places = places_of(equation, given)
    fixed = {place: finite(name, given[name]) for name, place in places.items()}
    found = driven_controls(controls)
    if not len(equation.values):
        return np.zeros((len(found), 0))
    matrix = scipy.sparse.vstack([getattr(equation, f"{name}_of") for name in DRIVEN], format="csr")
    size = np.asarray(abs(matrix).max(axis=1).todense()).ravel()
    acting = np.asarray(abs(matrix).max(axis=0).todense()).ravel() > 0
    kept = np.flatnonzero(size)
    matrix = scipy.sparse.csc_array(scipy.sparse.diags_array(1 / size[kept]) @ matrix[kept])
    wanted = (found[:, kept] / size[kept]).T

    def missed(values: Array, tolerance: float) -> bool:
        rounding = tolerance * (np.abs(wanted) + abs(matrix) @ np.abs(values))
        return bool((np.abs(matrix @ values - wanted) > rounding).any())

    moving = may_move(acting, remembered)
    for known in known_values(equation.values, remembered, moving):
        values = np.tile(known[:, None], len(found))
        values[list(fixed)] = np.array(list(fixed.values()))[:, None]
        if np.isfinite(values).all() and not missed(values, 1e-13):
            return values.T
    free = np.setdiff1d(np.flatnonzero(moving), list(fixed))
    if matrix.shape[0] * len(free) > MOST_ENTRIES:
        raise ValueError(
            f"the values of {len(free):,} sources would have to be found from the emulator's "
            "controls; give those that differ from the circuit: circuit.voltages(emulator, V1=...)"
        )
    rest = wanted - matrix @ values
    change, _, rank, _ = np.linalg.lstsq(matrix[:, free].toarray(), rest, rcond=None)
    values[free] += np.where(np.abs(change) > 1e-13 * np.abs(change).max(), change, 0.0)
    if missed(values, 1e-9) or rank < len(free):
        names = [equation.sources[s] for s in free[:3]]
        raise ValueError(
            "the emulator's controls do not determine the values of the sources; give them: "
            f"circuit.voltages(emulator, {', '.join(f'{name}=...' for name in names)})"
        )
    return values.T
