"""Inductors in series and in parallel of a large circuit, replaced by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ktc._circuits.branch import GROUND, Branch, Coupling
from ktc._circuits.sparse_graph import csr
from ktc._model.sparse_stiffness import SparseMatrix


@dataclass
class _Inductor:
    """One or several inductors, from plus to minus.

    Attributes:
        terms: place, name and sign of the inductors in its name; of those in parallel the smallest.
        shares: current of each element over that of all.
    """

    plus: str
    minus: str
    henries: float
    terms: list[tuple[int, str, float]]
    shares: dict[str, float]

    @property
    def name(self) -> str:
        """The element that stands for it."""
        return self.terms[0][1]

    @property
    def label(self) -> str:
        """Name of its flux, "L1+L2" in series."""
        signed = (f"{'+' if sign > 0 else '-'}{name}" for _, name, sign in self.terms)
        return "".join(signed)[1:]

    def turned(self, plus: str) -> _Inductor:
        """The same from a given end."""
        if plus == self.plus:
            return self
        terms = [(place, name, -sign) for place, name, sign in self.terms]
        shares = {name: -share for name, share in self.shares.items()}
        return _Inductor(self.minus, self.plus, self.henries, terms, shares)

    def along_first(self) -> _Inductor:
        """The same in the direction of the element that stands for it."""
        return self if self.terms[0][2] > 0 else self.turned(self.minus)

    def beside(self, other: _Inductor) -> _Inductor:
        """This one in parallel with another one; the smaller gives the name."""
        both = self, other.turned(self.plus)
        small = min(both, key=lambda each: each.henries)
        henries = 1 / (1 / self.henries + 1 / other.henries)
        shares = {
            name: share * henries / each.henries
            for each in both
            for name, share in each.shares.items()
        }
        return replace(small, henries=henries, shares=shares)

    def before(self, other: _Inductor) -> _Inductor:
        """This one in series with another one that begins where it ends."""
        return _Inductor(
            self.plus,
            other.minus,
            self.henries + other.henries,
            sorted(self.terms + other.terms),
            self.shares | other.shares,
        )


class InnerNode(NamedTuple):
    """A node between inductors in series: v = (1 − weight) v(plus) + weight v(minus)."""

    name: str
    plus: str
    minus: str
    weight: float


class ReducedInductors:
    """A circuit without redundant inductors.

    Inductors between the same two nodes have one flux, because no steady current circulates in
    them; those at a node that nothing else has, one current. Coupled inductors stay.

    Attributes:
        branches: the elements that are left.
        inductors: names of all inductors.
        labels: names of the fluxes, by the inductors that are left.
        shares: for each inductor the one that is left in its place, and its share of the current.
        inner: nodes that are gone, each between nodes that are left or come later.
    """

    def __init__(self, branches: Sequence[Branch], couplings: Sequence[Coupling]) -> None:
        coupled = {name.lower() for c in couplings for name in c.inductors}
        free = [b for b in branches if b.kind == "L" and b.name.lower() not in coupled]
        joined = _Joined(free, branches)
        self.inner = joined.inner
        standing = joined.inductors()
        gone = {b.name for b in free} - standing.keys()
        self.branches = [
            _standing_for(b, standing.get(b.name)) for b in branches if b.name not in gone
        ]
        self.inductors = tuple(b.name for b in branches if b.kind == "L")
        self.labels = {name: one.label for name, one in standing.items()}
        self.shares = {name: (name, 1.0) for name in self.inductors}
        for name, one in standing.items():
            self.shares |= {member: (name, share) for member, share in one.shares.items()}

    def all_nodes(
        self, left: Sequence[str], branches: Sequence[Branch]
    ) -> tuple[tuple[str, ...], SparseMatrix]:
        """Return all nodes, and their voltages as a matrix on those of the nodes that are left."""
        rows: dict[str, dict[int, float]] = {name: {k: 1.0} for k, name in enumerate(left)}
        rows[GROUND] = {}
        for node in reversed(self.inner):
            row: dict[int, float] = {}
            for end, weight in ((node.plus, 1 - node.weight), (node.minus, node.weight)):
                for k, value in rows[end].items():
                    row[k] = row.get(k, 0.0) + weight * value
            rows[node.name] = row
        names = dict.fromkeys(end for b in branches for end in (b.plus, b.minus))
        nodes = tuple(name for name in names if name != GROUND)
        entries = [(i, k, v) for i, name in enumerate(nodes) for k, v in rows[name].items()]
        table = np.array(entries).reshape(-1, 3)
        row_of, column = table[:, :2].T.astype(np.int64)
        return nodes, csr(table[:, 2], row_of, column, (len(nodes), len(left)))


def _standing_for(branch: Branch, one: _Inductor | None) -> Branch:
    if one is None or len(one.shares) == 1:
        return branch
    return replace(branch, plus=one.plus, minus=one.minus, value=one.henries)


class _Joined:
    """Inductors of which those in series and in parallel are joined."""

    def __init__(self, free: Sequence[Branch], branches: Sequence[Branch]) -> None:
        self._at: dict[str, list[_Inductor]] = {}
        self.inner: list[InnerNode] = []
        for k, b in enumerate(free):
            self._add(_Inductor(b.plus, b.minus, b.value, [(k, b.name, 1.0)], {b.name: 1.0}))
        if len(free) > 1:
            self._join({b.name for b in free}, branches)

    def inductors(self) -> dict[str, _Inductor]:
        """Those that are left, by the name of the element that stands for each."""
        left = {id(one): one for found in self._at.values() for one in found}.values()
        return {one.name: one.along_first() for one in left}

    def _add(self, one: _Inductor) -> None:
        """Add an inductor, in parallel where there is one between its nodes."""
        ends = {one.plus, one.minus}
        near = min((self._at.get(end, []) for end in ends), key=len)
        beside = [other for other in near if {other.plus, other.minus} == ends]
        for other in beside:
            self._remove(other)
            one = other.beside(one)
        self._at.setdefault(one.plus, []).append(one)
        self._at.setdefault(one.minus, []).append(one)

    def _remove(self, one: _Inductor) -> None:
        for node in (one.plus, one.minus):
            self._at[node] = [other for other in self._at[node] if other is not one]

    def _join(self, free: set[str], branches: Sequence[Branch]) -> None:
        """Join the inductors at nodes that two of them have, and nothing else."""
        others = {n for b in branches if b.name not in free for n in (b.plus, b.minus)}
        others.add(GROUND)
        waiting = [node for node in self._at if node not in others]
        while waiting:
            node = waiting.pop()
            if len(self._at[node]) != 2:
                continue
            first, second = self._at[node]
            first = first.turned(first.minus if first.plus == node else first.plus)
            second = second.turned(node)
            if first.plus == second.minus:
                continue
            for one in self._at[node][:]:
                self._remove(one)
            whole = first.before(second)
            weight = first.henries / whole.henries
            self.inner.append(InnerNode(node, whole.plus, whole.minus, weight))
            self._add(whole)
            waiting += [end for end in (whole.plus, whole.minus) if end not in others]
