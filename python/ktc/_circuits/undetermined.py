"""Voltages and currents that a circuit does not determine, by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array
from ktc._circuits.branch import CircuitError
from ktc._circuits.compilation import too_far_apart
from ktc._circuits.linear_system import LinearSystem
from ktc._circuits.nodal_equations import NodalEquations

MOST_SINGULAR = 3000  # unknowns, whose singular value decomposition takes some ten seconds

ACCURACY = 1e-9
ZERO = 16 * np.finfo(np.float64).eps


def require_accurate(
    equations: NodalEquations,
    solution: NDArray[np.inexact],
    rounding: Array,
    scale: Array,
    when: str,
) -> None:
    """Refuse voltages, in the first entries of the last axis, that rounding moves too far.

    Voltages that are all zero within rounding, beside other unknowns, are accepted. Of the
    transposed equations the first unknowns are refused in the same way.

    Args:
        scale: of the unknowns.
    """
    count, sizes = equations.voltages, np.abs(solution)
    largest = sizes[..., :count].max(axis=-1, initial=0.0)
    scaled = sizes / scale
    zero = scaled[..., :count].max(axis=-1, initial=0.0) <= ZERO * scaled.max(axis=-1)
    accurate = rounding[..., :count].max(axis=-1, initial=0.0) <= ACCURACY * largest
    if not np.isfinite(solution).all() or not (accurate | zero).all():
        raise too_far_apart(
            list(equations.branches.values()), f"rounding decides on a voltage {when}"
        )


def require_regular(
    equations: NodalEquations, system: LinearSystem, frequency: float
) -> LinearSystem:
    """Return a system that can be solved; name what makes another one singular."""
    if not system.singular:
        return system
    rows: list[int] = []
    if equations.size <= MOST_SINGULAR:
        _, sizes, right = np.linalg.svd(system.scaled.toarray())
        null = np.abs(right[sizes <= max(1e-13 * sizes[0], sizes[-1])]).max(axis=0)
        rows = np.flatnonzero(null > 1e-6 * null.max()).tolist()
    raise undetermined(equations, rows, frequency)


def at(frequency: float) -> str:
    """Return the words for a frequency [Hz]."""
    return f"at {frequency:g} Hz" if frequency else "at direct current"


def undetermined(
    equations: NodalEquations, rows: Sequence[int], frequency: float = 0.0, grows: bool = False
) -> CircuitError:
    """Return the error about unknowns that are not determined, or grow without bound."""
    when = at(frequency)
    nodes, elements = _named(equations, rows, frequency)
    if rows and not nodes and not elements:
        return too_far_apart(
            list(equations.branches.values()), f"the equations are singular {when}"
        )
    what = "nothing bounds" if grows else "the circuit does not determine"
    line = None
    if nodes and elements:
        told = f"the voltage of node {nodes[0]!r} and the current of {elements[0]}"
        fix = "check the feedback of controlled sources and amplifiers"
    elif nodes:
        told = f"the voltage of node {', node '.join(map(repr, nodes))}"
        fix = "no resistor connects it to ground; add a large one"
    elif elements:
        told, fix = f"the current of {', of '.join(elements)}", "their loop has no resistance"
        fix += "; add a resistor in series"
        line = equations.branches[elements[0].lower()].line
    else:
        told = f"a voltage or current among {equations.size:,}"
        fix = "connect nodes to ground by large resistors, and put some into loops of sources"
    return CircuitError(f"{what} {told} {when}: {fix}", (nodes or elements or [""])[0], line)


def _named(
    equations: NodalEquations, rows: Sequence[int], frequency: float
) -> tuple[list[str], list[str]]:
    """Names of nodes and of elements; nodes alone are those that float."""
    found = [(row, *equations.unknown(row)) for row in rows]
    elements = [name for _, kind, name in found if kind == "element"]
    if not elements:
        floating = _floating(equations, set(rows), "RCL" if frequency else "RL")
        found = [each for each in found if each[0] in floating]
    return [name for _, kind, name in found if kind == "node"], elements


def require_floating(equations: NodalEquations, null: Array) -> None:
    """Refuse direct voltages that are open by rounding alone, shape (unknowns, open)."""
    for column in np.abs(null).T:
        rows = np.flatnonzero(column > 1e-6 * column.max())
        if (rows < equations.voltages).any() and not (
            set(rows) & set(equations.current_places.values())
            or _floating(equations, set(rows.tolist()), "RL")
        ):
            raise too_far_apart(
                list(equations.branches.values()), "the equations are singular at direct current"
            )


def _floating(equations: NodalEquations, rows: set[int], kinds: str) -> set[int]:
    """Return those of the rows that no element of these kinds joins to another row."""
    joining = [equations.ends(b) for b in equations.branches.values() if b.kind in kinds]
    found, before = rows, -1
    while len(found) != before:
        before = len(found)
        touched = {
            end for ends in joining for end in ends if (ends[0] in found) != (ends[1] in found)
        }
        found = found - touched
    return found
