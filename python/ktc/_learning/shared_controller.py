"""Errors of averages over replicas that share one controller, by linear response."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ktc._base.validation import Array
from ktc._learning import fluctuations
from ktc._learning.batch_noise import BatchNoise
from ktc._learning.fluctuations import Fluctuations, Path
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.metrics.metric_tensors import MetricTensors, NoMetrics
from ktc._learning.run_errors import RunErrors
from ktc._learning.sampled_fluctuations import Hidden, SampledFluctuations, of_replay
from ktc._learning.schedule import MemorySlopes, Update
from ktc._model.controls import Controls

if TYPE_CHECKING:
    from ktc._learning.fit import Fit

#: Number of evaluations of rates in a run, and of F and ζ where they change, shared by its
#: parameters; and the least of updates at which they are evaluated.
EVALUATIONS, METRICS, LEAST_LOOKS = 200, 160, 16


class Slopes(NamedTuple):
    """Slopes of Δθ, shape (n + 1, p, p) each: in ⟨∂_θH⟩ over the replicas, in θ before it, and in
    the gradient by way of the data alone.
    """

    by_forces: Array
    by_theta: Array
    by_data: Array


class Ends(NamedTuple):
    """Slopes of accounts, beside the work, in θ and y at the end and y at the start; one column
    per account.
    """

    theta: Array
    averages: Array
    start: Array


class SharedController(RunErrors):
    """Standard errors of a run's accounts over those of independent replicas.

    The controller reacts to the noise of ⟨∂_θH⟩, and all replicas to the controller. To first order
    in that noise an account is J = Σ_k Δθ_k·⟨∂_θH⟩_k + J_end(θ, y), with

        δΔθ_k = G_k δ⟨∂_θH⟩_k + D_k δθ_{k−1},    δy_{k+1} = L_k δy_k + B_k δθ_k + ε_k,

    and its variance over repeated runs of N replicas is Σ_k β_kᵀ Cov(ε_k) β_k/N, where
    β_k = ∂J/∂y_k is found from the last update backwards. With G = D = 0 the same sum is the
    variance of independent replicas; √ of the ratio of both multiplies the error that their scatter
    gives, ``alone``. Errors of batches are noise of the gradient alone, with the covariance of
    ``BatchNoise``.

    For linear networks L, B and Cov(ε) are exact, by the moments that the recorded controls bring
    about; for units by quadrature they are those of F and ζ, to leading order in the speed.
    """

    name, description = "linear response", "linear response of their controller"

    def __init__(
        self, fit: Fit, path: Path, moving: Fluctuations, memory: MemorySlopes | None
    ) -> None:
        self._moving, self._memory = moving, memory
        self._batches, self._replicas = batches_of(fit), len(fit.readings.work)
        self._slopes = _slopes(fit, path, moving, memory is not None)
        self._steps = np.diff(_path_theta(fit), axis=0)
        final, forces = fit.controls, moving.forces[-1]
        nothing = np.zeros(len(moving.to_forces.T))
        self._final = moving.energy(final, -1)
        heat = -self._final, moving.energy(fit.start.network.controls, 0)
        replay = moving if isinstance(moving, SampledFluctuations) else None
        at_rest = path.exact.forces(final) if replay is None else replay.at_rest
        self._to_gradient = moving.to_forces if replay is None else replay.to_gradient
        found = self._ratios(
            Ends(
                np.stack([np.zeros_like(forces), -at_rest, -forces], axis=1),
                np.stack([nothing, nothing, heat[0]], axis=1),
                np.stack([nothing, nothing, heat[1]], axis=1),
            ),
            np.array([0.0, 0.0, moving.apart]),
        )
        self._known = dict(zip(("work", "excess work", "heat"), found.tolist(), strict=True))

    def error(self, account: str | Controls, alone: float) -> float:
        """Error of an account, or of the work with one last jump to controls."""
        if not isinstance(account, Controls):
            return float(self._known[account]) * alone
        jump = self._moving.energy(account, -1) - self._final
        ends = Ends(-self._moving.forces[-1:].T, jump[:, None], np.zeros((len(jump), 1)))
        return float(self._ratios(ends, np.zeros(1))[0]) * alone

    def _ratios(self, ends: Ends, apart: Array) -> Array:
        """√(variance over runs / variance of independent replicas) of each account."""
        moving, many = self._moving, len(apart)
        slopes = np.concatenate([ends.averages, ends.averages], axis=1)
        seen = np.empty((len(self._steps), *slopes.shape))
        told = np.zeros((len(self._steps), *ends.theta.shape))
        theta = ends.theta
        back = self._to_gradient.T
        steps = self._steps @ moving.to_forces
        answers = back @ np.swapaxes(self._slopes.by_forces, 1, 2)
        kept = np.swapaxes(self._slopes.by_theta, 1, 2)
        decay, push = np.swapaxes(moving.decay, 1, 2), np.swapaxes(moving.push, 1, 2)
        remembered = None if self._memory is None else np.zeros((len(self._memory.keep), many))
        for k in range(len(steps) - 1, -1, -1):
            wanted = theta + moving.forces[k][:, None]
            slopes[:, :many] += answers[k] @ wanted
            told[k] = self._slopes.by_data[k].T @ wanted
            if self._memory is not None and remembered is not None:
                remembered += self._memory.of_change[k].T @ wanted
                recalled = self._memory.by_gradient[k].T @ remembered
                slopes[:, :many] += back @ recalled
                told[k] += recalled
                remembered *= self._memory.keep[:, None]
            slopes += steps[k][:, None]
            theta = theta + kept[k] @ wanted
            if k:
                seen[k] = slopes
                theta = theta + push[k - 1] @ slopes[:, :many]
                slopes = decay[k - 1] @ slopes
        seen[0] = slopes + np.concatenate([ends.start, ends.start], axis=1)
        square = np.sum(seen * (moving.noise @ seen), axis=(0, 1))
        shared, alone = square[:many] + apart, square[many:] + apart
        if self._batches is not None:
            shared = shared + self._replicas * self._batches.variance(told)
        if not np.isfinite(shared + alone).all():
            raise ValueError("the response of the controller to noise grows without bound")
        # Nothing to multiply where no control moves.
        moves = (shared > 0) & (alone > 0)
        return np.sqrt(np.where(moves, shared, 1.0) / np.where(moves, alone, 1.0))


def shared_controller(fit: Fit, exact: ExactModel) -> SharedController | None:
    """Errors of a run's accounts; None where replicas are independent, or no response is known."""
    if not _may_respond(fit, exact):
        return None
    hold = float(fit.history.time[1])
    memory = fit.schedule.memory_slopes(fit.history.gradient, hold, fit.learned.blocks)
    if memory is None and fit.schedule.begun() is not fit.schedule:
        return None
    updates, size, theta = len(fit.history.time), fit.learned.size, fit.history.theta
    changing = fit.schedule.uses_metrics and not exact.constant
    many = max(LEAST_LOOKS, (METRICS if changing else EVALUATIONS) // size)
    inner = np.linspace(1, updates - 2, min(many, updates - 2)).astype(np.intp)
    looks = np.concatenate([[0], inner, [updates - 1]])
    path = Path(exact, theta, hold, looks)
    try:
        with np.errstate(all="ignore"):  # of runs that blew up; what is not finite is refused
            moving: Fluctuations | None
            if _replayed(fit, exact):
                moving = of_replay(path, fit.seed, _hidden(fit))
            elif exact.method == "closed form":
                moving = fluctuations.of_linear_network(path)
            else:
                moving = fluctuations.of_units(path, fit.history.gradient + fit.data_forces)
            return None if moving is None else SharedController(fit, path, moving, memory)
    except (ValueError, np.linalg.LinAlgError):
        return None


def batched(fit: Fit) -> bool:
    """Whether updates saw batches of the data."""
    return fit.batch not in (None, fit.samples)


def batches_of(fit: Fit) -> BatchNoise | None:
    """Noise of the batches of a run; None where every update saw all of the data."""
    if fit.batch is None or fit.batch_scatter is None or not batched(fit):
        return None
    return BatchNoise(fit.batch_scatter, fit.samples, fit.batch)


def _may_respond(fit: Fit, exact: ExactModel) -> bool:
    """Whether the controller of a run reacts to noise, in a way that is followed."""
    exact_means = fit.readings.variances is not None
    unknown = batched(fit) and fit.batch_scatter is None
    lacking = fit.schedule.uses_metrics and not (exact.metrics_known or _replayed(fit, exact))
    if exact_means or unknown or lacking or len(fit.history.time) < 2:
        return False
    return fit.rule in ("rate", "metrics")


def _replayed(fit: Fit, exact: ExactModel) -> bool:
    """Whether the response is measured, where there is no closed form and no unit stands alone."""
    return len(fit.hidden) > 0 or exact.method in (None, "joint quadrature")


def _hidden(fit: Fit) -> Hidden | None:
    """What the clamped ensemble of a run saw; None without hidden units."""
    if fit.readings.positive is None or fit.scatter is None:
        return None
    share = len(fit.readings.work) / len(fit.readings.positive[0])
    return Hidden(fit.hidden, fit.data_mean, fit.scatter, share)


def _path_theta(fit: Fit) -> Array:
    """θ before the first update, and after each."""
    return np.vstack([fit.learned.vector(fit.start.network.controls), fit.history.theta])


def _slopes(fit: Fit, path: Path, moving: Fluctuations, remembers: bool) -> Slopes:
    """Slopes of the updates of a schedule without a memory, by differences."""
    size, ticks = fit.learned.size, round(fit.duration / path.hold)
    none = np.zeros((len(path.theta), size, size))
    if remembers:
        return Slopes(none, none, none)
    schedule, kT = fit.schedule, fit.kT
    before, gradients = _path_theta(fit)[:-1], fit.history.gradient
    changing = schedule.uses_metrics and not path.exact.constant

    def metrics(theta: Array, k: int = 0) -> MetricTensors:
        if not schedule.uses_metrics:
            return NoMetrics(fit.learned.blocks, size, schedule.name)
        if replay is not None:
            return replay.metric(k)
        return path.exact.metric(path.controls(theta), path.hold)

    def change(tick: int, gradient: Array, metric: MetricTensors, data: float | Array = 0) -> Array:
        def toward(point: Array) -> Array:
            target = np.broadcast_to(point, np.shape(fit.learned.scale))
            return gradient - data + fit.data_forces - fit.learned.mean_forces(target)

        return Update(schedule, tick, ticks).change(gradient, toward, metric)

    replay = None
    if isinstance(moving, SampledFluctuations) and not path.exact.metrics_known:
        replay = moving
    constant = metrics(before[0])
    own = np.sqrt(np.sum(moving.to_forces * (moving.to_forces @ moving.noise[0]), axis=1))
    noise = own / np.sqrt(len(fit.readings.work))
    by_forces, by_theta, by_data = [], [], []
    for k in path.looks:
        metric = metrics(before[k], k) if changing else constant
        base, share = change(k, gradients[k], metric), fit.history.share[k]
        rows = [change(k, gradients[k] + one, metric) - base for one in np.diag(noise)]
        by_forces.append(share * np.stack(rows, axis=1) / noise)
        if k == 0:
            rows = [change(k, gradients[k] + one, metric, one) - base for one in np.diag(noise)]
        by_data.append(share * np.stack(rows, axis=1) / noise)
        if changing and replay is None:
            steps = fluctuations.STEP * kT / own
            rows = [
                change(k, gradients[k], metrics(before[k] + one)) - base for one in np.diag(steps)
            ]
            by_theta.append(share * np.stack(rows, axis=1) / steps)
    found, told = (_between(path, np.stack(some)) for some in (by_forces, by_data))
    return Slopes(found, _between(path, np.stack(by_theta)) if by_theta else none, told)


def _between(path: Path, values: Array) -> Array:
    """Interpolation that leaves the jumps at the ends out."""
    inner = np.concatenate([values[1:2], values[1:-1], values[-2:-1]])
    found = path.between(inner) if len(values) > 2 else values.copy()
    found[0], found[-1] = values[0], values[-1]
    return found
