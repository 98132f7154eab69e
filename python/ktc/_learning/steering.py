"""Rules that choose the next θ without a rate, and which of them a run takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from ktc._base.codec import Saved
from ktc._base.validation import Array
from ktc._learning.open_loop_steering import open_loop
from ktc._learning.path_to_target import Anticipation
from ktc._learning.positive_phase import DataPhase
from ktc._learning.transport_steering import transport_steering
from ktc._model.controls import Controls
from ktc._model.device import is_infinite

if TYPE_CHECKING:
    from ktc._learning.loop import Problem


class Steering(Protocol):
    """A rule that chooses the next θ from the replicas' averages, without a rate.

    Attributes:
        rule: its name.
        margin: share of the stiffness that an update must leave.
        noise_work: what the noise of the gradient costs at an update; None where it is not known.
    """

    rule: str
    margin: float
    noise_work: float | None

    def saved(self) -> Saved:
        """What ``restore`` needs to go on with the same bits."""

    def restore(self, saved: Saved) -> None:
        """Go on from what was ``saved``."""

    def parameters(self, time: float, forces: Array, controls: Controls) -> Array:
        """θ to hold from ``time`` on, from ⟨∂_θH⟩ over the replicas and the controls so far."""


def steering_of(problem: Problem) -> Steering | None:
    """The steering that replaces the schedule's rate; None where there is none."""
    schedule, positive, metrics = problem.schedule, problem.positive, problem.metrics
    hold = schedule.duration / problem.ticks
    if schedule.transports and isinstance(positive, DataPhase) and positive.whole:
        goal, ledger = positive.all_forces(), problem.device.ledger
        replicas = math.inf if is_infinite(ledger) else len(ledger.work)
        steering: Steering | None = transport_steering(
            problem.exact, metrics, goal, schedule.duration, hold, replicas
        )
        if steering is None and problem.computes_ahead and problem.at_rest:
            steering = open_loop(problem.exact, goal, schedule.duration, problem.ticks)
        if steering is not None:
            return steering
    if metrics is None or metrics.constant or not schedule.anticipate:
        return None  # F and ζ are constant along the path
    start, goal = problem.device.controls, positive.all_forces()
    return Anticipation(metrics.equilibria(), schedule, goal, start, hold)
