"""The graph of a circuit: what its sources tie together, what its capacitors hold.

Nodes that voltage sources join make one free node; its members stand off it by fixed offsets. The
component of free nodes that capacitors join to ground has a voltage per node as coordinates, K; any
other component has the voltages of its nodes above a reference node as such, and the reference's
own voltage is algebraic, E: no capacitor holds it. A node without capacitor is a component of one.

Source: Chua, Lin (1975), Computer-Aided Analysis of Electronic Circuits, ch. 3 and 8.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from ktc._base.validation import Array
from ktc._circuits.branch import GROUND, Branch, CircuitError


class Union:
    """Disjoint sets of anything."""

    def __init__(self) -> None:
        self._above: dict[Hashable, Hashable] = {}

    def find(self, item: Hashable) -> Hashable:
        """The item that stands for the set."""
        above = self._above.setdefault(item, item)
        while above != item:
            item, above = above, self._above[above]
        return item

    def join(self, one: Hashable, other: Hashable) -> bool:
        """Makes one set of two; False where they were one already."""
        first, second = self.find(one), self.find(other)
        self._above[second] = first
        return first != second


def named(branches: Iterable[Branch]) -> str:
    """Names for a message, with lines where there are any."""
    return ", ".join(b.name + (f" (line {b.line})" if b.line else "") for b in branches)


class CircuitGraph:
    """Coordinates of a circuit and the incidence of its branches in them.

    Attributes:
        branches: all elements, in order.
        nodes: names of all nodes but ground, in order of appearance.
        sources: voltage and current sources, in order; θ are their values.
        held: names of the coordinates K: a node "a", or "a-b" for a above a reference b.
        loose: the free nodes behind each algebraic coordinate E, the reference first.
        from_held, from_loose, offsets: node voltages v = from_held w + from_loose u + offsets θ,
            one row a node.
    """

    def __init__(self, branches: Sequence[Branch]) -> None:
        self.branches = tuple(branches)
        self.nodes: list[str] = []
        self._index = {GROUND: -1}
        for b in branches:
            for node in (b.plus, b.minus):
                if node not in self._index:
                    self._index[node] = len(self.nodes)
                    self.nodes.append(node)
        self.sources = [b for b in branches if b.kind in "VI"]
        self._refuse_floating()
        self._refuse_loops()
        self._merge_by_sources()
        self._find_components()

    def of_kind(self, kind: str) -> list[Branch]:
        """Branches of one kind, in order."""
        return [b for b in self.branches if b.kind == kind]

    def incidence(self, branches: Sequence[Branch]) -> tuple[Array, Array, Array]:
        """A_K, A_E and δ of the branches' voltages A_K w + A_E u + δ θ, one row a branch."""
        plus = [self._index[b.plus] for b in branches]
        minus = [self._index[b.minus] for b in branches]
        # Ground is row −1.
        padded = [
            np.vstack([part, np.zeros((1, part.shape[1]))])
            for part in (self.from_held, self.from_loose, self.offsets)
        ]
        held, loose, offsets = (part[plus] - part[minus] for part in padded)
        return held, loose, offsets

    def vertices(self, branch: Branch) -> tuple[int, int]:
        """The algebraic coordinates at both ends of a branch, −1 for what ground's component is."""
        return self._vertex[self._index[branch.plus]], self._vertex[self._index[branch.minus]]

    def _refuse_floating(self) -> None:
        reached = Union()
        for b in self.branches:
            if b.kind in "RLV":
                reached.join(b.plus, b.minus)
        floating = [n for n in self.nodes if reached.find(n) != reached.find(GROUND)]
        if not floating:
            return
        first = next(b for b in self.branches if floating[0] in (b.plus, b.minus))
        subject, it = ("node", "it") if len(floating) == 1 else ("nodes", "them")
        verb = "is" if len(floating) == 1 else "are"
        raise CircuitError(
            f"{subject} {', '.join(map(repr, floating))} {verb} floating: no path through "
            f"resistors, inductors or voltage sources leads from {it} to ground, node {GROUND!r}; "
            f"connect {it}, by a leakage resistance for instance",
            floating[0],
            first.line,
        )

    def _refuse_loops(self) -> None:
        joined = Union()
        seen: list[Branch] = []
        for b in [*self.of_kind("V"), *self.of_kind("L")]:
            seen.append(b)
            if joined.join(b.plus, b.minus):
                continue
            if b.kind == "V":
                mend = "a loop of voltage sources, which contradict each other; remove one"
            else:
                mend = (
                    "a loop in which no resistor ends the current; add the resistance of a winding"
                )
            raise CircuitError(f"{named(_loop(seen))} form {mend}", b.name, b.line)

    def _merge_by_sources(self) -> None:
        """Free nodes, each named by its first member, and the offsets of their members."""
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
        joined = Union()
        for b in self.of_kind("C"):
            joined.join(self._free[b.plus], self._free[b.minus])
        vertex = {joined.find(GROUND): -1}
        self.loose: list[list[str]] = []
        self.held: list[str] = []
        place_of_held: dict[str, int] = {}
        for node in self.nodes:
            if self._free[node] != node:
                continue
            component = joined.find(node)
            if component not in vertex:
                # The component's first node becomes its reference.
                vertex[component] = len(self.loose)
                self.loose.append([node])
                continue
            place_of_held[node] = len(self.held)
            if vertex[component] < 0:
                self.held.append(node)
            else:
                members = self.loose[vertex[component]]
                self.held.append(f"{node}-{members[0]}")
                members.append(node)

        self.from_held = np.zeros((len(self.nodes), len(self.held)))
        self.from_loose = np.zeros((len(self.nodes), len(self.loose)))
        self._vertex = [vertex[joined.find(self._free[n])] for n in [*self.nodes, GROUND]]
        for row, node in enumerate(self.nodes):
            free = self._free[node]
            if free in place_of_held:
                self.from_held[row, place_of_held[free]] = 1.0
            if self._vertex[row] >= 0:
                self.from_loose[row, self._vertex[row]] = 1.0


def _loop(branches: Sequence[Branch]) -> list[Branch]:
    """The branches of the loop that the last one closes over the others, in order."""
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
