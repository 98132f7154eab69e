"""Gaussian models of one overdamped network at many parameters at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ktc._base.validation import Array
from ktc._learning.metrics.exact_model import ExactModel
from ktc._model.controls import Controls
from ktc._model.parameters import Parameters
from ktc._theory.gaussian import inverse, square_root
from ktc._theory.gaussian_moments import lag_under_hold
from ktc._theory.geometry import NO_MAP, Geometry


@dataclass(frozen=True)
class ManyMetrics:
    """F and ζ of many models, shape (r, p, p); as ``MetricTensors``, with vectors of shape (r, p).

    Attributes:
        fisher, friction: F and ζ.
        blocks: the slice of θ of each kind of parameter.
    """

    fisher: Array
    friction: Array
    blocks: Mapping[str, slice]

    @property
    def size(self) -> int:
        """Number of parameters p."""
        return int(self.fisher.shape[-1])

    @property
    def traces(self) -> tuple[Array, Array]:
        """Traces of F and of ζ, shape (r, 1)."""
        fisher, friction = (
            np.trace(one, axis1=1, axis2=2)[:, None] for one in (self.fisher, self.friction)
        )
        return fisher, friction

    def solve(self, to_go: float, share: float, gradient: Array) -> Array:
        """[to_go F + share ζ]⁻¹ g."""
        return _solved(to_go * self.fisher + share * self.friction, gradient)

    def natural(self, rate: float, gradient: Array) -> Array:
        """rate · F⁻¹ g."""
        return rate * _solved(self.fisher, gradient)

    def lead(self, velocity: Array) -> Array:
        """F⁻¹ζ θ̇."""
        return _solved(self.fisher, (self.friction @ velocity[..., None])[..., 0])

    def each(self) -> list[Geometry]:
        """Those of every model by itself, as ``Geometry.of_matrices``."""
        root = np.sqrt(np.diagonal(self.fisher, axis1=1, axis2=2))
        scale = root[:, :, None] * root[:, None, :]
        inward = np.linalg.inv(np.linalg.cholesky(self.fisher / scale))
        outward = np.swapaxes(inward, 1, 2)
        times, modes = np.linalg.eigh(inward @ (self.friction / scale) @ outward)
        modes = outward @ modes / root[:, :, None]
        rows = zip(self.fisher, self.friction, times, modes, strict=True)
        return [Geometry(*one, NO_MAP, self.blocks) for one in rows]


def _solved(matrix: Array, vector: Array) -> Array:
    """A⁻¹ v by the matrix of unit diagonal; entries of one board differ by many decades."""
    root = np.sqrt(np.diagonal(matrix, axis1=1, axis2=2))
    scaled = matrix / (root[:, :, None] * root[:, None, :])
    return np.asarray(np.linalg.solve(scaled, (vector / root)[..., None])[..., 0] / root)


class ManyControls:
    """Stiffness, shape (r, d, d), and bias, shape (r, d), of a network at θ, shape (r, p)."""

    def __init__(self, learned: Parameters, start: Controls) -> None:
        origin = learned.changes(np.zeros(learned.size), start)
        slopes = [learned.changes(row, start) for row in np.eye(learned.size)]
        self._start = start
        self._maps = {
            name: (zero, np.stack([one[name] - zero for one in slopes]))
            for name, zero in origin.items()
        }

    def at(self, theta: Array) -> tuple[Array, Array]:
        """Stiffness and bias at θ."""
        found = {n: zero + np.tensordot(theta, one, 1) for n, (zero, one) in self._maps.items()}
        d = len(self._start.bias)
        stiffness, bias = found.get("stiffness"), found.get("bias")
        if stiffness is None:
            stiffness = np.broadcast_to(self._start.stiffness, (len(theta), d, d))
        if bias is None:
            bias = np.broadcast_to(self._start.bias, (len(theta), d))
        return stiffness, bias


class ManyGaussians:
    """Motion, free energy, F and ζ at θ, shape (r, p), held for ``hold``.

    Bias and stiffness alone are learned.
    """

    def __init__(self, exact: ExactModel, hold: float) -> None:
        net, learned = exact.start.network, exact.parameters
        self._kT, self._hold, self._learned = net.common_kT, hold, learned
        self.controls = ManyControls(learned, net.controls)
        root = square_root(net.friction)
        self._root, self._inward = root, inverse(root)
        size = learned.size
        self._first, self._second = np.zeros((2, size), dtype=np.intp)
        self._weight = np.zeros(size)
        for name, block in learned.blocks.items():
            i, j = learned.places[name][0], learned.places[name][-1]
            self._first[block], self._second[block] = i, j
            if name != "bias":
                self._weight[block] = np.where(i == j, 0.5, 1.0)
        self._bias = self._weight == 0

    def forces(self, mean: Array, covariance: Array) -> Array:
        """⟨∂_θH⟩ of the state, shape (r, p)."""
        i, j = self._first, self._second
        products = covariance[:, i, j] + mean[:, i] * mean[:, j]
        return np.where(self._bias, -mean[:, i], self._weight * products)

    def free_energy(self, theta: Array) -> Array:
        """F up to a constant, shape (r,)."""
        stiffness, bias = self.controls.at(theta)
        rest = np.linalg.solve(stiffness, bias[..., None])[..., 0]
        logarithm = np.linalg.slogdet(stiffness)[1]
        return np.asarray(0.5 * (self._kT * logarithm - np.sum(bias * rest, axis=1)))

    def transition(self, theta: Array) -> tuple[Array, Array, Array]:
        """A and c of a hold, and a root of Q."""
        stiffness, bias = self.controls.at(theta)
        rates, modes = np.linalg.eigh(self._inward @ stiffness @ self._inward)
        left, right = self._inward @ modes, np.swapaxes(modes, 1, 2) @ self._root
        moved = (left * np.exp(-rates * self._hold)[:, None, :]) @ right
        spread = -self._kT * np.expm1(-2 * rates * self._hold) / rates
        rest = np.linalg.solve(stiffness, bias[..., None])
        return moved, (rest - moved @ rest)[..., 0], left * np.sqrt(spread)[:, None, :]

    def metrics(self, theta: Array) -> ManyMetrics:
        """F and ζ under held controls, as ``gaussian_moments`` has them for one network."""
        stiffness, bias = self.controls.at(theta)
        rates, modes = np.linalg.eigh(self._inward @ stiffness @ self._inward)
        modes = self._inward @ modes
        covariance = self._kT * (modes / rates[:, None, :]) @ np.swapaxes(modes, 1, 2)
        mean = np.asarray(np.linalg.solve(stiffness, bias[..., None])[..., 0], dtype=float)
        fisher = self._fisher(mean, np.asarray(covariance))
        friction = self._friction(mean, np.asarray(rates), modes)
        return ManyMetrics(fisher, friction, self._learned.blocks)

    def _linear(self, mean: Array) -> Array:
        """∂_aH to first order in the deviation from the mean, shape (r, p, d)."""
        found = np.zeros((len(mean), len(self._weight), mean.shape[1]))
        rows, i, j = np.arange(len(self._weight)), self._first, self._second
        found[:, rows, i] = np.where(self._bias, -1.0, self._weight * mean[:, j])
        found[:, rows, j] += np.where(self._bias, 0.0, self._weight * mean[:, i])
        return found

    def _fisher(self, mean: Array, covariance: Array) -> Array:
        linear, i, j = self._linear(mean), self._first, self._second
        rows, columns = i[:, None], j[:, None]
        pairs = covariance[:, rows, i] * covariance[:, columns, j]
        pairs += covariance[:, rows, j] * covariance[:, columns, i]
        found = linear @ covariance @ np.swapaxes(linear, 1, 2)
        return np.asarray((found + np.outer(self._weight, self._weight) * pairs) / self._kT)

    def _friction(self, mean: Array, rates: Array, modes: Array) -> Array:
        pulled = self._linear(mean) @ modes
        lags = lag_under_hold(1 / rates, self._hold) / rates
        found = (pulled * lags[:, None, :]) @ np.swapaxes(pulled, 1, 2)
        a, b = np.triu_indices(rates.shape[1])
        times = lag_under_hold(1 / (rates[:, a] + rates[:, b]), self._hold)
        root = np.sqrt(self._kT * np.where(a == b, 0.5, 1.0) * times / (rates[:, a] * rates[:, b]))
        one, other = modes[:, self._first], modes[:, self._second]
        loads = one[:, :, a] * other[:, :, b] + one[:, :, b] * other[:, :, a]
        loads = loads * root[:, None, :] * self._weight[:, None]
        return np.asarray(found + loads @ np.swapaxes(loads, 1, 2))
