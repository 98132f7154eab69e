"""Fluctuations of averages about the path of a run, measured on replicas that replay its controls.

For models without a closed form, such as coupled quartic units, and for hidden units, whose
gradient has the noise of a second ensemble, clamped at the data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array
from ktc._emulation.emulator import Emulator
from ktc._learning.fluctuations import Fluctuations, Path
from ktc._learning.positive_phase import ClampedPhase
from ktc._model.parameters import Parameters
from ktc._theory.gaussian import symmetrized
from ktc._theory.geometry import Geometry

#: Number of the random stream of the replay, and of its replicas.
STREAM, REPLICAS = 0x6B747270, 2000
#: Updates that a measured ζ takes the correlations of, as a share of all.
WINDOW = 1 / 64
#: Least and largest share of a mode's correlation that a tick leaves.
SHARES = 1e-6, 1 - 1e-6


class Hidden(NamedTuple):
    """Hidden units of a model, and what visible ones are clamped at.

    Attributes:
        units: numbers of the hidden units.
        mean, scatter: mean and covariance of the data, shapes (visible,) and (visible, visible).
        share: replicas of the run over clamped ones.
    """

    units: NDArray[np.intp]
    mean: Array
    scatter: Array
    share: float


@dataclass(frozen=True)
class SampledFluctuations(Fluctuations):
    """Fluctuations of all ∂H/∂θ, those of a clamped ensemble behind them.

    Attributes:
        to_gradient: M with g = M y + constant, shape (p, m).
        at_rest: ⟨∂_θH⟩ at equilibrium at the last controls, shape (p,).
        metric: F and ζ at an update, as the replay shows them.
    """

    to_gradient: Array = field(kw_only=True)
    at_rest: Array = field(kw_only=True)
    metric: Callable[[int], Geometry] = field(kw_only=True)


class _Replay:
    """Moments of ∂H/∂θ, for all θ that the energy is linear in, over replicas at each update.

    Attributes:
        means: shape (n + 1, m).
        noise: covariance that noise alone brings about, within replicas of the same visible state.
        spread, lagged: covariance, and that with the next update's, shapes (n + 1, m, m) and
            (n, m, m).
    """

    def __init__(self, updates: int, averages: int) -> None:
        self.means = np.empty((updates, averages))
        self.noise, self.spread, self.lagged = np.empty((3, updates, averages, averages))
        self._last: Array | None = None

    def see(self, k: int, forces: Array, pairs: bool) -> None:
        """Take in ∂H/∂θ of the replicas at an update; ``pairs`` of rows have a visible state."""
        self.means[k] = forces.mean(axis=0)
        deviations = forces - self.means[k]
        self.spread[k] = deviations.T @ deviations / len(forces)
        half = deviations[::2] - deviations[1::2]
        self.noise[k] = half.T @ half / len(forces) if pairs else self.spread[k]
        if self._last is not None:
            self.lagged[k - 1] = deviations.T @ self._last / len(forces)
        self._last = deviations

    def response(self, own: Array, kT: float, share: float) -> tuple[Array, Array, Array]:
        """Noise, L and B of holds, with N over the number of replicas as ``share`` of the noise.

        L is the regression of y after a hold on y before.
        """
        decay = self.lagged[:-1] @ np.linalg.pinv(self.spread[:-1], hermitian=True)
        push = (decay - np.eye(len(own.T))) @ (self.noise[:-1] @ own.T) / kT
        kept = decay @ self.spread[:-1] @ np.swapaxes(decay, 1, 2)
        noise = np.concatenate([self.noise[:1], self.spread[1:] - kept])
        return share * noise, decay, push


def of_replay(path: Path, seed: int | None, hidden: Hidden | None) -> SampledFluctuations | None:
    """Fluctuations that 2000 replicas show under the controls of the run; None where too many are
    followed, or units have potentials.

    About equilibrium at the controls of the time, y responds to δθ by −Cov(y, ∂_θH) δθ/kT. It takes
    as long as a run of so many replicas, and of as many clamped ones where there are hidden units.
    """
    net, learned, start = path.network, path.exact.parameters, path.exact.start
    quartic = net.quartic.any() or "quartic" in learned.names
    every = Parameters(start, ("bias", "stiffness", *(["quartic"] if quartic else [])))
    shares = [1.0] if hidden is None else [1.0, hidden.share]
    many = every.size * len(shares)
    steady = net.inertia is None and net.has_friction
    if not steady or net.controls.on_site or path.too_long(many):
        return None
    numbers = np.random.SeedSequence([seed or 0, STREAM]).generate_state(3, np.uint64).tolist()
    replays = _replayed(path, every, numbers, hidden)
    after = replace(start, network=net.with_controls(path.controls(path.theta[-1])))
    rest = Emulator(after, REPLICAS, numbers[2], 1).read()
    own = _own_forces(every, learned, rest)
    if path.exact.known:
        at_rest = path.exact.forces(after.network.controls)
    else:
        at_rest = learned.forces(rest).mean(axis=0)
    responses = [
        replay.response(own, net.common_kT, share)
        for replay, share in zip(replays, shares, strict=True)
    ]
    noise, decay, push = zip(*responses, strict=True)
    others = np.zeros((learned.size, many - every.size))
    return SampledFluctuations(
        np.hstack([own, others]),
        replays[0].means @ own.T,
        _blocks(decay),
        np.concatenate(push, axis=1),
        _blocks(noise),
        lambda controls, at: np.concatenate([every.vector(controls), others[0]]),
        to_gradient=np.hstack([own, *[-own] * (hidden is not None)]),
        at_rest=at_rest,
        metric=lambda k: _metric(replays[0], own, path, k),
    )


def _replayed(
    path: Path, every: Parameters, numbers: Sequence[int], hidden: Hidden | None
) -> list[_Replay]:
    """Moments of free replicas, and of clamped ones, under the controls of the run."""
    start, learned = path.exact.start, path.exact.parameters
    free = Emulator(start, REPLICAS, numbers[0], 1)
    found, clamped = [_Replay(len(path.theta), every.size)], None
    if hidden is not None:
        stream = np.random.default_rng(numbers[1])
        rows = stream.multivariate_normal(hidden.mean, hidden.scatter, REPLICAS // 2)
        pairs = np.repeat(rows, 2, axis=0)
        clamped = ClampedPhase(start, learned, pairs, hidden.units, free, numbers[1], 1, None)
        found.append(_Replay(len(path.theta), every.size))
    last = len(path.theta) - 1
    for k, theta in enumerate(path.theta):
        changes = learned.changes(theta, path.network.controls)
        found[0].see(k, every.forces(free.read()), pairs=False)
        free.set(**changes)
        if k < last:
            free.run(path.hold)
        if clamped is not None:
            found[1].see(k, every.forces(clamped.state), pairs=True)
            clamped.set(**changes)
            if k < last:
                clamped.run(path.hold)
    return found


def _own_forces(every: Parameters, learned: Parameters, states: Array) -> Array:
    """M with ∂H/∂θ = M y, shape (p, m), by what it is at some states."""
    found = np.linalg.lstsq(every.forces(states), learned.forces(states), rcond=None)[0].T
    return np.where(np.abs(found) > 1e-9 * np.abs(found).max(), found, 0.0)


def _blocks(parts: Sequence[Array]) -> Array:
    """Matrices of independent ensembles, shape (…, m, m), as blocks of one."""
    if len(parts) == 1:
        return parts[0]
    size = sum(one.shape[-1] for one in parts)
    found, at = np.zeros((len(parts[0]), size, size)), 0
    for one in parts:
        place = slice(at, at := at + one.shape[-1])
        found[:, place, place] = one
    return found


def _metric(replay: _Replay, own: Array, path: Path, k: int) -> Geometry:
    """F and ζ of the learned parameters near an update: ζ by the correlations over one hold."""
    last, kT = len(replay.lagged) - 2, path.network.common_kT
    reach = int(WINDOW * last)
    near = slice(max(min(k, last) - reach, 0), min(k, last) + reach + 1)
    spread, lagged = (
        own @ one[near].mean(axis=0) @ own.T for one in (replay.spread, replay.lagged)
    )
    factor = np.linalg.cholesky(spread)
    kept = np.linalg.solve(factor, np.linalg.solve(factor, symmetrized(lagged)).T)
    shares, modes = np.linalg.eigh(symmetrized(kept))
    times = -path.hold / np.log(np.clip(shares, *SHARES))
    modes = factor @ modes
    friction = (modes * times) @ modes.T / kT
    return Geometry.of_matrices(spread / kT, friction, path.exact.parameters.blocks).sampled(
        path.hold
    )
