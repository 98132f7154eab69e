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
from ktc._circuits.branch import GROUND, TITLE_HINT, Branch, CircuitError

#: Least eigenvalue of a capacitance matrix of unit diagonal whose nodes are not nearly dependent.
DEPENDENT = 1e-3


def named(branches: Iterable[Branch]) -> str:
    """Names of branches for a message, with their lines in the netlist."""
    return ", ".join(b.name + (f" (line {b.line})" if b.line else "") for b in branches)


def is_wire(branch: Branch) -> bool:
    """Whether a branch is a resistor of 0 Ω, which joins its nodes."""
    return branch.kind == "R" and branch.value == 0


class CircuitGraph:
    """Coordinates of a circuit and the incidence of its branches in them.

    Attributes:
        branches: all elements, in order.
        nodes: names of all nodes but ground, in order of appearance.
        sources: voltage and current sources, in order; θ are their values.
        capacitive: names of the coordinates K: a node "a", or "a-b" for a above another node b.
        free: by node, the free node that sources and wires join it to.
        algebraic: for each coordinate E the free nodes of its component, the reference first.
        from_capacitive, from_algebraic, offsets: node voltages
            v = from_capacitive w + from_algebraic u + offsets θ, one row per node.
    """

    def __init__(self, branches: Sequence[Branch], *, joined: bool = True) -> None:
        """``joined`` is False to leave voltage sources to the caller."""
        self.branches, self._joined = tuple(branches), joined
        ends = dict.fromkeys(node for b in branches for node in (b.plus, b.minus))
        self.nodes = [node for node in ends if node != GROUND]
        self._index = {node: k for k, node in enumerate(self.nodes)} | {GROUND: -1}
        self.sources = [b for b in branches if b.kind in "VI"]
        self._refuse_floating()
        self._refuse_loops()
        self._merge_by_sources()
        self._find_components()
        self._use_capacitors_as_coordinates()

    def of_kind(self, kind: str) -> list[Branch]:
        """Return the branches of one kind, in order, except the wires, resistors of 0 Ω."""
        return [b for b in self.branches if b.kind == kind and not is_wire(b)]

    def fixes(self, branch: Branch) -> bool:
        """Whether a branch fixes the voltage between its nodes: a voltage source or a wire."""
        return branch.kind == "V" or is_wire(branch)

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
            if b.kind not in "CI":
                reached.merge(b.plus, b.minus)
        floating = [n for n in self.nodes if not reached.connected(n, GROUND)]
        if not floating:
            return
        first = next(b for b in self.branches if floating[0] in (b.plus, b.minus))
        hint = TITLE_HINT if first.line == 1 else ""
        one = len(floating) == 1
        subject, verb, it = ("node", "is", "it") if one else ("nodes", "are", "them")
        raise CircuitError(
            f"{subject} {', '.join(map(repr, floating))} {verb} floating: no path through "
            f"resistors, inductors or voltage sources leads from {it} to ground, node {GROUND!r}; "
            f"connect {it}, by a leakage resistance for instance{hint}",
            floating[0],
            first.line,
        )

    def _refuse_loops(self) -> None:
        joined = self._disjoint_nodes()
        wires = [b for b in self.branches if is_wire(b)]
        branches = [*wires, *self.of_kind("V")]
        for k, b in enumerate(branches):
            if not joined.merge(b.plus, b.minus) and not is_wire(b):
                raise CircuitError(
                    f"{named(loop_of(branches[: k + 1]))} form a loop of voltage sources, which "
                    "contradict each other; remove one",
                    b.name,
                    b.line,
                )

    def _merge_by_sources(self) -> None:
        """Find the free nodes, each named by its first member, and the offsets of their members."""
        self.offsets = np.zeros((len(self.nodes), len(self.sources)))
        ties: dict[str, list[tuple[str, int, float]]] = {n: [] for n in [GROUND, *self.nodes]}
        for s, b in enumerate(self.sources):
            if b.kind == "V" and self._joined:
                ties[b.plus].append((b.minus, s, -1.0))
                ties[b.minus].append((b.plus, s, 1.0))
        for b in filter(is_wire, self.branches):
            ties[b.plus].append((b.minus, 0, 0.0))
            ties[b.minus].append((b.plus, 0, 0.0))
        self.free: dict[str, str] = {}
        for start in [GROUND, *self.nodes]:
            if start in self.free:
                continue
            self.free[start] = start
            found = [start]
            for node in found:
                for other, s, sign in ties[node]:
                    if other in self.free:
                        continue
                    self.free[other] = start
                    found.append(other)
                    row = self._index[other]
                    if node != GROUND:
                        self.offsets[row] = self.offsets[self._index[node]]
                    if sign:
                        self.offsets[row, s] += sign

    def _find_components(self) -> None:
        joined = self._disjoint_nodes()
        for b in self.of_kind("C"):
            joined.merge(self.free[b.plus], self.free[b.minus])
        vertex = {joined[GROUND]: -1}
        self.algebraic: list[list[str]] = []
        self.capacitive: list[str] = []
        column_of: dict[str, int] = {}
        for node in self.nodes:
            if self.free[node] != node:
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

        self._held = list(column_of)
        self.from_capacitive = np.zeros((len(self.nodes), len(self.capacitive)))
        self.from_algebraic = np.zeros((len(self.nodes), len(self.algebraic)))
        self._vertex = [vertex[joined[self.free[n]]] for n in [*self.nodes, GROUND]]
        for row, node in enumerate(self.nodes):
            free = self.free[node]
            if free in column_of:
                self.from_capacitive[row, column_of[free]] = 1.0
            if self._vertex[row] >= 0:
                self.from_algebraic[row, self._vertex[row]] = 1.0

    def _use_capacitors_as_coordinates(self) -> None:
        """Take voltages of capacitors for coordinates where those of nodes are nearly dependent.

        A large capacitor holds two nodes at nearly one voltage, which leaves their difference, and
        its energy, to rounding. A tree of the largest capacitors has no such coordinates.
        """
        capacitors = self.of_kind("C")
        incidence = self.incidence(capacitors)[0]
        if not capacitors or (np.count_nonzero(incidence, axis=1) < 2).all():
            return
        rooted = incidence * np.sqrt([[b.value] for b in capacitors])
        rooted /= np.linalg.norm(rooted, axis=0)
        capacitance = rooted.T @ rooted
        # The bound of Gershgorin saves the eigenvalues of large circuits.
        if (2 - np.abs(capacitance).sum(axis=1)).min() > DEPENDENT:
            return
        if np.linalg.eigvalsh(capacitance)[0] > DEPENDENT:
            return
        joined = scipy.cluster.hierarchy.DisjointSet(range(-1, len(self.capacitive)))
        tree = []
        for c in sorted(range(len(capacitors)), key=lambda c: -capacitors[c].value):
            ends = np.flatnonzero(incidence[c]).tolist()
            if ends and joined.merge(ends[0], ends[1] if len(ends) > 1 else -1):
                tree.append(c)
        chosen = incidence[sorted(tree)]
        chosen *= np.where(chosen.sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
        names = []
        for row in chosen:
            plus, minus = np.flatnonzero(row > 0).tolist(), np.flatnonzero(row < 0).tolist()
            one = "-".join(self._held[k] for k in [*plus, *minus])
            names.append(one if minus else self.capacitive[plus[0]])
        self.capacitive = names
        # Of a tree, so that all entries are 0, 1 or −1.
        self.from_capacitive = np.rint(self.from_capacitive @ np.linalg.inv(chosen)) + 0.0


def loop_of(branches: Sequence[Branch]) -> list[Branch]:
    """Return the loop that the last branch closes over the others: its branches, in order."""
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
