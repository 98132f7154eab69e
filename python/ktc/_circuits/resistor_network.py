"""Currents of the resistors of a circuit, by Kirchhoff's laws with Johnson noise.

The algebraic coordinates E and the component of ground are the vertices of a graph, resistors its
edges (a resistor between capacitive coordinates is an edge from a vertex to itself, a loop by
itself). Other branches draw currents f from the vertices. Kirchhoff's laws for the currents j of
the resistors, R j = A_K w + A_E u + e′ and A_Eᵀ j + f = 0, have the solution

    j = P f + Xᵀ Γ⁻¹ X (A_K w + e′),    u = Pᵀ (A_K w + e′) − (Pᵀ R P) f,    Γ = X R Xᵀ,

with X the fundamental loops of a spanning tree (X A_E = 0) and P its paths corrected to X R P = 0.
Johnson noise e′ drives both: loops are resistors of the charges, paths are resistors in series with
the branches that draw currents. Resistors that share a loop share white noise and a heat account.

Source: Chua, Lin (1975), Computer-Aided Analysis of Electronic Circuits, ch. 3; for the heat,
Freitas, Delvenne, Esposito (2020), Phys. Rev. X 10, 031005.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._circuits.circuit_graph import CircuitGraph


def product(left: Array, right: Array) -> Array:
    """Return left @ right, with zero in place of entries within rounding of it."""
    result = left @ right
    rounding = 16 * np.finfo(np.float64).eps * (np.abs(left) @ np.abs(right))
    return np.where(np.abs(result) <= rounding, 0.0, result)


@dataclass(frozen=True)
class HeatGroup:
    """Resistors that share a heat account, as effective resistors with independent noise.

    Attributes:
        members: indices of the resistors, in netlist order.
        loops: rows Y: the voltages of the effective resistors in loops are Y (A_K w + e′).
        loop_conductance: their conductances [1/Ω].
        paths: rows Z: the currents of the effective resistors on paths are Z f.
        path_resistance: their resistances [Ω].
    """

    members: list[int]
    loops: Array
    loop_conductance: Array
    paths: Array
    path_resistance: Array


class ResistorNetwork:
    """Solution of Kirchhoff's laws for the resistors.

    Attributes:
        groups: resistors by heat account, in netlist order.
        paths: P, shape (resistors, algebraic): currents of the resistors per current drawn from a
            vertex.
        floating: shape (algebraic, parts), 1 for the vertices of each part that no resistor joins
            to ground. The currents drawn from a part add up to zero, and its first vertex, whose
            column of P is zero, has u = 0.
    """

    def __init__(self, graph: CircuitGraph) -> None:
        resistors = graph.of_kind("R")
        self._ohms = np.array([b.value for b in resistors])
        self.floating = np.zeros((len(graph.algebraic), 0))
        self._chords, tree = self._spanning_tree(graph, [graph.vertices(b) for b in resistors])
        _, algebraic, _ = graph.incidence(resistors)
        # The current of a chord returns through the tree.
        loops = np.zeros((len(self._chords), len(resistors)))
        for row, chord in enumerate(self._chords):
            loops[row] = tree @ algebraic[chord]
            loops[row, chord] = 1.0
        self.paths = tree.copy()
        self.groups = [
            self._group(members, loops, tree) for members in _sharing_loops(loops, len(resistors))
        ]

    def _spanning_tree(
        self, graph: CircuitGraph, ends: Sequence[tuple[int, int]]
    ) -> tuple[list[int], Array]:
        """Resistors off the tree, and the currents of all per current drawn from a vertex.

        The tree takes small resistances first, which keeps Γ and its complement well conditioned.
        """
        vertices = range(-1, len(graph.algebraic))
        joined = scipy.cluster.hierarchy.DisjointSet(vertices)
        edges: dict[int, list[tuple[int, int, float]]] = {v: [] for v in vertices}
        chords = []
        for r in np.argsort(self._ohms, kind="stable").tolist():
            plus, minus = ends[r]
            if not joined.merge(plus, minus):
                chords.append(r)
                continue
            edges[plus].append((minus, r, 1.0))
            edges[minus].append((plus, r, -1.0))
        parts = [sorted(part) for part in joined.subsets() if -1 not in part]
        self.floating = np.zeros((len(graph.algebraic), len(parts)))
        for k, part in enumerate(parts):
            self.floating[part, k] = 1.0
        # Current reaches a vertex from ground on the path to its neighbour, then by their resistor.
        paths = np.zeros((len(ends), len(graph.algebraic)))
        reached = [-1, *(part[0] for part in parts)]
        seen = set(reached)
        for vertex in reached:
            for other, r, sign in edges[vertex]:
                if other in seen:
                    continue
                if vertex >= 0:
                    paths[:, other] = paths[:, vertex]
                paths[r, other] += sign
                seen.add(other)
                reached.append(other)
        return sorted(chords), paths

    def _group(self, members: list[int], loops: Array, tree: Array) -> HeatGroup:
        ohms = self._ohms[members]
        own = loops[:, members]
        own = own[own.any(axis=1)]
        gamma = (own * ohms) @ own.T
        lower, weights = _unit_cholesky(gamma)
        edges = [k for k, r in enumerate(members) if r not in self._chords]
        # Currents on the tree with the loop currents that they induce, so that X R P = 0.
        response = np.zeros((len(members), len(edges)))
        response[edges, range(len(edges))] = 1.0
        if len(own) and edges:
            response -= own.T @ np.linalg.solve(gamma, own[:, edges] * ohms[edges])
        rows = np.array(members)
        on_tree = tree[rows[edges]]
        self.paths[rows] = product(response, on_tree)
        mixed = np.asarray(np.linalg.solve(lower, own), dtype=np.float64)
        factor, resistance = _unit_cholesky(response.T @ (response * ohms[:, None]))
        return HeatGroup(
            members,
            loops=mixed,
            loop_conductance=1 / weights,
            paths=product(factor.T, on_tree),
            path_resistance=resistance,
        )


def _sharing_loops(loops: Array, resistors: int) -> list[list[int]]:
    """Sets of resistors that share loops, each in order and all by their first."""
    joined = scipy.cluster.hierarchy.DisjointSet(range(resistors))
    for loop in loops:
        first, *others = np.flatnonzero(loop).tolist()
        for r in others:
            joined.merge(first, r)
    return [sorted(group) for group in joined.subsets()]


def _unit_cholesky(matrix: Array) -> tuple[Array, Array]:
    """L with unit diagonal and the diagonal of D, for matrix = L D Lᵀ."""
    lower = np.linalg.cholesky(matrix)
    diagonal = np.diagonal(lower)
    return lower / diagonal, diagonal**2
