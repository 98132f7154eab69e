"""Modified nodal analysis: linear equations for node voltages and branch currents.

The unknowns x are the voltages of nodes and the currents i of voltage sources, inductors and
sources E and H, each from the first node through the element to the second:

    G x + C dx/dt = b,

with one row per node, the sum of the currents that leave it, and one row per current, the law of
its element. Resistors of 0 Ω join their nodes. The currents of resistors far below the largest
are unknowns, too, v₊ − v₋ − R i = 0, because a small conductance that is added to a large one
loses its digits.

Source: Ho, Ruehli, Brennan (1975), IEEE Trans. Circuits Syst. 22, 504.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._circuits.branch import GROUND, Branch, CircuitError, Coupling
from ktc._circuits.linear_system import LinearSystem

Entries = list[tuple[int, int, float]]

#: Resistors below the largest by more than this have unknown currents.
WIDE = 1e6


class NodalEquations:
    """G and C on one pattern of compressed columns, and the places of nodes and currents.

    Attributes:
        nodes: names of the nodes but ground.
        node_places: rows of the nodes, which wires may share; −1 for a node that is ground.
        current_places: rows of the elements whose currents are unknowns, by lower-case name.
        resistor_places: rows of the resistors whose currents are unknowns, by lower-case name.
        branches: the elements by lower-case name.
        size: number of unknowns.
    """

    def __init__(
        self, nodes: Sequence[str], branches: Sequence[Branch], couplings: Sequence[Coupling]
    ) -> None:
        self.nodes = tuple(nodes)
        self.branches = {b.name.lower(): b for b in branches}
        self._refuse_unconnected()
        self._place = _joined_nodes(nodes, branches)
        self.node_places = np.array([self._place[node.lower()] for node in nodes], dtype=np.intp)
        first = 1 + int(self.node_places.max(initial=-1))
        held = [b.name.lower() for b in branches if b.kind in "VLEH"]
        self.current_places = {name: first + k for k, name in enumerate(held)}
        small = max((b.value for b in branches if b.kind == "R"), default=0.0) / WIDE
        carrying = [b.name.lower() for b in branches if b.kind == "R" and 0 < b.value < small]
        self.resistor_places = {name: first + len(held) + k for k, name in enumerate(carrying)}
        self.size = first + len(held) + len(carrying)
        conducting: Entries = []
        storing: Entries = []
        for b in branches:
            if b.kind == "C":
                storing += self._two_by_two(self.ends(b), self.ends(b), b.value)
            elif b.kind == "L":
                row = self.current_places[b.name.lower()]
                storing.append((row, row, -b.value))
            conducting += self._conducting(b)
        storing += self._mutual(couplings)
        self._assemble(conducting, storing)

    def place(self, node: str) -> int:
        """Return the row of a node, −1 for ground."""
        return self._place[node.lower()]

    def find(self, node: object) -> int | None:
        """Return the row of a node by any of its names, −1 for ground, None for another one."""
        name = str(node).lower()
        return -1 if name == "gnd" else self._place.get(name)

    def ends(self, branch: Branch) -> tuple[int, int]:
        """Return the rows of the ends of an element."""
        return self.place(branch.plus), self.place(branch.minus)

    def controlling_current(self, branch: Branch) -> int:
        """Return the row of the current that controls an F or H."""
        name = branch.control[0]
        if name.lower() not in self.current_places:
            raise CircuitError(
                f"{branch.name} is controlled by the current of {name!r}, which the circuit does "
                "not have; add a voltage source of that name",
                branch.name,
                branch.line,
            )
        return self.current_places[name.lower()]

    def right_side(self, values: dict[str, float]) -> Array:
        """Return b for values of V and I by lower-case name; sources left out are zero."""
        side = np.zeros(self.size + 1)  # the last entry is ground
        for name, value in values.items():
            plus, minus = self.ends(self.branches[name])
            if name in self.current_places:
                side[self.current_places[name]] += value
            else:
                side[plus] -= value
                side[minus] += value
        return side[:-1]

    def system(self, frequency: float = 0.0) -> LinearSystem:
        """Return the equations G + 2πi f C at one frequency, factorised."""
        data = self.conductance.data
        if frequency:
            data = data + 2j * math.pi * frequency * self.storage.data
        parts = (data, self.conductance.indices, self.conductance.indptr)
        return LinearSystem(scipy.sparse.csc_array(parts, shape=self.conductance.shape))

    @property
    def voltages(self) -> int:
        """Number of node voltages among the unknowns, which come first."""
        return self.size - len(self.current_places) - len(self.resistor_places)

    def unknown(self, row: int) -> tuple[str, str]:
        """Return what an unknown is, "node", "element" or "resistor", and its name."""
        for name, place in self.resistor_places.items():
            if place == row:
                return "resistor", self.branches[name].name
        for name, place in self.current_places.items():
            if place == row:
                return "element", self.branches[name].name
        return "node", self.nodes[int(np.flatnonzero(self.node_places == row)[0])]

    def _refuse_unconnected(self) -> None:
        ends = {end.lower() for b in self.branches.values() for end in (b.plus, b.minus)}
        for b in self.branches.values():
            for node in b.control if b.kind in "EG" else ():
                if node.lower() not in ends and node != GROUND:
                    raise CircuitError(
                        f"{b.name} is controlled by node {node!r}, which no element is connected "
                        "to; connect it",
                        node,
                        b.line,
                    )

    def _two_by_two(
        self, of: tuple[int, int], by: tuple[int, int], value: float
    ) -> Iterator[tuple[int, int, float]]:
        """Entries of a current ``value`` · u between the nodes ``of``, with u between ``by``."""
        for row, row_sign in zip(of, (1.0, -1.0), strict=True):
            for column, sign in zip(by, (1.0, -1.0), strict=True):
                if row >= 0 and column >= 0:
                    yield row, column, row_sign * sign * value

    def _conducting(self, b: Branch) -> Entries:
        """Entries of an element in G."""
        ends = self.ends(b)
        found: Entries = []
        if b.name.lower() in self.resistor_places:
            found += self._law_of_voltage(b)
        elif b.kind == "R" and b.value:
            found += self._two_by_two(ends, ends, 1 / b.value)
        elif b.kind == "G":
            found += self._two_by_two(ends, self._controlling_nodes(b), b.value)
        elif b.kind == "F":
            current = self.controlling_current(b)
            found += [(ends[0], current, b.value), (ends[1], current, -b.value)]
        elif b.kind in "VLEH":
            found += self._law_of_voltage(b)
        return [entry for entry in found if entry[0] >= 0 and entry[1] >= 0]

    def _law_of_voltage(self, b: Branch) -> Entries:
        """Entries of an element whose current is an unknown."""
        name, ends = b.name.lower(), self.ends(b)
        row = self.resistor_places[name] if b.kind == "R" else self.current_places[name]
        found: Entries = [(ends[0], row, 1.0), (ends[1], row, -1.0)]
        if b.value != math.inf:
            found += [(row, ends[0], 1.0), (row, ends[1], -1.0)]
        if b.kind == "R":
            found.append((row, row, -b.value))
        elif b.kind == "H":
            found.append((row, self.controlling_current(b), -b.value))
        elif b.kind == "E":
            # An ideal amplifier holds the voltage between its inputs at zero.
            gain = -1.0 if b.value == math.inf else b.value
            plus, minus = self._controlling_nodes(b)
            found += [(row, plus, -gain), (row, minus, gain)]
        return found

    def _controlling_nodes(self, b: Branch) -> tuple[int, int]:
        return self.place(b.control[0]), self.place(b.control[1])

    def _mutual(self, couplings: Sequence[Coupling]) -> Entries:
        """Entries of mutual inductances in C."""
        found: dict[tuple[str, str], float] = {}
        for k in couplings:
            for name in k.inductors:
                if name.lower() not in self.branches:
                    raise CircuitError(
                        f"{k.name} couples {name!r}, which the circuit does not have", name, k.line
                    )
            for one, other in combinations(sorted(name.lower() for name in k.inductors), 2):
                if (one, other) in found:
                    raise CircuitError(
                        f"{k.name} couples {self.branches[one].name} and "
                        f"{self.branches[other].name}, which another K couples too; keep one",
                        k.name,
                        k.line,
                    )
                found[one, other] = k.value
        entries: Entries = []
        for (one, other), value in found.items():
            mutual = value * math.sqrt(self.branches[one].value * self.branches[other].value)
            places = self.current_places[one], self.current_places[other]
            entries += [(*places, -mutual), (places[1], places[0], -mutual)]
        return entries

    def _assemble(self, conducting: Entries, storing: Entries) -> None:
        """Set G and C on their common pattern."""
        rows = np.array([entry[0] for entry in (*conducting, *storing)], dtype=np.int64)
        columns = np.array([entry[1] for entry in (*conducting, *storing)], dtype=np.int64)
        first = len(conducting)
        pattern, inverse = np.unique(columns * self.size + rows, return_inverse=True)
        indices = (pattern % max(self.size, 1)).astype(np.int32)
        counts = np.bincount(pattern // max(self.size, 1), minlength=self.size)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)

        def matrix(values: Entries, places: NDArray[np.intp]) -> scipy.sparse.csc_array:
            data = np.bincount(places, [entry[2] for entry in values], minlength=len(pattern))
            return scipy.sparse.csc_array((data, indices, starts), shape=(self.size,) * 2)

        self.conductance = matrix(conducting, inverse[:first])
        self.storage = matrix(storing, inverse[first:])


def _joined_nodes(nodes: Sequence[str], branches: Sequence[Branch]) -> dict[str, int]:
    """Rows of nodes by lower-case name; wires join nodes, and −1 is ground."""
    sets = {}
    wires = [b for b in branches if b.kind == "R" and b.value == 0]
    if wires:
        joined = scipy.cluster.hierarchy.DisjointSet([GROUND, *map(str.lower, nodes)])
        for b in wires:
            joined.merge(b.plus.lower(), b.minus.lower())
        sets = {node: joined[node] for node in joined}
    ground = sets.get(GROUND, GROUND)
    places = {ground: -1}
    for node in map(str.lower, nodes):
        places.setdefault(sets.get(node, node), len(places) - 1)
    rows = {node.lower(): places[sets.get(node.lower(), node.lower())] for node in nodes}
    return {**rows, GROUND: -1}
