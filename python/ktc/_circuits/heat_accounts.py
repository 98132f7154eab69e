"""Heat accounts of the resistors of a large circuit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def sharing_loops(one: Indices, other: Indices, ground: int) -> Indices:
    """Return a number per edge, equal where edges of a graph share a loop.

    Edges are resistors between algebraic vertices, or one of them and ``ground``, the last vertex;
    edges from ground to itself are alone. The numbers are those of the first edges of each set.
    These are the blocks of the graph, by depth-first search.

    Source: Hopcroft, Tarjan (1973), Commun. ACM 16, 372.
    """
    block = np.arange(len(one))
    inner = np.flatnonzero(one != other)
    near: list[list[tuple[int, int]]] = [[] for _ in range(ground + 1)]
    for edge, a, b in zip(inner.tolist(), one[inner].tolist(), other[inner].tolist(), strict=True):
        near[a].append((b, edge))
        near[b].append((a, edge))
    depth, low = [-1] * (ground + 1), [0] * (ground + 1)
    for start in (ground, *range(ground)):
        if depth[start] >= 0:
            continue
        depth[start] = 0
        path = [(start, -1, iter(near[start]))]
        edges: list[int] = []
        while path:
            vertex, arrived, rest = path[-1]
            found = next(rest, None)
            if found is None:
                path.pop()
                if not path:
                    continue
                parent = path[-1][0]
                low[parent] = min(low[parent], low[vertex])
                if low[vertex] >= depth[parent]:
                    _close(edges, arrived, block)
                continue
            there, edge = found
            if edge == arrived or (depth[there] >= 0 and depth[there] > depth[vertex]):
                continue
            edges.append(edge)
            if depth[there] >= 0:
                low[vertex] = min(low[vertex], depth[there])
                continue
            depth[there] = low[there] = depth[vertex] + 1
            path.append((there, edge, iter(near[there])))
    return block


def _close(edges: list[int], last: int, block: Indices) -> None:
    """Make one block of the edges since ``last``."""
    members = [edges.pop()]
    while members[-1] != last:
        members.append(edges.pop())
    block[members] = min(members)


def grouped(block: Indices, names: Sequence[str]) -> tuple[list[str], Indices]:
    """Return the names of the accounts, and the account of each resistor."""
    firsts, account = np.unique(block, return_inverse=True)
    members: list[list[str]] = [[] for _ in firsts]
    for name, own in zip(names, account.tolist(), strict=True):
        members[own].append(name)
    return ["+".join(each) for each in members], account.astype(np.int64)
