"""The equation of motion of a circuit, and refusal of those that cannot be solved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ktc._base.codec import register
from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, of_shape
from ktc._circuits.branch import CircuitError
from ktc._model.elements import ActiveFlow, CurrentSource, NoiseSource, Resistor


@dataclass(frozen=True)
class CircuitEquation:
    """The equation of motion of a circuit, and maps from its state and sources to node voltages.

    Attributes:
        nodes: names of the nodes but ground.
        sources: names of the voltage and current sources.
        values: θ, the values of the sources in the circuit, volts and amperes.
        coordinates: names of the coordinates of the state, "q(a)" and "phi(L1)".
        stiffness, resistors, kT, interconnection, currents, noises: arguments of
            Network.of_elements.
        bias_of, emf_of, current_of: matrices with control = matrix θ, one row per entry.
        nodes_of_gradient, nodes_of_sources: matrices with node voltages
            v = nodes_of_gradient ∇H + nodes_of_sources θ.
        inductors: names of the inductors.
        inductors_of_gradient, inductors_of_sources: their currents, in the same way.
        active: motion with active elements, None without them; ``interconnection`` is zero then.
        source_energy: whether sources act by the bias wherever they can.
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
    inductors: tuple[str, ...]
    inductors_of_gradient: Array
    inductors_of_sources: Array
    active: ActiveFlow | None = None
    source_energy: bool = False

    def __post_init__(self) -> None:
        n, sources = len(self.coordinates), len(self.sources)
        of_shape("values", self.values, sources)
        of_shape("stiffness", self.stiffness, n, n)
        of_shape("bias_of", self.bias_of, n, sources)
        of_shape("emf_of", self.emf_of, len(self.resistors), sources)
        of_shape("current_of", self.current_of, len(self.currents), sources)
        of_shape("nodes_of_gradient", self.nodes_of_gradient, len(self.nodes), n)
        of_shape("nodes_of_sources", self.nodes_of_sources, len(self.nodes), sources)
        of_shape("inductors_of_gradient", self.inductors_of_gradient, len(self.inductors), n)
        of_shape("inductors_of_sources", self.inductors_of_sources, len(self.inductors), sources)


register(CircuitEquation)


def _drift(equation: CircuitEquation) -> Array:
    """The drift in the coordinates Lᵀz, ∇²H = L Lᵀ, in which the damping is symmetric."""
    lower = np.linalg.cholesky(equation.stiffness)
    if equation.active is not None:
        return np.asarray(lower.T @ equation.active.flow @ lower)
    flow = equation.interconnection.copy()
    for r in equation.resistors:
        flow -= r.conductance * np.outer(*(np.asarray(r.direction),) * 2)
    return np.asarray(lower.T @ flow @ lower)


def refuse_unstable(equation: CircuitEquation, pace: float) -> None:
    """Refuse a circuit with a mode that grows, or never decays; ``pace`` is the largest rate."""
    rates, shapes = np.linalg.eig(_drift(equation))
    worst = int(np.argmax(rates.real))
    rounding = 64 * np.finfo(np.float64).eps * pace
    if rates.real[worst] < -rounding:
        return
    # ∇H of the mode, L times its shape.
    gradient = np.linalg.cholesky(equation.stiffness) @ shapes[:, worst]
    volts = np.abs(equation.nodes_of_gradient @ gradient)
    names = [equation.nodes[k] for k in np.flatnonzero(volts > 0.3 * volts.max(initial=0.0))]
    amps = np.abs(equation.inductors_of_gradient @ gradient)
    if not volts.any():
        names = [equation.inductors[k] for k in np.flatnonzero(amps > 0.3 * amps.max(initial=0.0))]
    rate = rates[worst]
    told = f"grows at {rate.real:.3g} per second" if rate.real > rounding else "never decays"
    beat = f", at {abs(rate.imag) / (2 * np.pi):.3g} Hz" if abs(rate.imag) > rounding else ""
    raise CircuitError(
        f"the circuit is not stable: a mode at {', '.join(names)} {told}{beat}; change the gain or "
        "the sign of an active element, or add damping there, such as a large resistor across the "
        "capacitor of an integrator"
    )


def refuse_undamped(equation: CircuitEquation) -> None:
    """Refuse a circuit with a mode that no resistor damps."""
    if not equation.interconnection.any():
        return
    drift = _drift(equation)
    # Parts that are not coupled may differ in rate by more than rounding resolves.
    joined = scipy.cluster.hierarchy.DisjointSet(range(len(drift)))
    for i, j in zip(*np.nonzero(drift), strict=True):
        joined.merge(int(i), int(j))
    for part in map(sorted, joined.subsets()):
        own = drift[np.ix_(part, part)]
        rates, shapes = np.linalg.eig(own)
        rounding = 8 * len(part) * np.finfo(np.float64).eps * np.linalg.norm(own)
        undamped = np.abs(rates.real) <= np.minimum(rounding, 1e-9 * np.abs(rates))
        if undamped.any():
            weight = np.abs(shapes[:, int(np.argmax(undamped))])
            names = [equation.coordinates[part[k]] for k in np.flatnonzero(weight > 0.1)]
            raise CircuitError(
                f"no resistor damps the motion of {', '.join(names)}, which has no stationary "
                "state; add the resistance of the winding of the inductor"
            )


def refuse_unresolved(equation: CircuitEquation, noisy: Sequence[str]) -> None:
    """Refuse rates too far apart to solve for the stationary state in double precision.

    At one temperature and without sources that state is known at any rates: kT (∇²H)⁻¹.
    """
    driven = equation.emf_of.any() or equation.current_of.any() or equation.noises
    if not driven and (equation.kT == equation.kT[0]).all():
        return
    rates, shapes = np.linalg.eig(_drift(equation))
    paces = [(float(-rate.real), float(abs(rate))) for rate in rates]
    widths = zip(noisy, [n.bandwidth for n in equation.noises], strict=True)
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
        large = np.flatnonzero(np.abs(shapes[:, mode]) > 0.1)
        return ", ".join(equation.coordinates[k] for k in large)

    raise CircuitError(
        f"the values of the elements lie too far apart for double precision: {name(slow)} relaxes "
        f"over {1 / resolved:.0e} times slower than {name(fast)}, which takes "
        f"{1 / paces[fast][1]:.1e} s; leave out the smallest capacitors, or the largest and "
        "smallest resistors"
    )
