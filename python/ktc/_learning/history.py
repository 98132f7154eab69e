"""Records of a learning run: its updates one by one, and what the device read over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ktc._base.codec import register
from ktc._base.validation import Array, finite, of_shape
from ktc._learning.metrics.exact_model import ExactModel
from ktc._theory.gaussian import bias_free_energy

#: Records that are empty where they are not available.
MAY_LACK = ("path_free_energy", "path_likelihood_bias", "noise_work")


@dataclass(frozen=True)
class Readings:
    """Energies and states of one run, per replica.

    Attributes:
        work, heat: work and heat of the run, shape (replicas,).
        final_state: public state after the last update, shape (replicas, d); the mean, of shape
            (1, d), of an infinite ensemble.
        final_forces: ⟨∂_θH⟩ over the replicas then, shape (p,).
        positive: work and heat of the clamped ensemble, shape (clamped replicas,) each; None
            without hidden units.
        variances: exact variances of work and heat by name, of an infinite ensemble; None else.
        applied_change: ΔF of the controls as realised by a real board; None elsewhere.
    """

    work: Array
    heat: Array
    final_state: Array
    final_forces: Array
    positive: tuple[Array, Array] | None = None
    variances: Mapping[str, float] | None = None
    applied_change: float | None = None

    def require(self, units: int, size: int) -> None:
        """Refuse readings that are not of so many units and learned parameters."""
        replicas = max(1, len(self.work))
        of_shape("readings/work", self.work, replicas)
        of_shape("readings/heat", self.heat, replicas)
        of_shape("readings/final_state", self.final_state, replicas, units)
        of_shape("readings/final_forces", self.final_forces, size)
        if self.applied_change is not None:
            finite("readings/applied_change", self.applied_change)
        for part in self.positive or ():
            of_shape("readings/positive", part, max(1, len(part)))


class UpdateRecord(NamedTuple):
    """One update of a learning run, as ``callback`` of ``learn`` sees it.

    Attributes:
        tick: number of the update, from 0.
        time: t since the start.
        theta: θ after the update, in public units, shape (p,).
        gradient: g(t) of the update, shape (p,).
        mean: replicas' mean of the public state at the update, shape (d,).
        work, heat: mean work up to and with the update, and mean heat up to it.
    """

    tick: int
    time: float
    theta: Array
    gradient: Array
    mean: Array
    work: float
    heat: float


@dataclass(frozen=True)
class History:
    """Records of a learning run at its n + 1 updates, t = 0, h, …, T; fewer if it stopped early.

    Arrays have the shape (n + 1,) where no other one is given.

    Attributes:
        time: t since the start.
        theta: θ after the update, in public units, shape (n + 1, p); names in ``fit.theta_names``.
        bias: b after the update, in public units, shape (n + 1, d).
        gradient: g(t) of the update, shape (n + 1, p).
        mean: replicas' mean of the public state at the update, shape (n + 1, d).
        share: share of the update that was made, 1 where the energy stayed confined.
        work: mean work done on the network up to and with the update.
        heat: mean heat that flowed into the resistors up to the update.
        positive_work, positive_heat: those of the clamped ensemble; zero without hidden units.
        path_free_energy, path_likelihood_bias: ``free_energy_change`` and ``likelihood_bias``;
            empty where these are not available.
        noise_work: estimated cost of the gradient's noise at the update; zero at updates that
            others stand for, empty where it is in closed form or not available.
    """

    time: Array
    theta: Array
    bias: Array
    gradient: Array
    mean: Array
    share: Array
    work: Array
    heat: Array
    positive_work: Array
    positive_heat: Array
    path_free_energy: Array = field(default_factory=lambda: np.empty(0))
    path_likelihood_bias: Array = field(default_factory=lambda: np.empty(0))
    noise_work: Array = field(default_factory=lambda: np.empty(0))

    def require(self, units: int, size: int, duration: float) -> None:
        """Refuse records not of so many units and parameters, or not within the duration."""
        updates = max(1, len(self.time))
        widths = {"theta": (size,), "gradient": (size,), "bias": (units,), "mean": (units,)}
        for name, values in vars(self).items():
            if name not in MAY_LACK or values.shape != (0,):
                of_shape(f"history/{name}", values, updates, *widths.get(name, ()))
        steps = np.diff(self.time, append=duration * (1 + 1e-9))
        if self.time[0] != 0 or not (steps > 0).all():
            raise ValueError(f"history/time must ascend from 0 to {duration:g} at most")

    @property
    def free_energy_change(self) -> Array:
        """F(θ) − F(θ_start) after each update, shape (n + 1,).

        Raises:
            ValueError: where neither a closed form nor a quadrature is available.
        """
        if len(self.path_free_energy) == 0:
            raise ValueError(
                "free energies of coupled quartic units are not available at each update; "
                "fit.free_energy_change estimates that of the whole run"
            )
        return self.path_free_energy

    @property
    def likelihood_bias(self) -> Array:
        """Σ g·Δθ − kT Δ(log-likelihood) after each update, shape (n + 1,).

        The log-likelihood that the persistent chain believes to have gained, less what it gained.

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


register(Readings)
register(History)


def history_of(rows: Mapping[str, Array], exact: ExactModel, goal: Array | None) -> History:
    """The history of a loop's rows, whose ``path_free_energy`` is the change of each update.

    ``goal`` is ⟨∂_θH⟩ over the data, shape (p,); None of a model with hidden units.
    """
    rows = dict(rows)
    start = exact.start.network
    if exact.constant:
        path = bias_free_energy(exact.start, np.vstack([start.bias, rows["bias"]]))
        rows["path_free_energy"] = path[1:] - path[0]
    elif "path_free_energy" in rows:
        rows["path_free_energy"] = np.cumsum(rows["path_free_energy"])
    if goal is not None and "path_free_energy" in rows:
        theta = np.vstack([exact.parameters.vector(start.controls), rows["theta"]])
        gains = np.sum(rows["gradient"] * np.diff(theta, axis=0), axis=1)
        gained = rows["path_free_energy"] - (theta[1:] - theta[0]) @ goal
        rows["path_likelihood_bias"] = np.cumsum(gains) - gained
    return History(**rows)
