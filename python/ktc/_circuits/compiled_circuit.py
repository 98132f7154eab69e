"""Compiled circuits: Networks with named nodes and sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.cached import cached_property
from ktc._base.codec import register, same
from ktc._base.units import Units
from ktc._base.validation import Array, of_type
from ktc._circuits.branch import Branch, CircuitError, Coupling
from ktc._circuits.compilation import compile_equation, too_far_apart, too_large
from ktc._circuits.element_values import checked_values, continued, values_by_name, with_values
from ktc._circuits.equation import CircuitEquation
from ktc._circuits.initial_conditions import state_at
from ktc._circuits.source_energy import refuse_steady, source_directions, with_source_energy
from ktc._circuits.source_values import (
    carried_controls,
    changed_controls,
    controls_at,
    known_at,
    present_values,
)
from ktc._model.controls import Controls
from ktc._model.device import Device, DeviceMoments, remembered_of
from ktc._model.directions import NamedDirections
from ktc._model.elements import Elements
from ktc._model.matrices import stiffness_matrix
from ktc._model.moments import Moments
from ktc._model.network import Network


class CompiledCircuit(Network):
    """Network of a circuit in SI: charges [C], fluxes [Wb], joules, seconds; see Circuit.compile.

    H = ½ (q − q_V)ᵀ C⁻¹ (q − q_V) + ½ (φ − φ_I)ᵀ L⁻¹ (φ − φ_I) up to a function of the sources
    alone: the energy stored in capacitors and inductors, less the energy that voltage sources in
    series with capacitors, and current sources in series with inductors, have taken back. ∇H
    consists of the voltages of the capacitive coordinates and the currents of the inductors.
    """

    equation: CircuitEquation  #: equation of motion, and maps to node voltages
    branches: tuple[Branch, ...]  #: elements, with their values at present
    couplings: tuple[Coupling, ...]
    kelvin: float  #: temperature of resistors without their own

    @classmethod
    def of_branches(
        cls, branches: Sequence[Branch], kelvin: float, couplings: Sequence[Coupling] = ()
    ) -> CompiledCircuit:
        """Compile elements; ``kelvin`` is the temperature of resistors without their own."""
        try:
            equation = compile_equation(branches, kelvin, couplings)
            network = cls.of_equation(equation)
            network.branches, network.couplings = tuple(branches), tuple(couplings)
            network.kelvin = kelvin
        except CircuitError:
            raise
        except ValueError as error:
            # The topology has been checked, so a network refuses only the values.
            raise too_far_apart(branches, str(error)) from None
        except MemoryError:
            raise too_large(branches) from None
        if equation.interconnection.any() and not np.isfinite(network.relaxation_times).all():
            raise too_far_apart(branches, "a mode never relaxes")
        return network

    @classmethod
    def of_equation(cls, equation: CircuitEquation) -> CompiledCircuit:
        """Make the network of a circuit equation."""
        elements = Elements(
            equation.resistors,
            equation.interconnection,
            equation.currents,
            equation.noises,
            equation.active,
        )
        bias = equation.bias_of @ equation.values
        network = cls._of_elements(
            elements, stiffness_matrix(equation.stiffness), equation.kT, bias
        )
        network.equation = equation
        return network

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes but ground, in order of appearance."""
        return self.equation.nodes

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the voltage and current sources."""
        return self.equation.sources

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates of the state: charges "q(a)", fluxes "phi(L1)".

        "phi(L1+L2)" is the flux of inductors in series. Inductors in parallel have one flux, named
        by the smallest of them.

        "q(a-b)" is the charge conjugate to the voltage of a above b, in a part of the circuit that
        no capacitor joins to ground.
        """
        return self.equation.coordinates

    @property
    def symbols(self) -> Units:
        """Units: coulombs, volts, joules, seconds; with inductors also webers and amperes."""
        if any(name.startswith("phi") for name in self.coordinates):
            return Units("C or Wb", "V or A", "1/F or 1/H", "J", "s")
        return Units("C", "V", "1/F", "J", "s")

    @property
    def settable(self) -> tuple[str, ...]:
        """Names of the elements whose values are controls."""
        return tuple(values_by_name(self.branches, self.couplings))

    def with_values(self, values: Mapping[str, ArrayLike]) -> CompiledCircuit:
        """Return the circuit with other resistances, capacitances, inductances and couplings.

        The state of an emulator of this circuit is one of it, and its controls are those of this
        circuit with the new stiffness.

        Raises:
            TypeError, ValueError: as for ``element_values.checked_values`` and ``continued``.
        """
        checked = checked_values(self.branches, self.couplings, values)
        storing = [{name: value} for name, value in checked.items() if name[0] != "r"]
        network = self
        for part in [*storing, {n: value for n, value in checked.items() if n[0] == "r"}]:
            network = network._revalued(part)
        return network

    def _revalued(self, values: Mapping[str, float]) -> CompiledCircuit:
        elements = with_values(self.branches, self.couplings, values)
        if elements == (self.branches, self.couplings):
            return self
        network = CompiledCircuit.of_branches(elements[0], self.kelvin, elements[1])
        own_bias = network.equation.bias_of
        if self.equation.source_energy:
            network = network.with_source_energy()
        equation = continued(self.equation, network.equation, values, own_bias)
        if equation is not network.equation:
            network.equation = equation
            network._controls = network.controls.updated(
                stiffness=equation.stiffness, bias=equation.bias_of @ equation.values
            )
        network._controls = replace(network.controls, kT=self.controls.kT)
        return network

    def carried_controls(
        self, after: CompiledCircuit, present: Controls, remembered: Array | None
    ) -> dict[str, Array]:
        """Return the controls that sources give after a change of values, at held sources."""
        changes = carried_controls(self.equation, after.equation, present, remembered)
        if not np.array_equal(after.equation.stiffness, self.equation.stiffness):
            changes["stiffness"] = after.equation.stiffness
        return changes

    def ohms(self, branch: Branch) -> float:
        """Return the resistance of a resistor at present."""
        return self._ohms[branch.name.lower()]

    @cached_property
    def _ohms(self) -> dict[str, float]:
        return {b.name.lower(): b.value for b in self.branches if b.kind == "R"}

    def source_controls(self, **values: ArrayLike) -> dict[str, Array]:
        """Return the controls for given values of sources; see Circuit.controls."""
        return controls_at(self.equation, values)

    def changed_controls(
        self, present: Controls, values: Mapping[str, ArrayLike], remembered: Array | None = None
    ) -> tuple[dict[str, Array], Array]:
        """Return the controls that named sources change, and the values of all sources."""
        return changed_controls(self.equation, present, values, remembered)

    def present_values(
        self,
        controls: Controls | Mapping[str, Array],
        given: Mapping[str, float],
        remembered: Array | None = None,
    ) -> Array:
        """Return the values of the sources at controls, shape (points, sources)."""
        return present_values(self.equation, controls, given, remembered)

    @property
    def direction_names(self) -> tuple[str, ...]:
        """Names of the sources, which ``ktc.learn`` takes."""
        return self.sources

    def directions(self, names: Sequence[str]) -> NamedDirections:
        """Return how named sources enter the bias; ValueError, with the reason, if one does not."""
        return source_directions(self.equation, names)

    def direction_values(
        self, names: Sequence[str], controls: Controls, remembered: Array | None = None
    ) -> dict[str, float]:
        """Return values of sources at controls, those named among them; none drives a current."""
        values = known_at(self.equation, controls, names, remembered)
        refuse_steady(self.equation, values)
        return values

    def with_source_energy(self) -> CompiledCircuit:
        """Return the same circuit with the energy that sources deliver counted in H.

        This holds for sources that drive no steady current through a resistor: voltage sources that
        charge capacitors through resistors or inductors, and current sources across inductors. In
        the circuit as compiled they are EMFs and currents, and the ledger has what they deliver as
        ``source``. Here they are part of the bias, b = b₀ + B s, and the ledger has ``work`` of
        their updates. Sources that drive a steady current stay as they are, with their energy in
        ``source``. Motion, heat and readings are the same; the state of equilibrium is exp(−H/kT)/Z
        at any values of such sources. ``ktc.learn`` takes this form where parameters are names of
        sources. Emulators of both take sources by name, and elements as ``R1=2e3``. A capacitance,
        inductance or coupling on which the energy from sources depends is refused while this
        circuit runs; the plain ``compile()`` takes it.

        Raises:
            ValueError: controls that no values of the sources give; a sparse circuit, or one with
                active elements.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("V1 in 0 2\\nR1 in a 1k\\nC1 a 0 1n")
            >>> emulator = ktc.Emulator(circuit.compile().with_source_energy(), float("inf"))
            >>> emulator.set(V1=5.0)
            >>> round(float(emulator.ledger.work.mean()) * 1e9, 6)  # −3 V × 2 nC
            -6.0

        Source: Freitas, Delvenne, Esposito (2020), Phys. Rev. X 10, 031005.
        """
        if self.equation.active is not None:
            raise ValueError(
                "with_source_energy is not available for a circuit with controlled sources or "
                "other active elements, which leave no equilibrium; take the plain compile(), "
                "whose ledger has what sources deliver as source"
            )
        equation = with_source_energy(self.equation)
        if equation is self.equation:
            return self
        controls = self.controls
        theta = present_values(self.equation, controls, {})[0]
        bias = controls.bias + (equation.bias_of - self.equation.bias_of) @ theta
        emf, current = equation.emf_of @ theta, equation.current_of @ theta
        changed = controls.updated(bias=bias, emf=emf, current=current)
        return _at_controls(equation, changed, self.branches, self.couplings, self.kelvin)

    def nodes_at(self, state: Array, controls: Controls, theta: Array) -> Array:
        """Return node voltages at states in the last axis and values of the sources."""
        of_gradient = self.equation.nodes_of_gradient.T
        fixed = self.equation.nodes_of_sources @ theta
        return np.asarray(self.gradient(state, controls) @ of_gradient + fixed)

    def voltages(self, emulator: Device, **sources: float) -> Array:
        """Return the node voltages of every replica; see Circuit.voltages."""
        self._require_own(emulator)
        return self.nodes_at(emulator.read(), *self.present(emulator, sources))

    def voltage_moments(self, emulator: Device, **sources: float) -> Moments:
        """Return mean and covariance of the node voltages; see Circuit.voltage_moments."""
        controls, theta = self.present(emulator, sources)
        return self.moments_at(emulator.moments(), controls, theta)

    def moments_at(self, of_state: DeviceMoments, controls: Controls, theta: Array) -> Moments:
        """Return moments of the node voltages from those of the state at controls and sources θ."""
        if np.any(controls.quartic):
            raise ValueError("node voltages of quartic units have no moments of those of the state")
        mean = self.nodes_at(np.asarray(of_state.mean), controls, theta)
        slope = self.nodes_of_state(controls)
        return Moments(mean, lambda: np.asarray(slope @ of_state.covariance @ slope.T))

    def nodes_of_state(self, controls: Controls) -> Array:
        """Return the derivative of node voltages by the state, shape (nodes, d)."""
        stiffness = controls.sparse_stiffness if controls.is_sparse else controls.stiffness
        return np.asarray(self.equation.nodes_of_gradient @ stiffness)

    def present(self, emulator: Device, sources: dict[str, float]) -> tuple[Controls, Array]:
        """Return the controls of an emulator of this circuit, and the values of its sources."""
        self._require_own(emulator)
        controls, remembered = emulator.controls, remembered_of(emulator)
        return controls, self.present_values(controls, sources, remembered)[0]

    def currents(
        self, emulator: Device, branches: Iterable[Branch], sources: dict[str, float]
    ) -> dict[str, Array]:
        """Return currents of resistors and inductors by name; see Circuit.currents."""
        controls, theta = self.present(emulator, sources)
        infinite = getattr(emulator, "infinite", False)
        state = np.asarray(emulator.moments().mean) if infinite else emulator.read()
        volts = self.nodes_at(state, controls, theta)
        return self.currents_at(branches, volts, self.gradient(state, controls), theta)

    def currents_at(
        self, branches: Iterable[Branch], volts: Array, gradient: Array, theta: Array
    ) -> dict[str, Array]:
        """Return currents at node voltages, ∇H and values of sources, each in the last axis."""
        place = {node.lower(): k for k, node in enumerate(self.nodes)}
        grounded = np.concatenate([volts, np.zeros((*volts.shape[:-1], 1))], axis=-1)
        held = self.inductor_currents(gradient, theta)
        currents: dict[str, Array] = {}
        for b in branches:
            if b.kind == "R" and b.value:
                plus, minus = (place.get(end.lower(), -1) for end in (b.plus, b.minus))
                currents[b.name] = (grounded[..., plus] - grounded[..., minus]) / self.ohms(b)
            elif b.kind == "L":
                currents[b.name] = held[b.name]
        return currents

    def inductor_currents(self, gradient: Array, theta: Array) -> dict[str, Array]:
        """Return currents of inductors by name, at ∇H and values of sources in the last axis."""
        equation = self.equation
        held = gradient @ equation.inductors_of_gradient.T + theta @ equation.inductors_of_sources.T
        return {name: held[..., place] for place, name in enumerate(equation.inductors)}

    def gradient(self, state: Array, controls: Controls) -> Array:
        """Return ∇H at states in the last axis."""
        stiffness = controls.sparse_stiffness if controls.is_sparse else controls.stiffness
        slope = np.asarray(state @ stiffness - controls.bias)
        if np.any(controls.quartic):
            slope += controls.quartic * state**3
        return slope

    def _require_own(self, emulator: Device) -> None:
        of_type("emulator", emulator, Device, "an emulator of this circuit")
        if not self.has_elements_of(emulator.network):
            raise ValueError(
                f"emulator must be one of this circuit, but {self._difference(emulator)}; "
                "emulator.network has the readings of the circuit that it moves, such as "
                "emulator.network.voltage_moments(emulator)"
            )

    def _difference(self, emulator: Device) -> str:
        other = emulator.network
        if not isinstance(other, CompiledCircuit) or other.is_sparse or self.is_sparse:
            return f"is {emulator!r}"
        own = values_by_name(self.branches, self.couplings)
        others = values_by_name(other.branches, other.couplings)
        for name in own | others:
            if name not in others or name not in own:
                return f"{name} is in {'this circuit' if name in own else 'its own'} alone"
            if own[name] != others[name]:
                return f"its {name} is {others[name]:g} instead of {own[name]:g}"
        return f"is {emulator!r}"

    def has_elements_of(self, network: Network) -> bool:
        """Whether a network is one of this circuit."""
        own, others = self.elements, network.elements
        return own is not None and others is not None and same(own.arrays(), others.arrays())

    def state_at(self, conditions: Mapping[str, float], branches: Iterable[Branch]) -> Array:
        """Return the state at given voltages and currents; see Circuit.initial_state."""
        return state_at(self, self.equation, conditions, branches)


def _at_controls(
    equation: CircuitEquation,
    controls: Controls,
    branches: tuple[Branch, ...],
    couplings: tuple[Coupling, ...],
    kelvin: float,
) -> CompiledCircuit:
    network = CompiledCircuit.of_equation(equation).with_controls(controls)
    network.branches, network.couplings, network.kelvin = branches, couplings, kelvin
    return network


register(CompiledCircuit, ("equation", "controls", "branches", "couplings", "kelvin"), _at_controls)
