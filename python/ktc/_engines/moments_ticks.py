"""State of the moments engine, its updates and holds, and what they book.

Heat of plain holds is −Δ⟨H⟩, as in exact moves; itemised, each account has its own integral, with
F P + P Fᵀ + D = 0 at the stationary P∞ and Δ = P + wwᵀ − P∞, w = m − z*:

    heat_r = g_r ∫⟨(d_r·∇H − e_r)²⟩ dt − kT_r g_r d_rᵀA d_r h
           = tr(Δ ∫e^{Fᵀt} W_r e^{Ft} dt) + g_r (2k_r (A d_r)·∫w dt + k_r² h) + power at P∞ · h

with W_r = g_r (A d_r)(A d_r)ᵀ and k_r the current's own force at rest. These carry the rounding of
what they are differences of, about 1e-16 kT_r g_r d_rᵀA d_r h, and in e^{Ft} slow rates that of
fast ones, 1e-16 λ_fast/λ_slow: resolved heats of circuits whose rates are more than four decades
apart lose digits over long holds, and ``imbalance`` shows it.

Products in every tick are by ``ndarray.dot``, which takes half the time of ``@`` for few units.
"""

from __future__ import annotations

from math import fabs

import numpy as np

from ktc._base.cached import cached_property
from ktc._base.validation import Array
from ktc._engines.engine import ControlArrays
from ktc._engines.moments_motion import ElementArrays, Hold, Motion
from ktc._engines.work_variance import Feed, WorkVariance

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
        controls: ControlArrays,
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

    @cached_property
    def feed(self) -> Feed:
        """Fluctuations of the energy from the sources."""
        return Feed(*self.motion.feed(self.controls["emf"], self.controls["current"]))

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


def update(state: State, new: Setting, posts: Posts) -> None:
    """Change the controls; book work, ⟨H(θ′) − H(θ)⟩ = ½ tr[ΔK (P + mmᵀ)] − Δb·m."""
    old, state.setting = state.setting, new
    change = new.motion.with_filters(old.force - new.force)
    work, form = change.dot(state.mean), None
    if new.motion is not old.motion:
        state.settled = False
        for tally in state.tallies.values():
            tally.catch_up()
        if new.motion.stiffness is not old.motion.stiffness:
            form = new.motion.hessian - old.motion.hessian
            pull = form.dot(state.mean)
            work += 0.5 * (pull.dot(state.mean) + (form * state.covariance).sum())
            change = change + pull
    if state.tallies and (form is not None or change.any()):
        for tally in state.tallies.values():
            tally.update(state.covariance, form, change)
    posts[WORK] = float(work)


def hold(state: State, moved: Hold, elements: ElementArrays, posts: Posts) -> None:
    """Move mean and covariance over a hold at held controls; book heat and supply."""
    setting, motion = state.setting, state.setting.motion
    mean, covariance = state.mean, state.covariance
    wound = mean - setting.rest
    after = setting.rest + moved.decay.dot(wound)
    later = covariance
    if not state.settled:
        later = moved.decay.dot(covariance).dot(moved.decay.T) + moved.covariance
        later = 0.5 * (later + later.T)
    step, d = after - mean, len(setting.bias)
    posts[SUPPLY] = supply = float(setting.bias.dot(step[:d]))
    source = 0.0
    if setting.driven:
        posts[SOURCE] = source = _source(setting, moved, elements, wound)
    if moved.itemised:
        _itemise(state, moved, elements, wound, posts)
    else:
        pull, force = motion.hessian.dot(mean + after), setting.force
        pushed = supply if force is setting.bias else float(force.dot(step[: len(force)]))
        heat = source + pushed - 0.5 * float(pull.dot(step))
        if not state.settled:
            heat -= 0.5 * float((motion.hessian * (later - covariance)).sum())
        posts[HEAT] = heat
    if state.tallies:  # none where variances are not wanted
        bias = None
        if setting.bias.any():
            bias = np.zeros(elements.rows)
            bias[:d] = setting.bias
        feed = setting.feed if setting.driven else None
        apart = not (len(elements.noise_density) or elements.active)
        for tally in state.tallies.values():
            tally.hold(moved, covariance, later, bias, feed)
            tally.closed = tally.closed and apart
    state.mean, state.covariance = after, later
    # Time by compensated summation, too.
    total = state.time + moved.duration
    part = total - state.time
    state.time_carry += (state.time - (total - part)) + (moved.duration - part)
    state.time = total


def _source(setting: Setting, moved: Hold, elements: ElementArrays, wound: Array) -> float:
    """Mean energy from sources, Σ_r ∫ e_r dξ_r + Σ_s ∫ I_s (a_s·∇H) dt, or as in ActiveFlow."""
    assert moved.lag is not None  # of driven holds
    motion, emf, current = setting.motion, setting.controls["emf"], setting.controls["current"]
    path = moved.lag @ wound + setting.displacement * moved.duration
    swept = motion.slopes @ path - emf * moved.duration
    slope = motion.hessian @ path
    fed = elements.readings @ slope[: elements.dimension]
    if elements.reading_conductance is not None:
        fed = fed + elements.reading_conductance @ current * moved.duration
    return float(current @ fed - (emf * elements.conductance) @ swept)


def _itemise(
    state: State, moved: Hold, elements: ElementArrays, wound: Array, posts: Posts
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
    posts[HEATS], posts[HEAT] = heats, float(heats.sum())
    if len(elements.noise_density):
        injected = amounts[elements.accounts :].sum() + motion.white_rate * moved.duration
        posts[INJECTED] = float(injected)
    warm = motion.kT > 0
    with np.errstate(over="ignore", invalid="ignore"):
        posts[ENTROPY] = entropy = float(np.sum(heats[warm] / motion.kT[warm]))
    if not np.isfinite(entropy):
        raise ValueError(
            f"duration is {moved.duration:g}, so long that the entropy flow leaves the range of "
            "numbers; make it shorter"
        )
