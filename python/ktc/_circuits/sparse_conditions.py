"""States of a large circuit at initial conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._circuits.branch import GROUND, Branch, CircuitError, spelled_condition
from ktc._circuits.sparse_equation import SparseEquation
from ktc._circuits.sparse_graph import csr
from ktc._model.inverse_stiffness import InverseStiffness
from ktc._model.sparse_stiffness import SparseMatrix

#: Most numbers of a dense matrix of initial conditions, (conditions, d).
MOST_CONDITIONS = 20_000_000


def state_at(
    equation: SparseEquation,
    stiffness: InverseStiffness,
    bias: Array,
    conditions: Mapping[str, float],
    branches: Iterable[Branch],
) -> Array:
    """Return the state of least energy that has given voltages and currents.

    Raises:
        CircuitError: a condition that names no node, that contradicts another one or a source, or
            that no charge holds.
    """
    branches = tuple(branches)
    rows, fixed = _conditions(equation, list(conditions), branches)
    if rows.shape[0] * equation.units > MOST_CONDITIONS:
        raise CircuitError(
            f"{rows.shape[0]:,} initial conditions of a circuit of {equation.units:,} coordinates "
            "are too many; pass state="
        )
    wanted = np.array(list(conditions.values())) - fixed
    # Least energy ½ zᵀ S⁻¹ z: z = Aᵀ λ where A ∇H = wanted.
    matrix = rows.toarray()
    system = matrix @ stiffness.times(matrix.T)
    scale = 1 / np.sqrt(np.diagonal(system))
    pull = (
        scale
        * np.linalg.lstsq(
            system * np.outer(scale, scale), scale * (wanted + matrix @ bias), rcond=1e-12
        )[0]
    )
    state = np.asarray(matrix.T @ pull)
    missed = np.abs(matrix @ (stiffness.times(state) - bias) - wanted)
    if (missed > 1e-9 * np.abs(wanted).max(initial=0.0)).any():
        name = list(conditions)[int(np.argmax(missed))]
        name = spelled_condition(name, branches, equation.nodes)
        raise CircuitError(
            f"the initial condition of {name} contradicts another one or a source; remove one",
            name,
        )
    return state


def _conditions(
    equation: SparseEquation, names: Sequence[str], branches: Iterable[Branch]
) -> tuple[SparseMatrix, Array]:
    """Rows by ∇H, and parts by sources, of the quantities of initial conditions."""
    known = {b.name.lower(): b for b in branches}
    place = {node.lower(): k for k, node in enumerate(equation.nodes)}
    inductor = {name.lower(): k for k, name in enumerate(equation.inductors)}
    shares = equation.shares.tocoo()
    flux = {
        row: (equation.first_flux + column, share)
        for row, column, share in zip(
            shares.row.tolist(), shares.col.tolist(), shares.data.tolist(), strict=True
        )
    }
    nodes: list[tuple[int, int, float]] = []
    fluxes: list[tuple[int, int, float]] = []
    for k, name in enumerate(names):
        branch, node = known.get(name), name.removeprefix("v(").removesuffix(")")
        if branch is not None and branch.kind == "L":
            fluxes.append((k, *flux[inductor[name]]))
            continue
        ends = (branch.plus, branch.minus) if branch is not None else (node, GROUND)
        for end, sign in zip(ends, (1.0, -1.0), strict=True):
            if end.lower() in place:
                nodes.append((k, place[end.lower()], sign))
            elif end.lower() not in (GROUND, "gnd"):
                raise CircuitError(f"the initial condition of {name} names no node", name)
    chosen = _matrix(nodes, (len(names), len(equation.nodes)))
    found = chosen @ equation.voltages + _matrix(fluxes, (len(names), equation.voltages.shape[1]))
    found = scipy.sparse.csr_array(found)
    found.eliminate_zeros()
    lost = np.flatnonzero(np.diff(found[:, equation.units :].indptr))
    lost = lost if len(lost) else np.flatnonzero(np.diff(found.indptr) == 0)
    if len(lost):
        name = spelled_condition(names[lost[0]], known.values(), equation.nodes)
        raise CircuitError(
            f"the initial condition of {name} is at a node whose voltage no charge holds; "
            "remove it",
            name,
        )
    return found[:, : equation.units], chosen @ (equation.offsets @ equation.values)


def _matrix(entries: Sequence[tuple[int, int, float]], shape: tuple[int, int]) -> SparseMatrix:
    table = np.array(entries, dtype=float).reshape(-1, 3)
    row, column = table[:, :2].T.astype(np.int64)
    return csr(table[:, 2], row, column, shape)
