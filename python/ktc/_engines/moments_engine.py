"""The moments engine: exact mean and covariance of infinitely many replicas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partialmethod
from typing import Any

import numpy as np

from ktc import _core
from ktc._base.codec import Saved
from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, refusing_overflow
from ktc._engines.engine import ControlArrays, WithoutReplicas, spread
from ktc._engines.moments_motion import ElementArrays, Motion
from ktc._engines.moments_ticks import (
    ENTROPY,
    HEAT,
    HEATS,
    INJECTED,
    SHADOW,
    SOURCE,
    SUPPLY,
    WORK,
    Amount,
    Posts,
    Setting,
    State,
    books,
    hold,
    post,
    update,
)
from ktc._engines.work_variance import WorkVariance
from ktc._model.controls import Controls
from ktc._model.network import Network

# Parts of the state that a snapshot holds.
ARRAYS, BOOKS = ("mean", "covariance"), ("sums", "carries")
NUMBERS = ("turnover", "opening", "time", "time_carry")


class MomentsEngine(WithoutReplicas):
    """``Engine`` of infinitely many replicas of a linear network.

    A linear network that starts normal stays normal. Its mean m and covariance P move by
    m′ = z* + A (m − z*), P′ = A P Aᵀ + Q over a hold. Accounts are ensemble means, arrays of one
    entry. Itemised heats are as ``moments_ticks`` derives them; they lose digits over long holds of
    circuits whose rates are more than four decades apart. Moments, work and total heat do not.

    Args:
        network: a linear network; the engine starts at its own controls.
        itemised: whether every account is told apart.
        start: (1, n), one state for all replicas; empty for the stationary state.
        variances: whether the variances of work, heat, supply and source are carried along.
        motions: number of pairs of stiffness and kT whose motion is kept for when they come back.
    """

    def __init__(
        self,
        network: Network,
        itemised: bool,
        start: Array,
        *,
        variances: bool = True,
        motions: int = 0,
    ) -> None:
        self.network, self.itemised, self._variances = network, itemised, variances
        # The sources of a circuit may be zero now, and driven later.
        self.driven = itemised or network.elements is not None
        self.netted = network.core.is_active
        self._motion_kind = "split" if itemised else "driven" if self.driven else "exact"
        self._elements = ElementArrays(network)
        self._motions: dict[tuple[bytes, bytes], Motion] = {}
        self._most_motions = motions
        self._state: State
        self.restart(network.controls.arrays(), start)

    @property
    def time(self) -> float:
        return self._state.time + self._state.time_carry

    def check(self, controls: Controls, network: Network | None = None) -> None:
        (network or self.network).core.check(controls.arrays(), self._motion_kind)
        refuse_quartic(controls.quartic, controls.potential)

    @refusing_overflow("kT, or kT/stiffness,")
    def restart(self, controls: ControlArrays, state: Array) -> None:
        accounts = self._elements.accounts if self.itemised else 0
        fresh = State(self._setting(controls, None), accounts)
        if state.size:
            self._place(fresh, state)
        self._state = self._with_new_books(fresh)

    @refusing_overflow("state, or a control,")
    def tick(self, changes: ControlArrays, duration: float | None) -> None:
        """Make an update, a hold, or both; an error or Ctrl-C leaves the state as it was."""
        state = self._state.copy()
        posts: Posts = {}
        if changes:
            controls = {**state.setting.controls, **changes}
            update(state, self._setting(controls, state.setting), posts)
        if duration is not None:
            setting = state.setting
            moved = setting.motion.hold(duration, self.itemised, setting.driven)
            hold(state, moved, self._elements, posts)
        post(state, posts)
        self._state = state

    @refusing_overflow("state, or a control,")
    def exchange(self, network: Network, changes: ControlArrays) -> None:
        twin = self.copy()
        posts: Posts = {}
        twin.network, twin._elements, twin._motions = network, ElementArrays(network), {}
        state = twin._state
        setting = twin._setting({**state.setting.controls, **changes}, None)
        update(state, setting, posts)
        post(state, posts)
        vars(self).update(vars(twin))

    @refusing_overflow("a source")
    def equilibrate(self) -> None:
        state = self._state.copy()
        state.mean = state.setting.rest
        state.covariance, state.settled = state.setting.motion.stationary, True
        self._state = self._with_new_books(state)

    def place(self, state: Array) -> None:
        """Place all replicas at one state, shape (1, n), except for filters."""
        placed = self._state.copy()
        self._place(placed, state)
        self._state = self._with_new_books(placed)

    def _place(self, new: State, state: Array) -> None:
        n = self._elements.dimension
        mean, covariance = new.mean.copy(), new.covariance.copy()
        mean[:n] = state[0]
        covariance[:n], covariance[:, :n] = 0.0, 0.0
        new.mean, new.covariance, new.settled = mean, covariance, False
        with np.errstate(over="ignore", invalid="ignore"):
            if not abs(new.energy()) <= _core.LARGEST_ENERGY:
                raise ValueError("state is so far out that its energy overflows")

    def open_books(self) -> None:
        self._state = self._with_new_books(self._state)

    def _with_new_books(self, state: State) -> State:
        """A copy of a state with all accounts at zero."""
        state = state.copy()
        state.sums = state.carries = books(np.zeros(HEATS + np.size(state.sums[HEATS])))
        state.turnover, state.opening = 0.0, state.energy()
        marks = {0, *state.tallies} if self._variances else ()
        state.tallies = {mark: WorkVariance(*state.form()) for mark in marks}
        return state

    def variances(self) -> dict[str, float]:
        """Variances of work, supply, source and heat over the ensemble.

        That of heat less injected energy, "net_heat", where generators act.
        """
        return self._variances_since(0)

    def _variances_since(self, mark: int) -> dict[str, float]:
        tally = self._state.tallies.get(mark)
        if tally is None:
            return {}
        found = tally.amounts(*self._state.form())
        return {name: each for name, each in found.items() if self.driven or name != "source"}

    @contextmanager
    def tally(self, saved: Saved | None = None) -> Iterator[Callable[[], dict[str, float]]]:
        mark = 1 + max(self._state.tallies, default=0)
        if self._variances:
            state = self._state.copy()
            fresh = WorkVariance(*state.form())
            state.tallies[mark] = fresh if not saved else self._tally_of(state, saved)
            self._state = state
        try:
            yield lambda: self._variances_since(mark)
        finally:
            self._state.tallies.pop(mark, None)

    def tallied(self) -> Saved:
        mark = max(self._state.tallies, default=0)
        return self._state.tallies[mark].snapshot() if mark else {}

    def mean(self) -> Array:
        return self._state.mean[: self._elements.dimension].copy()

    def moments(self, with_covariance: bool) -> tuple[Array, Array]:
        n = self._elements.dimension
        covariance = self._state.covariance[:n, :n].copy() if with_covariance else np.empty((0, 0))
        return self.mean(), covariance

    def energy(self) -> Array:
        return np.array([self._state.energy()])

    def energy_change(self) -> Array:
        return self.energy() - self._state.opening

    def heat_per_account(self) -> Array:
        return np.array([self._booked(HEATS)])

    def imbalance(self) -> float:
        """Violation of the first law of the means over Σ|work| + Σ|heats| + max|H|."""
        state = self._state
        now = state.energy()
        gains = sum(map(self._booked, (WORK, SOURCE, INJECTED, SHADOW)))
        gained = float(gains - self._booked(HEAT))
        scale = state.turnover + max(abs(now), abs(state.opening))
        return float(abs(now - state.opening - gained) / scale) if scale > 0 else 0.0

    def controls(self) -> dict[str, Array]:
        return dict(self._state.setting.controls)

    def surprisal(self) -> Array | None:
        """⟨−ln p⟩ = ½ ln det 2πe P of the state, shape (1,); None for a singular P."""
        n = self._elements.dimension
        found = spread(self._state.covariance[:n, :n])
        if found is None:
            return None
        width, _, values = found
        volume = 0.5 * np.sum(np.log(values)) + np.sum(np.log(width))
        return np.array([volume + 0.5 * n * np.log(2 * np.pi * np.e)])

    def copy(self) -> MomentsEngine:
        """An engine in the same state that goes on independently; motions are immutable."""
        twin = MomentsEngine.__new__(MomentsEngine)
        vars(twin).update(vars(self))
        twin._state = self._state.copy()
        return twin

    def snapshot(self) -> dict[str, Any]:
        state = self._state
        saved = {name: getattr(state, name) for name in (*ARRAYS, *NUMBERS, "settled")}
        saved |= {name: np.hstack(getattr(state, name)) for name in BOOKS}
        saved |= {f"spread_{name}": values for name, values in state.tallies[0].snapshot().items()}
        return {**saved, **state.setting.controls}

    def restore(self, saved: Mapping[str, Any]) -> None:
        state = self._state.copy()
        controls = {name: np.asarray(saved[name]) for name in _core.CONTROLS}
        state.setting = self._setting(controls, None)
        for name in ARRAYS:
            setattr(state, name, np.asarray(saved[name]))
        for name in BOOKS:
            setattr(state, name, books(np.asarray(saved[name])))
        for name in NUMBERS:
            setattr(state, name, float(saved[name]))
        state.settled = bool(saved["settled"])
        parts = {k.removeprefix("spread_"): v for k, v in saved.items() if k.startswith("spread_")}
        state.tallies = {0: self._tally_of(state, parts)}
        with np.errstate(over="ignore", invalid="ignore"):
            if not abs(state.energy()) <= _core.LARGEST_ENERGY:
                raise ValueError("mean and covariance are so large that the energy overflows")
        self._state = state

    def _tally_of(self, state: State, saved: Saved) -> WorkVariance:
        motion, driven = state.setting.motion, state.setting.driven
        return WorkVariance.of_snapshot(saved, lambda h: motion.hold(h, self.itemised, driven))

    def _booked(self, account: int) -> Amount:
        return self._state.sums[account] + self._state.carries[account]

    def _balance(self, account: int) -> Array:
        return np.array([self._booked(account)])

    work, heat = partialmethod(_balance, WORK), partialmethod(_balance, HEAT)
    supply, source = partialmethod(_balance, SUPPLY), partialmethod(_balance, SOURCE)
    injected, entropy = partialmethod(_balance, INJECTED), partialmethod(_balance, ENTROPY)
    shadow = partialmethod(_balance, SHADOW)  # zero: all moves are exact

    def _motion(self, controls: ControlArrays) -> Motion:
        if not self._most_motions:
            return Motion(self.network, self._elements, controls)
        key = controls["stiffness"].tobytes(), controls["kT"].tobytes()
        if key not in self._motions:
            if len(self._motions) >= self._most_motions:
                self._motions.clear()
            self._motions[key] = Motion(self.network, self._elements, controls)
        return self._motions[key]

    def _setting(self, controls: ControlArrays, previous: Setting | None) -> Setting:
        """Checked controls; the motion of the previous ones where it is the same."""
        old = {} if previous is None else previous.controls
        if controls["quartic"] is not old.get("quartic"):
            refuse_quartic(controls["quartic"], controls["potential"])
        steady = controls["emf"] is old.get("emf") and controls["current"] is old.get("current")
        if previous is not None and previous.motion.same_shape(controls):
            motion = previous.motion
            if not steady:
                self.network.core.check_sources(controls)
            if not (self.driven or steady):
                self.network.core.check(controls, "exact")
        else:
            self.network.core.check(controls, self._motion_kind)
            motion = self._motion(controls)
        setting = Setting(self._elements, controls, motion, previous if steady else None)
        # BLAS itself raises no warning of an overflow, which NumPy takes longer to silence.
        energy = scipy.linalg.blas.ddot(setting.force, setting.rest[: len(setting.force)])
        if setting.driven and not (steady and previous is not None and motion is previous.motion):
            setting.rest @ motion.hessian @ setting.rest  # overflows here rather than in a hold
        if not abs(energy) <= _core.LARGEST_ENERGY:
            raise ValueError(
                "bias is so large that the equilibrium energy overflows; scale it down"
            )
        return setting


def refuse_quartic(quartic: Array, potential: Array) -> None:
    """Refuse quartic units and potentials (ValueError)."""
    if quartic.any() or potential.size:
        kind = "potentials" if potential.size else "quartic units"
        raise ValueError(
            f"replicas must be finite for a network with {kind}: it is not Gaussian, so mean "
            "and covariance do not determine its distribution"
        )
