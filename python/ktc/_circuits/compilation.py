"""Compile the graph of a circuit to the elements of a Network.

State: charges q = C w + Σ_c A_c C_c δ_c θ of the capacitive coordinates, fluxes φ = L i + φ_θ of
the inductors,

    H(q, φ) = ½ (q − q_θ)ᵀ C⁻¹ (q − q_θ) + ½ (φ − φ_θ)ᵀ L⁻¹ (φ − φ_θ),    ∇H = (w, i),

with w the voltages of the capacitive coordinates, C their capacitance matrix, and δθ the part of
the voltage of a branch that voltage sources fix. Inductors in loops and in series are first
replaced by fewer, see ktc._circuits.inductor_network. With A_L, A_R and A_I the incidence of
inductors, resistors and current sources, and P, loops and paths as in
ktc._circuits.resistor_network, Kirchhoff's laws give

    dq = −(A_LKᵀ + A_RKᵀ P A_LEᵀ) i dt − (A_IKᵀ + A_RKᵀ P A_IEᵀ) I dt + loops,
    dφ = +(A_LK + A_LE Pᵀ A_RK) w dt + (δ_L + A_LE Pᵀ δ_R) θ dt + paths.

Source: Freitas, Delvenne, Esposito (2020), Phys. Rev. X 10, 031005, sections II and III.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ktc._base.units import BOLTZMANN
from ktc._base.validation import Array
from ktc._circuits.active_circuit import compile_active
from ktc._circuits.branch import GAINS, UNITS, Branch, CircuitError, Coupling
from ktc._circuits.circuit_graph import CircuitGraph, named
from ktc._circuits.equation import (
    CircuitEquation,
    refuse_undamped,
    refuse_unresolved,
)
from ktc._circuits.inductor_network import InductorNetwork
from ktc._circuits.resistor_network import HeatGroup, ResistorNetwork, product
from ktc._model.elements import CurrentSource, NoiseSource, Resistor

#: Values beyond it leave double precision in products such as C V² and q³.
LARGEST = 1e50
MOST_NODES = 30_000  # a dense matrix of this size has 7 GB


def compile_equation(
    branches: Sequence[Branch], kelvin: float, couplings: Sequence[Coupling] = ()
) -> CircuitEquation:
    """Compile a circuit; ``kelvin`` is the temperature of resistors without their own."""
    refuse_extreme(branches)
    if len(_nodes(branches)) > MOST_NODES:
        raise too_large(branches)
    active = any(b.kind in GAINS for b in branches)
    if not active:
        _refuse_noisy_voltages(branches)
    graph = CircuitGraph(branches, joined=not active)
    if not graph.of_kind("R"):
        raise CircuitError("the circuit has no resistor, so it never relaxes; add one")
    if not graph.of_kind("C") and not graph.of_kind("L"):
        raise CircuitError("the circuit has no capacitor and no inductor, so no state; add one")
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            if active:
                result = compile_active(graph, kelvin, couplings)
            else:
                result = _Compiler(graph, kelvin, couplings).equation()
            if not result.kT.any() and not result.noises:
                raise CircuitError(
                    "all resistors are at 0 K and there is no noise source, so nothing fluctuates; "
                    "give one of them a temperature"
                )
            if not active:
                refuse_undamped(result)
            refuse_unresolved(result, [b.name for b in graph.sources if b.noise is not None])
            return result
    except (np.linalg.LinAlgError, FloatingPointError):
        raise too_far_apart(branches) from None


def refuse_values(branches: Sequence[Branch]) -> None:
    """Refuse values of elements that no network can hold."""
    _refuse_noisy_voltages(branches)
    refuse_extreme(branches)


def _refuse_noisy_voltages(branches: Sequence[Branch]) -> None:
    for b in branches:
        if b.kind == "V" and b.noise is not None:
            raise CircuitError(
                f"{named([b])} has noise, whose power in a resistor has no bound that a ledger "
                "could hold; give a noise current of S/R² across the resistor in series with it, "
                "or use circuit.noise(...), which takes it as it is",
                b.name,
                b.line,
            )


def refuse_extreme(branches: Sequence[Branch]) -> None:
    """Refuse values whose products leave double precision."""
    for b in branches:
        # Any small source, and any gain.
        value = max(abs(b.value), 1.0) if b.kind in "VI" or b.kind in GAINS else b.value
        value = 1.0 if value == math.inf else value
        sizes = {
            {**UNITS, **GAINS}[b.kind]: value,
            "K": b.kelvin,
            "A²/Hz": b.noise,
            "Hz": b.bandwidth,
        }
        for unit, size in sizes.items():
            if size and not 1 / LARGEST <= size <= LARGEST:
                raise CircuitError(
                    f"{named([b])} has {size:g} {unit}: such values lie too far apart for double "
                    f"precision; keep them between {1 / LARGEST:g} and {LARGEST:g}",
                    b.name,
                    b.line,
                )


def _nodes(branches: Sequence[Branch]) -> set[str]:
    return {node for b in branches for node in (b.plus, b.minus)}


def too_large(branches: Sequence[Branch]) -> CircuitError:
    """Return the error about a circuit whose dense matrices do not fit into memory."""
    return CircuitError(
        f"the circuit has {len(_nodes(branches)):,} nodes, too many for the memory: it needs "
        "dense matrices of that size; leave out sparse=False, or divide the circuit"
    )


def too_far_apart(branches: Sequence[Branch], reason: str = "") -> CircuitError:
    """Return the error about values that double precision cannot hold together."""
    ranges = []
    for kind in "RCL":
        found = sorted((b for b in branches if b.kind == kind and b.value), key=lambda b: b.value)
        ends = [found[0], found[-1]] if len(found) > 1 else found
        told = [f"{named([b])} of {b.value:g} {UNITS[kind]}" for b in ends]
        ranges += [" to ".join(told)] if told else []
    return CircuitError(
        "the values of the elements lie too far apart for double precision"
        f"{f': {reason}' if reason else ''}; they are {', '.join(ranges)}; leave out the smallest "
        "capacitors, or the largest and smallest resistors"
    )


class _Compiler:
    def __init__(self, graph: CircuitGraph, kelvin: float, couplings: Sequence[Coupling]) -> None:
        self.graph, self.kelvin = graph, kelvin
        self.resistors = graph.of_kind("R")
        self.network = ResistorNetwork(graph)
        self.inductors = InductorNetwork(graph, couplings, self.network.floating)
        self.charges = len(graph.capacitive)
        self.size = self.charges + len(self.inductors.names)
        if self.size == 0:
            fixed, steady = graph.of_kind("C"), self.inductors.inductors
            told = [f"voltage sources fix both ends of {named(fixed)}"] * bool(fixed)
            told += [f"current sources fix the current of {named(steady)}"] * bool(steady)
            raise CircuitError(
                f"{' and '.join(told)}: the circuit has no state; add a capacitor at a node that "
                "no voltage source fixes"
            )
        self.r_capacitive, _, self.r_fixed = graph.incidence(self.resistors)
        self.l_paths = self.inductors.algebraic @ self.network.paths.T
        self.is_current = np.array([b.kind == "I" for b in graph.sources], dtype=bool)

    def equation(self) -> CircuitEquation:
        stiffness, bias_of = self.energy()
        resistors, kT, emf_of = self.baths()
        currents, current_of = self.drives()
        gradient, sources = self.node_voltages()
        flows = self.inductors.inductors
        charges = (f"q({name})" for name in self.graph.capacitive)
        return CircuitEquation(
            nodes=tuple(self.graph.nodes),
            sources=tuple(b.name for b in self.graph.sources),
            values=np.array([b.value for b in self.graph.sources], dtype=float),
            coordinates=(*charges, *self.inductors.names),
            stiffness=stiffness,
            resistors=resistors,
            kT=kT,
            interconnection=self.interconnection(),
            currents=currents,
            noises=self.noises(),
            bias_of=bias_of,
            emf_of=emf_of,
            current_of=current_of,
            nodes_of_gradient=gradient,
            nodes_of_sources=sources,
            inductors=tuple(b.name for b in self.inductors.inductors),
            inductors_of_gradient=np.hstack(
                [np.zeros((len(flows), self.charges)), self.inductors.current_of_gradient]
            ),
            inductors_of_sources=self.inductors.current_of_sources,
        )

    def energy(self) -> tuple[Array, Array]:
        """Return ∇²H, and the matrix that maps θ to b."""
        capacitors = self.graph.of_kind("C")
        farads = np.array([b.value for b in capacitors])
        capacitive, _, fixed = self.graph.incidence(capacitors)
        stiffness = np.zeros((self.size, self.size))
        bias_of = np.zeros((self.size, len(self.graph.sources)))
        if self.charges:
            capacitance = capacitive.T @ (farads[:, None] * capacitive)
            # Factorised at unit diagonal: capacitances may differ by many decades.
            root = np.sqrt(np.diagonal(capacitance))
            inverse = np.linalg.inv(np.linalg.cholesky(capacitance / np.outer(root, root))) / root
            elastance = inverse.T @ inverse
            stiffness[: self.charges, : self.charges] = elastance
            drawn = product(capacitive.T, farads[:, None] * fixed)
            bias_of[: self.charges] = product(elastance, drawn)
        inverse = self.inductors.stiffness
        stiffness[self.charges :, self.charges :] = inverse
        bias_of[self.charges :] = product(inverse, self.inductors.flux_of_sources)
        return stiffness, bias_of

    def interconnection(self) -> Array:
        forward = self.inductors.capacitive + product(self.l_paths, self.r_capacitive)
        result = np.zeros((self.size, self.size))
        result[self.charges :, : self.charges] = forward
        result[: self.charges, self.charges :] = -forward.T
        return result

    def baths(self) -> tuple[list[Resistor], Array, Array]:
        """Return effective resistors, kT of their accounts, and the matrix that maps θ to EMFs."""
        rows: list[Resistor] = []
        emf_of: list[Array] = []
        values = np.array([b.value for b in self.graph.sources], dtype=float)
        kT = []
        for group in self.network.groups:
            kT.append(BOLTZMANN * self.temperature(group))
            account = "+".join(self.resistors[r].name for r in group.members)
            found = self.rows(group)
            # A resistor that carries no current keeps its column in the ledger.
            kept = [row for row in found if row[0].any() or row[2].any()] or found[:1]
            for direction, conductance, emf in kept:
                rows.append(Resistor(direction, conductance, account, float(emf @ values)))
                emf_of.append(emf)
        return rows, np.array(kT), np.array(emf_of).reshape(len(rows), len(values))

    def rows(self, group: HeatGroup) -> list[tuple[Array, float, Array]]:
        """Return direction, conductance and row of EMFs of each effective resistor."""
        loops = len(group.loops)
        directions = np.zeros((loops + len(group.paths), self.size))
        directions[:loops, : self.charges] = product(group.loops, self.r_capacitive[group.members])
        directions[loops:, self.charges :] = product(group.paths, self.inductors.algebraic.T)
        conductance = [*group.loop_conductance.tolist(), *group.path_resistance.tolist()]
        emf_of_loops = -product(group.loops, self.r_fixed[group.members])
        emf_of_paths = -product(group.paths, self.inductors.s_algebraic.T)
        emf_of = [*emf_of_loops, *emf_of_paths]
        return list(zip(directions, conductance, emf_of, strict=True))

    def temperature(self, group: HeatGroup) -> float:
        members = [self.resistors[r] for r in group.members]
        kelvins = [self.kelvin if b.kelvin is None else b.kelvin for b in members]
        # 26.85 °C and 300 K are one temperature, though their doubles differ.
        if all(math.isclose(kelvin, kelvins[0], rel_tol=1e-12) for kelvin in kelvins):
            return kelvins[0]
        vertices = sorted({v for b in members for v in self.graph.vertices(b) if v >= 0})
        nodes = ", ".join(repr(self.graph.algebraic[v][0]) for v in vertices)
        temperatures = ", ".join(
            f"{named([b])} at {kelvin:g} K" for b, kelvin in zip(members, kelvins, strict=True)
        )
        raise CircuitError(
            f"{temperatures} meet at node {nodes}, which no capacitor joins to ground: white noise "
            "would carry unbounded heat between them; add the parasitic capacitance of that node, "
            "or give them one temperature",
            members[0].name,
            members[0].line,
        )

    def drives(self) -> tuple[list[CurrentSource], Array]:
        """Return sources without heat, and the matrix that maps θ to their currents.

        Current sources act on charges, voltage sources along fluxes.
        """
        s_paths = self.inductors.s_algebraic @ self.network.paths.T
        currents = -(self.inductors.s_capacitive + product(s_paths, self.r_capacitive))
        voltages = self.inductors.fixed + product(self.l_paths, self.r_fixed)
        directions = np.zeros((len(self.graph.sources), self.size))
        directions[self.is_current, : self.charges] = currents[self.is_current]
        directions[~self.is_current, self.charges :] = voltages.T[~self.is_current]
        acting = np.flatnonzero(directions.any(axis=1))
        sources = [CurrentSource(directions[s], self.graph.sources[s].value) for s in acting]
        return sources, np.eye(len(directions))[acting]

    def noises(self) -> list[NoiseSource]:
        found = []
        capacitive_rows, algebraic_rows, _ = self.graph.incidence(self.graph.sources)
        rows = zip(self.graph.sources, capacitive_rows, algebraic_rows, strict=True)
        for b, capacitive, algebraic in rows:
            if b.noise is None:
                continue
            if algebraic.any():
                node = self.graph.algebraic[int(np.flatnonzero(algebraic)[0])][0]
                raise CircuitError(
                    f"the noise of {named([b])} enters node {node!r}, which no capacitor joins to "
                    "ground: add the parasitic capacitance of the node",
                    b.name,
                    b.line,
                )
            direction = np.zeros(self.size)
            direction[: self.charges] = -capacitive
            # One-sided densities are twice the two-sided ones of the equation.
            found.append(NoiseSource(direction, 0.5 * b.noise, b.bandwidth))
        return found

    def node_voltages(self) -> tuple[Array, Array]:
        """Return the matrices that map ∇H and θ to node voltages."""
        paths, ohms = self.network.paths, np.array([[b.value] for b in self.resistors])
        resistance = paths.T @ (ohms * paths)
        of_gradient = np.hstack(
            [product(paths.T, self.r_capacitive), -product(resistance, self.inductors.algebraic.T)]
        )
        of_sources = product(paths.T, self.r_fixed)
        of_sources -= product(resistance, self.inductors.s_algebraic.T)
        of_gradient, of_sources = self.inductors.floating_voltages(
            of_gradient, of_sources, self.charges
        )
        gradient = self.graph.from_algebraic @ of_gradient
        gradient[:, : self.charges] += self.graph.from_capacitive
        return gradient, self.graph.offsets + self.graph.from_algebraic @ of_sources
