"""Compile circuits with controlled sources, which supply energy and have no bath.

Modified nodal analysis gives the pencil E ẋ + A x = S θ + n ξ. In the coordinates of
ktc._circuits.circuit_graph, x = (s, z): s are the voltages w of capacitive coordinates and the
currents of inductors, with E symmetric, H = ½ sᵀE s; z are the voltages u that no capacitor holds
and the currents of voltage sources, V, E and H. The rows of z are algebraic, and give

    z = Z_s s + Z_θ θ + Z_ξ ξ + P π,    Qᵀ (A_zs s − S_z θ) = 0,

with P and Q the null spaces of A_zz on both sides: some controlled sources hold capacitors or
inductors directly, by the currents or voltages π that this takes, as an operational amplifier does
through its feedback capacitor. With W and U the null spaces of Qᵀ A_zs and (A_sz P)ᵀ, the state is
Y = Uᵀ E s, the charges and fluxes that π does not reach, and s = W σ + S_θ θ gives

    dY = M ∇H dt + B θ dt + n dξ,    ∇H = T⁻ᵀ Wᵀ E s,    T = Uᵀ E W.

In reciprocal circuits U = W and M = J − G. If T is singular, the circuit differentiates its noise.

Source: Ho, Ruehli, Brennan (1975), IEEE Trans. Circuits Syst. 22, 504; Riaza (2008),
Differential-Algebraic Systems, ch. 5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.units import BOLTZMANN
from ktc._base.validation import Array
from ktc._circuits.branch import GROUND, Branch, CircuitError, Coupling
from ktc._circuits.circuit_graph import CircuitGraph, named
from ktc._circuits.equation import CircuitEquation, refuse_unstable
from ktc._circuits.inductor_network import WithoutLoops
from ktc._circuits.resistor_network import product
from ktc._model.elements import ActiveFlow, CurrentSource, NoiseSource, Resistor

#: Singular values of A_zz, at rows and columns of unit size, that are zero and surely not zero.
ZERO, NOT_ZERO = 1e-13, 1e-11


@dataclass(frozen=True)
class _Affine:
    """x = of_state s + of_sources θ + of_noise ξ."""

    of_state: Array
    of_sources: Array
    of_noise: Array

    def rows(self, matrix: Array) -> _Affine:
        """Matrix times x."""
        return _Affine(*(product(matrix, part) for part in _parts(self)))

    def plus(self, matrix: Array, other: _Affine) -> _Affine:
        """Return x plus matrix times another, with zero in place of rounding."""
        both = np.hstack([np.eye(len(matrix)), matrix])
        pairs = zip(_parts(self), _parts(other), strict=True)
        return _Affine(*(product(both, np.vstack(pair)) for pair in pairs))


class Pencil:
    """E ẋ + A x = S θ + n ξ of a circuit, noise of resistors first, then that of generators."""

    def __init__(self, graph: CircuitGraph, couplings: Sequence[Coupling]) -> None:
        self.graph = graph
        self.inductors = WithoutLoops(graph, couplings)
        held, nodes = len(graph.capacitive), len(graph.nodes)
        fluxes = len(self.inductors.held)
        self.explicit = [b for b in graph.branches if b.kind in "VEH"]
        self.states = held + fluxes
        self.size = self.states + len(graph.algebraic) + len(self.explicit)
        self._current = {
            b.name.lower(): self.size - len(self.explicit) + k for k, b in enumerate(self.explicit)
        }
        #: Node voltages as rows on x; the last row is ground.
        self.volts = np.zeros((nodes + 1, self.size))
        self.volts[:nodes, :held] = graph.from_capacitive
        self.volts[:nodes, self.states : self.states + len(graph.algebraic)] = graph.from_algebraic
        self._row = {node.lower(): k for k, node in enumerate([*graph.nodes, GROUND])}
        self.storage = np.zeros((self.states, self.states))
        self.matrix = np.zeros((self.size, self.size))
        noisy = [b for b in graph.sources if b.noise is not None]
        self.resistors, self.generators = graph.of_kind("R"), noisy
        self.push = np.zeros((self.size, len(graph.sources)))
        self.noise = np.zeros((self.size, len(self.resistors) + len(noisy)))
        self._store(held)
        for b in graph.branches:
            self._enter(b)
        for k, b in enumerate([*self.resistors, *noisy]):
            if b.kind == "V":
                self.noise[self.current_of(b.name), k] = 1.0
            else:
                self.noise[:, k] = -self.across(b.plus, b.minus)

    def across(self, plus: str, minus: str) -> Array:
        """The voltage between two nodes as a row on x; its transpose is a current between them."""
        places = self._row[plus.lower()], self._row[minus.lower()]
        return np.asarray(self.volts[places[0]] - self.volts[places[1]])

    def current_of(self, name: str) -> int:
        """The place of the current of a voltage source in x."""
        return self._current[name.lower()]

    def _store(self, held: int) -> None:
        capacitors = self.graph.of_kind("C")
        incidence = self.graph.incidence(capacitors)[0]
        farads = np.array([[b.value] for b in capacitors]).reshape(-1, 1)
        self.storage[:held, :held] = incidence.T @ (farads * incidence)
        self.storage[held:, held:] = self.inductors.inductance
        for k, b in enumerate(self.inductors.held, held):
            row = self.across(b.plus, b.minus)
            self.matrix[:, k] += row
            self.matrix[k] -= row

    def _enter(self, b: Branch) -> None:
        row = self.across(b.plus, b.minus)
        if b.kind == "R" and b.value:
            self._add(row, row / b.value)
        elif b.kind == "I":
            self.push[:, self.graph.sources.index(b)] -= row
        elif b.kind in "GF":
            self._add(row, b.value * self._control(b))
        elif b.kind in "VEH":
            own = self.current_of(b.name)
            self.matrix[:, own] += row
            if b.kind == "V":
                self.push[own, self.graph.sources.index(b)] = 1.0
                self.matrix[own] += row
            elif b.value == math.inf:
                self.matrix[own] += self._control(b)
            else:
                self.matrix[own] += row - b.value * self._control(b)

    def _add(self, current: Array, by: Array) -> None:
        """Add a current, a column of x, that is proportional to a row on x."""
        rows, columns = np.flatnonzero(current), np.flatnonzero(by)
        self.matrix[np.ix_(rows, columns)] += np.outer(current[rows], by[columns])

    def _control(self, b: Branch) -> Array:
        """What controls a source, as a row on x."""
        if b.kind in "EG":
            for node in b.control:
                if node.lower() not in self._row:
                    raise CircuitError(
                        f"{b.name} is controlled by node {node!r}, which no other element has; "
                        "connect it",
                        node,
                        b.line,
                    )
            return self.across(*b.control)
        name = b.control[0]
        if name.lower() not in self._current:
            raise CircuitError(
                f"{b.name} is controlled by the current of {name}, which the circuit does not "
                f"have; it has {named(self.explicit) or 'no voltage source'}",
                name,
                b.line,
            )
        row = np.zeros(self.size)
        row[self.current_of(name)] = 1.0
        return row


class _States:
    """The solution of the pencil, with s in units of unit energy: E has a unit diagonal."""

    def __init__(self, pencil: Pencil) -> None:
        self.pencil, n = pencil, pencil.states
        self.unit = 1 / np.sqrt(np.diagonal(pencil.storage))
        scale = np.ones(pencil.size)
        scale[:n] = self.unit
        matrix = pencil.matrix * np.outer(scale, scale)
        push, noise = pencil.push * scale[:, None], pencil.noise * scale[:, None]
        self.scale, storage = scale, pencil.storage * np.outer(self.unit, self.unit)
        inner, self.null, left, bound = _null_spaces(matrix[n:, n:])
        noisy = np.abs(left.T @ noise[n:]) > 1e-9 * (np.abs(left.T) @ np.abs(noise[n:]))
        if noisy.any():
            source = [*pencil.resistors, *pencil.generators][int(np.argwhere(noisy)[0][1])]
            raise self._refusal(
                f"the white noise of {named([source])} would be the voltage of a capacitor, or the "
                "current of an inductor, which {0} hold"
            )
        algebraic = _Affine(-inner @ matrix[n:, :n], inner @ push[n:], inner @ noise[n:])
        forced = _Affine(-matrix[:n, :n], push[:n], noise[:n]).plus(-matrix[:n, n:], algebraic)
        held, holding = product(left.T, matrix[n:, :n]), product(matrix[:n, n:], self.null)
        try:
            (into, self.free), (along, fixing) = _kernel(holding.T), _kernel(held)
        except ArithmeticError:
            raise self._refusal(
                "{0} and other sources leave a voltage of a node, or a current of a source, "
                "undetermined, or contradict each other"
            ) from None
        fixed = np.zeros((n, push.shape[1]))
        dependent = [k for k in range(n) if k not in set(fixing)]
        if dependent:
            fixed[dependent] = np.linalg.solve(held[:, dependent], left.T @ push[n:])
        tied = into.T @ storage @ along
        sizes = (np.abs(into.T) @ np.abs(storage) @ np.abs(along)).max(axis=1, initial=0.0)
        if len(tied) and np.linalg.svd(tied / sizes[:, None], compute_uv=False)[-1] < 1e-9:
            raise self._refusal("the current or voltage of {0} would be the derivative of noise")
        energy = along.T @ storage @ along
        inverse = np.linalg.inv(tied) if len(tied) else tied
        self.stiffness = inverse.T @ energy @ inverse
        self.bias = (
            inverse.T @ along.T @ storage @ (along @ inverse @ into.T @ storage @ fixed - fixed)
        )
        # s by ∇H and θ.
        by_gradient = along @ np.linalg.solve(energy, tied.T) if len(tied) else along
        by_sources = fixed - along @ np.linalg.solve(energy, along.T @ storage @ fixed)
        self.state = _Affine(by_gradient, by_sources, np.zeros((n, noise.shape[1])))
        forced = self._substituted(forced)
        self.motion = forced.rows(into.T)
        # The largest term of F, which rounding is relative to.
        through = np.abs(matrix[:n, n:]) @ bound @ np.abs(matrix[n:, :n])
        terms = np.abs(matrix[:n, :n]) + through
        terms = np.abs(into.T) @ terms @ np.abs(by_gradient @ self.stiffness)
        self.pace = float(terms.max(initial=0.0))
        # π from the derivative of what is held.
        if holding.shape[1]:
            response = np.linalg.solve(storage, np.hstack([holding, *_parts(forced)]))
            count = holding.shape[1]
            solved = np.linalg.solve(held @ response[:, :count], held @ response[:, count:])
            multiplier = _Affine(
                *np.split(solved, np.cumsum([p.shape[1] for p in _parts(forced)])[:-1], axis=1)
            )
            rest = self._substituted(algebraic).plus(self.null, multiplier)
        else:
            rest = self._substituted(algebraic)
        whole = [np.vstack(pair) for pair in zip(_parts(self.state), _parts(rest), strict=True)]
        self.whole = _Affine(*whole).rows(np.diag(scale))

    def _substituted(self, form: _Affine) -> _Affine:
        none = np.zeros((len(form.of_state), len(self.free)))
        return _Affine(none, form.of_sources, form.of_noise).plus(form.of_state, self.state)

    def _refusal(self, reason: str) -> CircuitError:
        active = [b for b in self.pencil.graph.branches if b.kind in "EFGH"]
        return CircuitError(
            f"{reason.format(named(active))}; add a small resistor in series with a capacitor, or "
            "the parasitic capacitance of a node",
            active[0].name if active else "",
            active[0].line if active else None,
        )


def compile_active(
    graph: CircuitGraph, kelvin: float, couplings: Sequence[Coupling]
) -> CircuitEquation:
    """Compile a circuit with controlled sources, whose graph is not joined by voltage sources."""
    pencil = Pencil(graph, couplings)
    if not pencil.states:
        raise CircuitError("the circuit has no capacitor and no inductor, so no state; add one")
    solved = _States(pencil)
    if not len(solved.free):
        raise CircuitError(
            "sources fix the voltages of all capacitors and the currents of all inductors: the "
            "circuit has no state; add a capacitor at a node that they do not fix"
        )
    unit = solved.unit[solved.free]
    whole, resistors = solved.whole, len(pencil.resistors)
    # ∇H and Y in SI units.
    by_gradient = whole.of_state / unit
    motion = solved.motion
    directions = motion.of_noise / unit[:, None]
    powers = -np.array([_power_row(pencil, b) for b in graph.sources]).reshape(-1, pencil.size)
    read_noise = powers @ whole.of_noise
    _refuse_heard(pencil, (np.abs(read_noise) > 1e-12 * (np.abs(powers) @ np.abs(whole.of_noise))))
    values = np.array([b.value for b in graph.sources], dtype=float)
    drive = motion.of_sources / unit[:, None]
    names = [f"q({name})" for name in graph.capacitive]
    names += [f"phi({b.name})" for b in pencil.inductors.held]
    volts = pencil.volts[:-1]
    fluxes = np.arange(len(graph.capacitive), pencil.states)
    flows = pencil.inductors.shares @ np.eye(pencil.size)[fluxes]
    kelvins = [kelvin if b.kelvin is None else b.kelvin for b in pencil.resistors]
    equation = CircuitEquation(
        nodes=tuple(graph.nodes),
        sources=tuple(b.name for b in graph.sources),
        values=values,
        coordinates=tuple(names[k] for k in solved.free),
        stiffness=_symmetric(solved.stiffness * np.outer(unit, unit)),
        resistors=_resistors(pencil, directions),
        kT=BOLTZMANN * np.array(kelvins),
        interconnection=np.zeros((len(unit), len(unit))),
        currents=[CurrentSource(drive[:, s], float(v)) for s, v in enumerate(values)],
        noises=_noises(pencil, directions),
        bias_of=solved.bias * unit[:, None],
        emf_of=np.zeros((resistors, len(values))),
        current_of=np.eye(len(values)),
        nodes_of_gradient=volts @ by_gradient,
        nodes_of_sources=volts @ whole.of_sources,
        inductors=tuple(b.name for b in pencil.inductors.inductors),
        inductors_of_gradient=flows @ by_gradient,
        inductors_of_sources=flows @ whole.of_sources,
        active=ActiveFlow(
            motion.of_state / np.outer(unit, unit),
            powers @ by_gradient,
            powers @ whole.of_sources,
            read_noise[:, :resistors],
        ),
    )
    refuse_unstable(equation, solved.pace)
    return equation


def _resistors(pencil: Pencil, directions: Array) -> list[Resistor]:
    pairs = zip(pencil.resistors, directions.T, strict=False)
    return [Resistor(direction, 1 / b.value, b.name) for b, direction in pairs]


def _noises(pencil: Pencil, directions: Array) -> list[NoiseSource]:
    own = directions.T[len(pencil.resistors) :]
    return [
        # One-sided densities are twice the two-sided ones of the equation.
        NoiseSource(direction, 0.5 * float(b.noise or 0.0), b.bandwidth)
        for b, direction in zip(pencil.generators, own, strict=True)
    ]


def _refuse_heard(pencil: Pencil, heard: Array) -> None:
    """Refuse generators whose noise the sources read, shape (sources, noises)."""
    found = np.argwhere(heard[:, len(pencil.resistors) :])
    if len(found):
        source, generator = pencil.graph.sources[found[0][0]], pencil.generators[found[0][1]]
        raise CircuitError(
            f"the noise of {named([generator])} reaches {named([source])} without a capacitor to "
            "ground: add the parasitic capacitance of the node",
            generator.name,
            generator.line,
        )


def _power_row(pencil: Pencil, source: Branch) -> Array:
    """The power that a source takes, over its value, as a row on x."""
    if source.kind == "I":
        return pencil.across(source.plus, source.minus)
    row = np.zeros(pencil.size)
    row[pencil.current_of(source.name)] = 1.0
    return row


def _null_spaces(matrix: Array) -> tuple[Array, Array, Array, Array]:
    """A generalised inverse, bases of the right and left null spaces, and a bound of the inverse.

    Rounding of the inverse is relative to the bound.
    """
    rows, columns = np.ones(len(matrix)), np.ones(len(matrix))
    for _ in range(20):  # Ruiz: rows and columns of unit size
        sized = np.abs(matrix * np.outer(rows, columns))
        rows = rows / np.sqrt(np.where(sized.any(axis=1), sized.max(axis=1, initial=0), 1.0))
        columns = columns / np.sqrt(np.where(sized.any(axis=0), sized.max(axis=0, initial=0), 1.0))
    sized = matrix * np.outer(rows, columns)
    left, sizes, right = np.linalg.svd(sized)
    if ((sizes > ZERO) & (sizes < NOT_ZERO)).any():
        raise np.linalg.LinAlgError("values too far apart to tell what is dependent")
    rank = int(np.sum(sizes >= NOT_ZERO))
    null, other = (np.where(np.abs(v) > 1e-12, v, 0.0) for v in (right[rank:].T, left[:, rank:]))
    kept = np.ix_(_kernel(other.T)[1], _kernel(null.T)[1])
    inverse = np.linalg.inv(sized[kept])
    rounding = np.abs(inverse) @ np.abs(sized[kept]) @ np.abs(inverse) * np.finfo(np.float64).eps
    inner = np.zeros_like(matrix)
    inner[kept[1].T, kept[0].T] = np.where(np.abs(inverse) > 16 * rounding, inverse, 0.0)
    inner *= np.outer(columns, rows)
    bound = np.abs(inverse).max(initial=0.0) * np.outer(columns, rows)
    return inner, null * columns[:, None], other * rows[:, None], bound


def _kernel(matrix: Array) -> tuple[Array, list[int]]:
    """The null space, as unit columns at the free coordinates, and these.

    Raises:
        ArithmeticError: rows that depend on each other.
    """
    count, size = matrix.shape
    if not count:
        return np.eye(size), list(range(size))
    normed = matrix / np.where(matrix.any(axis=1), np.abs(matrix).max(axis=1), 1.0)[:, None]
    _, factor, order = scipy.linalg.qr(normed, pivoting=True, mode="economic")
    if count > size or np.abs(np.diagonal(factor)).min() < 1e-9:
        raise ArithmeticError
    dependent, free = order[:count], sorted(order[count:].tolist())
    result = np.eye(size)[:, free]
    result[dependent] = -np.linalg.solve(normed[:, dependent], normed[:, free])
    return np.asarray(np.where(np.abs(result) > 1e-13, result, 0.0)), free


def _parts(form: _Affine) -> tuple[Array, Array, Array]:
    return form.of_state, form.of_sources, form.of_noise


def _symmetric(matrix: Array) -> Array:
    return np.asarray(0.5 * (matrix + matrix.T))
