"""The state of a circuit at given voltages and currents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from ktc._base.validation import Array
from ktc._circuits.branch import Branch, CircuitError, spelled_condition
from ktc._circuits.equation import CircuitEquation
from ktc._model.network import Network


def state_at(
    net: Network,
    equation: CircuitEquation,
    conditions: Mapping[str, float],
    branches: Iterable[Branch],
) -> Array:
    """Return the state at given voltages and currents; see Circuit.initial_state."""
    of_gradient = {"0": np.zeros(net.units), "gnd": np.zeros(net.units)}
    of_sources = {"0": 0.0, "gnd": 0.0}
    fixed = equation.nodes_of_sources @ equation.values
    for node, row, value in zip(equation.nodes, equation.nodes_of_gradient, fixed, strict=True):
        of_gradient[node.lower()], of_sources[node.lower()] = row, float(value)
    rows, values = [], []
    branches = tuple(branches)
    known = {b.name.lower(): b for b in branches}
    for name, value in conditions.items():
        branch, node = known.get(name), name.removeprefix("v(").removesuffix(")")
        if branch is not None and branch.kind == "L":
            place = equation.inductors.index(branch.name)
            row = equation.inductors_of_gradient[place]
            value = value - float(equation.inductors_of_sources[place] @ equation.values)
        elif branch is not None:
            plus, minus = branch.plus.lower(), branch.minus.lower()
            row = of_gradient[plus] - of_gradient[minus]
            value = value - of_sources[plus] + of_sources[minus]
        elif node in of_gradient:
            row, value = of_gradient[node], value - of_sources[node]
        else:
            raise CircuitError(f"the initial condition of {name} names no node", name)
        rows.append(row)
        values.append(value)
    # Least energy ½ |Lᵀx|² with ∇²H = L Lᵀ: capacitors without a condition are not charged.
    stiffness = _uncoupled_stiffness(net.stiffness, equation, known)
    lower = np.linalg.cholesky(stiffness)
    matrix, wanted = np.array(rows).reshape(-1, net.units), np.array(values)
    shifted = wanted + matrix @ net.bias
    state = np.linalg.solve(lower.T, np.linalg.lstsq(matrix @ lower, shifted, rcond=None)[0])
    if stiffness is not net.stiffness:
        state = np.linalg.solve(net.stiffness, stiffness @ state)
    gradient = state @ net.stiffness - net.bias
    missed = np.abs(matrix @ gradient - wanted) > 1e-9 * np.abs(wanted).max(initial=0.0)
    if missed.any():
        name = list(conditions)[int(np.argmax(missed))]
        name = spelled_condition(name, branches, equation.nodes)
        raise CircuitError(
            f"the initial condition of {name} contradicts another one or a source; remove one",
            name,
        )
    return np.asarray(state)


def _uncoupled_stiffness(
    stiffness: Array, equation: CircuitEquation, branches: Mapping[str, Branch]
) -> Array:
    """Return ∇²H without mutual inductances, in which a current would induce others."""
    fluxes = [k for k, name in enumerate(equation.coordinates) if name.startswith("phi")]
    flows = equation.inductors_of_gradient[:, fluxes]
    henries = [branches[name.lower()].value for name in equation.inductors]
    own = flows.T @ (np.array(henries).reshape(-1, 1) * flows)
    root = np.sqrt(np.diagonal(own))
    sizes, places = np.outer(root, root), np.ix_(fluxes, fluxes)
    scaled, unit = own / sizes, np.eye(len(fluxes))
    if np.allclose((stiffness[places] * sizes) @ scaled, unit, rtol=0, atol=1e-9):
        return stiffness
    result = stiffness.copy()
    result[places] = np.linalg.inv(scaled) / sizes
    return result
