"""A model whose averages, F, ζ and free energies are available without sampling."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array
from ktc._learning.averages import OF_THE_BIAS
from ktc._learning.metrics.gaussian_products import GaussianProducts
from ktc._learning.metrics.metric_tensors import MetricTensors
from ktc._model.controls import Controls
from ktc._model.description import Described
from ktc._model.network import Network
from ktc._model.parameters import Parameters
from ktc._model.quartic_unit import OneUnit
from ktc._model.sparse_stiffness import MOST_DENSE_UNITS
from ktc._theory import gaussian_moments as isserlis
from ktc._theory.free_energies import free_energy_change
from ktc._theory.gaussian import inverse
from ktc._theory.geometry import Geometry
from ktc._theory.metrics import fisher_matrix, friction_tensor

#: Largest number of parameters for which F and ζ are built as matrices.
MOST_DENSE = 256
#: More parameters of an overdamped Gaussian network are solved for by products: 2 ms per update for
#: 230 parameters, where matrices take 14 (tools/learning_costs.py).
MOST_CLOSED = 24


class ExactModel:
    """Gaussian networks in closed form; uncoupled units, quartic ones too, by quadrature.

    Args:
        start: the device at its first controls.
        parameters: the learned parameters.

    Attributes:
        method: "closed form" or "quadrature"; None where neither is available.
        constant: whether F and ζ are the same wherever the learned parameters are: of the bias, or
            the center, of a Gaussian network.
    """

    def __init__(self, start: Described, parameters: Parameters) -> None:
        self.start, self.parameters = start, parameters
        self.method = _method(start.network, parameters)
        self._units: tuple[tuple[Controls, dict[int, OneUnit]], ...] = ()

    @property
    def constant(self) -> bool:
        """Whether F and ζ do not depend on the learned parameters."""
        return self.method == "closed form" and self.parameters.names in OF_THE_BIAS

    @property
    def whole(self) -> bool:
        """Whether it is constant, and no unit's bias is left out."""
        return self.constant and self.parameters.size == self.parameters.units

    @property
    def known(self) -> bool:
        """Whether averages and free energies are available."""
        return self.method is not None

    @property
    def metrics_known(self) -> bool:
        """Whether F and ζ are available as well."""
        if self.method == "quadrature":
            return self.start.network.inertia is None and self.start.network.has_friction
        return self.known

    def forces(self, controls: Controls) -> Array:
        """⟨∂_θH⟩ at equilibrium, shape (p,)."""
        net, scale, parameters = self.start.network, self.start.scale, self.parameters
        if self.method == "closed form":
            mean = np.linalg.solve(controls.stiffness, controls.bias)
            covariance = net.common_kT * inverse(controls.stiffness)
            return parameters.mean_forces(mean * scale, covariance * np.outer(scale, scale))
        result = np.empty(parameters.size)
        units = self._quadratures(controls)
        for unit, (names, entries) in _entries(parameters).items():
            result[entries] = units[unit].average(units[unit].forces(names))
        return result

    def metric(self, controls: Controls, hold: float, matrices: bool = False) -> MetricTensors:
        """F and ζ at equilibrium.

        Args:
            controls: where.
            hold: how long controls are held.
            matrices: whether they are wanted as matrices, a ``Geometry``, for up to ``MOST_DENSE``
                parameters.
        """
        net = self.start.network.with_controls(controls)
        parameters = self.parameters
        if self.whole:
            device = Described(net, self.start.scale, self.start.symbols)
            return Geometry.of(device, parameters.names[0]).sampled(hold)
        if self.method == "closed form":
            most = MOST_DENSE if matrices else MOST_CLOSED
            overdamped = net.inertia is None and net.has_friction
            if parameters.size > most and overdamped:
                return GaussianProducts(net, parameters, hold)
            device = Described(net, self.start.scale, self.start.symbols)
            fisher = fisher_matrix(device, parameters)
            if overdamped:
                friction = isserlis.held_friction(net, parameters, hold)
                return Geometry.of_matrices(fisher, friction, parameters.blocks)
            friction = friction_tensor(device, parameters)
        else:
            fisher, friction = np.zeros((2, parameters.size, parameters.size))
            units = self._quadratures(controls)
            for unit, (names, entries) in _entries(parameters).items():
                place = np.ix_(entries, entries)
                fisher[place] = units[unit].fisher(names)
                friction[place] = units[unit].friction(names, float(net.friction[unit, unit]))
        return Geometry.of_matrices(fisher, friction, parameters.blocks).sampled(hold)

    def free_energy_change(self, before: Controls, after: Controls) -> float:
        """F(after) − F(before)."""
        if self.method == "closed form":
            net = self.start.network
            return free_energy_change(net.with_controls(before), net.with_controls(after))
        old, new = self._quadratures(before), self._quadratures(after)
        kT = self.start.network.common_kT
        changes = [
            new[i].log_partition + np.log(new[i].length)
            - old[i].log_partition - np.log(old[i].length)
            for i in old
            if new[i] is not old[i]
        ]  # fmt: skip
        return -kT * float(np.sum(changes))

    def _quadratures(self, controls: Controls) -> dict[int, OneUnit]:
        """Every unit at these controls; those of the last two controls are cached."""
        for known, units in self._units:
            if known is controls:
                return units
        kT = self.start.network.common_kT
        near = self._units[-1] if self._units else None
        units = {}
        for i in range(self.start.network.units):
            own = [
                float(v) for v in (controls.stiffness[i, i], controls.bias[i], controls.quartic[i])
            ]
            if near is not None:
                other = near[0]
                if own == [other.stiffness[i, i], other.bias[i], other.quartic[i]]:
                    units[i] = near[1][i]
                    continue
            units[i] = OneUnit(own[0], own[1], own[2], kT)
        self._units = (*self._units[-1:], (controls, units))
        return units


def _method(net: Network, parameters: Parameters) -> str | None:
    if net.is_sparse:
        # The whole bias alone, by dense algebra.
        whole = parameters.names in OF_THE_BIAS and parameters.size == net.units
        if not whole or net.units > MOST_DENSE_UNITS:
            return None
    if not net.quartic.any() and "quartic" not in parameters.names:
        return "closed form"
    diagonal = [net.stiffness, *([net.friction] if net.has_friction else [])]
    apart = not any(np.triu(matrix, 1).any() for matrix in diagonal)
    own = all(
        len(places) == 1 or (places[0] == places[1]).all() for places in parameters.places.values()
    )
    return "quadrature" if apart and own else None


def _entries(parameters: Parameters) -> dict[int, tuple[tuple[str, ...], list[int]]]:
    """The names of each unit's parameters, and their places in θ."""
    found: dict[int, tuple[list[str], list[int]]] = {}
    for name, block in parameters.blocks.items():
        places = parameters.places[name]
        for unit, place in zip(places[0].tolist(), range(block.start, block.stop), strict=True):
            names, entries = found.setdefault(unit, ([], []))
            names.append("diagonal" if len(places) == 2 else name)
            entries.append(place)
    return {unit: (tuple(names), entries) for unit, (names, entries) in found.items()}
