"""Rules that choose the next θ without a rate, and which of them a run takes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ktc._base.codec import Saved
from ktc._base.validation import Array
from ktc._learning.coarse_ticks import better_in_ticks
from ktc._learning.hidden_maximum import hidden_maximum
from ktc._learning.metrics.equilibria import measured_maximum_likelihood
from ktc._learning.metrics.exact_model import MOST_DENSE
from ktc._learning.metrics.likelihood import maximum_likelihood
from ktc._learning.open_loop_steering import open_loop, open_loop_of
from ktc._learning.path_to_target import Anticipation
from ktc._learning.positive_phase import ClampedPhase, DataPhase
from ktc._learning.sampled_drive import sampled_path
from ktc._learning.transport_steering import transport_steering
from ktc._model.controls import Controls

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
    steering: Steering | None = None
    if schedule.transports and isinstance(positive, DataPhase) and positive.whole:
        goal = positive.all_forces()
        transport = transport_steering(
            problem.exact, metrics, goal, schedule.duration, hold, problem.replicas
        )
        steering = None if transport is None else better_in_ticks(problem, transport)
    if steering is None and schedule.transports and problem.plans and not problem.exact.whole:
        with suppress(ValueError, OverflowError, np.linalg.LinAlgError):
            steering = _computed(problem)
    if steering is not None:
        return steering
    if metrics is None or metrics.constant or not schedule.anticipate:
        return None  # F and ζ are constant along the path
    start, goal = problem.device.controls, positive.all_forces()
    return Anticipation(metrics.equilibria(), schedule, goal, start, hold)


def _computed(problem: Problem) -> Steering | None:
    """A drive to the model of greatest likelihood, computed beforehand.

    With hidden units it leads to the maximum that ascent from the start finds; where neither a
    closed form nor a quadrature is available, to one measured on replicas.
    """
    exact, positive, ticks = problem.exact, problem.positive, problem.ticks
    duration = problem.schedule.duration
    if exact.start.network.is_sparse or exact.parameters.size > MOST_DENSE:
        return None
    if isinstance(positive, ClampedPhase):
        if exact.method != "closed form" or positive.batches is not None:
            return None
        mean, scatter = positive.moments
        best = hidden_maximum(exact, positive.hidden, mean, scatter)
    elif not positive.whole:
        return None
    elif exact.known:
        best = maximum_likelihood(exact, positive.all_forces())
    else:
        best, _ = measured_maximum_likelihood(exact, positive.all_forces(), problem.seed)
    steering = open_loop(exact, best, duration, ticks)
    if steering is None and exact.method != "quadrature":
        path = sampled_path(exact, best, duration, ticks, problem.seed)
        steering = open_loop_of(exact, path, best, duration, ticks)
    return steering
