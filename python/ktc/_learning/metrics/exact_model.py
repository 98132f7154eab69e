"""A model whose averages, F, ζ and free energies are available without sampling."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array
from ktc._learning.metrics.gaussian_products import GaussianProducts
from ktc._learning.metrics.metric_tensors import MetricTensors
from ktc._model.controls import Controls
from ktc._model.description import Described
from ktc._model.network import Network
from ktc._model.parameters import Parameters
from ktc._model.potential_unit import one_unit
from ktc._model.potentials.potential import Potential
from ktc._model.quartic_unit import OneUnit
from ktc._model.sparse_stiffness import MOST_DENSE_UNITS
from ktc._theory import gaussian_moments
from ktc._theory.coupled_units import CoupledUnits
from ktc._theory.free_energies import free_energy_change
from ktc._theory.gaussian import inverse
from ktc._theory.geometry import Geometry
from ktc._theory.least_work import least_excess_work
from ktc._theory.metrics import entries_by_unit, fisher_matrix, friction_tensor
from ktc._theory.restricted_work import least_work_along
from ktc._theory.wasserstein import wasserstein_bound

#: Quadratures of units by their stiffness, bias, quartic term and potential.
_Units = dict[tuple[float, float, float, Potential | None], OneUnit]
#: Largest number of parameters for which F and ζ are built as matrices.
MOST_DENSE = 256
#: More parameters of an overdamped Gaussian network are solved for by products: 2 ms per update for
#: 230 parameters, where matrices take 14 (tools/learning_costs.py).
MOST_CLOSED = 24


class ExactModel:
    """Gaussian networks in closed form; uncoupled units, quartic ones too, and two or three coupled
    quartic units, by quadrature.

    Args:
        start: the device at its first controls.
        parameters: the learned parameters.

    Attributes:
        method: "closed form", "quadrature" of each unit, or "joint quadrature" of coupled ones,
            which has no ζ; None where none is available.
        known: whether averages and free energies are available.
    """

    def __init__(self, start: Described, parameters: Parameters) -> None:
        self.start, self.parameters = start, parameters
        net = start.network
        self.method = _method(net, parameters)
        self._joint: dict[bytes, CoupledUnits] = {}
        if self.method is None and (joint := CoupledUnits.of(net)) is not None:
            self.method, self._joint = "joint quadrature", {_key(net.controls): joint}
        self.known = self.method is not None
        self._overdamped = net.inertia is None and net.has_friction
        self._units: tuple[_Units, _Units] = ({}, {})

    @property
    def constant(self) -> bool:
        """Whether F and ζ do not depend on θ: of a Gaussian network's bias, by any linear map."""
        return self.method == "closed form" and self.parameters.by_bias

    @property
    def whole(self) -> bool:
        """Whether all of the bias is learned, as bias or center."""
        own = self.parameters.names in (("bias",), ("center",))
        return self.constant and own and self.parameters.size == self.parameters.units

    @property
    def _by_products(self) -> bool:
        """Whether F and ζ are better solved for by products than as matrices."""
        closed = self.method == "closed form" and self._overdamped and not self.whole
        return closed and self.parameters.to_bias is None and self.parameters.size > MOST_CLOSED

    @property
    def metrics_known(self) -> bool:
        """Whether F and ζ are available as well."""
        if self.method == "closed form":
            return True
        return self.method == "quadrature" and self._overdamped

    def forces(self, controls: Controls) -> Array:
        """⟨∂_θH⟩ at equilibrium, shape (p,)."""
        net, scale, parameters = self.start.network, self.start.scale, self.parameters
        if self.method == "closed form":
            mean = np.linalg.solve(controls.stiffness, controls.bias)
            covariance = net.common_kT * inverse(controls.stiffness)
            return parameters.mean_forces(mean * scale, covariance * np.outer(scale, scale))
        if self.method == "joint quadrature":
            joint = self._coupled(controls)
            return np.asarray(joint.weights @ parameters.forces(joint.states * scale))
        result = np.empty(parameters.size)
        units = self._quadratures(controls)
        for unit, names, entries in entries_by_unit(parameters):
            result[entries] = units[unit].average(units[unit].forces(names))
        return result

    def fisher(self, controls: Controls) -> Array:
        """F at equilibrium, for no more than ``MOST_DENSE`` parameters."""
        net, parameters = self.start.network.with_controls(controls), self.parameters
        if self.method == "closed form":
            return fisher_matrix(Described(net, self.start.scale, self.start.symbols), parameters)
        if self.method == "joint quadrature":
            joint = self._coupled(controls)
            forces = parameters.forces(joint.states * self.start.scale)
            forces = forces - joint.weights @ forces
            return np.asarray((joint.weights * forces.T) @ forces / net.common_kT)
        fisher = np.zeros((parameters.size, parameters.size))
        units = self._quadratures(controls)
        for unit, names, entries in entries_by_unit(parameters):
            fisher[np.ix_(entries, entries)] = units[unit].fisher(names)
        return fisher

    def natural(self, controls: Controls, gradient: Array) -> Array:
        """F⁻¹ g at equilibrium."""
        if self._by_products:
            return np.asarray(self.metric(controls, 0.0).natural(1.0, gradient))
        fisher = self.fisher(controls)
        root = np.sqrt(fisher.diagonal())
        return np.asarray(np.linalg.solve(fisher / np.outer(root, root), gradient / root) / root)

    def metric(self, controls: Controls, hold: float) -> MetricTensors:
        """F and ζ at equilibrium, for controls held for ``hold``."""
        if self._by_products:
            net = self.start.network.with_controls(controls)
            return GaussianProducts(net, self.parameters, hold)
        return self.geometry(controls, hold)

    def geometry(self, controls: Controls, hold: float) -> Geometry:
        """F and ζ as matrices, for no more than ``MOST_DENSE`` parameters."""
        net, parameters = self.start.network.with_controls(controls), self.parameters
        device = Described(net, self.start.scale, self.start.symbols)
        if self.whole:
            return Geometry.of(device, parameters.names[0]).sampled(hold)
        if self.method == "closed form":
            fisher = fisher_matrix(device, parameters)
            if self._overdamped:
                friction = gaussian_moments.held_friction(net, parameters, hold)
                return Geometry.of_matrices(fisher, friction, parameters.blocks)
            friction = friction_tensor(device, parameters)
        else:
            fisher, friction = self.fisher(controls), np.zeros((parameters.size, parameters.size))
            units = self._quadratures(controls)
            for unit, names, entries in entries_by_unit(parameters):
                own = units[unit].friction(names, float(net.friction[unit, unit]))
                friction[np.ix_(entries, entries)] = own
        return Geometry.of_matrices(fisher, friction, parameters.blocks).sampled(hold)

    def free_energy_change(self, before: Controls, after: Controls) -> float:
        """F(after) − F(before)."""
        if self.method == "closed form":
            net = self.start.network
            return free_energy_change(net.with_controls(before), net.with_controls(after))
        if self.method == "joint quadrature":
            return self._coupled(after).free_energy - self._coupled(before).free_energy
        old, new = self._quadratures(before), self._quadratures(after)
        kT = self.start.network.common_kT
        changes = [
            b.log_partition + np.log(b.length) - a.log_partition - np.log(a.length)
            for a, b in zip(old, new, strict=True)
            if a is not b
        ]
        return -kT * float(np.sum(changes))

    def bound(self, controls: Controls, time: float) -> float:
        """Least excess work of reaching controls in a time: by the bias, or by any control.

        Of directions of the bias, by these directions alone.
        """
        if self.constant:
            learned, net = self.parameters, self.start.network
            if learned.to_bias is None or learned.size == learned.units or not net.has_friction:
                return least_excess_work(self.start, controls.bias, time)
            change = learned.vector(controls) - learned.vector(net.controls)
            return least_work_along(net, learned.to_bias, change, time)
        net = self.start.network.with_controls(controls)
        after = Described(net, self.start.scale, self.start.symbols)
        return wasserstein_bound(self.start, after, time)

    def _quadratures(self, controls: Controls) -> list[OneUnit]:
        """Every unit at these controls; those of the last two controls are cached."""
        own, bias, quartic = controls.stiffness.diagonal(), controls.bias, controls.quartic
        parts = own.tolist(), bias.tolist(), quartic.tolist(), controls.potentials
        values = list(zip(*parts, strict=True))
        kT, (before, last) = self.start.network.common_kT, self._units
        units = {v: last.get(v) or before.get(v) or one_unit(*v[:3], kT, v[3]) for v in set(values)}
        if units.keys() != last.keys():
            self._units = (last, units)
        return [units[v] for v in values]

    def _coupled(self, controls: Controls) -> CoupledUnits:
        """All units at these controls; those of the last two controls are cached."""
        key = _key(controls)
        found = self._joint.get(key) or CoupledUnits(self.start.network.with_controls(controls))
        last = list(self._joint.items())[-1:]
        self._joint = {**dict(last), key: found}
        return found


def _key(controls: Controls) -> bytes:
    return b"".join(a.tobytes() for a in (controls.stiffness, controls.bias, controls.quartic))


def _method(net: Network, parameters: Parameters) -> str | None:
    if net.is_sparse:
        # The whole bias alone, by dense algebra.
        whole = parameters.by_bias and parameters.size == net.units
        if not whole or net.units > MOST_DENSE_UNITS:
            return None
    if net.is_linear and "quartic" not in parameters.names:
        return "closed form"
    coupling = [net.stiffness, *([net.friction] if net.has_friction else [])]
    apart = not any(np.triu(matrix, 1).any() for matrix in coupling)
    own = all((places[0] == places[-1]).all() for places in parameters.places.values())
    return "quadrature" if apart and own else None
