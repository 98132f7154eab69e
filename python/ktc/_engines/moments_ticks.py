"""State of the moments engine, its updates and holds, and what they book.

Heat of plain holds is −Δ⟨H⟩, as in exact moves; itemised, each account has its own integral, with
F P + P Fᵀ + D = 0 at the stationary P∞ and Δ = P + wwᵀ − P∞, w = m − z*:

    heat_r = g_r ∫⟨(d_r·∇H − e_r)²⟩ dt − kT_r g_r d_rᵀA d_r h
           = tr(Δ ∫e^{Fᵀt} W_r e^{Ft} dt) + g_r (2k_r (A d_r)·∫w dt + k_r² h) + power at P∞ · h

with W_r = g_r (A d_r)(A d_r)ᵀ and k_r the current's own force at rest. These carry the rounding of
what they are differences of, about 1e-16 kT_r g_r d_rᵀA d_r h: resolved heats of circuits whose
rates are more than four decades apart lose digits over long holds, and ``imbalance`` shows it.
"""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array
from ktc._engines.engine import ControlArrays
from ktc._engines.moments_motion import ElementArrays, Hold, Motion
from ktc._engines.work_variance import WorkVariance

# Accounts in the order of the core's ledger; itemised books have a heat for every account.
WORK, HEAT, SUPPLY, SOURCE, INJECTED, SHADOW, ENTROPY = range(7)
FIRST_HEAT = 7


class Setting:
    """Controls that hold, and the quantities of motion that depend on them."""

    def __init__(
        self,
        elements: ElementArrays,
        controls: ControlArrays,
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


def update(state: State, new: Setting, posts: Array) -> None:
    """Change the controls; book work, ⟨H(θ′) − H(θ)⟩ = ½ tr[ΔK (P + mmᵀ)] − Δb·m."""
    old, state.setting = state.setting, new
    change = np.zeros(len(state.mean))
    change[: len(new.force)] = old.force - new.force
    work, form = change @ state.mean, None
    if new.motion is not old.motion:
        state.settled = False
        for tally in state.tallies.values():
            tally.catch_up()
        if new.motion.stiffness is not old.motion.stiffness:
            form = new.motion.hessian - old.motion.hessian
            pull = form @ state.mean
            work += 0.5 * (pull @ state.mean + np.sum(form * state.covariance))
            change = change + pull
    if form is not None or change.any():
        for tally in state.tallies.values():
            tally.update(state.covariance, form, change)
    posts[WORK] = work


def hold(state: State, moved: Hold, elements: ElementArrays, posts: Array) -> None:
    """Move mean and covariance over a hold at held controls; book heat and supply."""
    setting, motion = state.setting, state.setting.motion
    mean, covariance = state.mean, state.covariance
    wound = mean - setting.rest
    after = setting.rest + moved.decay @ wound
    later = covariance
    if not state.settled:
        later = moved.decay @ covariance @ moved.decay.T + moved.covariance
        later = 0.5 * (later + later.T)
    step, d = after - mean, len(setting.bias)
    posts[SUPPLY] = setting.bias @ step[:d]
    if setting.driven:
        posts[SOURCE] = _source(setting, moved, elements, wound)
    if moved.itemised:
        _itemise(state, moved, elements, wound, posts)
    else:
        pull = motion.hessian @ (0.5 * (mean + after))
        force = setting.force
        posts[HEAT] = posts[SOURCE] + force @ step[: len(force)] - pull @ step
        if not state.settled:
            posts[HEAT] -= 0.5 * np.sum(motion.hessian * (later - covariance))
    if state.tallies:  # none where variances are not wanted
        bias = None
        if setting.bias.any():
            bias = np.zeros(elements.rows)
            bias[:d] = setting.bias
        driven = setting.driven or len(elements.noise_density) > 0
        for tally in state.tallies.values():
            tally.hold(moved, covariance, later, bias)
            tally.closed = tally.closed and not driven
    state.mean, state.covariance = after, later
    # Time by compensated summation, too.
    total = state.time + moved.duration
    part = total - state.time
    state.time_carry += (state.time - (total - part)) + (moved.duration - part)
    state.time = total


def _source(setting: Setting, moved: Hold, elements: ElementArrays, wound: Array) -> float:
    """Mean energy from sources, Σ_r ∫ e_r dξ_r + Σ_s ∫ I_s a_s·∇H dt."""
    assert moved.lag is not None  # of driven holds
    motion, emf, current = setting.motion, setting.controls["emf"], setting.controls["current"]
    path = moved.lag @ wound + setting.displacement * moved.duration
    swept = motion.slopes @ path - emf * moved.duration
    slope = motion.hessian @ path
    fed = elements.source_directions @ slope[: elements.dimension]
    return float(current @ fed - (emf * elements.conductance) @ swept)


def _itemise(
    state: State, moved: Hold, elements: ElementArrays, wound: Array, posts: Array
) -> None:
    """Book every account by its own integral over the hold."""
    setting, motion = state.setting, state.setting.motion
    assert moved.lag is not None  # of itemised holds
    excess = np.outer(wound, wound)
    if not state.settled:
        excess += state.covariance - motion.stationary
    amounts = motion.swept(moved, excess) + motion.stationary_rates * moved.duration
    heats = amounts[: elements.accounts]
    if setting.driven:
        at_rest = motion.slopes @ setting.displacement - setting.controls["emf"]
        swept = motion.slopes @ (moved.lag @ wound)
        heats = heats + elements.per_account(
            elements.conductance * at_rest * (2 * swept + at_rest * moved.duration)
        )
    posts[FIRST_HEAT:] = heats
    posts[HEAT] = heats.sum()
    if len(elements.noise_density):
        posts[INJECTED] = amounts[elements.accounts :].sum() + motion.white_rate * moved.duration
    warm = motion.kT > 0
    posts[ENTROPY] = np.sum(heats[warm] / motion.kT[warm])
