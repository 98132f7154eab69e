"""Sources whose energy is part of H: those that drive no steady current through a resistor.

At rest under such sources θ, ∇H = g with d_r·g = e_r for every resistor and J g = −Σ a_s I_s: no
current flows through a resistor, and the state is an equilibrium. With H − gᵀx in place of H these
sources are a bias, and the motion is the same. What they deliver over a path is then part of the
change of H and of the work of their updates, as that of voltage sources in series with capacitors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array
from ktc._circuits.equation import CircuitEquation
from ktc._circuits.source_values import places_of
from ktc._model.directions import NamedDirections

#: Share of its terms below which a current at rest is rounding.
ROUNDING = 1e-9


def _rest(equation: CircuitEquation) -> tuple[Array, NDArray[np.bool_]]:
    """Return ∇H at rest without currents, (n, sources), and where there are some, (rows, sources).

    Rows are those of the resistors, and then of the coordinates.
    """
    along, push = _directions(equation)
    rows = np.vstack([along, equation.interconnection])
    wanted = np.vstack([equation.emf_of, -push.T @ equation.current_of])
    gradient = np.asarray(np.linalg.lstsq(rows, wanted, rcond=None)[0], dtype=np.float64)
    gradient[np.abs(gradient) < 1e-13 * np.abs(gradient).max(axis=0, initial=0.0)] = 0.0
    size = np.abs(rows) @ np.abs(gradient) + np.abs(wanted)
    return gradient, np.asarray(np.abs(rows @ gradient - wanted) > ROUNDING * size)


def _directions(equation: CircuitEquation) -> tuple[Array, Array]:
    """Directions of the resistors and of the current sources, one per row."""
    along = np.array([np.asarray(r.direction) for r in equation.resistors])
    push = np.array([np.asarray(s.direction) for s in equation.currents])
    return along, push.reshape(len(equation.currents), len(equation.coordinates))


def with_source_energy(equation: CircuitEquation) -> CircuitEquation:
    """Return the equation in which sources act by the bias wherever they can."""
    gradient, flowing = _rest(equation)
    driven = equation.emf_of.any(axis=0) | equation.current_of.any(axis=0)
    moved = driven & ~flowing.any(axis=0)
    if not moved.any():
        return equation
    gradient = np.where(moved, gradient, 0.0)
    emf_of, current_of = (np.where(moved, 0.0, m) for m in (equation.emf_of, equation.current_of))
    emf, current = (emf_of @ equation.values).tolist(), (current_of @ equation.values).tolist()
    return replace(
        equation,
        resistors=[replace(r, emf=e) for r, e in zip(equation.resistors, emf, strict=True)],
        currents=[replace(s, current=i) for s, i in zip(equation.currents, current, strict=True)],
        bias_of=equation.bias_of + gradient,
        emf_of=emf_of,
        current_of=current_of,
        nodes_of_sources=equation.nodes_of_sources + equation.nodes_of_gradient @ gradient,
        inductors_of_sources=(
            equation.inductors_of_sources + equation.inductors_of_gradient @ gradient
        ),
        source_energy=True,
    )


def source_directions(equation: CircuitEquation, names: Sequence[str]) -> NamedDirections:
    """Return how named sources enter the bias, or the reason why one of them does not."""
    places = list(places_of(equation, names).values())
    if equation.active is not None:
        raise ValueError(
            f"{', '.join(names)} cannot be learned in a circuit with controlled sources, which "
            "supply energy and leave no equilibrium"
        )
    driven = np.vstack([equation.emf_of, equation.current_of])
    flowing = _rest(equation)[1]
    for place in places:
        name = equation.sources[place]
        if flowing[:, place].any():
            raise ValueError(
                f"{name} drives a steady current through {_carriers(equation, place)}, "
                "which leaves no equilibrium, so that it cannot be learned; learn sources that "
                "only charge capacitors, or put a capacitor in its path"
            )
        if driven[:, place].any():
            raise ValueError(
                f"{name} acts through resistors or inductors, and its energy is not part of H in "
                "this emulator; give learn the circuit, or an emulator of "
                "circuit.compile().with_source_energy()"
            )
        if not equation.bias_of[:, place].any():
            raise ValueError(
                f"{name} acts on no charge and no flux, so that there is nothing to learn: leave "
                "it out of parameters"
            )
    chosen = tuple(equation.sources[place] for place in places)
    symbols = tuple("A" if name[0] in "iI" else "V" for name in chosen)
    return NamedDirections(chosen, equation.bias_of[:, places], symbols, settable=True)


def refuse_steady(equation: CircuitEquation, values: Mapping[str, float]) -> None:
    """Refuse values of sources that are not part of H and drive a steady current."""
    flowing = _rest(equation)[1]
    for name, place in places_of(equation, values).items():
        if values[name] and flowing[:, place].any():
            raise ValueError(
                f"{name} is at {values[name]:g} and drives a steady current through "
                f"{_carriers(equation, place)}, which leaves no equilibrium; set it to "
                "0, or put a capacitor in its path"
            )


def _carriers(equation: CircuitEquation, place: int) -> str:
    """Names of the resistors that carry a steady current of a source, the first three."""
    along, push = _directions(equation)
    ohmic = np.array([[r.conductance] for r in equation.resistors])
    emf, pushed = equation.emf_of[:, place], push.T @ equation.current_of[:, place]
    flow = equation.interconnection - along.T @ (ohmic * along)
    pushed = pushed + along.T @ (ohmic[:, 0] * emf)
    gradient = np.linalg.lstsq(flow, -pushed, rcond=None)[0]
    carried = np.abs(along @ gradient - emf)
    flowing = np.flatnonzero(carried > ROUNDING * carried.max())
    return ", ".join(list(dict.fromkeys(equation.resistors[k].account for k in flowing))[:3])
