"""F and ζ of a Gaussian network's bias and stiffness as products with a vector.

With m = K⁻¹b and V the modes of K in the metric R (VᵀRV = 1, VᵀKV = λ), the response to a direction
(δb, δK), w = δK m − δb, is s and Q + m sᵀ + s mᵀ in units of the conjugate forces −x and xxᵀ:

    F: s = V λ⁻¹ Vᵀw,  Q = kT V [(VᵀδKV)_ab/(λ_aλ_b)] Vᵀ;
    ζ: the same with modes of bias times 1/λ_a and pairs of modes times 1/(λ_a + λ_b),

their relaxation times. A product costs O(d³), and so does its inverse where bias and stiffness are
learned whole; under a mask the inverse is by conjugate gradients, with that of the whole as their
preconditioner.

Source: Isserlis (1918), Biometrika 12, 134; Sivak, Crooks (2012), Phys. Rev. Lett. 108, 190602;
Hestenes, Stiefel (1952), J. Res. Natl. Bur. Stand. 49, 409.
"""

from __future__ import annotations

import numpy as np

from ktc._base.cached import cached_property
from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._learning.metrics.metric_tensors import conjugate_gradients
from ktc._model.network import Network
from ktc._model.parameters import Parameters
from ktc._theory.gaussian_moments import lag_under_hold

#: Largest number of parameters for which traces are computed.
MOST_TRACED = 256


class GaussianProducts:
    """F and ζ of overdamped Gaussian networks in O(d³) time and O(d²) memory, for any p."""

    def __init__(self, net: Network, parameters: Parameters, hold: float) -> None:
        self.blocks, self.size, self._places = parameters.blocks, parameters.size, parameters.places
        kT = net.common_kT
        rates, self._modes = scipy.linalg.eigh(net.stiffness, net.friction)
        self._dual = net.friction @ self._modes
        self._mean = np.linalg.solve(net.stiffness, net.bias)
        self._gains = (1 / rates, kT / np.outer(rates, rates))
        self._times = (
            lag_under_hold(1 / rates, hold),
            lag_under_hold(1 / np.add.outer(rates, rates), hold),
        )
        d = net.units
        self._whole = self.size == d + d * (d + 1) // 2

    @cached_property
    def traces(self) -> tuple[float, float]:
        """Traces of F and of ζ, by two products per parameter; not for many, which take long."""
        if self.size > MOST_TRACED:
            raise ValueError(
                f"matrix must be True for {self.size} parameters: F and ζ are not built as "
                f"matrices beyond {MOST_TRACED}, so that their traces are not available"
            )
        columns = list(enumerate(np.eye(self.size)))
        fisher = sum(self.fisher(column)[k] for k, column in columns)
        return float(fisher), float(sum(self.friction(column)[k] for k, column in columns))

    def fisher(self, vector: Array) -> Array:
        """F v."""
        return self._product(vector, *self._gains)

    def friction(self, vector: Array) -> Array:
        """ζ v."""
        one, two = self._gains
        return self._product(vector, one * self._times[0], two * self._times[1])

    def solve(self, to_go: float, share: float, gradient: Array) -> Array:
        """[to_go F + share ζ]⁻¹ g."""
        both = zip(self._gains, self._times, strict=True)
        one, two = (gain * (to_go + share * times) for gain, times in both)
        if self._whole:
            return self._inverse(gradient, one, two)
        return conjugate_gradients(
            lambda v: self._product(v, one, two), gradient, lambda v: self._inverse(v, one, two)
        )

    def natural(self, rate: float, gradient: Array) -> Array:
        """rate · F⁻¹ g."""
        return rate * self.solve(1.0, 0.0, gradient)

    def lead(self, velocity: Array) -> Array:
        """F⁻¹ζ θ̇."""
        return self.solve(1.0, 0.0, self.friction(velocity))

    def _product(self, vector: Array, one: Array, two: Array) -> Array:
        bias, stiffness = self._expanded(vector, 1.0)
        modes = self._modes
        pull = stiffness @ self._mean - bias
        answer = modes @ (one * (modes.T @ pull))
        pairs = modes @ (two * (modes.T @ stiffness @ modes)) @ modes.T
        cross = np.outer(self._mean, answer)
        return self._collected(-answer, pairs + cross + cross.T, 0.5)

    def _inverse(self, vector: Array, one: Array, two: Array) -> Array:
        bias, pairs = self._expanded(vector, 2.0)
        dual = self._dual
        answer = -bias
        cross = np.outer(self._mean, answer)
        inner = dual.T @ (pairs - cross - cross.T) @ dual
        stiffness = dual @ (inner / two) @ dual.T
        pull = dual @ ((dual.T @ answer) / one)
        return self._collected(stiffness @ self._mean - pull, stiffness, 1.0)

    def _expanded(self, vector: Array, diagonal: float) -> tuple[Array, Array]:
        """A vector θ as bias (d,) and symmetric matrix (d, d), its diagonal times a factor."""
        d = len(self._mean)
        bias, matrix = np.zeros(d), np.zeros((d, d))
        for name, block in self.blocks.items():
            places = self._places[name]
            if name == "bias":
                bias[places] = vector[block]
            else:
                matrix[places] = vector[block]
                matrix[places[::-1]] = vector[block]
        matrix.flat[:: d + 1] *= diagonal
        return bias, matrix

    def _collected(self, bias: Array, matrix: Array, diagonal: float) -> Array:
        """The inverse of ``_expanded``."""
        result = np.empty(self.size)
        for name, block in self.blocks.items():
            places = self._places[name]
            if name == "bias":
                result[block] = bias[places]
            else:
                factor = np.where(places[0] == places[1], diagonal, 1.0)
                result[block] = matrix[places] * factor
        return result
