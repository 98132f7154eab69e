"""Voltages and currents that a circuit does not determine, by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ktc._circuits.branch import CircuitError
from ktc._circuits.linear_system import LinearSystem
from ktc._circuits.nodal_equations import NodalEquations

MOST_SINGULAR = 3000  # unknowns, whose singular value decomposition takes some ten seconds


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
    when = f"at {frequency:g} Hz" if frequency else "at direct current"
    raise undetermined(equations, rows, when)


def undetermined(
    equations: NodalEquations, rows: Sequence[int], when: str, grows: bool = False
) -> CircuitError:
    """Return the error about unknowns that are not determined, or grow without bound."""
    found = [equations.unknown(row) for row in rows]
    nodes = [name for kind, name in found if kind == "node"]
    elements = [name for kind, name in found if kind == "element"]
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
