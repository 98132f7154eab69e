"""From a circuit's graph to the elements of the one equation.

State: charges q = C w + Σ_c A_c C_c δ_c θ of the held coordinates, fluxes φ = L i of the inductors,

    H(q, φ) = ½ (q − q_θ)ᵀ C⁻¹ (q − q_θ) + ½ Σ φ²/L,    ∇H = (w, i),

with w the voltages that capacitors hold, C their capacitance matrix, and δθ the part of a branch's
voltage that voltage sources fix. Kirchhoff's laws give, A_L and A_R the incidence of inductors and
resistors, P and the loops and paths those of ktc._circuits.resistive:

    dq = −(A_LKᵀ + A_RKᵀ P A_LEᵀ) i dt − (A_IKᵀ + A_RKᵀ P A_IEᵀ) I dt + loops,
    dφ = +(A_LK + A_LE Pᵀ A_RK) w dt + (δ_L + A_LE Pᵀ δ_R) θ dt + paths.

Source: Freitas, Delvenne, Esposito (2020), Phys. Rev. X 10, 031005, sections II and III.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ktc._base.codec import register
from ktc._base.units import BOLTZMANN
from ktc._base.validation import Array
from ktc._circuits.branch import Branch, CircuitError
from ktc._circuits.circuit_graph import CircuitGraph, Union, named
from ktc._circuits.resistive import Group, Resistive, product
from ktc._model.elements import CurrentSource, NoiseSource, Resistor


@dataclass(frozen=True)
class Equation:
    """A circuit in the one equation, and how to read it back.

    Attributes:
        nodes: names of the nodes but ground.
        sources: names of the voltage and current sources, θ.
        values: θ as the circuit has them, volts and amperes.
        coordinates: names of the state's coordinates, "q(a)" and "phi(L1)".
        stiffness, resistors, kT, interconnection, currents, noises: as Network.of_elements takes.
        bias_of, emf_of, current_of: controls = matrix θ, one row an entry.
        nodes_of_gradient, nodes_of_sources: node voltages = the one ∇H + the other θ.
    """

    nodes: tuple[str, ...]
    sources: tuple[str, ...]
    values: Array
    coordinates: tuple[str, ...]
    stiffness: Array
    resistors: list[Resistor]
    kT: Array
    interconnection: Array
    currents: list[CurrentSource]
    noises: list[NoiseSource]
    bias_of: Array
    emf_of: Array
    current_of: Array
    nodes_of_gradient: Array
    nodes_of_sources: Array


register(Equation)


def equation(branches: Sequence[Branch], kelvin: float) -> Equation:
    """The equation of a circuit whose resistors are at ``kelvin`` where they have no other.

    Raises:
        CircuitError: a circuit without answer; the message names elements, nodes and the mend.
    """
    graph = CircuitGraph(branches)
    if not graph.of_kind("R"):
        raise CircuitError("the circuit has no resistor: nothing brings it to rest; add one")
    if not graph.of_kind("C") and not graph.of_kind("L"):
        raise CircuitError("the circuit has neither capacitor nor inductor: it has no state")
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            result = _Compiler(graph, kelvin).equation()
            _refuse_undamped(result)
            _refuse_unresolved(result, [b.name for b in graph.sources if b.noise is not None])
            return result
    except (np.linalg.LinAlgError, FloatingPointError):
        raise CircuitError(
            "the values of the elements lie too far apart for double precision; leave out the "
            "smallest capacitors, or the largest and smallest resistors"
        ) from None


class _Compiler:
    def __init__(self, graph: CircuitGraph, kelvin: float) -> None:
        self.graph = graph
        self.kelvin = kelvin
        self.resistors = graph.of_kind("R")
        self.inductors = graph.of_kind("L")
        self.resistive = Resistive(graph)
        self.held = len(graph.held)
        self.size = self.held + len(self.inductors)
        if self.size == 0:
            raise CircuitError(
                f"voltage sources fix both ends of {named(graph.of_kind('C'))}: the circuit has no "
                "state; add a capacitor at a node that they do not fix"
            )
        self.r_held, _, self.r_fixed = graph.incidence(self.resistors)
        self.l_held, self.l_loose, self.l_fixed = graph.incidence(self.inductors)
        self.s_held, self.s_loose, _ = graph.incidence(graph.sources)
        self.is_current = np.array([b.kind == "I" for b in graph.sources], dtype=bool)

    def equation(self) -> Equation:
        stiffness, bias_of = self.energy()
        resistors, kT, emf_of = self.baths()
        currents, current_of = self.drives()
        gradient, sources = self.node_voltages()
        coordinates = [f"q({name})" for name in self.graph.held]
        coordinates += [f"phi({b.name})" for b in self.inductors]
        return Equation(
            nodes=tuple(self.graph.nodes),
            sources=tuple(b.name for b in self.graph.sources),
            values=np.array([b.value for b in self.graph.sources], dtype=float),
            coordinates=tuple(coordinates),
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
        )

    def energy(self) -> tuple[Array, Array]:
        """∇²H, and b as a matrix on θ."""
        capacitors = self.graph.of_kind("C")
        farads = np.array([b.value for b in capacitors])
        held, _, fixed = self.graph.incidence(capacitors)
        stiffness = np.zeros((self.size, self.size))
        bias_of = np.zeros((self.size, len(self.graph.sources)))
        if self.held:
            capacitance = held.T @ (farads[:, None] * held)
            # Judged at unit diagonal: farads may differ by many decades.
            root = np.sqrt(np.diagonal(capacitance))
            inverse = np.linalg.inv(np.linalg.cholesky(capacitance / np.outer(root, root))) / root
            elastance = inverse.T @ inverse
            stiffness[: self.held, : self.held] = elastance
            bias_of[: self.held] = product(elastance, product(held.T, farads[:, None] * fixed))
        for k, b in enumerate(self.inductors, self.held):
            stiffness[k, k] = 1 / b.value
        return stiffness, bias_of

    def interconnection(self) -> Array:
        forward = self.l_held + product(self.l_loose @ self.resistive.paths.T, self.r_held)
        result = np.zeros((self.size, self.size))
        result[self.held :, : self.held] = forward
        result[: self.held, self.held :] = -forward.T
        return result

    def baths(self) -> tuple[list[Resistor], Array, Array]:
        """Effective resistors, kT of their accounts, and their EMFs as a matrix on θ."""
        rows: list[Resistor] = []
        emf_of: list[Array] = []
        values = np.array([b.value for b in self.graph.sources], dtype=float)
        kT = []
        for group in self.resistive.groups:
            kT.append(BOLTZMANN * self.temperature(group))
            account = "+".join(self.resistors[r].name for r in group.members)
            found = [*self.loops(group), *self.paths(group)]
            # A resistor without any current keeps its column in the ledger.
            kept = [row for row in found if row[0].any() or row[2].any()] or found[:1]
            for direction, conductance, emf in kept:
                rows.append(Resistor(direction, float(conductance), account, float(emf @ values)))
                emf_of.append(emf)
        return rows, np.array(kT), np.array(emf_of).reshape(len(rows), len(values))

    def loops(self, group: Group) -> list[tuple[Array, float, Array]]:
        directions = np.zeros((len(group.loops), self.size))
        directions[:, : self.held] = product(group.loops, self.r_held[group.members])
        emf_of = -product(group.loops, self.r_fixed[group.members])
        return list(zip(directions, group.loop_conductance, emf_of, strict=True))

    def paths(self, group: Group) -> list[tuple[Array, float, Array]]:
        directions = np.zeros((len(group.paths), self.size))
        directions[:, self.held :] = product(group.paths, self.l_loose.T)
        emf_of = -product(group.paths, self.s_loose.T) * self.is_current
        return list(zip(directions, group.path_resistance, emf_of, strict=True))

    def temperature(self, group: Group) -> float:
        members = [self.resistors[r] for r in group.members]
        kelvins = [self.kelvin if b.kelvin is None else b.kelvin for b in members]
        # 26.85 °C is 300 K but for rounding.
        if all(math.isclose(kelvin, kelvins[0], rel_tol=1e-12) for kelvin in kelvins):
            return kelvins[0]
        vertices = sorted({v for b in members for v in self.graph.vertices(b) if v >= 0})
        nodes = ", ".join(repr(self.graph.loose[v][0]) for v in vertices)
        temperatures = ", ".join(
            f"{named([b])} at {kelvin:g} K" for b, kelvin in zip(members, kelvins, strict=True)
        )
        raise CircuitError(
            f"{temperatures} meet at node {nodes}, which no capacitor holds against ground: white "
            "noise would carry unbounded heat between them; add the parasitic capacitance of "
            "that node, or give them one temperature",
            members[0].name,
            members[0].line,
        )

    def drives(self) -> tuple[list[CurrentSource], Array]:
        """Sources that act without heat: currents into charges, voltages along fluxes."""
        currents = -(self.s_held + product(self.s_loose @ self.resistive.paths.T, self.r_held))
        voltages = self.l_fixed + product(self.l_loose @ self.resistive.paths.T, self.r_fixed)
        directions = np.zeros((len(self.graph.sources), self.size))
        directions[self.is_current, : self.held] = currents[self.is_current]
        directions[~self.is_current, self.held :] = voltages.T[~self.is_current]
        acting = np.flatnonzero(directions.any(axis=1))
        sources = [CurrentSource(directions[s], self.graph.sources[s].value) for s in acting]
        return sources, np.eye(len(directions))[acting]

    def noises(self) -> list[NoiseSource]:
        found = []
        for b, held, loose in zip(self.graph.sources, self.s_held, self.s_loose, strict=True):
            if b.noise is None:
                continue
            if loose.any():
                node = self.graph.loose[int(np.flatnonzero(loose)[0])][0]
                raise CircuitError(
                    f"the noise of {named([b])} enters node {node!r}, which no capacitor holds "
                    "against ground: add the node's parasitic capacitance",
                    b.name,
                    b.line,
                )
            direction = np.zeros(self.size)
            direction[: self.held] = -held
            # One-sided densities are twice the two-sided ones of the equation.
            found.append(NoiseSource(direction, 0.5 * b.noise, b.bandwidth))
        return found

    def node_voltages(self) -> tuple[Array, Array]:
        """Node voltages as matrices on ∇H and on θ."""
        paths, ohms = self.resistive.paths, np.array([[b.value] for b in self.resistors])
        resistance = paths.T @ (ohms * paths)
        loose_of_gradient = np.hstack(
            [product(paths.T, self.r_held), -product(resistance, self.l_loose.T)]
        )
        loose_of_sources = product(paths.T, self.r_fixed)
        loose_of_sources -= product(resistance, self.s_loose.T) * self.is_current
        gradient = self.graph.from_loose @ loose_of_gradient
        gradient[:, : self.held] += self.graph.from_held
        return gradient, self.graph.offsets + self.graph.from_loose @ loose_of_sources


def _motion(result: Equation) -> Array:
    """The drift in the coordinates Lᵀz in which ∇²H = L Lᵀ is one, and damping is symmetric."""
    lower = np.linalg.cholesky(result.stiffness)
    flow = result.interconnection.copy()
    for r in result.resistors:
        flow -= r.conductance * np.outer(*(np.asarray(r.direction),) * 2)
    drift: Array = lower.T @ flow @ lower
    return drift


def _refuse_undamped(result: Equation) -> None:
    """Refuses oscillation between inductors and capacitors that reaches no resistor."""
    if not result.interconnection.any():
        return
    drift = _motion(result)
    # Parts that do not touch are judged each at its own pace.
    joined = Union()
    for i, j in zip(*np.nonzero(drift), strict=True):
        joined.join(int(i), int(j))
    parts: dict[object, list[int]] = {}
    for i in range(len(drift)):
        parts.setdefault(joined.find(i), []).append(i)
    for part in parts.values():
        own = drift[np.ix_(part, part)]
        rates, shapes = np.linalg.eig(own)
        rounding = 8 * len(part) * np.finfo(np.float64).eps * np.linalg.norm(own)
        undamped = np.abs(rates.real) <= np.minimum(rounding, 1e-9 * np.abs(rates))
        if undamped.any():
            weight = np.abs(shapes[:, int(np.argmax(undamped))])
            names = [result.coordinates[part[k]] for k in np.flatnonzero(weight > 0.1)]
            raise CircuitError(
                f"no resistor damps the motion of {', '.join(names)}: it has no stationary state; "
                "add the resistance of the inductor's winding"
            )


def _refuse_unresolved(result: Equation, noisy: Sequence[str]) -> None:
    """Refuses paces too far apart for a stationary state that is solved for.

    At one temperature and without sources that state is known, kT (∇²H)⁻¹, at any pace.
    """
    driven = result.emf_of.any() or result.current_of.any() or result.noises
    if not driven and (result.kT == result.kT[0]).all():
        return
    rates, shapes = np.linalg.eig(_motion(result))
    paces = [(float(-rate.real), float(abs(rate))) for rate in rates]
    widths = [(name, n.bandwidth) for name, n in zip(noisy, result.noises, strict=True)]
    filters = [(name, 2 * np.pi * width) for name, width in widths if width is not None]
    paces += [(rate, rate) for _, rate in filters]
    resolved = 8 * len(paces) * np.finfo(np.float64).eps
    slow = min(range(len(paces)), key=lambda k: paces[k][0])
    fast = max(range(len(paces)), key=lambda k: paces[k][1])
    if paces[slow][0] > resolved * paces[fast][1]:
        return

    def name(mode: int) -> str:
        if mode >= len(rates):
            return f"the filter of {filters[mode - len(rates)][0]}"
        return _coordinates(result, shapes[:, mode])

    raise CircuitError(
        f"the values of the elements lie too far apart for double precision: {name(slow)} relaxes "
        f"over {1 / resolved:.0e} times slower than {name(fast)}, which takes "
        f"{1 / paces[fast][1]:.1e} s; leave out the smallest capacitors, or the largest and "
        "smallest resistors"
    )


def _coordinates(result: Equation, shape: Array) -> str:
    """The coordinates that take part in a mode."""
    return ", ".join(result.coordinates[k] for k in np.flatnonzero(np.abs(shape) > 0.1))
