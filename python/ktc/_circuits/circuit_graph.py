"""Graph of a circuit: its coordinates, and the incidence of its branches in them.

Voltage sources join nodes to one free node, from which its members differ by fixed offsets.
Capacitors join free nodes to components. In the component of ground, the voltage of every node is
a capacitive coordinate, K. In every other component one node is the reference: the voltages of the
others above it are capacitive coordinates, and its own voltage, which no capacitor holds, is an
algebraic coordinate, E. A node without capacitor is a component by itself.

Source: Chua, Lin (1975), Computer-Aided Analysis of Electronic Circuits, ch. 3 and 8.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._circuits.branch import GROUND, Branch, CircuitError


def named(branches: Iterable[Branch]) -> str:
    """Names of branches for a message, with their lines in the netlist."""
    return ", ".join(b.name + (f" (line {b.line})" if b.line else "") for b in branches)


class CircuitGraph:
    """Coordinates of a circuit and the incidence of its branches in them.

    Attributes:
        branches: all elements, in order.
        nodes: names of all nodes but ground, in order of appearance.
        sources: voltage and current sources, in order; θ are their values.
        capacitive: names of the coordinates K: a node "a", or "a-b" for a above a reference b.
        algebraic: for each coordinate E the free nodes of its component, the reference first.
        from_capacitive, from_algebraic, offsets: node voltages
            v = from_capacitive w + from_algebraic u + offsets θ, one row per node.
    """

    def __init__(self, branches: Sequence[Branch]) -> None:
        self.branches = tuple(branches)
        ends = dict.fromkeys(node for b in branches for node in (b.plus, b.minus))
        self.nodes = [node for node in ends if node != GROUND]
        self._index = {node: k for k, node in enumerate(self.nodes)} | {GROUND: -1}
        self.sources = [b for b in branches if b.kind in "VI"]
        self._refuse_floating()
        self._refuse_loops()
        self._merge_by_sources()
        self._find_components()

    def of_kind(self, kind: str) -> list[Branch]:
        """Return the branches of one kind, in order."""
        return [b for b in self.branches if b.kind == kind]

    def incidence(self, branches: Sequence[Branch]) -> tuple[Array, Array, Array]:
        """Return A_K, A_E and δ of the voltages A_K w + A_E u + δ θ, one row per branch."""
        plus = [self._index[b.plus] for b in branches]
        minus = [self._index[b.minus] for b in branches]
        # Ground is row −1.
        padded = [
            np.vstack([part, np.zeros((1, part.shape[1]))])
            for part in (self.from_capacitive, self.from_algebraic, self.offsets)
        ]
        capacitive, algebraic, offsets = (part[plus] - part[minus] for part in padded)
        return capacitive, algebraic, offsets

    def vertices(self, branch: Branch) -> tuple[int, int]:
        """Return the algebraic coordinates at both ends of a branch, −1 for ground's component."""
        return self._vertex[self._index[branch.plus]], self._vertex[self._index[branch.minus]]

    def _disjoint_nodes(self) -> Any:
        return scipy.cluster.hierarchy.DisjointSet([GROUND, *self.nodes])

    def _refuse_floating(self) -> None:
        reached = self._disjoint_nodes()
        for b in self.branches:
            if b.kind in "RLV":
                reached.merge(b.plus, b.minus)
        floating = [n for n in self.nodes if not reached.connected(n, GROUND)]
        if not floating:
            return
        first = next(b for b in self.branches if floating[0] in (b.plus, b.minus))
        one = len(floating) == 1
        subject, verb, it = ("node", "is", "it") if one else ("nodes", "are", "them")
        raise CircuitError(
            f"{subject} {', '.join(map(repr, floating))} {verb} floating: no path through "
            f"resistors, inductors or voltage sources leads from {it} to ground, node {GROUND!r}; "
            f"connect {it}, by a leakage resistance for instance",
            floating[0],
            first.line,
        )

    def _refuse_loops(self) -> None:
        fixes = {
            "V": "of voltage sources, which contradict each other; remove one",
            "L": "in which no resistor damps the current; add the resistance of a winding",
        }
        joined = self._disjoint_nodes()
        branches = [*self.of_kind("V"), *self.of_kind("L")]
        for k, b in enumerate(branches):
            if not joined.merge(b.plus, b.minus):
                loop = named(_loop(branches[: k + 1]))
                raise CircuitError(f"{loop} form a loop {fixes[b.kind]}", b.name, b.line)

    def _merge_by_sources(self) -> None:
        """Find the free nodes, each named by its first member, and the offsets of their members."""
        self.offsets = np.zeros((len(self.nodes), len(self.sources)))
        ties: dict[str, list[tuple[str, int, float]]] = {n: [] for n in [GROUND, *self.nodes]}
        for s, b in enumerate(self.sources):
            if b.kind == "V":
                ties[b.plus].append((b.minus, s, -1.0))
                ties[b.minus].append((b.plus, s, 1.0))
        self._free: dict[str, str] = {}
        for start in [GROUND, *self.nodes]:
            if start in self._free:
                continue
            self._free[start] = start
            found = [start]
            for node in found:
                for other, s, sign in ties[node]:
                    if other in self._free:
                        continue
                    self._free[other] = start
                    found.append(other)
                    row = self._index[other]
                    if node != GROUND:
                        self.offsets[row] = self.offsets[self._index[node]]
                    self.offsets[row, s] += sign

    def _find_components(self) -> None:
        joined = self._disjoint_nodes()
        for b in self.of_kind("C"):
            joined.merge(self._free[b.plus], self._free[b.minus])
        vertex = {joined[GROUND]: -1}
        self.algebraic: list[list[str]] = []
        self.capacitive: list[str] = []
        column_of: dict[str, int] = {}
        for node in self.nodes:
            if self._free[node] != node:
                continue
            component = joined[node]
            if component not in vertex:
                # The component's first node becomes its reference.
                vertex[component] = len(self.algebraic)
                self.algebraic.append([node])
                continue
            column_of[node] = len(self.capacitive)
            if vertex[component] < 0:
                self.capacitive.append(node)
            else:
                members = self.algebraic[vertex[component]]
                self.capacitive.append(f"{node}-{members[0]}")
                members.append(node)

        self.from_capacitive = np.zeros((len(self.nodes), len(self.capacitive)))
        self.from_algebraic = np.zeros((len(self.nodes), len(self.algebraic)))
        self._vertex = [vertex[joined[self._free[n]]] for n in [*self.nodes, GROUND]]
        for row, node in enumerate(self.nodes):
            free = self._free[node]
            if free in column_of:
                self.from_capacitive[row, column_of[free]] = 1.0
            if self._vertex[row] >= 0:
                self.from_algebraic[row, self._vertex[row]] = 1.0


def _loop(branches: Sequence[Branch]) -> list[Branch]:
    """The loop that the last branch closes over the others: its branches, in order."""
    *others, last = branches
    arrived: dict[str, tuple[str, Branch]] = {}
    found = [last.plus]
    for node in found:
        for b in others:
            for here, there in ((b.plus, b.minus), (b.minus, b.plus)):
                if here == node and there != last.plus and there not in arrived:
                    arrived[there] = (node, b)
                    found.append(there)
    path, node = [last], last.minus
    while node != last.plus:
        node, b = arrived[node]
        path.append(b)
    return [b for b in branches if b in path]
