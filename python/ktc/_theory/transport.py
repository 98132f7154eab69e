"""Transport of Gaussian ensembles at the least excess work, in closed form."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ktc._base.cached import cached_property
from ktc._base.validation import Array
from ktc._theory.gaussian import inverse, symmetrized


class Aim(NamedTuple):
    """What the least work asks of an overdamped Gaussian ensemble from now on.

    In coordinates y = R^½ x the ensemble moves by dy/dt = G (y − ⟨y⟩) + v, with G and v of the
    present time, to the covariance S_f and the mean m_f, from which the controls jump to the
    target.

    Attributes:
        stretch: G, symmetric.
        velocity: v.
    """

    stretch: Array
    velocity: Array


class Transport:
    """The least excess work of all drives to N(μ, S*), in coordinates y = R^½ x.

    min over S_f, m_f of [‖m_f − m‖² + 𝒲²(S, S_f)]/t′ + kT KL(N(m_f, S_f)‖N(μ, S*)), the Wasserstein
    proximal step of KL between Gaussians. With c = kT t′/2, Q = 1 + c S*⁻¹ and Z = Q^−½ S Q^−½,

        Y = c + Z/2 + (cZ + Z²/4)^½,    S_f = Q^−½ Y Q^−½,    A = Q^−½ Y (Y − c)⁻¹ Q^−½,
        G = (A − 1)/t′,    v = (t′ kT S*⁻¹ + 2)⁻¹ kT S*⁻¹ (μ − m),

    because Y + c² Y⁻¹ − 2c = Z makes Y and Z commute, and A S A = S_f.

    Args:
        mean: μ, shape (d,).
        covariance: S*, shape (d, d), positive definite.
        kT: thermal energy.

    Source: Jordan, Kinderlehrer, Otto (1998), SIAM J. Math. Anal. 29, 1; Aurell, Mejía-Monasterio,
    Muratore-Ginanneschi (2011), Phys. Rev. Lett. 106, 250601.
    """

    def __init__(self, mean: Array, covariance: Array, kT: float) -> None:
        self.mean, self.covariance, self.kT = mean, symmetrized(covariance), kT
        self._widths, self._axes = np.linalg.eigh(self.covariance)
        if not self._widths[0] > 0:
            raise ValueError("the covariance of the target must be positive definite, but is not")

    @cached_property
    def precision(self) -> Array:
        """S*⁻¹."""
        return inverse(self.covariance)

    def aim(self, mean: Array, covariance: Array, to_go: float) -> Aim:
        """What to do from an ensemble N(m, S) on, where t′ = ``to_go`` > 0 is left."""
        stretch, _ = self._stretched(covariance, to_go)
        off = self._axes.T @ (self.mean - mean)
        return Aim(stretch, self._axes @ (self._pace(to_go) * off))

    def excess(self, mean: Array, covariance: Array, to_go: float) -> float:
        """𝒲²/t′ + kT KL, the least excess work from an ensemble N(m, S) on."""
        stretch, arrived = self._stretched(covariance, to_go)
        off = self._axes.T @ (self.mean - mean)
        # The mean's part, |v|² t′ + kT KL, is off² kT/(kT t′ + 2 S*).
        moved = to_go * float(np.sum(stretch * (stretch @ covariance)))
        divergence = 0.5 * _excess_log(self._widths, self._axes, arrived)
        return moved + float(self._pace(to_go) @ off**2) + self.kT * divergence

    def _pace(self, to_go: float) -> Array:
        """Speed of the mean over its distance from the target, in the target's axes."""
        return np.asarray(self.kT / (to_go * self.kT + 2 * self._widths))

    def _stretched(self, covariance: Array, to_go: float) -> tuple[Array, Array]:
        """G and S_f."""
        c = 0.5 * self.kT * to_go
        axes, along = self._axes, 1 / np.sqrt(1 + c / self._widths)
        half = (axes * along) @ axes.T  # Q^−½
        z, modes = np.linalg.eigh(symmetrized(half @ covariance @ half))
        # Rounding leaves nothing of smaller ones.
        z = np.maximum(z, np.finfo(np.float64).eps * z[-1])
        beyond = 0.5 * z + np.sqrt(c * z + 0.25 * z**2)  # Y − c
        frame = half @ modes
        carrier = symmetrized((frame * (1 + c / beyond)) @ frame.T)
        stretch = (carrier - np.eye(len(z))) / to_go
        return stretch, (frame * (c + beyond)) @ frame.T


def _excess_log(widths: Array, axes: Array, arrived: Array) -> float:
    """tr(X) − d − ln det X of X = S*^−½ S_f S*^−½."""
    root = axes / np.sqrt(widths)
    ratios = np.linalg.eigvalsh(symmetrized(root.T @ arrived @ root))
    if not ratios[0] > 0:
        raise ValueError(
            "before and after are too ill-conditioned for double precision: the narrowest "
            "direction of one is lost beside the widest of the other"
        )
    off = ratios - 1.0
    logarithms = np.where(np.abs(off) < 0.5, np.log1p(np.maximum(off, -0.5)), np.log(ratios))
    return max(0.0, float(np.sum(off - logarithms)))
