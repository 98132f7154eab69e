"""Compile a large circuit, at a cost proportional to its elements.

Coordinates without charge are kept: the implicit midpoint of the equations of all of them is that
of the state alone (cpp/physics/sparse_circuit.hpp).

Source: Ho, Ruehli, Brennan (1975), IEEE Trans. Circuits Syst. 22, 504.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.units import BOLTZMANN
from ktc._base.validation import Array
from ktc._circuits.branch import GAINS, Branch, CircuitError, Coupling
from ktc._circuits.circuit_graph import is_wire, named
from ktc._circuits.circuit_rates import elimination, rates_of
from ktc._circuits.compilation import refuse_values
from ktc._circuits.heat_accounts import grouped, sharing_loops
from ktc._circuits.sparse_equation import SparseEquation, conductances
from ktc._circuits.sparse_graph import Indices, SparseGraph, csr, parts_of, told
from ktc._circuits.sparse_inductors import ReducedInductors
from ktc._model.sparse_stiffness import SparseMatrix

#: Most entries of the matrix that maps voltage sources to the biases of coupled capacitors.
MOST_BIASES = 50_000_000
#: Least eigenvalue of a capacitance matrix of unit diagonal.
DEPENDENT = 1e-10


def compile_sparse(
    branches: Sequence[Branch], kelvin: float, couplings: Sequence[Coupling]
) -> SparseEquation:
    """Compile a circuit of checked values; ``kelvin`` is that of resistors without their own."""
    _refuse_other_elements(branches, couplings)
    refuse_values(branches)
    reduced = ReducedInductors(branches, couplings)
    graph = SparseGraph(reduced.branches)
    equation = _Compiler(graph, reduced.branches, kelvin, couplings).equation()
    equation = with_inductors(equation, reduced, branches)
    if not equation.kT.any() and not len(equation.noise_density):
        raise CircuitError(
            "all resistors are at 0 K and there is no noise source, so nothing fluctuates; give "
            "one of them a temperature"
        )
    return equation


def with_inductors(
    equation: SparseEquation, reduced: ReducedInductors, branches: Sequence[Branch]
) -> SparseEquation:
    """Return the equation with all inductors and nodes of the circuit before it was reduced."""
    if len(reduced.inductors) == len(equation.inductors):
        return equation
    column = {name: k for k, name in enumerate(equation.inductors)}
    pairs = [reduced.shares[name] for name in reduced.inductors]
    values = np.array([share for _, share in pairs])
    columns = np.array([column[name] for name, _ in pairs])
    shape = len(pairs), len(column)
    charges = equation.coordinates[: equation.first_flux]
    fluxes = [f"phi({reduced.labels.get(name, name)})" for name in equation.inductors]
    nodes, maps = equation.nodes, (equation.voltages, equation.offsets)
    if reduced.inner:
        nodes, blend = reduced.all_nodes(equation.nodes, branches)
        maps = (csr_of_product(blend, maps[0]), csr_of_product(blend, maps[1]))
    return replace(
        equation,
        coordinates=(*charges, *fluxes),
        inductors=reduced.inductors,
        shares=csr(values, np.arange(len(pairs)), columns, shape),
        nodes=nodes,
        voltages=maps[0],
        offsets=maps[1],
    )


def csr_of_product(one: SparseMatrix, other: SparseMatrix) -> SparseMatrix:
    """Return a product of sparse matrices."""
    return scipy.sparse.csr_array(one @ other)


def _refuse_other_elements(branches: Sequence[Branch], couplings: Sequence[Coupling]) -> None:
    fix = (
        "which a large circuit cannot have; pass sparse=False to compile, up to some thousand nodes"
    )
    for b in branches:
        if b.kind in GAINS:
            raise CircuitError(f"{named([b])} is a controlled source, {fix}", b.name, b.line)
        if b.bandwidth is not None:
            raise CircuitError(f"{named([b])} has filtered noise, {fix}", b.name, b.line)
    known = {b.name.lower() for b in branches}
    for c in couplings:
        for name in c.inductors:
            if name.lower() not in known:
                raise CircuitError(f"{c.name} couples {name}, which is not in the circuit", name)


class _Compiler:
    def __init__(
        self,
        graph: SparseGraph,
        branches: Sequence[Branch],
        kelvin: float,
        couplings: Sequence[Coupling],
    ) -> None:
        self.graph, self.kelvin, self.couplings = graph, kelvin, couplings
        self.resistors = [b for b in branches if b.kind == "R" and not is_wire(b)]
        self.wires = tuple(b.name for b in branches if is_wire(b))
        self.capacitors = [b for b in branches if b.kind == "C"]
        if not self.resistors:
            raise CircuitError("the circuit has no resistor, so it never relaxes; add one")
        if graph.units == 0:
            raise CircuitError("the circuit has no state; add a capacitor or an inductor")
        self.size, self.all = graph.units, graph.coordinates
        self.is_current = np.array([b.kind == "I" for b in graph.sources], dtype=bool)

    def equation(self) -> SparseEquation:
        graph = self.graph
        storage, bias = self.energy()
        directions, fixed = graph.incidence(self.resistors)
        conductance = np.array([1 / b.value for b in self.resistors])
        accounts, account = self.accounts()
        flow, of_sources = self.interconnection()
        noise_directions, density = self.noises()
        acting = np.flatnonzero(np.diff(of_sources.indptr))
        current_of = scipy.sparse.eye_array(len(graph.sources), format="csr")[acting]
        damping = conductances(directions, conductance)
        self.refuse_undamped(storage, flow, directions)
        padded = storage.copy()
        padded.resize((self.all, self.all))
        outer = abs(noise_directions).T @ abs(noise_directions)
        order, fill = elimination(abs(padded) + abs(damping) + abs(flow) + outer)
        own = order[order < self.size]
        return SparseEquation(
            nodes=tuple(graph.nodes),
            sources=tuple(b.name for b in graph.sources),
            coordinates=(
                *(f"q({name})" for name in graph.capacitive),
                *(f"phi({b.name})" for b in graph.inductors),
            ),
            inductors=tuple(b.name for b in graph.inductors),
            shares=scipy.sparse.csr_array(scipy.sparse.eye_array(len(graph.inductors))),
            accounts=tuple(accounts),
            resistors=tuple(b.name for b in self.resistors),
            wires=self.wires,
            values=np.array([b.value for b in graph.sources], dtype=float),
            kT=self.temperatures(account, len(accounts)),
            storage=storage,
            interconnection=flow,
            directions=directions,
            source_directions=of_sources[acting],
            noise_directions=noise_directions,
            conductance=conductance,
            account=account,
            noise_density=density,
            first_flux=graph.first_flux,
            order=order,
            rates=rates_of(storage, flow - damping),
            fill=fill,
            bias_of=self.biases(storage, bias, own),
            emf_of=-fixed,
            current_of=scipy.sparse.csr_array(current_of),
            voltages=graph.voltages[:-1],
            offsets=graph.offsets[:-1],
        )

    def energy(self) -> tuple[SparseMatrix, SparseMatrix]:
        """Return S, and the matrix that maps θ to the charges that sources draw, S b."""
        incidence, fixed = self.graph.incidence(self.capacitors)
        farads = np.array([b.value for b in self.capacitors])
        charges = self.graph.first_flux
        drawing = incidence[:, :charges].T @ scipy.sparse.diags_array(farads)
        blocks = [drawing @ incidence[:, :charges], self.inductances()]
        storage = scipy.sparse.csr_array(scipy.sparse.block_diag(blocks, format="csr"))
        storage = 0.5 * (storage + storage.T)
        drawn = scipy.sparse.csr_array(drawing @ fixed)
        drawn.resize((self.size, len(self.graph.sources)))
        return scipy.sparse.csr_array(storage), drawn

    def inductances(self) -> SparseMatrix:
        """Return L of the inductors, M of those that are coupled."""
        henries = np.array([b.value for b in self.graph.inductors], dtype=float)
        place = {b.name.lower(): k for k, b in enumerate(self.graph.inductors)}
        entries = [(k, k, value) for k, value in enumerate(henries.tolist())]
        for coupling in self.couplings:
            coupled = [place[name.lower()] for name in coupling.inductors]
            for one, other in itertools.permutations(coupled, 2):
                mutual = coupling.value * math.sqrt(henries[one] * henries[other])
                entries.append((one, other, mutual))
        if not entries:
            return scipy.sparse.csr_array((0, 0))
        row, column, value = map(np.array, zip(*entries, strict=True))
        return csr(value, row, column, (len(henries),) * 2)

    def biases(self, storage: SparseMatrix, drawn: SparseMatrix, order: Indices) -> SparseMatrix:
        """Return the matrix that maps θ to b = S⁻¹ drawn θ."""
        size, sources = drawn.shape
        if not drawn.nnz:
            return scipy.sparse.csr_array(drawn)
        if storage.nnz == size:
            return scipy.sparse.csr_array(scipy.sparse.diags_array(1 / storage.diagonal()) @ drawn)
        acting = np.flatnonzero(np.diff(drawn.tocsc().indptr))
        if size * len(acting) > MOST_BIASES:
            raise CircuitError(
                f"{len(acting):,} voltage sources charge a network of {size:,} coupled capacitors: "
                f"their biases take {8e-9 * size * len(acting):.3g} GB; put resistors in series "
                "with the sources, or divide the circuit"
            )
        columns = scipy.sparse.linalg.splu(scipy.sparse.csc_array(storage)).solve(
            drawn[:, acting].toarray()
        )
        result = scipy.sparse.lil_array((size, sources))
        result[:, acting] = columns
        return scipy.sparse.csr_array(result)

    def interconnection(self) -> tuple[SparseMatrix, SparseMatrix]:
        """Return J, and what each source drives: currents into charges, voltages along fluxes."""
        graph = self.graph
        across, fixed = graph.incidence(graph.inductors)
        place = np.arange(graph.first_flux, self.size)
        rows = across.tocoo()
        forward = csr(rows.data, place[rows.row], rows.col, (self.all, self.all))
        along = fixed.tocoo()
        through = graph.incidence(graph.sources)[0].tocoo()
        kept = self.is_current[through.row]
        values = np.concatenate([-through.data[kept], along.data])
        source = np.concatenate([through.row[kept], along.col])
        column = np.concatenate([through.col[kept], place[along.row]])
        driven = csr(values, source, column, (len(graph.sources), self.all))
        return scipy.sparse.csr_array(forward - forward.T), driven

    def noises(self) -> tuple[SparseMatrix, Array]:
        """Return directions and two-sided densities of noise generators."""
        noisy = [b for b in self.graph.sources if b.noise is not None]
        directions = -self.graph.incidence(noisy)[0]
        lost = np.flatnonzero(np.diff(directions[:, self.size :].indptr))
        if len(lost):
            b = noisy[lost[0]]
            raise CircuitError(
                f"the noise of {named([b])} enters a node which no capacitor joins to ground: add "
                "the parasitic capacitance of the node",
                b.name,
                b.line,
            )
        return directions, np.array([0.5 * b.noise for b in noisy if b.noise], dtype=float)

    def accounts(self) -> tuple[list[str], Indices]:
        """Return names of heat accounts, and the account of each resistor."""
        graph = self.graph
        plus, minus = graph.ends(self.resistors)
        ground = self.all - self.size
        one, other = (np.where(graph.vertex[e] < 0, ground, graph.vertex[e]) for e in (plus, minus))
        part = parts_of(ground + 1, one, other)
        cut = np.flatnonzero(part != part[-1])
        if len(cut):
            raise self.cut_set(cut)
        return grouped(sharing_loops(one, other, ground), [b.name for b in self.resistors])

    def cut_set(self, cut: Indices) -> CircuitError:
        """An error about algebraic coordinates that only inductors and current sources lead to."""
        graph = self.graph
        leading = [*graph.inductors, *(b for b in graph.sources if b.kind == "I")]
        plus, minus = (np.isin(graph.vertex[ends], cut) for ends in graph.ends(leading))
        names = [leading[k].name for k in np.flatnonzero(plus | minus)]
        nodes = [graph.references[v] for v in cut]
        return CircuitError(
            f"only inductors and current sources, {told(names)}, carry current to node "
            f"{told(nodes)}, which no capacitor joins to ground: such a cut set fixes no voltage "
            "there; add the parasitic capacitance of the node, or a resistor, or pass sparse=False "
            "to compile, up to some thousand nodes",
            nodes[0],
        )

    def temperatures(self, account: Indices, accounts: int) -> Array:
        """Return kT of the heat accounts; resistors of one must be at one temperature."""
        kelvins = np.array([self.kelvin if b.kelvin is None else b.kelvin for b in self.resistors])
        found = np.full(accounts, -1.0)
        found[account[::-1]] = kelvins[::-1]
        # 26.85 °C and 300 K are one temperature, though their doubles differ.
        other = np.flatnonzero(np.abs(kelvins - found[account]) > 1e-12 * kelvins)
        if len(other):
            first = self.resistors[int(np.flatnonzero(account == account[other[0]])[0])]
            b = self.resistors[other[0]]
            raise CircuitError(
                f"{named([first])} at {found[account[other[0]]]:g} K and {named([b])} at "
                f"{kelvins[other[0]]:g} K meet at a node which no capacitor joins to ground: white "
                "noise would carry unbounded heat between them; add the parasitic capacitance of "
                "that node, or give them one temperature",
                b.name,
                b.line,
            )
        return np.asarray(BOLTZMANN * found)

    def refuse_undamped(
        self, storage: SparseMatrix, flow: SparseMatrix, directions: SparseMatrix
    ) -> None:
        """Refuse a part of the circuit without a resistor, and charges that are dependent."""
        links = abs(flow)
        links = links + abs(directions).T @ abs(directions)
        one, other = links.nonzero()
        here, there = storage.nonzero()
        part = parts_of(self.all, np.concatenate([one, here]), np.concatenate([other, there]))
        lone = ~np.isin(part, part[directions.nonzero()[1]])
        names = [f"q({name})" for name in self.graph.capacitive]
        names += [f"phi({b.name})" for b in self.graph.inductors]
        if lone.any():
            raise CircuitError(
                f"no resistor damps the motion of {told([names[k] for k in np.flatnonzero(lone)])},"
                " which has no stationary state; add the resistance of the winding of the inductor"
            )
        root = scipy.sparse.diags_array(1 / np.sqrt(storage.diagonal()))
        scaled = scipy.sparse.csr_array(root @ storage @ root)
        if (2 - np.asarray(abs(scaled).sum(axis=1)).ravel()).min() > DEPENDENT:
            return
        if not math.isfinite(least := least_eigenvalue(scaled)) or least < DEPENDENT:
            raise CircuitError(
                "the values of the elements lie too far apart for double precision: charges of the "
                "circuit are dependent; leave out the largest or the smallest capacitors, or pass "
                "sparse=False to compile"
            )


def least_eigenvalue(matrix: SparseMatrix) -> float:
    """Return the least eigenvalue of a positive definite matrix, to a factor of two; or NaN."""
    try:
        factor = scipy.sparse.linalg.splu(scipy.sparse.csc_array(matrix))
    except RuntimeError:
        return math.nan
    vector = np.random.default_rng(1).normal(size=matrix.shape[0])
    size = math.inf
    for _ in range(20):
        vector = vector / np.linalg.norm(vector)
        vector = factor.solve(vector)
        size = 1 / float(np.linalg.norm(vector))
    return size
