"""Fisher matrix and friction tensor of the learned parameters, and their common modes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._model.description import Description
from ktc._theory.gaussian import parameter_map
from ktc._theory.gaussian_moments import lag_under_hold
from ktc._theory.metrics import fisher_matrix, friction_tensor

NO_MAP: Array = np.empty((0, 0))


@dataclass(frozen=True)
class Geometry:
    """F and ζ of the learned parameters θ, and their common modes V: VᵀFV = 1, VᵀζV = diag(τ).

    In these modes every Gaussian network is a set of independent harmonic units with relaxation
    times τ. A reparameterisation changes only V.

    Attributes:
        fisher: Fisher matrix F = Cov(∂_θH)/kT, shape (p, p).
        friction: friction tensor ζ, shape (p, p).
        times: τ, shape (p,), ascending.
        modes: V, shape (p, p), one mode per column.
        to_bias: B with b = B θ in the network's own units, shape (d, p); empty where θ is not only
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
        """Geometry of a Gaussian network in closed form."""
        to_bias = parameter_map(device, parameter)
        pair = fisher_matrix(device, parameter), friction_tensor(device, parameter)
        return cls.of_matrices(*pair, {parameter: slice(None)}, to_bias)

    @classmethod
    def of_matrices(
        cls, fisher: Array, friction: Array, blocks: Mapping[str, slice], to_bias: Array = NO_MAP
    ) -> Geometry:
        """Geometry of given F, positive definite, and ζ."""
        # Scaled to unit diagonal: the entries of one board may differ by many decades.
        root = np.sqrt(fisher.diagonal())
        scale = np.outer(root, root)
        unit = float(np.trace(friction / scale))
        times, modes = scipy.linalg.eigh(friction / scale / unit, fisher / scale)
        # Noise may make a measured friction tensor negative in some direction.
        times = np.where(times > 0, times, 1e-9 * abs(times[-1])) * unit
        return cls(fisher, friction, times, modes / root[:, None], to_bias, blocks)

    def sampled(self, hold: float) -> Geometry:
        """Geometry under held controls: fast modes have their ``lag_under_hold`` as time.

        Exact where the correlation of each mode is one exponential, as for all parameters of an
        overdamped Gaussian network; elsewhere an approximation.
        """
        if not (self.times < hold).any():
            return self
        times = lag_under_hold(self.times, hold)
        loaded = self.fisher @ self.modes
        return replace(self, times=times, friction=(loaded * times) @ loaded.T)

    def modal(self, gains: Array, gradient: Array) -> Array:
        """Return V diag(gains) Vᵀ gradient."""
        return np.asarray(self.modes @ (gains * (self.modes.T @ gradient)))

    def solve(self, to_go: float, share: float, gradient: Array) -> Array:
        """Return [to_go F + share ζ]⁻¹ g."""
        return self.modal(1 / (to_go + share * self.times), gradient)

    def natural(self, rate: float, gradient: Array) -> Array:
        """Return rate · F⁻¹ g."""
        return self.modal(np.full(len(gradient), rate), gradient)

    @property
    def size(self) -> int:
        """Number of parameters p."""
        return len(self.fisher)

    @property
    def traces(self) -> tuple[float, float]:
        """Traces of F and of ζ."""
        return float(np.trace(self.fisher)), float(np.trace(self.friction))

    def lead(self, velocity: Array) -> Array:
        """Return F⁻¹ζ θ̇, the lead of the controls over the mean in steady motion."""
        return self.modal(self.times, self.fisher @ velocity)
