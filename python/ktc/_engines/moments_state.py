"""State of the moments engine: controls that hold, moments, and books."""

from __future__ import annotations

from typing import Any

import numpy as np

from ktc._base.validation import Array
from ktc._engines.element_arrays import ElementArrays
from ktc._engines.moments_motion import Motion
from ktc._engines.work_variance import WorkVariance

# Accounts in the order of the core's ledger; itemised books have a heat for every account.
WORK, HEAT, SUPPLY, SOURCE, INJECTED, SHADOW, ENTROPY = range(7)
FIRST_HEAT = 7


class Setting:
    """Controls that hold, and the quantities of motion that depend on them."""

    def __init__(
        self,
        elements: ElementArrays,
        controls: dict[str, Any],
        motion: Motion,
        previous: Setting | None,
    ) -> None:
        self.controls, self.motion = controls, motion
        self.bias: Array = controls["bias"]
        self.force = self.bias
        if len(self.bias) < elements.dimension:
            self.force = np.zeros(elements.dimension)
            self.force[: len(self.bias)] = self.bias
        self.rest = motion.rest_of_force(self.force)
        emf, current = controls["emf"], controls["current"]
        same = previous if previous is not None and previous.has(emf, current) else None
        self.driven: bool = bool(emf.any() or current.any()) if same is None else same.driven
        self.displacement: Array
        if same is not None and (same.motion is motion or not self.driven):
            self.displacement = same.displacement
        elif self.driven:
            push = elements.directions.T @ (elements.conductance * emf)
            push = push + elements.source_directions.T @ current
            self.displacement = motion.displacement(push)
        else:
            self.displacement = np.zeros(elements.rows)
        if self.driven:
            self.rest = self.rest + self.displacement

    def has(self, emf: Array, current: Array) -> bool:
        """Whether these very arrays are its sources."""
        own = self.controls
        return own["emf"] is emf and own["current"] is current

    def slope(self, mean: Array) -> Array:
        """⟨∇H⟩, shape (rows,): zero for filters, whose currents store nothing."""
        slope: Array = self.motion.hessian @ mean
        slope[: len(self.force)] -= self.force
        return slope


class State:
    """Everything that moves; each tick makes a new one, so that an interrupt cannot split it."""

    def __init__(self, setting: Setting, accounts: int) -> None:
        self.setting = setting
        self.mean = setting.rest
        self.covariance = setting.motion.stationary
        self.settled = True
        self.sums, self.carries = np.zeros(accounts), np.zeros(accounts)
        self.turnover = self.opening = 0.0
        self.time = self.time_carry = 0.0
        #: Variances since the books were opened (0), and since every mark.
        self.tallies: dict[int, WorkVariance] = {}

    def copy(self) -> State:
        """A copy that goes on independently."""
        twin = State.__new__(State)
        twin.__dict__ = self.__dict__.copy()
        twin.tallies = {mark: tally.copy() for mark, tally in self.tallies.items()}
        return twin

    def form(self) -> tuple[Array, Array, Array]:
        """P, and H as a quadratic form in the deviation from the mean."""
        return self.covariance, self.setting.motion.hessian, self.setting.slope(self.mean)

    def energy(self) -> float:
        """⟨H⟩ = ½ mᵀAm − β·m + ½ tr(A P)."""
        mean, force = self.mean, self.setting.force
        hessian = self.setting.motion.hessian
        pull = 0.5 * (mean @ hessian @ mean) - force @ mean[: len(force)]
        return float(pull + 0.5 * np.sum(hessian * self.covariance))


def post(state: State, posts: Array) -> None:
    """Add the posts of one tick, by compensated summation."""
    sums = state.sums + posts
    part = sums - state.sums
    state.carries = state.carries + ((state.sums - (sums - part)) + (posts - part))
    state.sums = sums
    heats = posts[FIRST_HEAT:]
    state.turnover += float(
        abs(posts[WORK]) + (np.abs(heats).sum() if len(heats) else abs(posts[HEAT]))
    )


def advance(state: State, duration: float) -> None:
    """Advance time, by compensated summation."""
    total = state.time + duration
    part = total - state.time
    state.time_carry += (state.time - (total - part)) + (duration - part)
    state.time = total
