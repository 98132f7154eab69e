"""The two metrics of a learning run, and the modes that they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import scipy  # imports scipy.linalg when it is first used

from ktc._base.validation import Array
from ktc._model.description import Description
from ktc._theory.gaussian import parameter_map
from ktc._theory.held_lag import held_lag
from ktc._theory.metrics import fisher_matrix, friction_tensor


@dataclass(frozen=True)
class Geometry:
    """F and ζ of the learned parameters θ, with their common modes V: VᵀFV = 1, VᵀζV = diag(τ).

    In these modes every Gaussian network is a set of independent harmonic units with relaxation
    times τ, and a change of parameterisation changes V alone.

    Attributes:
        fisher: F = Cov(∂_θE)/kT, shape (d, d).
        friction: ζ, shape (d, d).
        times: τ, shape (d,), ascending.
        modes: V, shape (d, d), one mode a column.
        to_bias: B with b = B θ in the network's own units, shape (d, d); empty where θ is more than
            the bias.
        blocks: for each kind of parameter its slice of θ.

    Source: Sivak, Crooks (2012), Phys. Rev. Lett. 108, 190602.
    """

    fisher: Array
    friction: Array
    times: Array
    modes: Array
    to_bias: Array
    blocks: Mapping[str, slice] = field(default_factory=dict)

    @classmethod
    def of(cls, device: Description, parameter: str = "bias") -> Geometry:
        """Closed forms of a Gaussian network.

        Example:
            >>> import ktc
            >>> Geometry.of(ktc.Network(stiffness=4.0, friction=2.0), "center").times
            array([0.5])
        """
        to_bias = parameter_map(device, parameter)
        return cls.of_matrices(
            fisher_matrix(device, parameter),
            friction_tensor(device, parameter),
            {parameter: slice(None)},
            to_bias,
        )

    @classmethod
    def of_matrices(
        cls,
        fisher: Array,
        friction: Array,
        blocks: Mapping[str, slice],
        to_bias: Array | None = None,
    ) -> Geometry:
        """Of two matrices, F positive definite."""
        # Scaled to unit diagonal first: the entries of one board may differ by many decades.
        root = np.sqrt(fisher.diagonal())
        scale = np.outer(root, root)
        unit = float(np.trace(friction / scale))
        times, modes = scipy.linalg.eigh(friction / scale / unit, fisher / scale)
        # A friction tensor measured on replicas may be negative in a direction that noise rules.
        times = np.where(times > 0, times, 1e-9 * abs(times[-1])) * unit
        map_to_bias = np.empty((0, 0)) if to_bias is None else to_bias
        return cls(fisher, friction, times, modes / root[:, None], map_to_bias, blocks)

    def sampled(self, hold: float) -> Geometry:
        """The same for controls that are held: modes that relax within a hold get their held lag.

        Exact where the correlations of each mode are one exponential, as those of all parameters
        of an overdamped Gaussian network are; elsewhere its time stands for them.
        """
        if not (self.times < hold).any():
            return self
        times = held_lag(self.times, hold)
        loaded = self.fisher @ self.modes
        return replace(self, times=times, friction=(loaded * times) @ loaded.T)

    def modal(self, gains: Array, gradient: Array) -> Array:
        """V diag(gains) Vᵀ gradient."""
        product: Array = self.modes @ (gains * (self.modes.T @ gradient))
        return product

    def solve(self, to_go: float, share: float, gradient: Array) -> Array:
        """[to_go F + share ζ]⁻¹ g."""
        return self.modal(1 / (to_go + share * self.times), gradient)

    def natural(self, rate: float, gradient: Array) -> Array:
        """rate · F⁻¹ g."""
        return self.modal(np.full(len(gradient), rate), gradient)

    @property
    def size(self) -> int:
        """Number of parameters p."""
        return len(self.fisher)

    @property
    def traces(self) -> tuple[float, float]:
        """Of F and of ζ."""
        return float(np.trace(self.fisher)), float(np.trace(self.friction))

    def lead(self, velocity: Array) -> Array:
        """F⁻¹ζ θ̇: how far the control of a network in steady motion is ahead of its mean."""
        return self.modal(self.times, self.fisher @ velocity)
