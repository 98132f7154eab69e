"""Fluxes of the inductors of a circuit: coupled, in parallel, in loops, and in series.

With L the inductance matrix, v the voltages of inductors and i their currents, dφ = v dt and
φ = L i. Two kinds of constraints leave fewer coordinates, ψ, than there are inductors.

- Loops of inductors conserve their flux, which is zero here. The inductors of a spanning tree keep
  their fluxes, φ = T φ_tree, and carry the currents j = Tᵀ i of their cut sets, φ_tree = Λ j with
  Λ = (Tᵀ L⁻¹ T)⁻¹. Two inductors in parallel are one of inductance 1/(1/L₁ + 1/L₂).
- Only inductors and current sources reach some nodes, possibly joined by resistors. Kirchhoff's
  current law there is a constraint j = N y + M I, with y the currents of inductors off a spanning
  tree. Fluxes of loops, ψ = Nᵀ φ_tree, do not depend on the voltage of such nodes, and

      H(ψ) = ½ (ψ − ψ_θ)ᵀ (Nᵀ Λ N)⁻¹ (ψ − ψ_θ),    ψ_θ = Nᵀ Λ M I,    ∇H = y.

  Two inductors in series are one of inductance L₁ + L₂. A current source in series with inductors
  is a bias, as a voltage source in series with capacitors is.

Source: Bryant (1959), Proc. IEE C 106, 174; Chua, Lin (1975), ch. 8.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Sequence

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._circuits.branch import Branch, CircuitError, Coupling
from ktc._circuits.circuit_graph import CircuitGraph, loop_of, named


class WithoutLoops:
    """The inductors of a spanning forest, which carry the currents of all.

    Attributes:
        inductors: all inductors, in order.
        held: those of the forest.
        inverse: Tᵀ L⁻¹ T.
        shares: the matrix that maps the currents j to those of all inductors.
    """

    def __init__(self, graph: CircuitGraph, couplings: Sequence[Coupling]) -> None:
        self.inductors = graph.of_kind("L")
        inverse = _inverse(_inductance(self.inductors, couplings))
        tree, by_tree = _without_loops(graph, self.inductors)
        self.held = [self.inductors[k] for k in tree]
        whole = len(tree) == len(self.inductors)
        self.inverse = inverse if whole else by_tree.T @ inverse @ by_tree
        self.shares = np.eye(len(tree)) if whole else inverse @ by_tree @ self.inductance

    @property
    def inductance(self) -> Array:
        """Λ, of the inductors of the forest."""
        return _inverse(self.inverse)


class InductorNetwork:
    """Coordinates ψ of the inductors, and the incidence of branches in them.

    Attributes:
        inductors: the inductors, in order.
        names: of the coordinates, "phi(L1)" or "phi(L1+L2)".
        stiffness: (Nᵀ Λ N)⁻¹.
        flux_of_sources: the matrix that maps θ to ψ_θ.
        capacitive, algebraic, fixed: dψ = (capacitive w + algebraic u + fixed θ) dt.
        s_capacitive, s_algebraic: currents of current sources out of the coordinates K and E, with
            what returns through inductors; rows of voltage sources are zero in s_algebraic.
        current_of_gradient, current_of_sources: currents of the inductors,
            i = current_of_gradient y + current_of_sources θ.
    """

    def __init__(self, graph: CircuitGraph, couplings: Sequence[Coupling], floating: Array) -> None:
        forest = WithoutLoops(graph, couplings)
        self.inductors, self._held = forest.inductors, forest.held
        self._parts, self._tree_inverse = graph.incidence(self._held), forest.inverse
        is_current = np.array([b.kind == "I" for b in graph.sources], dtype=bool)[:, None]
        self.s_capacitive, s_algebraic, _ = graph.incidence(graph.sources)
        self.s_algebraic = s_algebraic * is_current
        self._floating = floating
        self._find_loops(self.s_algebraic @ floating)
        self.s_capacitive = self.s_capacitive + self._returned.T @ self._parts[0]
        self.s_algebraic = self.s_algebraic + self._returned.T @ self._parts[1]
        self.capacitive, self.algebraic, self.fixed = (self._loops.T @ p for p in self._parts)
        self.current_of_gradient = forest.shares @ self._loops
        self.current_of_sources = forest.shares @ self._returned

    def _find_loops(self, s_floating: Array) -> None:
        """Find N and M, and what follows from them."""
        count, sources = len(self._held), len(s_floating)
        floating = self._floating.shape[1]
        self._tied: list[int] = []
        self._loops, self._returned = np.eye(count), np.zeros((count, sources))
        self.names = [f"phi({b.name})" for b in self._held]
        self.stiffness, self.flux_of_sources = self._tree_inverse, np.zeros((count, sources))
        self._pulled = np.zeros((count, count))
        if not floating:
            return
        reached = np.rint(self._parts[1] @ self._floating)
        ends = [_ends(row) for row in reached]
        self._tied = _spanning([b.value for b in self._held], ends)
        free = [k for k in range(count) if k not in set(self._tied)]
        returning = -np.linalg.inv(reached[self._tied].T)
        self._loops = np.eye(count)[:, free]
        self._loops[self._tied] = np.rint(returning @ reached[free].T) + 0.0
        self._returned[self._tied] = np.rint(returning @ s_floating.T) + 0.0
        self.names = []
        for column in self._loops.T:
            members = np.flatnonzero(column).tolist()
            column *= column[members[0]]
            terms = (f"{'+' if column[k] > 0 else '-'}{self._held[k].name}" for k in members)
            self.names.append(f"phi({''.join(terms)[1:]})")
        inductance = _inverse(self._tree_inverse)
        self.stiffness = _inverse(self._loops.T @ inductance @ self._loops)
        self.flux_of_sources = self._loops.T @ inductance @ self._returned
        self._pulled = inductance @ self._loops @ self.stiffness @ self._loops.T - np.eye(count)

    def floating_voltages(
        self, of_gradient: Array, of_sources: Array, charges: int
    ) -> tuple[Array, Array]:
        """Add the voltages of the nodes that only inductors reach to those of E.

        Args:
            of_gradient, of_sources: matrices that map ∇H and θ to u, where in each part that only
                inductors reach one voltage is zero.
            charges: the number of coordinates K, which come first in ∇H.
        """
        if not self._tied:
            return of_gradient, of_sources
        capacitive, algebraic, fixed = self._parts
        gradient = algebraic @ of_gradient
        gradient[:, :charges] += capacitive
        # Λ dj/dt of the inductors on the tree is their voltage.
        solved = np.linalg.inv(np.rint((algebraic @ self._floating)[self._tied]))
        pulled = self._floating @ solved @ self._pulled[self._tied]
        return of_gradient + pulled @ gradient, of_sources + pulled @ (
            fixed + algebraic @ of_sources
        )


def _inductance(inductors: Sequence[Branch], couplings: Sequence[Coupling]) -> Array:
    """L, checked: diagonal without couplings."""
    place = {b.name.lower(): k for k, b in enumerate(inductors)}
    ratio, by_pair = np.eye(len(inductors)), dict[tuple[int, int], Coupling]()
    for coupling in couplings:
        for name in coupling.inductors:
            if name.lower() not in place:
                raise CircuitError(
                    f"{coupling.name} couples {name}, which the circuit does not have; it has "
                    f"{named(inductors) or 'no inductor'}",
                    name,
                    coupling.line,
                )
        members = sorted(place[name.lower()] for name in coupling.inductors)
        for pair in itertools.combinations(members, 2):
            other = by_pair.setdefault(pair, coupling)
            if other is not coupling:
                raise CircuitError(
                    f"{other.name} and {coupling.name} both couple {inductors[pair[0]].name} and "
                    f"{inductors[pair[1]].name}; remove one",
                    coupling.name,
                    coupling.line,
                )
            ratio[pair] = ratio[pair[::-1]] = coupling.value
    if couplings:
        _refuse_indefinite(ratio, inductors, by_pair)
    root = np.sqrt([b.value for b in inductors])
    result = ratio * np.outer(root, root)
    np.fill_diagonal(result, [b.value for b in inductors])
    return np.asarray(result)


def _refuse_indefinite(
    ratio: Array, inductors: Sequence[Branch], by_pair: dict[tuple[int, int], Coupling]
) -> None:
    values, shapes = np.linalg.eigh(ratio)
    if values[0] > 8 * len(ratio) * np.finfo(np.float64).eps:
        return
    heavy = set(np.flatnonzero(np.abs(shapes[:, 0]) > 1e-3).tolist())
    found = {c.name: c for pair, c in by_pair.items() if heavy.issuperset(pair)}
    first = next(iter(found.values()))
    raise CircuitError(
        f"{', '.join(found)} couple {named(inductors[k] for k in sorted(heavy))} more than any "
        "windings are: their inductance matrix is not positive definite, so that some currents "
        "would have no or negative energy; reduce the coefficients",
        first.name,
        first.line,
    )


def _without_loops(graph: CircuitGraph, inductors: Sequence[Branch]) -> tuple[list[int], Array]:
    """The inductors of a spanning forest, and T, which gives the fluxes of all by theirs."""
    ends = [(graph.free[b.plus], graph.free[b.minus]) for b in inductors]
    tree = _spanning([b.value for b in inductors], ends)
    if len(tree) == len(inductors):
        return tree, np.eye(len(tree))
    capacitive, algebraic, fixed = graph.incidence(inductors)
    incidence = np.hstack([capacitive, algebraic])
    held = incidence[tree]
    by_tree = np.rint(np.linalg.solve(held @ held.T, held @ incidence.T).T) + 0.0
    driven = (fixed - by_tree @ fixed[tree]).any(axis=1)
    if driven.any():
        chord = inductors[int(np.argmax(driven))]
        fixing = [b for b in graph.branches if graph.fixes(b)]
        loop = loop_of([*fixing, *(inductors[k] for k in tree), chord])
        raise CircuitError(
            f"{named(loop)} form a loop in which no resistor limits the current; add the "
            "resistance of a winding",
            chord.name,
            chord.line,
        )
    return tree, by_tree


def _spanning(values: Sequence[float], ends: Sequence[tuple[Hashable, Hashable]]) -> list[int]:
    """Edges of a spanning forest of the smallest values, in order."""
    joined = scipy.cluster.hierarchy.DisjointSet({end for pair in ends for end in pair})
    order = sorted(range(len(ends)), key=lambda k: values[k])
    return sorted(k for k in order if joined.merge(*ends[k]))


def _ends(row: Array) -> tuple[int, int]:
    """Places of +1 and −1 in a row, −1 where there is none."""
    plus, minus = np.flatnonzero(row > 0).tolist(), np.flatnonzero(row < 0).tolist()
    return (plus or [-1])[0], (minus or [-1])[0]


def _inverse(matrix: Array) -> Array:
    """The inverse of a positive definite matrix, factorised at unit diagonal."""
    diagonal = np.diagonal(matrix)
    if not (matrix - np.diag(diagonal)).any():
        return np.diag(1 / diagonal)
    root = np.sqrt(diagonal)
    factor = np.linalg.inv(np.linalg.cholesky(matrix / np.outer(root, root))) / root
    return np.asarray(factor.T @ factor)
