"""Solutions of the nodal equations over frequency."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ktc._base.validation import Array, real_array, told
from ktc._circuits.linear_system import SCALINGS, is_unit, probes
from ktc._circuits.nodal_equations import NodalEquations
from ktc._circuits.undetermined import at, require_accurate, require_regular

#: Smaller systems are solved many at once by dense factors.
FEW_UNKNOWNS = 30
AT_ONCE = 2048
#: Relative change of a frequency whose effect, at a sharp resonance, is no loss of digits.
SHARP = 8 * np.finfo(np.float64).eps


def checked_frequencies(frequencies: ArrayLike) -> Array:
    """Return frequencies as an array of one axis."""
    f = np.atleast_1d(real_array("frequencies", frequencies))
    if f.ndim != 1 or not f.size or not ((f >= 0) & (f < 1e150)).all():
        raise ValueError(
            "frequencies must be a non-negative scalar or 1-D array up to 1e150, but is "
            f"{told(frequencies)}"
        )
    return f


def solutions(
    equations: NodalEquations, frequencies: Array, side: Array, transposed: bool = False
) -> NDArray[np.complex128]:
    """Return x of (G + 2πi f C) x = side, or of the transposed equations, at each frequency.

    Shape (frequencies, size + 1); the last column is ground, zero.
    """
    found = np.zeros((len(frequencies), equations.size + 1), dtype=complex)
    few = equations.size <= FEW_UNKNOWNS
    # A circuit is singular by its topology, at zero frequency or at all others too.
    probes = {frequencies.argmin(), frequencies.argmax()} if few else range(len(frequencies))
    for point in probes:
        frequency = float(frequencies[point])
        system = require_regular(equations, equations.system(frequency), frequency)
        if not few:
            found[point, :-1] = system.solve(side, transposed)
            rounding = system.rounding(side, found[point, :-1], transposed)
            if frequency:
                storage = equations.storage.T if transposed else equations.storage
                moving = 2 * math.pi * frequency * (storage @ found[point, :-1])
                rounding -= SHARP * np.abs(system.solve(moving, transposed))
            scale = system.row_scale if transposed else system.column_scale
            require_accurate(equations, found[point, :-1], rounding, scale, at(frequency))
    if few:
        for start in range(0, len(frequencies), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            found[part, :-1] = _dense(equations, frequencies[part], side, transposed)
    return found


def _dense(
    equations: NodalEquations, frequencies: Array, side: Array, transposed: bool
) -> NDArray[np.complex128]:
    conductance, storage = equations.conductance.toarray(), equations.storage.toarray()
    if transposed:
        conductance, storage = conductance.T, storage.T
    matrices = conductance + 2j * math.pi * frequencies[:, None, None] * storage
    sizes = np.abs(matrices)
    rows, columns = np.ones(sizes.shape[:2]), np.ones(sizes.shape[:2])
    for _ in range(SCALINGS):
        scaled = rows[:, :, None] * sizes * columns[:, None, :]
        of_rows, of_columns = scaled.max(axis=2), scaled.max(axis=1)
        rows, columns = rows / np.sqrt(of_rows), columns / np.sqrt(of_columns)
        if is_unit(of_rows) and is_unit(of_columns):
            break
    inverse = np.linalg.inv(rows[:, :, None] * matrices * columns[:, None, :])

    def solved(sides: NDArray[np.inexact]) -> NDArray[np.complex128]:
        return np.asarray(columns * (inverse @ (rows * sides)[:, :, None])[:, :, 0])

    found = solved(np.broadcast_to(side, rows.shape))
    for _ in range(2):
        found = found + solved(side - np.einsum("fij,fj->fi", matrices, found))
    missed = np.einsum("fij,fj->fi", sizes, np.abs(found)) + np.abs(side)
    rounding = np.max([np.abs(solved(p * missed)) for p in probes(len(side))], axis=0)
    moving = 2 * math.pi * frequencies[:, None] * np.einsum("ij,fj->fi", storage, found)
    rounding -= SHARP * np.abs(solved(moving))
    low, high = float(frequencies.min()), float(frequencies.max())
    told = at(low) if low == high else f"between {low:g} and {high:g} Hz"
    require_accurate(equations, found, rounding, columns, told)
    return found
