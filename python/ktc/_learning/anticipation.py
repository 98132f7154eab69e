"""Steering by F and ζ over the whole remaining path, where a schedule anticipates it."""

from __future__ import annotations

from ktc._base.validation import Array
from ktc._learning.metrics.equilibria import Equilibria
from ktc._learning.path_to_target import NODES, PathToTarget
from ktc._learning.schedules import MinimalDissipation
from ktc._model.controls import Controls


class Anticipation:
    """The controls to hold next under ``MinimalDissipation(anticipate=True)``.

    Args:
        equilibria: those of the model.
        schedule: the rule.
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
        return self._schedule.ahead(time, self._hold, self._path(forces))

    def _path(self, forces: Array) -> PathToTarget:
        equilibria, hold = self._equilibria, self._hold
        parameters = equilibria.parameters
        self._here = equilibria.with_forces(forces, self._here, hold)
        here, goal = parameters.vector(self._here), parameters.vector(self._goal)
        # From the far end backwards, so that a calibration ensemble that has found the target
        # returns in steps.
        passed = [
            equilibria.geometry(parameters.controls(here + s * (goal - here), self._here), hold)
            for s in NODES[::-1]
        ][::-1]
        own = equilibria.geometry(self._here, hold)
        return PathToTarget(
            here, goal, own.fisher, own.friction,
            [one.fisher for one in passed], [one.friction for one in passed],
        )  # fmt: skip
