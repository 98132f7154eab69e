"""What the updates of a learner may spend, and how far they may soften the network."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ktc._base.cached import cached_property
from ktc._base.codec import Saved
from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, finite, of_shape
from ktc._learning.confinement import Floor
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.metrics.likelihood import maximum_likelihood
from ktc._learning.positive_phase import DataPhase
from ktc._model.controls import Controls

if TYPE_CHECKING:
    from ktc._learning.loop import Problem

#: Largest excess work of a run over that of one jump at its start to the maximum of the likelihood.
MOST_SPENT = 2.0
#: A run ends where so many updates in a row would unconfine the energy unless cut to such a share.
HOPELESS, LEAST_SHARE = 10, 1e-3
#: Halvings of an update that spends too much, before it is left out.
MOST_HALVINGS = 5
SHARES = (*np.ldexp(1.0, -np.arange(MOST_HALVINGS + 1)).tolist(), 0.0)
#: Share of the start's stiffness and quartic terms that a run keeps, or of the data's model where
#: that has less.
LEAST_KEPT = 1e-3


class Restraint:
    """Limits of a run by a learning rate.

    Its updates together dissipate at most twice what one jump to the maximum of the likelihood
    would at the start, kT KL(p₀‖p*), plus kT and what noise may cost, kT p/N: an update that
    spends more is halved, and left out where five halvings do not help. So a rate that replicas
    cannot follow waits for them. Where the maximum is not available nothing is limited but the
    stiffness, which keeps a thousandth of the start's in every direction that no quartic term
    confines, or of the data's model where that is softer.

    Args:
        exact: free energies of the model.
        goal: ⟨∂_θH⟩ over the data; None of a model with hidden units.
        replicas: N, or ``math.inf``.

    Attributes:
        spent: excess work of the updates so far.
        floor: what the stiffness keeps, whatever the data.
    """

    def __init__(self, exact: ExactModel, goal: Array | None, replicas: float) -> None:
        self._exact, self._goal, self._replicas = exact, goal, replicas
        self.spent, self._cut = 0.0, 0
        self._first: Array | None = None
        self.floor = floor_of(exact.start.network.controls, None)

    def begin(self, forces: Array) -> None:
        """Take ⟨∂_θH⟩ over the replicas at the start, shape (p,), by which ``limit`` is set."""
        self._first = np.array(forces)

    @cached_property
    def _best(self) -> Controls | None:
        """The data's model: searched for where it makes a difference, because it takes time."""
        return None if self._goal is None else _maximum(self._exact, self._goal)

    @cached_property
    def softer_floor(self) -> Floor:
        """What the stiffness keeps where the data's model is softer than ``floor``."""
        return floor_of(self._exact.start.network.controls, self._best)

    @cached_property
    def limit(self) -> float:
        """Largest excess work of the updates so far; infinite where the maximum is not known."""
        return math.inf if self._first is None else float(self.limits(self._first))

    def limits(self, forces: Array) -> Array:
        """``limit`` of runs of which these are ⟨∂_θH⟩ at the start, shape (…, p)."""
        if self._best is None:
            return np.full(forces.shape[:-1], math.inf)
        start, learned = self._exact.start.network, self._exact.parameters
        change = learned.vector(self._best) - learned.vector(start.controls)
        jump = forces @ change - self._exact.free_energy_change(start.controls, self._best)
        return np.asarray(MOST_SPENT * np.maximum(0.0, jump) + self.least_limit)

    @property
    def least_limit(self) -> float:
        """What may be spent on any data."""
        kT = self._exact.start.network.common_kT
        return MOST_SPENT * kT * (1 + self._exact.parameters.size / self._replicas)

    def _allows(self, cost: float) -> bool:
        total = self.spent + cost
        return cost <= 0 or total <= self.least_limit or total <= self.limit

    def saved(self) -> dict[str, object]:
        """What was spent so far, as ``restore`` takes it."""
        return {"first": self._first, "spent": self.spent, "cut": self._cut}

    def restore(self, saved: Saved) -> None:
        """Go on from what was ``saved``."""
        first = saved["first"]
        if first is not None:
            of_shape("restraint/first", first, self._exact.parameters.size)
        self._first, self.spent = first, finite("restraint/spent", saved["spent"])
        self._cut = int(saved["cut"])

    def is_hopeless(self, share: float) -> bool:
        """Count updates of which confinement left less than a thousandth: whether ten in a row."""
        self._cut = self._cut + 1 if share < LEAST_SHARE else 0
        return self._cut >= HOPELESS

    def limited(
        self, theta: Array, change: Array, forces: Array, before: Controls, after: Controls
    ) -> tuple[float, Controls, float | None]:
        """The largest of 1, ½, …, 2⁻⁵ and 0 of Δθ that stays within the limit; and book it.

        Returns the share, the controls after it, and ΔF where it is available.
        """
        if not self._exact.known:
            return 1.0, after, None
        for share in SHARES:
            if share < 1:
                after = self._exact.parameters.controls(theta + share * change, before)
            change_of_free_energy = self._exact.free_energy_change(before, after)
            cost = share * float(change @ forces) - change_of_free_energy
            if self._allows(cost):
                break
        self.spent += cost
        return share, after, change_of_free_energy


def restraint_of(problem: Problem) -> Restraint:
    """The limits of a run."""
    goal = problem.positive.all_forces() if isinstance(problem.positive, DataPhase) else None
    return Restraint(problem.exact, goal, problem.replicas)


def floor_of(start: Controls, best: Controls | None) -> Floor:
    """The least stiffness and quartic terms of a run; ``best`` is the data's model, if known."""
    bare = np.flatnonzero(start.quartic == 0)
    softest = 1.0
    quartic = LEAST_KEPT * start.quartic
    if best is not None:
        place = np.ix_(bare, bare)
        if len(bare) and best.held_stiffness is not start.held_stiffness:
            found = scipy.linalg.eigh(
                best.stiffness[place], start.stiffness[place], eigvals_only=True
            )
            softest = min(1.0, float(found[0]))
        quartic = np.minimum(quartic, LEAST_KEPT * best.quartic)
    return Floor(LEAST_KEPT * softest, start, quartic)


def _maximum(exact: ExactModel, goal: Array) -> Controls | None:
    if not exact.known:
        return None
    try:
        return maximum_likelihood(exact, goal)
    except (ValueError, np.linalg.LinAlgError):
        return None
