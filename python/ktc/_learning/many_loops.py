"""The closed loop of learning of many runs at once, of which only moments are followed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ktc._base.cached import cached_property
from ktc._base.validation import Array
from ktc._learning.confinement import MARGIN, MOST_HALVINGS, Floor
from ktc._learning.loop import LARGEST_GAIN
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.metrics.many_gaussians import ManyGaussians, ManyMetrics
from ktc._learning.metrics.metric_tensors import MetricTensors, NoMetrics
from ktc._learning.restraint import HOPELESS, LEAST_SHARE, SHARES, Restraint
from ktc._learning.sampled_moments import SampledMoments
from ktc._learning.schedule import Schedule, Update
from ktc._model.controls import Controls
from ktc._theory.gaussian import inverse


class ManyLoops:
    """``Loop`` for many runs of a linear overdamped network that differ in their noise alone.

    Each run takes the decisions of ``Loop``: updates by the schedule's rate, cut back by
    confinement and by ``Restraint``, until the last one or until it stops. Its replicas, in
    equilibrium at the start, are followed by their ``SampledMoments``.

    Args:
        exact: the model; bias and stiffness are learned.
        schedule: the schedule, not yet begun.
        goal: ⟨∂_θH⟩ over the data, shape (p,).
        ticks: number of holds of the whole schedule.
        runs, replicas: number of runs r, and of the replicas of each.
        stream: where their noise is drawn.

    Attributes:
        work: mean work of each run so far, shape (r,).
        theta: θ of each run, shape (r, p).
    """

    def __init__(
        self,
        exact: ExactModel,
        schedule: Schedule,
        goal: Array,
        ticks: int,
        runs: int,
        replicas: int,
        stream: np.random.Generator,
    ) -> None:
        net, learned = exact.start.network, exact.parameters
        self._schedule, self._goal, self._ticks = schedule, goal, ticks
        each = 1 if schedule.vectorised else runs
        self._begun = [schedule.begun() for _ in range(each)]
        self._models = ManyGaussians(exact, schedule.duration / ticks)
        self._none = NoMetrics(learned.blocks, learned.size, schedule.name)
        self._restraint = Restraint(exact, goal, replicas)
        self._start, kT = net.controls, net.common_kT
        root = np.asarray(np.linalg.cholesky(kT * inverse(net.stiffness)), dtype=float)
        rest = np.asarray(np.linalg.solve(net.stiffness, net.bias), dtype=float)
        self._moments = SampledMoments(rest, root, runs, replicas, stream)
        self._before = self._energies(net.controls)
        self.theta = np.repeat(learned.vector(net.controls)[None], runs, axis=0)
        self._free_energy = self._models.free_energy(self.theta[:1])
        self.work, self._spent = np.zeros((2, runs))
        self._flow, self._first = np.zeros((2, *self.theta.shape))
        self._least_gain, self._cut = np.full(runs, kT), np.zeros(runs, dtype=np.intp)
        self._runs, self._live = np.arange(runs), np.ones(runs, dtype=bool)

    def run(self, updates: int) -> None:
        """Make so many updates of each run, or as many as succeed, with holds between them."""
        for k in range(updates):
            self._update(k)
            live = np.flatnonzero(self._live)
            if not len(live):
                break
            if k < updates - 1:
                self._moments.move(live, *self._models.transition(self.theta[live]))

    @property
    def excess_work(self) -> Array:
        """W − ΔF of each run, shape (r,)."""
        return np.asarray(self.work + self._free_energy - self._models.free_energy(self.theta))

    @property
    def heat(self) -> Array:
        """Heat of each run, shape (r,)."""
        return np.asarray(self.work - (self._own_energies() - self._before))

    def completed_work(self, target: Controls) -> Array:
        """Work of each run with one last jump to controls, shape (r,)."""
        return np.asarray(self.work + self._energies(target) - self._own_energies())

    def _energies(self, controls: Controls) -> Array:
        """⟨H⟩ over the replicas at some controls, shape (r,)."""
        return self._energies_at(controls.stiffness, controls.bias)

    def _own_energies(self) -> Array:
        return self._energies_at(*self._models.controls.at(self.theta))

    def _energies_at(self, stiffness: Array, bias: Array) -> Array:
        mean, spread = self._moments.mean, self._moments.covariance
        pulled = np.sum((mean[:, None, :] @ stiffness)[:, 0] * mean, axis=1)
        return np.asarray(
            0.5 * (np.sum(stiffness * spread, axis=(1, 2)) + pulled) - np.sum(bias * mean, axis=1)
        )

    def _update(self, k: int) -> None:
        forces = self._models.forces(self._moments.mean, self._moments.covariance)
        if k == 0:
            self._first = forces
        gradient = forces - self._goal
        change, flow = self._changes(k, gradient)
        gain = np.abs(np.sum(gradient * change, axis=1))
        if k == 0:
            self._least_gain = np.maximum(self._least_gain, np.where(gain < np.inf, gain, 0.0))
        good = np.asarray(self._live & (gain <= LARGEST_GAIN * self._least_gain))
        good &= np.isfinite(change).all(axis=1)
        share = self._shares(change, good)
        self._cut = np.where(share < LEAST_SHARE, self._cut + 1, 0)
        self._live = good & (share > 0) & (self._cut < HOPELESS)
        live = np.flatnonzero(self._live)
        made = share[live, None] * change[live]
        kept = self._within_limits(live, made, forces[live])[:, None]
        self.theta[live] += kept * made
        self.work[live] += np.sum(kept * made * forces[live], axis=1)
        self._flow[live] = kept * share[live, None] * flow[live]

    def _changes(self, k: int, gradient: Array) -> tuple[Array, Array]:
        """Δθ and flow of each run, shape (r, p)."""
        ticks, here = self._ticks, self._metrics(self._runs, 0.5 * self._flow)
        if self._schedule.vectorised:
            update = Update(self._begun[0], k, ticks)
            after = self._metrics_after(self._runs, here)
            return update.change(gradient, _no_target, here, after), update.flow
        change, flow = np.empty((2, *gradient.shape))
        for run, own in enumerate(_each(here, len(gradient))):
            update = Update(self._begun[run], k, ticks)
            after = self._metrics_after(self._runs[run : run + 1], own)
            change[run] = update.change(gradient[run], _no_target, own, after)
            flow[run] = update.flow
        return change, flow

    def _metrics_after(
        self, runs: NDArray[np.intp], here: MetricTensors
    ) -> Callable[[Array], MetricTensors]:
        def after(step: Array) -> MetricTensors:
            if not step.any():
                return here
            found = self._metrics(runs, np.atleast_2d(step))
            return found if step.ndim > 1 else _each(found, 1)[0]

        return after

    def _metrics(self, runs: NDArray[np.intp], step: Array) -> ManyMetrics | NoMetrics:
        """F and ζ after a step of θ, or at θ where that would unconfine the energy."""
        if not self._schedule.uses_metrics:
            return self._none
        theta = self.theta[runs]
        step = np.where(self._confined(theta, step, None)[:, None], step, 0.0)
        return self._models.metrics(theta + step)

    def _confined(self, theta: Array, change: Array, floor: Floor | None) -> NDArray[np.bool_]:
        """Whether θ + Δθ keeps the margins of ``confinement``, shape (r,)."""
        with np.errstate(all="ignore"):
            finite = np.asarray(np.isfinite(change).all(axis=1))
            change = np.where(finite[:, None], change, 0.0)
            before, after = (self._models.controls.at(one)[0] for one in (theta, theta + change))
            least = np.linalg.eigvalsh(after - MARGIN * before)[:, 0]
            if floor is not None:
                kept = after - floor.share * floor.start.stiffness
                least = np.minimum(least, np.linalg.eigvalsh(kept)[:, 0])
        return np.asarray(finite & (least > 0))

    def _shares(self, change: Array, good: NDArray[np.bool_]) -> Array:
        """The share of each Δθ that keeps the energy confined, as ``Loop`` cuts it back."""
        share = self._largest_shares(change, good, self._restraint.floor)
        cut = good & (share < 1)
        if cut.any():
            softer = self._largest_shares(change, cut, self._restraint.softer_floor)
            share = np.where(cut, softer, share)
        return share

    def _largest_shares(self, change: Array, asked: NDArray[np.bool_], floor: Floor) -> Array:
        share, theta = np.zeros(len(change)), self.theta
        left = np.flatnonzero(asked)
        for one in np.ldexp(1.0, -np.arange(MOST_HALVINGS)):
            if not len(left):
                break
            kept = self._confined(theta[left], one * change[left], floor)
            share[left[kept]] = one
            left = left[~kept]
        return share

    @cached_property
    def _limits(self) -> Array:
        """Largest excess work of the updates of each run, searched for where it is needed."""
        return self._restraint.limits(self._first)

    def _within_limits(self, runs: NDArray[np.intp], change: Array, forces: Array) -> Array:
        """The share of each Δθ that ``Restraint`` allows; and book what it costs."""
        theta, kept = self.theta[runs], np.zeros(len(runs))
        least, before = self._restraint.least_limit, self._models.free_energy(theta)
        left = np.arange(len(runs))
        for share in SHARES:
            if not len(left):
                break
            step = share * change[left]
            cost = np.sum(step * forces[left], axis=1)
            cost -= self._models.free_energy(theta[left] + step) - before[left]
            total = self._spent[runs[left]] + cost
            allowed = (cost <= 0) | (total <= least)
            if not allowed.all():
                allowed |= total <= self._limits[runs[left]]
            done = left[allowed]
            kept[done] = share
            self._spent[runs[done]] = total[allowed]
            left = left[~allowed]
        return kept


def _each(metrics: ManyMetrics | NoMetrics, runs: int) -> Sequence[MetricTensors]:
    return metrics.each() if isinstance(metrics, ManyMetrics) else [metrics] * runs


def _no_target(point: Array) -> Array:
    raise ValueError("a schedule that aims at a mean learns the bias alone")
