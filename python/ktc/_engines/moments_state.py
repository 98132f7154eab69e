"""State of the moments engine: controls that hold, moments, and books.

Products in every tick are by ``ndarray.dot``, which takes half the time of ``@`` for few units.
"""

from __future__ import annotations

from math import fabs
from typing import Any

import numpy as np

from ktc._base.validation import Array
from ktc._engines.element_arrays import ElementArrays
from ktc._engines.moments_motion import Motion
from ktc._engines.work_variance import WorkVariance

# Accounts in the order of the core's ledger; the last one is an array, the heats of itemised books.
WORK, HEAT, SUPPLY, SOURCE, INJECTED, SHADOW, ENTROPY, HEATS = range(8)
Amount = float | Array
#: What a tick books, by account.
Posts = dict[int, Amount]


class Setting:
    """Controls that hold, and the quantities of motion that depend on them."""

    def __init__(
        self,
        elements: ElementArrays,
        controls: dict[str, Any],
        motion: Motion,
        same: Setting | None,
    ) -> None:
        """``same`` has these very sources."""
        self.controls, self.motion = controls, motion
        self.bias: Array = controls["bias"]
        self.force = self.bias
        if len(self.bias) < elements.dimension:
            self.force = np.zeros(elements.dimension)
            self.force[: len(self.bias)] = self.bias
        self.rest = motion.rest_of_force(self.force)
        emf, current = controls["emf"], controls["current"]
        self.driven: bool = bool(emf.any() or current.any()) if same is None else same.driven
        if not self.driven:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            if same is not None and same.motion is motion:
                self.displacement: Array = same.displacement
            else:
                push = elements.directions.T @ (elements.conductance * emf)
                push = push + elements.source_directions.T @ current
                self.displacement = motion.displacement(push)
            self.rest = self.rest + self.displacement

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
        self.sums = self.carries = books(np.zeros(HEATS + accounts))
        self.turnover = self.opening = 0.0
        self.time = self.time_carry = 0.0
        #: Variances since the books were opened (0), and since every mark.
        self.tallies: dict[int, WorkVariance] = {}

    def copy(self) -> State:
        """A copy that goes on independently."""
        twin = State.__new__(State)
        twin.__dict__ = self.__dict__.copy()
        if self.tallies:
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


def books(amounts: Array) -> list[Amount]:
    """Amounts of the accounts before ``HEATS`` as numbers, and of those after in one array."""
    return [*amounts[:HEATS].tolist(), amounts[HEATS:]]


def post(state: State, posts: Posts) -> None:
    """Add the posts of one tick, by compensated summation."""
    sums, carries = state.sums.copy(), state.carries.copy()
    for account, amount in posts.items():
        old = sums[account]
        sums[account] = total = old + amount
        part = total - old
        carries[account] = carries[account] + ((old - (total - part)) + (amount - part))
    state.sums, state.carries = sums, carries
    heat = np.abs(posts[HEATS]).sum() if HEATS in posts else fabs(posts.get(HEAT, 0.0))
    state.turnover += fabs(posts.get(WORK, 0.0)) + float(heat)


def advance(state: State, duration: float) -> None:
    """Advance time, by compensated summation."""
    total = state.time + duration
    part = total - state.time
    state.time_carry += (state.time - (total - part)) + (duration - part)
    state.time = total
