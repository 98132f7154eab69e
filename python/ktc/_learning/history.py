"""What a learner wrote down on its way, update by update."""

from __future__ import annotations

from dataclasses import dataclass

from ktc._base.codec import register
from ktc._base.validation import Array


@dataclass(frozen=True)
class History:
    """Records of a learning run at its n + 1 control updates, t = 0, h, …, T.

    Attributes:
        time: t since the start, shape (n + 1,).
        parameters: θ after the update, in public units, shape (n + 1, d).
        bias: b after the update, in public units, shape (n + 1, d).
        gradient: g(t) that the update used, shape (n + 1, d).
        mean: replicas' mean of the public state at the update, shape (n + 1, d).
        work: mean work done on the network up to and with the update, shape (n + 1,).
        heat: mean heat that flowed into the resistors up to the update, shape (n + 1,).
        free_energy_change: F(θ) − F(θ_start) after the update, shape (n + 1,).
        likelihood_bias: Σ g·Δθ − kT Δ(log-likelihood) after the update, shape (n + 1,): what the
            persistent chain believes to have gained, less what it gained.
    """

    time: Array
    parameters: Array
    bias: Array
    gradient: Array
    mean: Array
    work: Array
    heat: Array
    free_energy_change: Array
    likelihood_bias: Array

    @property
    def excess_work(self) -> Array:
        """Mean work less the free energy change, after each update, shape (n + 1,)."""
        return self.work - self.free_energy_change


register(History)
