"""Mean power of each source of a circuit at a mean state."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array
from ktc._circuits.branch import CircuitError
from ktc._circuits.compiled_circuit import CompiledCircuit
from ktc._circuits.nodal_equations import NodalEquations
from ktc._model.controls import Controls


def source_powers(
    equations: NodalEquations, net: CompiledCircuit, state: Array, controls: Controls, theta: Array
) -> dict[str, float]:
    """Return the power that each V and I delivers at a mean state, at held sources θ.

    Node voltages v and currents of inductors follow from the state, and dv/dt from its drift. The
    currents of voltage sources are the rest of Kirchhoff's current law, G x + C dx/dt = b.
    """
    equation, elements = net.equation, net.core.elements
    gradient = net.gradient(state, controls)
    push = elements.directions.T @ (elements.conductance * controls.emf)
    push = push + elements.source_directions.T @ controls.current
    change = net.nodes_of_state(controls) @ (net.core.flow @ gradient + push)
    volts = equation.nodes_of_gradient @ gradient + equation.nodes_of_sources @ theta
    held = equation.inductors_of_gradient @ gradient + equation.inductors_of_sources @ theta

    x, moved = np.zeros(equations.size + 1), np.zeros(equations.size + 1)
    x[equations.node_places], moved[equations.node_places] = volts, change
    x[-1] = moved[-1] = 0.0  # ground
    for name, amperes in zip(equation.inductors, held, strict=True):
        x[equations.current_places[name.lower()]] = amperes
    for name, row in equations.resistor_places.items():
        plus, minus = equations.ends(equations.branches[name])
        x[row] = (x[plus] - x[minus]) / equations.branches[name].value
    values = dict(zip(map(str.lower, equation.sources), theta.tolist(), strict=True))
    missing = equations.right_side(values) - equations.conductance @ x[:-1]
    missing -= equations.storage @ moved[:-1]
    unknown = [
        place for name, place in equations.current_places.items() if not name.startswith("l")
    ]
    nodes = slice(0, 1 + int(equations.node_places.max(initial=-1)))
    columns = equations.conductance[:, unknown].toarray()[nodes]
    found, _, rank, _ = np.linalg.lstsq(columns, missing[nodes], rcond=None)
    if rank < len(unknown):
        raise CircuitError("voltage sources in a loop share a current that nothing determines")
    x[unknown] = found

    powers = {}
    for name, value in zip(equation.sources, theta.tolist(), strict=True):
        plus, minus = equations.ends(equations.branches[name.lower()])
        across = float(x[plus] - x[minus])
        place = equations.current_places.get(name.lower())
        current = value if place is None else float(x[place])
        powers[name] = 0.0 - (across if place is None else value) * current
    return powers
