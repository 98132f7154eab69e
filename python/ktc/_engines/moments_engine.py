"""The engine of an infinite ensemble: exact mean and covariance in place of replicas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, TypeAlias

import numpy as np

from ktc import _core
from ktc._base.validation import Array
from ktc._engines.element_arrays import Wiring
from ktc._engines.moments_motion import Hold, Motion
from ktc._engines.moments_state import (
    ENTROPY,
    FIRST_HEAT,
    HEAT,
    INJECTED,
    SHADOW,
    SOURCE,
    SUPPLY,
    WORK,
    Setting,
    State,
    advance,
    post,
)
from ktc._engines.work_variance import Spread
from ktc._model.network import Network


class GaussianEngine:
    """The calls of ``_core.Engine`` for infinitely many replicas of a linear network.

    A linear network that starts normal stays normal, and its mean m and covariance P move by
    m′ = z* + A (m − z*), P′ = A P Aᵀ + Q over a hold. Accounts are ensemble means, arrays of one
    entry. Heat of plain holds is −Δ⟨H⟩, as of exact moves; itemised, each account has its own
    integral, with F P + P Fᵀ + D = 0 at the stationary P∞ and Δ = P + wwᵀ − P∞, w = m − z*:

        heat_r = g_r ∫⟨(d_r·∇H − e_r)²⟩ dt − kT_r g_r d_rᵀA d_r h
               = tr(Δ ∫e^{Fᵀt} W_r e^{Ft} dt) + g_r (2k_r (A d_r)·∫w dt + k_r² h) + power at P∞ · h

    with W_r = g_r (A d_r)(A d_r)ᵀ and k_r the current's own force at rest. These carry the rounding
    of what they are differences of, some 1e-16 kT_r g_r d_rᵀA d_r h: resolved heats of circuits
    whose rates are more than four decades apart lose digits over long holds, and ``imbalance``
    shows it. Moments, work and the heat of plain holds do not.
    """

    #: Books either tell all accounts apart or are those of exact moves.
    pooled = False

    def __init__(
        self, network: Network, controls: Mapping[str, Any], itemised: bool, state: Array
    ) -> None:
        self._network, self.itemised = network, itemised
        self._wiring = Wiring.of(network)
        self._state: State
        setting = self._setting(dict(controls), None)
        accounts = FIRST_HEAT + (self._wiring.accounts if itemised else 0)
        self._state = State(setting, accounts)
        if state.size:
            self.place(state)
        else:
            self.open_books()

    @property
    def time(self) -> float:
        """Time since the start."""
        return self._state.time + self._state.time_carry

    def set(self, changes: Mapping[str, Any]) -> None:
        """One control update: books work. Controls that are not given stay as they are."""
        state = self._state.copy()
        posts = np.zeros_like(state.sums)
        controls = {**state.setting.controls, **changes}
        self._update(state, self._setting(controls, state.setting), posts)
        post(state, posts)
        self._state = state

    def hold(self, duration: float) -> None:
        """Evolves at held controls."""
        self.play(np.array([duration]), {})

    def play(self, holds: Array, waveforms: Mapping[str, Array]) -> int:
        """Plays ticks, each an update and a hold; returns how many were done."""
        for tick, hold in enumerate(holds.tolist()):
            state = self._state.copy()
            posts = np.zeros_like(state.sums)
            if waveforms:
                row = {name: values[tick] for name, values in waveforms.items()}
                controls = {**state.setting.controls, **row}
                self._update(state, self._setting(controls, state.setting), posts)
            self._hold(state, state.setting.motion.hold(hold, self.itemised), posts)
            post(state, posts)
            self._state = state
        return len(holds)

    def equilibrate(self) -> None:
        """The stationary state at the present controls; opens new books."""
        state = self._state.copy()
        state.mean = state.setting.rest
        state.covariance, state.settled = state.setting.motion.stationary, True
        self._state = state
        self.open_books()

    def place(self, state: Array) -> None:
        """All replicas at one state, shape (1, n); filters go on as they were. New books."""
        new, n = self._state.copy(), self._wiring.dimension
        mean, covariance = new.mean.copy(), new.covariance.copy()
        mean[:n] = state[0]
        covariance[:n], covariance[:, :n] = 0.0, 0.0
        new.mean, new.covariance, new.settled = mean, covariance, False
        with np.errstate(over="ignore", invalid="ignore"):
            if not abs(new.energy()) <= _core.LARGEST_ENERGY:
                raise ValueError("state is so far out that its energy overflows")
        self._state = new
        self.open_books()

    def open_books(self) -> None:
        """All accounts are zero from here."""
        state = self._state.copy()
        state.sums, state.carries = np.zeros_like(state.sums), np.zeros_like(state.carries)
        state.turnover, state.opening = 0.0, state.energy()
        state.spreads = {mark: Spread(*state.form()) for mark in {0, *state.spreads}}
        self._state = state

    def mark(self) -> int:
        """A name under which ``variances`` may be asked for since here, until it is released."""
        state = self._state.copy()
        mark = 1 + max(state.spreads)
        state.spreads[mark] = Spread(*state.form())
        self._state = state
        return mark

    def release(self, mark: int) -> None:
        """Nobody asks for this mark any more."""
        self._state.spreads.pop(mark, None)

    def variances(self, mark: int = 0) -> dict[str, float]:
        """Variances of work, supply and heat over the ensemble; heat only where it is W − ΔH.

        Of what was booked since the mark; 0 is where the books were opened.
        """
        return self._state.spreads[mark].amounts(*self._state.form())

    def read(self, begin: int, end: int) -> NoReturn:
        """Refused: there are no replicas."""
        raise ValueError(
            "an infinite ensemble has no replicas to read, but moments(); "
            "make the emulator with a finite number of replicas for samples"
        )

    def mean(self) -> Array:
        """Mean of the state."""
        return self._state.mean[: self._wiring.dimension].copy()

    def moments(self, with_covariance: bool) -> tuple[Array, Array]:
        """Mean and covariance of the state."""
        n = self._wiring.dimension
        covariance = self._state.covariance[:n, :n].copy() if with_covariance else np.empty((0, 0))
        return self.mean(), covariance

    def energy(self) -> Array:
        """⟨H⟩, shape (1,)."""
        return np.array([self._state.energy()])

    def energy_change(self) -> Array:
        """⟨H⟩ now minus that when the books were opened."""
        return self.energy() - self._state.opening

    def work(self) -> Array:
        """As of ``_core.Engine``, shape (1,), like the following."""
        return self._balance(WORK)

    def heat(self) -> Array:
        """Of all resistors."""
        return self._balance(HEAT)

    def supply(self) -> Array:
        """Of the bias sources."""
        return self._balance(SUPPLY)

    def source(self) -> Array:
        """Of sources outside H."""
        return self._balance(SOURCE)

    def injected(self) -> Array:
        """Of noise generators."""
        return self._balance(INJECTED)

    def shadow(self) -> Array:
        """Zero: all moves are exact."""
        return self._balance(SHADOW)

    def entropy(self) -> Array:
        """Into the baths."""
        return self._balance(ENTROPY)

    def heat_per_account(self) -> Array:
        """Shape (1, accounts)."""
        return (self._state.sums + self._state.carries)[None, FIRST_HEAT:]

    def imbalance(self) -> float:
        """The first law of the means, relative to Σ|work| + Σ|heats| + max|H|."""
        state = self._state
        now = state.energy()
        booked = state.sums + state.carries
        gained = booked[[WORK, SOURCE, INJECTED, SHADOW]].sum() - booked[HEAT]
        scale = state.turnover + max(abs(now), abs(state.opening))
        return float(abs(now - state.opening - gained) / scale) if scale > 0 else 0.0

    def controls(self) -> dict[str, Array]:
        """The controls that hold now."""
        return dict(self._state.setting.controls)

    def surprisal(self) -> Array | None:
        """⟨−ln p⟩ = ½ ln det 2πe P of the state, shape (1,); None for a singular P."""
        n = self._wiring.dimension
        covariance = self._state.covariance[:n, :n]
        width = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
        if not (width > 0).all():
            return None
        values = np.linalg.eigvalsh(covariance / np.outer(width, width))
        if values[0] < 1e-13 * n:
            return None
        volume = 0.5 * np.sum(np.log(values)) + np.sum(np.log(width))
        return np.array([volume + 0.5 * n * np.log(2 * np.pi * np.e)])

    def copy(self) -> GaussianEngine:
        """One in the same state that goes on by itself; motions are shared, being immutable."""
        twin = GaussianEngine.__new__(GaussianEngine)
        vars(twin).update(vars(self))
        twin._state = self._state.copy()
        return twin

    def snapshot(self) -> dict[str, Any]:
        """Everything that a resumed run needs to give the same bits."""
        state = self._state
        names = ("mean", "covariance", "settled", "sums", "carries", "turnover", "opening")
        saved = {name: getattr(state, name) for name in (*names, "time", "time_carry")}
        saved |= {f"spread_{name}": values for name, values in state.spreads[0].pack().items()}
        return {**saved, **state.setting.controls}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """The state of a snapshot."""
        state = self._state.copy()
        state.setting = self._setting(
            {name: np.asarray(saved[name]) for name in _core.CONTROLS}, None
        )
        for name in ("mean", "covariance", "sums", "carries"):
            if np.shape(saved[name]) != np.shape(getattr(state, name)):
                raise ValueError(f"{name} is of shape {np.shape(saved[name])}")
            setattr(state, name, np.asarray(saved[name]))
        for name in ("turnover", "opening", "time", "time_carry"):
            setattr(state, name, float(saved[name]))
        state.settled = bool(saved["settled"])
        prefix = "spread_"
        parts = {k[len(prefix) :]: v for k, v in saved.items() if k.startswith(prefix)}
        motion = state.setting.motion
        state.spreads = {0: Spread.unpack(parts, lambda h: motion.hold(h, self.itemised))}
        self._state = state

    def _balance(self, account: int) -> Array:
        return np.array([self._state.sums[account] + self._state.carries[account]])

    def _setting(self, controls: dict[str, Any], previous: Setting | None) -> Setting:
        """Checked controls; the motion of the previous ones where it is the same."""
        if previous is None or controls["quartic"] is not previous.controls["quartic"]:
            refuse_quartic(controls["quartic"])
        if previous is not None and previous.motion.same_shape(controls):
            motion = previous.motion
            if not (self.itemised or previous.has(controls["emf"], controls["current"])):
                self._network.core.check(controls, "exact")
        else:
            self._network.core.check(controls, "split" if self.itemised else "exact")
            motion = Motion(self._network, self._wiring, controls)
        with np.errstate(over="ignore", invalid="ignore"):
            setting = Setting(self._wiring, controls, motion, previous)
            energy = abs(setting.force @ setting.rest[: len(setting.force)])
        if not energy <= _core.LARGEST_ENERGY:
            raise ValueError(
                "bias is so large that the equilibrium energy overflows; scale it down"
            )
        return setting

    def _update(self, state: State, new: Setting, posts: Array) -> None:
        """⟨H(θ′) − H(θ)⟩ = ½ tr[ΔK (P + mmᵀ)] − Δb·m."""
        old, state.setting = state.setting, new
        change = np.zeros(self._wiring.rows)
        change[: len(new.force)] = old.force - new.force
        work, form = change @ state.mean, None
        if new.motion is not old.motion:
            state.settled = False
            for spread in state.spreads.values():
                spread.catch_up()
            if new.motion.stiffness is not old.motion.stiffness:
                form = new.motion.hessian - old.motion.hessian
                pull = form @ state.mean
                work += 0.5 * (pull @ state.mean + np.sum(form * state.covariance))
                change = change + pull
        if form is not None or change.any():
            for spread in state.spreads.values():
                spread.update(state.covariance, form, change)
        posts[WORK] = work

    def _hold(self, state: State, hold: Hold, posts: Array) -> None:
        setting, motion = state.setting, state.setting.motion
        mean, covariance = state.mean, state.covariance
        wound = mean - setting.rest
        after = setting.rest + hold.decay @ wound
        later = covariance
        if not state.settled:
            later = hold.decay @ covariance @ hold.decay.T + hold.covariance
            later = 0.5 * (later + later.T)
        step, d = after - mean, len(setting.bias)
        posts[SUPPLY] = setting.bias @ step[:d]
        if self.itemised:
            self._items(state, hold, wound, posts)
        else:
            pull = motion.hessian @ (0.5 * (mean + after))
            force = setting.force
            posts[HEAT] = force @ step[: len(force)] - pull @ step
            if not state.settled:
                posts[HEAT] -= 0.5 * np.sum(motion.hessian * (later - covariance))
        bias = None
        if setting.bias.any():
            bias = np.zeros(self._wiring.rows)
            bias[:d] = setting.bias
        driven = setting.driven or len(self._wiring.noise_density) > 0
        for spread in state.spreads.values():
            spread.hold(hold, covariance, later, bias)
            spread.closed = spread.closed and not driven
        state.mean, state.covariance = after, later
        advance(state, hold.duration)

    def _items(self, state: State, hold: Hold, wound: Array, posts: Array) -> None:
        """Every account by its own integral over the hold."""
        w, setting, motion = self._wiring, state.setting, state.setting.motion
        assert hold.lag is not None  # of itemised holds
        excess = np.outer(wound, wound)
        if not state.settled:
            excess += state.covariance - motion.stationary
        amounts = motion.swept(hold, excess) + motion.stationary_rates * hold.duration
        heats = amounts[: w.accounts]
        if setting.driven:
            emf, current = setting.controls["emf"], setting.controls["current"]
            integral = hold.lag @ wound
            at_rest = motion.slopes @ setting.displacement - emf
            swept = motion.slopes @ integral
            heats = heats + w.per_account(
                w.conductance * at_rest * (2 * swept + at_rest * hold.duration)
            )
            posts[SOURCE] = -(emf * w.conductance) @ (swept + at_rest * hold.duration)
            path = motion.hessian @ (integral + setting.displacement * hold.duration)
            posts[SOURCE] += current @ (w.source_directions @ path[: w.dimension])
        posts[FIRST_HEAT:] = heats
        posts[HEAT] = heats.sum()
        if len(w.noise_density):
            posts[INJECTED] = amounts[w.accounts :].sum() + motion.white_rate * hold.duration
        warm = motion.kT > 0
        posts[ENTROPY] = np.sum(heats[warm] / motion.kT[warm])


#: What an emulator operates.
Engine: TypeAlias = _core.Engine | GaussianEngine


def refuse_quartic(quartic: Array) -> None:
    """Refuses what is not Gaussian."""
    if quartic.any():
        raise ValueError(
            "replicas must be finite for a network with quartic units: it is not Gaussian, "
            "so mean and covariance are not all there is"
        )
