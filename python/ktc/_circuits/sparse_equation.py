"""The equation of motion of a large circuit, at a cost proportional to its elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from ktc import _core
from ktc._base.codec import register
from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._circuits.circuit_rates import rates_of
from ktc._model.inverse_stiffness import InverseStiffness, csr_of, csr_parts
from ktc._model.sparse_stiffness import SparseMatrix


@dataclass(frozen=True, eq=False)
class SparseEquation:
    """The elements of cpp/physics/sparse_circuit.hpp, and maps to node voltages and controls.

    Attributes:
        nodes, sources, coordinates, accounts, resistors: names.
        values: θ, the values of the sources in the circuit, volts and amperes.
        kT: thermal energy of each heat account.
        storage: S; H = ½ zᵀ S⁻¹ z − bᵀ z.
        interconnection, directions, source_directions, noise_directions: J, d, a of all coordinates
            y, those of the state and algebraic ones.
        conductance, account, noise_density: of resistors and noises.
        first_flux: number of charges.
        order: an order of elimination of all coordinates.
        rates: bounds of the fastest and the slowest rate.
        fill: entries of the factor of a step.
        bias_of, emf_of, current_of: matrices with control = matrix θ.
        voltages, offsets: matrices with node voltages v = voltages y + offsets θ.
        inductors, shares: their names, and the matrix with their currents by those of the fluxes.
        wires: names of resistors of 0 ohms.
    """

    nodes: tuple[str, ...]
    sources: tuple[str, ...]
    coordinates: tuple[str, ...]
    accounts: tuple[str, ...]
    resistors: tuple[str, ...]
    values: Array
    kT: Array
    storage: SparseMatrix
    interconnection: SparseMatrix
    directions: SparseMatrix
    source_directions: SparseMatrix
    noise_directions: SparseMatrix
    conductance: Array
    account: NDArray[np.int64]
    noise_density: Array
    first_flux: int
    order: NDArray[np.int64]
    rates: tuple[float, float]
    fill: int
    bias_of: SparseMatrix
    emf_of: SparseMatrix
    current_of: SparseMatrix
    voltages: SparseMatrix
    offsets: SparseMatrix
    inductors: tuple[str, ...]
    shares: SparseMatrix
    wires: tuple[str, ...] = ()

    @property
    def units(self) -> int:
        """Number of coordinates of the state."""
        return len(self.coordinates)

    def stiffness(self) -> InverseStiffness:
        """Return S⁻¹ as the stiffness of a network."""
        return InverseStiffness(self.storage, self.order[self.order < self.units])

    def core(self) -> _core.Network:
        """Return the network of the compiled core."""
        return _core.Network.of_circuit(
            storage=self.storage,
            interconnection=self.interconnection,
            directions=self.directions,
            conductance=self.conductance,
            account=self.account,
            source_directions=self.source_directions,
            noise_directions=self.noise_directions,
            noise_density=self.noise_density,
            first_flux=self.first_flux,
            order=self.order,
            rates=self.rates,
            fill=self.fill,
        )

    def with_resistances(self, ohms: Mapping[str, float]) -> SparseEquation:
        """Return the equation with other resistances, by lower-case name."""
        place = {name.lower(): k for k, name in enumerate(self.resistors)}
        conductance = self.conductance.copy()
        for name, value in ohms.items():
            conductance[place[name]] = 1 / value
        flow = self.interconnection - conductances(self.directions, conductance)
        rates = rates_of(self.storage, scipy.sparse.csr_array(flow))
        return replace(self, conductance=conductance, rates=rates)

    def node_voltages(self, gradient: Array, emf: Array, current: Array, theta: Array) -> Array:
        """Return node voltages, (replicas, nodes), of ∇H, (replicas, d), and sources.

        Algebraic coordinates u balance the currents at their nodes, as without noise.
        """
        slope = gradient
        m = self.interconnection.shape[0] - self.units
        if m:
            kept, gone = slice(None, self.units), slice(self.units, None)
            damping = conductances(self.directions, self.conductance) - self.interconnection
            push = self.directions.T @ (self.conductance * emf)
            push = (push + self.source_directions.T @ current)[gone]
            drawn = damping[gone, kept] @ gradient.T
            factor = scipy.sparse.linalg.splu(scipy.sparse.csc_array(damping[gone, gone]))
            slope = np.hstack([gradient, factor.solve(push[:, None] - drawn).T])
        return np.asarray((self.voltages @ slope.T).T + self.offsets @ theta)


def conductances(directions: SparseMatrix, conductance: Array) -> SparseMatrix:
    """Return G = Σ_r g_r d_r d_rᵀ."""
    weighted = directions.multiply(conductance[:, None])
    return scipy.sparse.csr_array(directions.T @ scipy.sparse.csr_array(weighted))


def _parts(equation: SparseEquation) -> dict[str, object]:
    found = {field.name: getattr(equation, field.name) for field in fields(equation)}
    return {k: csr_parts(v) if hasattr(v, "indptr") else v for k, v in found.items()}


register(
    SparseEquation,
    _parts,
    lambda **parts: SparseEquation(
        **{name: csr_of(**v) if isinstance(v, dict) else v for name, v in parts.items()}
    ),
)
