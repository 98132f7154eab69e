"""Graph of a large circuit: coordinates and incidence of its branches, as sparse matrices.

The coordinates are those of ``ktc._circuits.circuit_graph``: voltages of capacitive coordinates,
then the currents of inductors, then the voltages of algebraic coordinates, which are not
eliminated here. A node voltage is a sum of at most two coordinates and of sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._circuits.branch import GROUND, TITLE_HINT, Branch, CircuitError
from ktc._circuits.circuit_graph import is_wire, named
from ktc._model.sparse_stiffness import SparseMatrix

Indices = NDArray[np.int64]

#: Most names in a message.
TOLD = 5


def told(names: Sequence[str]) -> str:
    """Names for a message, of which a large circuit has many."""
    more = f" and {len(names) - TOLD:,} more" if len(names) > TOLD else ""
    return ", ".join(map(repr, names[:TOLD])) + more


def csr(values: Array, rows: Indices, columns: Indices, shape: tuple[int, int]) -> SparseMatrix:
    """Return a csr_array of entries, summed where they have one place, without zeros."""
    matrix = scipy.sparse.coo_array((values, (rows, columns)), shape=shape).tocsr()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def parts_of(size: int, one: Indices, other: Indices) -> Indices:
    """Return the number of the connected part of each of ``size`` vertices."""
    edges = scipy.sparse.coo_array((np.ones(len(one)), (one, other)), shape=(size, size))
    labels = scipy.sparse.csgraph.connected_components(edges, directed=False)[1]
    return np.asarray(labels, dtype=np.int64)


class SparseGraph:
    """Coordinates of a large circuit and the incidence of its branches in them.

    Attributes:
        nodes: names of all nodes but ground, in order of appearance.
        sources: voltage and current sources, in order; θ are their values.
        capacitive: names of the charges: a node "a", or "a-b" for a above the reference b.
        references: for each algebraic coordinate, the node whose voltage it is.
        coordinates: number of all coordinates.
        voltages, offsets: node voltages v = voltages y + offsets θ; the last row is ground's.
        vertex: of each node and ground, the algebraic coordinate of its component, −1 for ground's.
    """

    def __init__(self, branches: Sequence[Branch]) -> None:
        names = dict.fromkeys(node for b in branches for node in (b.plus, b.minus))
        self.nodes = [node for node in names if node != GROUND]
        self._place = {node: k for k, node in enumerate(self.nodes)} | {GROUND: len(self.nodes)}
        self.sources = [b for b in branches if b.kind in "VI"]
        self._all = len(self.nodes) + 1
        self._refuse_floating(branches)
        self._merge_by_sources(branches)
        self.inductors = [b for b in branches if b.kind == "L"]
        self._find_coordinates([b for b in branches if b.kind == "C"])

    def ends(self, branches: Iterable[Branch]) -> tuple[Indices, Indices]:
        """Return the places of the nodes at both ends of branches, ground's the last."""
        pairs = [(self._place[b.plus], self._place[b.minus]) for b in branches]
        both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    def incidence(self, branches: Sequence[Branch]) -> tuple[SparseMatrix, SparseMatrix]:
        """Return A and δ of the voltages A y + δ θ, one row per branch."""
        plus, minus = self.ends(branches)
        found = []
        for matrix in (self.voltages, self.offsets):
            difference = (matrix[plus] - matrix[minus]).tocsr()
            difference.eliminate_zeros()
            difference.sort_indices()
            found.append(difference)
        return found[0], found[1]

    def _refuse_floating(self, branches: Sequence[Branch]) -> None:
        leading = [b for b in branches if b.kind in "RLV"]
        part = parts_of(self._all, *self.ends(leading))
        floating = np.flatnonzero(part != part[-1])
        if not len(floating):
            return
        names = [self.nodes[k] for k in floating]
        first = next(b for b in branches if names[0] in (b.plus, b.minus))
        hint = TITLE_HINT if first.line == 1 else ""
        subject = "node" if len(names) == 1 else "nodes"
        raise CircuitError(
            f"{subject} {told(names)} floating: no path through resistors, inductors or voltage "
            f"sources leads to ground, node {GROUND!r}; connect by a leakage resistance{hint}",
            names[0],
            first.line,
        )

    def _merge_by_sources(self, branches: Sequence[Branch]) -> None:
        """Find the free node of each node, and its voltage above that one in sources."""
        self._free = np.arange(self._all)
        self._refuse_loops(branches)
        ties = self._ties(branches)
        rows: dict[int, dict[int, float]] = {}
        for start in sorted(ties, key=lambda node: (node != self._all - 1, node)):
            if start in rows:
                continue
            rows[start], found = {}, [start]
            for node in found:
                for other, s, sign in ties[node]:
                    if other in rows:
                        continue
                    rows[other], self._free[other] = dict(rows[node]), start
                    if sign:
                        rows[other][s] = rows[other].get(s, 0.0) + sign
                    found.append(other)
        entries = [(node, s, value) for node, own in rows.items() for s, value in own.items()]
        table = np.array(entries, dtype=float).reshape(-1, 3)
        row, column = table[:, :2].T.astype(np.int64)
        self.offsets = csr(table[:, 2], row, column, (self._all, len(self.sources)))

    def _refuse_loops(self, branches: Sequence[Branch]) -> None:
        fixes = {
            "V": "which contradict each other; remove one",
            "L": "or of inductors, in which no resistor damps the current; add the resistance of a "
            "winding, or pass sparse=False to compile, up to some thousand nodes",
        }
        wires = [b for b in branches if is_wire(b)]
        joining = [*wires, *(b for kind in "VL" for b in branches if b.kind == kind)]
        plus, minus = self.ends(joining)
        joined = scipy.cluster.hierarchy.DisjointSet({*plus.tolist(), *minus.tolist()})
        for b, one, other in zip(joining, plus.tolist(), minus.tolist(), strict=True):
            if not joined.merge(one, other) and not is_wire(b):
                raise CircuitError(
                    f"{named([b])} closes a loop of voltage sources, {fixes[b.kind]}",
                    b.name,
                    b.line,
                )

    def _ties(self, branches: Sequence[Branch]) -> dict[int, list[tuple[int, int, float]]]:
        """Return the nodes that wires and voltage sources join to each node, with the sources."""
        joining = [b for b in branches if is_wire(b)] + [b for b in self.sources if b.kind == "V"]
        plus, minus = self.ends(joining)
        source = {b.name: s for s, b in enumerate(self.sources)}
        ties: dict[int, list[tuple[int, int, float]]] = {}
        for b, one, other in zip(joining, plus.tolist(), minus.tolist(), strict=True):
            s, sign = (-1, 0.0) if is_wire(b) else (source[b.name], 1.0)
            ties.setdefault(one, []).append((other, s, -sign))
            ties.setdefault(other, []).append((one, s, sign))
        return ties

    def _find_coordinates(self, capacitors: Sequence[Branch]) -> None:
        plus, minus = self.ends(capacitors)
        part = parts_of(self._all, self._free[plus], self._free[minus])
        free = self._free == np.arange(self._all)
        held = np.flatnonzero(free & (part == part[-1]))[:-1]
        others = np.flatnonzero(free & (part != part[-1]))
        first = np.unique(part[others], return_index=True)[1]
        references = np.sort(others[first])
        relative = np.setdiff1d(others, references)
        charged = np.sort(np.concatenate([held, relative]))
        charges, fluxes = len(charged), len(self.inductors)
        self.first_flux, self.units = charges, charges + fluxes
        self.coordinates = self.units + len(references)
        reference_of = np.full(int(part.max()) + 1, -1)
        reference_of[part[references]] = np.arange(len(references))
        self.vertex = reference_of[part[self._free]]
        column = np.full(self._all, -1)
        column[charged] = np.arange(charges)
        own = column[self._free]
        rows = np.arange(self._all)
        places = [(rows, own), (rows, np.where(self.vertex < 0, -1, self.units + self.vertex))]
        row, col = (np.concatenate(each) for each in zip(*places, strict=True))
        row, col = row[col >= 0], col[col >= 0]
        self.voltages = csr(np.ones(len(row)), row, col, (self._all, self.coordinates))
        self.references = [self.nodes[k] for k in references]
        self.capacitive = []
        for node in charged.tolist():
            above = self.vertex[node]
            other = "" if above < 0 else f"-{self.references[above]}"
            self.capacitive.append(self.nodes[node] + other)
