"""The moments engine: exact mean and covariance of infinitely many replicas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import scipy  # imports scipy.linalg when it is first used

from ktc import _core
from ktc._base.validation import Array
from ktc._engines.element_arrays import ElementArrays
from ktc._engines.engine import ControlArrays
from ktc._engines.moments_motion import Motion
from ktc._engines.moments_state import (
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
    post,
)
from ktc._engines.moments_ticks import hold, update
from ktc._engines.without_replicas import WithoutReplicas
from ktc._engines.work_variance import WorkVariance
from ktc._model.controls import Controls
from ktc._model.network import Network


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
        variances: whether the variances of work, heat and supply are carried along.
        motions: number of pairs of stiffness and kT whose motion is kept for when they come back.

    Raises:
        ValueError: quartic units, or controls that the motion cannot hold.
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
        self._network, self.itemised, self._variances = network, itemised, variances
        self._elements = ElementArrays.of(network)
        self._motions: dict[tuple[bytes, bytes], Motion] = {}
        self._most_motions = motions
        self._state: State
        setting = self._setting(network.controls.arrays(), None)
        self._begin(setting, start)

    def _begin(self, setting: Setting, start: Array) -> None:
        self._state = State(setting, self._elements.accounts if self.itemised else 0)
        if start.size:
            self.place(start)
        else:
            self.open_books()

    @property
    def time(self) -> float:
        """Time since the start."""
        return self._state.time + self._state.time_carry

    def check(self, controls: Controls) -> None:
        """Refuse controls that the motion cannot hold."""
        self._network.core.check(controls.arrays(), self._motion_kind)
        refuse_quartic(controls.quartic)

    def restart(self, controls: ControlArrays, state: Array) -> None:
        """Go back to the start."""
        self._begin(self._setting(controls, None), state)

    def set(self, changes: ControlArrays) -> None:
        """Update controls: books work. Controls that are not given stay as they are."""
        self._tick(changes, None)

    def hold(self, duration: float) -> None:
        """Evolve at held controls."""
        self._tick({}, duration)

    def play(
        self,
        holds: Array,
        waveforms: ControlArrays,
        statistics: _core.Statistics | None = None,
    ) -> int:
        """Play ticks, each an update and a hold; return how many were played."""
        for tick, duration in enumerate(holds.tolist()):
            self._tick({name: values[tick] for name, values in waveforms.items()}, duration)
        return len(holds)

    def _tick(self, changes: ControlArrays, duration: float | None) -> None:
        """An update, a hold, or both: what fails or is interrupted leaves the state whole."""
        state = self._state.copy()
        posts: Posts = {}
        if changes:
            controls = {**state.setting.controls, **changes}
            update(state, self._setting(controls, state.setting), posts)
        if duration is not None:
            moved = state.setting.motion.hold(duration, self.itemised)
            hold(state, moved, self._elements, posts)
        post(state, posts)
        self._state = state

    def equilibrate(self) -> None:
        """Go to the stationary state at the present controls; opens new books."""
        state = self._state.copy()
        state.mean = state.setting.rest
        state.covariance, state.settled = state.setting.motion.stationary, True
        self._state = state
        self.open_books()

    def place(self, state: Array) -> None:
        """Place all replicas at one state, shape (1, n), filters excepted; opens new books."""
        new, n = self._state.copy(), self._elements.dimension
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
        """Set all accounts to zero."""
        state = self._state.copy()
        state.sums = state.carries = books(np.zeros(HEATS + np.size(state.sums[HEATS])))
        state.turnover, state.opening = 0.0, state.energy()
        marks = {0, *state.tallies} if self._variances else ()
        state.tallies = {mark: WorkVariance(*state.form()) for mark in marks}
        self._state = state

    def variances(self) -> dict[str, float]:
        """Variances of work, supply and heat over the ensemble; heat only where it is W − ΔH."""
        return self._variances_since(0)

    def _variances_since(self, mark: int) -> dict[str, float]:
        tally = self._state.tallies.get(mark)
        return {} if tally is None else tally.amounts(*self._state.form())

    @contextmanager
    def tally(self) -> Iterator[Callable[[], dict[str, float]]]:
        """Inside, a call returns ``variances`` of what was booked since it was entered."""
        mark = 1 + max(self._state.tallies, default=0)
        if self._variances:
            state = self._state.copy()
            state.tallies[mark] = WorkVariance(*state.form())
            self._state = state
        try:
            yield lambda: self._variances_since(mark)
        finally:
            self._state.tallies.pop(mark, None)

    def mean(self) -> Array:
        """Mean of the state."""
        return self._state.mean[: self._elements.dimension].copy()

    def moments(self, with_covariance: bool) -> tuple[Array, Array]:
        """Mean and covariance of the state."""
        n = self._elements.dimension
        covariance = self._state.covariance[:n, :n].copy() if with_covariance else np.empty((0, 0))
        return self.mean(), covariance

    def energy(self) -> Array:
        """⟨H⟩, shape (1,)."""
        return np.array([self._state.energy()])

    def energy_change(self) -> Array:
        """⟨H⟩ now minus that when the books were opened."""
        return self.energy() - self._state.opening

    def work(self) -> Array:
        """Mean work, shape (1,), like the accounts below."""
        return self._balance(WORK)

    def heat(self) -> Array:
        """Mean heat into all resistors."""
        return self._balance(HEAT)

    def supply(self) -> Array:
        """Mean energy delivered by the bias sources."""
        return self._balance(SUPPLY)

    def source(self) -> Array:
        """Mean energy from sources outside H."""
        return self._balance(SOURCE)

    def injected(self) -> Array:
        """Mean energy from noise generators."""
        return self._balance(INJECTED)

    def shadow(self) -> Array:
        """Zero: all moves are exact."""
        return self._balance(SHADOW)

    def entropy(self) -> Array:
        """Mean entropy that flowed into the baths."""
        return self._balance(ENTROPY)

    def heat_per_account(self) -> Array:
        """Mean heat of each account, shape (1, accounts)."""
        return np.array([self._booked(HEATS)])

    def imbalance(self) -> float:
        """The first law of the means, relative to Σ|work| + Σ|heats| + max|H|."""
        state = self._state
        now = state.energy()
        gains = sum(map(self._booked, (WORK, SOURCE, INJECTED, SHADOW)))
        gained = float(gains - self._booked(HEAT))
        scale = state.turnover + max(abs(now), abs(state.opening))
        return float(abs(now - state.opening - gained) / scale) if scale > 0 else 0.0

    def controls(self) -> dict[str, Array]:
        """The controls that hold now."""
        return dict(self._state.setting.controls)

    def surprisal(self) -> Array | None:
        """⟨−ln p⟩ = ½ ln det 2πe P of the state, shape (1,); None for a singular P."""
        n = self._elements.dimension
        covariance = self._state.covariance[:n, :n]
        width = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
        if not (width > 0).all():
            return None
        values = np.linalg.eigvalsh(covariance / np.outer(width, width))
        if values[0] < 1e-13 * n:
            return None
        volume = 0.5 * np.sum(np.log(values)) + np.sum(np.log(width))
        return np.array([volume + 0.5 * n * np.log(2 * np.pi * np.e)])

    def copy(self) -> MomentsEngine:
        """An engine in the same state that goes on independently; motions are immutable."""
        twin = MomentsEngine.__new__(MomentsEngine)
        vars(twin).update(vars(self))
        twin._state = self._state.copy()
        return twin

    def snapshot(self) -> dict[str, Any]:
        """Everything that ``restore`` needs to go on with the same bits."""
        state = self._state
        names = ("mean", "covariance", "settled", "turnover", "opening", "time", "time_carry")
        saved = {name: getattr(state, name) for name in names}
        saved |= {"sums": np.hstack(state.sums), "carries": np.hstack(state.carries)}
        saved |= {f"spread_{name}": values for name, values in state.tallies[0].snapshot().items()}
        return {**saved, **state.setting.controls}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Return to the state of a snapshot."""
        state = self._state.copy()
        state.setting = self._setting(
            {name: np.asarray(saved[name]) for name in _core.CONTROLS}, None
        )
        present = self.snapshot()
        for name in ("mean", "covariance", "sums", "carries"):
            values = np.asarray(saved[name])
            if values.shape != present[name].shape:
                raise ValueError(f"{name} is of shape {values.shape}")
            setattr(state, name, books(values) if name in ("sums", "carries") else values)
        for name in ("turnover", "opening", "time", "time_carry"):
            setattr(state, name, float(saved[name]))
        state.settled = bool(saved["settled"])
        prefix = "spread_"
        parts = {k[len(prefix) :]: v for k, v in saved.items() if k.startswith(prefix)}
        motion = state.setting.motion
        state.tallies = {
            0: WorkVariance.of_snapshot(parts, lambda h: motion.hold(h, self.itemised))
        }
        self._state = state

    def _booked(self, account: int) -> Amount:
        return self._state.sums[account] + self._state.carries[account]

    def _balance(self, account: int) -> Array:
        return np.array([self._booked(account)])

    @property
    def _motion_kind(self) -> str:
        return "split" if self.itemised else "exact"

    def _motion(self, controls: ControlArrays) -> Motion:
        if not self._most_motions:
            return Motion(self._network, self._elements, controls)
        key = controls["stiffness"].tobytes(), controls["kT"].tobytes()
        found = self._motions.get(key)
        if found is None:
            if len(self._motions) >= self._most_motions:
                self._motions.clear()
            found = self._motions[key] = Motion(self._network, self._elements, controls)
        return found

    def _setting(self, controls: ControlArrays, previous: Setting | None) -> Setting:
        """Checked controls; the motion of the previous ones where it is the same."""
        old = {} if previous is None else previous.controls
        if controls["quartic"] is not old.get("quartic"):
            refuse_quartic(controls["quartic"])
        steady = controls["emf"] is old.get("emf") and controls["current"] is old.get("current")
        if previous is not None and previous.motion.same_shape(controls):
            motion = previous.motion
            if not (self.itemised or steady):
                self._network.core.check(controls, "exact")
        else:
            self._network.core.check(controls, self._motion_kind)
            motion = self._motion(controls)
        setting = Setting(self._elements, controls, motion, previous if steady else None)
        # BLAS itself raises no warning of an overflow, which NumPy takes longer to silence.
        energy = scipy.linalg.blas.ddot(setting.force, setting.rest[: len(setting.force)])
        if not abs(energy) <= _core.LARGEST_ENERGY:
            raise ValueError(
                "bias is so large that the equilibrium energy overflows; scale it down"
            )
        return setting


def refuse_quartic(quartic: Array) -> None:
    """Refuse quartic units (ValueError)."""
    if quartic.any():
        raise ValueError(
            "replicas must be finite for a network with quartic units: it is not Gaussian, so mean "
            "and covariance do not determine its distribution"
        )
