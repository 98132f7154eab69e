"""The equation of motion of a circuit."""

from __future__ import annotations

from dataclasses import dataclass

from ktc._base.codec import register
from ktc._base.validation import Array
from ktc._model.elements import CurrentSource, NoiseSource, Resistor


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


register(CircuitEquation)
