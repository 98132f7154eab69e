"""The two metrics of a learning run, and the modes that they share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy  # imports scipy.linalg when it is first used

from ktc.checks import Array
from ktc.theory import fisher_matrix, friction_tensor, parameter_map
from ktc.units import Description


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
        to_bias: B with b = B θ in the network's own units, shape (d, d).

    Source: Sivak, Crooks (2012), Phys. Rev. Lett. 108, 190602.
    """

    fisher: Array
    friction: Array
    times: Array
    modes: Array
    to_bias: Array

    @classmethod
    def of(cls, device: Description, parameter: str = "bias") -> Geometry:
        """Closed forms of a Gaussian network.

        Example:
            >>> import ktc
            >>> Geometry.of(ktc.Network(stiffness=4.0, friction=2.0), "center").times
            array([0.5])
        """
        fisher, friction = fisher_matrix(device, parameter), friction_tensor(device, parameter)
        # Scaled to unit diagonal first: the entries of one board may differ by many decades.
        root = np.sqrt(fisher.diagonal())
        scale = np.outer(root, root)
        unit = float(np.trace(friction / scale))
        times, modes = scipy.linalg.eigh(friction / scale / unit, fisher / scale)
        return cls(
            fisher, friction, times * unit, modes / root[:, None], parameter_map(device, parameter)
        )

    def sampled(self, hold: float) -> Geometry:
        """The same for controls that are held: modes that relax within a hold get their held lag.

        A mean in steady motion v under controls held for h has its control ahead by
        v h/(1 − e^{−h/τ}) = v (τ′ + h/2), τ′ = (h/2) coth(h/2τ). For h well below τ, τ′ is τ to
        second order in the tick and τ is kept; where h exceeds τ, a rate made for τ would overshoot
        and amplify noise from tick to tick, and τ′ takes its place.
        """
        fast = self.times < hold
        if not fast.any():
            return self
        half = 0.5 * hold
        times = np.where(fast, half / np.tanh(half / self.times), self.times)
        loaded = self.fisher @ self.modes
        return replace(self, times=times, friction=(loaded * times) @ loaded.T)

    def modal(self, gains: Array, gradient: Array) -> Array:
        """V diag(gains) Vᵀ gradient."""
        product: Array = self.modes @ (gains * (self.modes.T @ gradient))
        return product

    def lead(self, velocity: Array) -> Array:
        """F⁻¹ζ θ̇: how far the control of a network in steady motion is ahead of its mean."""
        return self.modal(self.times, self.fisher @ velocity)
