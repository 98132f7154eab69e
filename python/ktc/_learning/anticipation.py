"""Steering by the whole way that is still to go, where a schedule anticipates it."""

from __future__ import annotations

from ktc._base.validation import Array
from ktc._learning.metrics.equilibria import Equilibria
from ktc._learning.path_to_target import NODES, Way
from ktc._learning.schedules import MinimalDissipation
from ktc._model.controls import Controls


class Anticipation:
    """Where the controls are to be held next, of ``MinimalDissipation(anticipate=True)``.

    Args:
        equilibria: of the model.
        schedule: what it is steered by.
        goal: ⟨∂_θH⟩ over the data, shape (p,).
        start: controls at the start.
        hold: how long controls are held.

    Raises:
        ValueError: no confined model has the averages of the data.
    """

    def __init__(
        self,
        equilibria: Equilibria,
        schedule: MinimalDissipation,
        goal: Array,
        start: Controls,
        hold: float,
    ) -> None:
        self._equilibria, self._schedule, self._hold = equilibria, schedule, hold
        self._goal = equilibria.with_forces(goal, start, hold)
        self._here = start

    def parameters(self, time: float, forces: Array) -> Array:
        """θ to hold from ``time`` on, from ⟨∂_θH⟩ over the replicas; shape (p,)."""
        if time >= self._schedule.duration:
            return self._equilibria.parameters.vector(self._goal)
        return self._schedule.ahead(time, self._hold, self._way(forces))

    def _way(self, forces: Array) -> Way:
        equilibria, hold = self._equilibria, self._hold
        parameters = equilibria.parameters
        self._here = equilibria.with_forces(forces, self._here, hold)
        here, goal = parameters.vector(self._here), parameters.vector(self._goal)
        # From its far end on, so that a calibration ensemble which found the goal goes back in
        # steps.
        passed = [
            equilibria.geometry(parameters.controls(here + s * (goal - here), self._here), hold)
            for s in NODES[::-1]
        ][::-1]
        own = equilibria.geometry(self._here, hold)
        return Way(
            here, goal, own.fisher, own.friction,
            [one.fisher for one in passed], [one.friction for one in passed],
        )  # fmt: skip
