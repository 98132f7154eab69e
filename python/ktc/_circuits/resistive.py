"""Resistors of a circuit whose ends no capacitor holds: trees, loops and what heats them together.

The algebraic coordinates E and what ground's component holds are the vertices of a graph, resistors
its edges (a resistor between held nodes is an edge from a vertex to itself, a loop of its own).
With currents f that other branches draw from the vertices, Kirchhoff's laws for the currents j of
the resistors, R j = A_K w + A_E u + e′ and A_Eᵀ j + f = 0, have the solution

    j = P f + Xᵀ Γ⁻¹ X (A_K w + e′),    u = Pᵀ (A_K w + e′) − (Pᵀ R P) f,    Γ = X R Xᵀ,

X the fundamental loops of a spanning tree (X A_E = 0), P its paths corrected to X R P = 0. Johnson
noise e′ drives both: loops are resistors of the charges, paths are resistors in series with what
draws the currents. Resistors that share a loop share white noise, and so one heat account.

Source: Chua, Lin (1975), Computer-Aided Analysis of Electronic Circuits, ch. 3; for the heat,
Freitas, Delvenne, Esposito (2020), Phys. Rev. X 10, 031005.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ktc._base.validation import Array
from ktc._circuits.branch import CircuitError
from ktc._circuits.circuit_graph import CircuitGraph, Union, named


def product(left: Array, right: Array) -> Array:
    """left @ right, with entries that are nothing but rounding made zero."""
    result = left @ right
    rounding = 16 * np.finfo(np.float64).eps * (np.abs(left) @ np.abs(right))
    return np.where(np.abs(result) <= rounding, 0.0, result)


@dataclass(frozen=True)
class Group:
    """Resistors that heat together.

    Attributes:
        members: places of its resistors in netlist order.
        loops: rows Y with conductances: effective resistors whose voltage is Y (A_K w + e′).
        loop_conductance: their conductances, 1/ohm.
        paths: rows Z: effective resistors whose current is Z f.
        path_resistance: their resistances, ohm.
    """

    members: list[int]
    loops: Array
    loop_conductance: Array
    paths: Array
    path_resistance: Array


class Resistive:
    """Solution of Kirchhoff's laws for the resistors.

    Attributes:
        groups: resistors that heat together, in netlist order.
        paths: P, (resistors, loose): currents through resistors a current drawn from a vertex.
    """

    def __init__(self, graph: CircuitGraph) -> None:
        resistors = graph.of_kind("R")
        self._ohms = np.array([b.value for b in resistors])
        ends = [graph.vertices(b) for b in resistors]
        self._chords, tree = self._spanning_tree(graph, ends)
        _, loose, _ = graph.incidence(resistors)
        # A chord's loop returns through the tree what the chord draws from its ends.
        loops = np.zeros((len(self._chords), len(resistors)))
        for row, chord in enumerate(self._chords):
            loops[row] = tree @ loose[chord]
            loops[row, chord] = 1.0
        self.paths = tree.copy()
        self.groups = [
            self._group(members, loops, tree) for members in _sharing_loops(loops, len(resistors))
        ]

    def _spanning_tree(
        self, graph: CircuitGraph, ends: Sequence[tuple[int, int]]
    ) -> tuple[list[int], Array]:
        """Resistors off the tree, and currents through it a current drawn from a vertex.

        The tree takes small resistances first, which keeps Γ and its complement well conditioned.
        """
        joined = Union()
        joined.find(-1)
        edges: dict[int, list[tuple[int, int, float]]] = {}
        chords = []
        for r in np.argsort(self._ohms, kind="stable").tolist():
            plus, minus = ends[r]
            if not joined.join(plus, minus):
                chords.append(r)
                continue
            edges.setdefault(plus, []).append((minus, r, 1.0))
            edges.setdefault(minus, []).append((plus, r, -1.0))
        loose = [v for v in range(len(graph.loose)) if joined.find(v) != joined.find(-1)]
        if loose:
            raise _cut_set(graph, loose)
        # Current reaches a vertex from ground: through the tree's resistor last, from its far end.
        paths = np.zeros((len(ends), len(graph.loose)))
        reached, seen = [-1], {-1}
        for vertex in reached:
            for other, r, sign in edges.get(vertex, []):
                if other in seen:
                    continue
                if vertex >= 0:
                    paths[:, other] = paths[:, vertex]
                paths[r, other] += sign
                seen.add(other)
                reached.append(other)
        return sorted(chords), paths

    def _group(self, members: list[int], loops: Array, tree: Array) -> Group:
        ohms = self._ohms[members]
        own = loops[:, members]
        own = own[own.any(axis=1)]
        gamma = (own * ohms) @ own.T
        lower, weights = _unit_cholesky(gamma)
        edges = [k for k, r in enumerate(members) if r not in self._chords]
        # Loop currents that answer currents on the tree, so that X R P = 0.
        answer = np.zeros((len(members), len(edges)))
        answer[edges, range(len(edges))] = 1.0
        if len(own) and edges:
            answer -= own.T @ np.linalg.solve(gamma, own[:, edges] * ohms[edges])
        rows = np.array(members)
        on_tree = tree[rows[edges]]
        self.paths[rows] = product(answer, on_tree)
        mixed = np.asarray(np.linalg.solve(lower, own), dtype=np.float64)
        factor, resistance = _unit_cholesky(answer.T @ (answer * ohms[:, None]))
        return Group(
            members,
            loops=mixed,
            loop_conductance=1 / weights,
            paths=product(factor.T, on_tree),
            path_resistance=resistance,
        )


def _cut_set(graph: CircuitGraph, vertices: list[int]) -> CircuitError:
    nodes = [node for v in vertices for node in graph.loose[v]]
    branches = [
        b
        for b in graph.branches
        if b.kind in "LI" and any(end in vertices for end in graph.vertices(b))
    ]
    return CircuitError(
        f"{named(branches)} alone carry the current of node {', '.join(map(repr, nodes))}, which "
        "no capacitor holds against ground: a cut set of inductors and current sources has no "
        "state of its own; add the node's parasitic capacitance, or a resistor",
        nodes[0],
        branches[0].line,
    )


def _sharing_loops(loops: Array, resistors: int) -> list[list[int]]:
    """Resistors in sets that share loops, each in order and all by their first."""
    joined = Union()
    for loop in loops:
        first, *others = np.flatnonzero(loop).tolist()
        for r in others:
            joined.join(first, r)
    groups: dict[object, list[int]] = {}
    for r in range(resistors):
        groups.setdefault(joined.find(r), []).append(r)
    return list(groups.values())


def _unit_cholesky(matrix: Array) -> tuple[Array, Array]:
    """L with unit diagonal and D > 0 of matrix = L D Lᵀ."""
    lower = np.linalg.cholesky(matrix)
    diagonal = np.diagonal(lower)
    return lower / diagonal, diagonal**2
