"""A compiled circuit: a Network that knows its nodes and sources."""

from __future__ import annotations

from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import ArrayLike

from ktc.checks import Array, known_keywords, real_array
from ktc.compile_circuit import Equation
from ktc.controls import Controls
from ktc.network import Network
from ktc.units import Units


class Readable(Protocol):
    """What voltages are read from: an Emulator."""

    @property
    def network(self) -> Network:
        """Its network."""

    @property
    def controls(self) -> Controls:
        """Controls that hold now."""

    def read(self) -> Array:
        """State, (replicas, units)."""


class CompiledCircuit(Network):
    """A Network in SI: charges [C] and fluxes [Wb], joules, seconds; made by Circuit.compile.

    H = ½ (q − q_V)ᵀ C⁻¹ (q − q_V) + ½ Σ φ²/L less what is a function of the sources alone: what
    the capacitors and inductors store and, where voltage sources hold capacitors, what these took
    back. ∇H is the voltages that capacitors hold and the currents of the inductors.
    """

    equation: Equation  #: the circuit in the one equation, and how to read it back

    @classmethod
    def of_equation(cls, equation: Equation) -> CompiledCircuit:
        """The network of a circuit's equation."""
        network = cast(
            CompiledCircuit,
            cls.of_elements(
                stiffness=equation.stiffness,
                resistors=equation.resistors,
                kT=equation.kT,
                bias=equation.bias_of @ equation.values,
                interconnection=equation.interconnection,
                sources=equation.currents,
                noises=equation.noises,
            ),
        )
        network.equation = equation
        return network

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes but ground, in order of appearance."""
        return self.equation.nodes

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the state's coordinates: charges "q(a)", fluxes "phi(L1)".

        "q(a-b)" is the charge that moves with the voltage of a above b, in a part of the circuit
        that no capacitor joins to ground.
        """
        return self.equation.coordinates

    @property
    def symbols(self) -> Units:
        """Coulombs, volts, joules, seconds; webers and amperes too where there are inductors."""
        if any(name.startswith("phi") for name in self.coordinates):
            return Units("C or Wb", "V or A", "1/F or 1/H", "J", "s")
        return Units("C", "V", "1/F", "J", "s")

    def source_controls(self, **values: ArrayLike) -> dict[str, Array]:
        """The controls that these sources enter; see Circuit.controls."""
        known = {name.lower(): place for place, name in enumerate(self.equation.sources)}
        known_keywords([v.lower() for v in values], known, "source")
        arrays = {known[name.lower()]: real_array(name, value) for name, value in values.items()}
        shape = np.broadcast_shapes(*(array.shape for array in arrays.values()))
        theta = np.broadcast_to(self.equation.values, (*shape, len(known))).copy()
        for place, array in arrays.items():
            theta[..., place] = array
        matrices = {
            "bias": self.equation.bias_of,
            "emf": self.equation.emf_of,
            "current": self.equation.current_of,
        }
        return {
            name: theta @ matrix.T
            for name, matrix in matrices.items()
            if matrix[:, list(arrays)].any()
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.equation, self.controls.as_dict())

    def has_elements_of(self, network: Network) -> bool:
        """Whether a network is this one but for its controls."""
        if self.elements is None or network.elements is None:
            return False
        mine, others = self.elements.arrays(), network.elements.arrays()
        return all(np.array_equal(mine[name], others[name]) for name in mine)

    def voltages(self, emulator: Readable) -> Array:
        """Node voltages of every replica; see Circuit.voltages."""
        controls, state = emulator.controls, emulator.read()
        gradient = state @ controls.stiffness + controls.quartic * state**3 - controls.bias
        fixed = self.equation.nodes_of_sources @ self._source_values(controls)
        voltages: Array = gradient @ self.equation.nodes_of_gradient.T + fixed
        return voltages

    def _source_values(self, controls: Controls) -> Array:
        """The values of the sources that make these controls; the circuit's own where none does."""
        equation = self.equation
        matrix = np.vstack([equation.bias_of, equation.emf_of, equation.current_of])
        given = np.concatenate([controls.bias, controls.emf, controls.current])
        size = np.abs(matrix).max(axis=1, initial=0.0)
        driven = size > 0
        matrix, given = matrix[driven] / size[driven, None], given[driven] / size[driven]
        change = np.linalg.lstsq(matrix, given - matrix @ equation.values, rcond=None)[0]
        values: Array = equation.values + change
        rounding = 1e-9 * (np.abs(given) + np.abs(matrix) @ np.abs(values))
        if (np.abs(matrix @ values - given) > rounding).any():
            raise ValueError(
                "the emulator's bias, emf and current are not those of any values of the sources "
                f"{', '.join(equation.sources)}; set them by circuit.controls(...)"
            )
        return values


def _rebuilt(equation: Equation, controls: dict[str, Any]) -> Network:
    network = CompiledCircuit.of_equation(equation)
    return network.with_controls(network.controls.updated(**controls))
