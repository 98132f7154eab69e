"""Topologies: the pairs of cells of a board that can be coupled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ktc._base.cached import cached_property
from ktc._base.codec import register
from ktc._base.resources import allocating
from ktc._base.validation import Array, count, frozen, items, of_type, told
from ktc._model.lattices import springs

Edge = tuple[int, int]

#: The couplings of a board are dense matrices.
MOST_CELLS = 10_000


@dataclass(frozen=True)
class Topology:
    """The pairs of cells of a board that can be coupled.

    Attributes:
        name: of the topology, in messages.
        cells: number of cells d.
        edges: pairs (i, j) with i < j, in ascending order.

    Raises:
        ValueError: an edge that is no pair of two cells, or that is given twice.
        TypeError: cell numbers that are not whole numbers.

    Example:
        >>> import ktc
        >>> ktc.Topology.ring(4).edges
        ((0, 1), (0, 3), (1, 2), (2, 3))
        >>> len(ktc.Topology.grid(2, 3).edges), len(ktc.Topology.all_to_all(64).edges)
        (7, 2016)
        >>> ktc.Topology.of_edges(4, [(3, 0), (1, 2)]).edges
        ((0, 3), (1, 2))
    """

    name: str
    cells: int
    edges: tuple[Edge, ...]

    def __post_init__(self) -> None:
        of_type("name", self.name, str, "a str")
        count("cells", self.cells, most=MOST_CELLS)
        edges = enumerate(items("edges", self.edges))
        pairs = [_pair(f"edges[{k}]", edge, self.cells) for k, edge in edges]
        seen: set[Edge] = set()
        for pair in pairs:
            if pair in seen:
                raise ValueError(f"edges must name a pair of cells once, but name {pair} twice")
            seen.add(pair)
        object.__setattr__(self, "edges", tuple(sorted(pairs)))

    @classmethod
    def all_to_all(cls, cells: int) -> Topology:
        """Every pair of cells."""
        number = count("cells", cells, most=MOST_CELLS)
        with allocating("cells", number):
            return cls("all-to-all", number, tuple(combinations(range(number), 2)))

    @classmethod
    def ring(cls, cells: int) -> Topology:
        """Each cell and the next one, and the last and the first cell."""
        number = count("cells", cells, least=3, most=MOST_CELLS)
        return cls("ring", number, tuple((i, (i + 1) % number) for i in range(number)))

    @classmethod
    def grid(cls, rows: int, columns: int) -> Topology:
        """Nearest neighbours of a rectangle with open ends; cell (r, c) is columns·r + c."""
        cells = count(
            "rows · columns", count("rows", rows) * count("columns", columns), 1, MOST_CELLS
        )
        number = np.arange(cells).reshape(rows, columns)
        beside = zip(number[:, :-1].ravel().tolist(), number[:, 1:].ravel().tolist(), strict=True)
        below = zip(number[:-1].ravel().tolist(), number[1:].ravel().tolist(), strict=True)
        return cls(f"{rows} × {columns} grid", number.size, (*beside, *below))

    @classmethod
    def of_edges(cls, cells: int, edges: Iterable[Edge]) -> Topology:
        """Given edges: pairs of cell numbers, in any order."""
        return cls("given", cells, items("edges", edges))

    @cached_property
    def places(self) -> NDArray[np.bool_]:
        """True where a (d, d) matrix of couplings may differ from zero, without the diagonal."""
        mask = np.zeros((self.cells, self.cells), dtype=bool)
        if self.edges:
            i, j = np.array(self.edges).T
            mask[i, j] = mask[j, i] = True
        return frozen(mask)

    @property
    def complete(self) -> bool:
        """Whether every pair can be coupled."""
        return 2 * len(self.edges) == self.cells * (self.cells - 1)

    def springs(self, own: ArrayLike = 1.0, coupling: ArrayLike = 1.0) -> Any:
        """Sparse stiffness K of H = ½ Σ own_i x_i² + ½ Σ coupling_ij (x_i − x_j)².

        Args:
            own: scalar or (cells,).
            coupling: scalar or one number per edge, in the order of ``edges``.

        Returns:
            A ``scipy.sparse.csr_array`` for ``ktc.Network``; see ``ktc.lattices.springs``.

        Example:
            >>> import ktc
            >>> ktc.Topology.of_edges(3, [(0, 2)]).springs(1.0, 0.5).toarray()[0]
            array([ 1.5,  0. , -0.5])
        """
        return springs(self.cells, np.reshape(self.edges, (-1, 2)), own, coupling)

    def edge(self, what: str, pair: Any) -> Edge:
        """Return ``pair`` as an edge of this topology.

        Raises:
            ValueError: a pair that this topology does not have.
        """
        edge = _pair(what, pair, self.cells)
        if not self.places[edge]:
            raise ValueError(self._missing(what, *edge))
        return edge

    def complaint(self, what: str, matrix: Array) -> str | None:
        """Return a message if a matrix couples a pair that this topology does not have, or None."""
        bad = np.argwhere(np.triu((matrix != 0) & ~self.places, 1))
        return self._missing(what, *(int(i) for i in bad[0])) if len(bad) else None

    def _missing(self, what: str, i: int, j: int) -> str:
        neighbours = np.flatnonzero(self.places[i]).tolist()
        return (
            f"{what} couples cells {i} and {j}, a pair that the {self.name} topology of this board "
            f"does not have: cell {i} can be coupled to cells {neighbours}"
        )


def _fields(topology: Topology) -> dict[str, object]:
    edges = np.array(topology.edges, dtype=np.int64).reshape(-1, 2)
    return {"name": topology.name, "cells": topology.cells, "edges": edges}


def _of_fields(name: str, cells: int, edges: NDArray[np.int64]) -> Topology:
    return Topology(name, cells, tuple(map(tuple, edges.tolist())))


def fitting(topology: Topology | None, cells: int) -> Topology:
    """``topology``, checked for a number of cells; all pairs where it is None."""
    if topology is None:
        return Topology.all_to_all(cells)
    if not isinstance(topology, Topology):
        raise TypeError(f"topology must be a ktc.Topology, but is {type(topology).__name__}")
    if topology.cells != cells:
        raise ValueError(
            f"topology must have the {cells} cells of the board, but has {topology.cells}"
        )
    return topology


register(Topology, _fields, _of_fields)


def _pair(what: str, edge: Any, cells: int) -> Edge:
    if type(edge) is tuple and len(edge) == 2:  # fast path for the many edges of a large board
        i, j = edge
        if type(i) is int and type(j) is int and 0 <= i < j < cells:
            return edge
    try:
        i, j = edge
    except (TypeError, ValueError):
        raise ValueError(f"{what} must be a pair of cell numbers, but is {told(edge)}") from None
    first, second = (count(f"cell of {what}", cell, least=0, most=cells - 1) for cell in (i, j))
    if first == second:
        raise ValueError(f"{what} must join two cells, but is {told(edge)}")
    return (first, second) if first < second else (second, first)
