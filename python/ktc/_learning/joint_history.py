"""What a learner of several kinds of parameters wrote down on its way, update by update."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ktc._base.codec import register
from ktc._base.validation import Array


@dataclass(frozen=True)
class JointHistory:
    """Records of a learning run at its n + 1 control updates, t = 0, h, …, T; fewer if it stopped.

    Attributes:
        time: t since the start, shape (n + 1,).
        parameters: θ after the update, in public units, shape (n + 1, p).
        bias: b after the update, in public units, shape (n + 1, d).
        gradient: g(t) that the update used, shape (n + 1, p).
        mean: replicas' mean of the public state at the update, shape (n + 1, d).
        share: how much of the update was made: 1, or less where the energy would have lost its
            bound, shape (n + 1,).
        work: mean work done on the network up to and with the update, shape (n + 1,).
        heat: mean heat that flowed into the resistors up to the update, shape (n + 1,).
        positive_work, positive_heat: the same of the clamped ensemble of a model with hidden units,
            zero without.
        path_free_energy: F(θ) − F(θ_start) after the update, shape (n + 1,); empty where it is not
            known on the way.
        path_likelihood_bias: the chain's own gain less the true one, empty likewise.
        noise_work: what the noise of the gradient cost, by the estimate of
            ``JointFit.gradient_noise_work``; zero at updates that others stand for, empty where it
            is not known.
    """

    time: Array
    parameters: Array
    bias: Array
    gradient: Array
    mean: Array
    share: Array
    work: Array
    heat: Array
    positive_work: Array
    positive_heat: Array
    path_free_energy: Array
    path_likelihood_bias: Array
    noise_work: Array = field(default_factory=lambda: np.empty(0))

    @property
    def free_energy_change(self) -> Array:
        """F(θ) − F(θ_start) after each update, shape (n + 1,).

        Raises:
            ValueError: where there is neither a closed form nor a quadrature.
        """
        if len(self.path_free_energy) == 0:
            raise ValueError(
                "free energies of coupled quartic units are not known on the way; "
                "fit.free_energy_change estimates that of the whole run"
            )
        return self.path_free_energy

    @property
    def likelihood_bias(self) -> Array:
        """Σ g·Δθ − kT Δ(log-likelihood) after each update, shape (n + 1,).

        Raises:
            ValueError: coupled quartic units, and models with hidden units.
        """
        if len(self.path_likelihood_bias) == 0:
            raise ValueError(
                "the likelihood of coupled quartic units, and of models with hidden units, has no "
                "closed form and no quadrature"
            )
        return self.path_likelihood_bias

    @property
    def excess_work(self) -> Array:
        """Mean work less the free energy change, after each update, shape (n + 1,)."""
        return self.work - self.free_energy_change

    @property
    def backtracked(self) -> Array:
        """Numbers of the updates that were cut back to keep the energy confined."""
        return np.flatnonzero(self.share < 1).astype(np.float64)


register(JointHistory)
