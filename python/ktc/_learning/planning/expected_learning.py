"""Expected costs of learning the bias of a Gaussian network, gradient noise included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, not_negative, of_type, refusing_overflow, tick_count
from ktc._learning.data import Batches, BatchMoments, as_samples, refuse_overflow
from ktc._learning.schedule import Schedule, Update
from ktc._model.description import Description
from ktc._model.imperfections import Imperfections
from ktc._theory.gaussian import gaussian, inverse
from ktc._theory.geometry import Geometry


class Costs(NamedTuple):
    """Averages over runs.

    Attributes:
        excess_work: W − ΔF at the run's own parameters, per replica.
        completed_excess_work: with one last jump to the maximum-likelihood parameters.
        nats_lost: log-likelihood of the data per sample below its maximum over the bias.
    """

    excess_work: float
    completed_excess_work: float
    nats_lost: float


@dataclass(frozen=True)
class ExpectedLearning:
    """Expected costs of learning by cause; each is exact, and they add up.

    Attributes:
        ideal: costs of infinitely many replicas that see all data: those of the schedule and of
            its ticks.
        replica: added by the thermal noise of one replica's mean; N replicas add an Nth of it.
        reading: added by the noise of its readings, likewise.
        batch: added by seeing a batch of the samples, for any number of replicas.
        duration, ticks: T, and the number of holds.
    """

    ideal: Costs
    replica: Costs
    reading: Costs
    batch: Costs
    duration: float
    ticks: int

    def noise(self, replicas: float) -> Costs:
        """Costs added by gradient noise: of replicas, readings and batches together."""
        both = zip(self.replica, self.reading, self.batch, strict=True)
        return Costs(*((one + read) / replicas + seen for one, read, seen in both))

    def costs(self, replicas: float) -> Costs:
        """Total costs with so many replicas."""
        return Costs(*(a + b for a, b in zip(self.ideal, self.noise(replicas), strict=True)))


@refusing_overflow("data, read_noise or the rate of schedule")
def expected_learning(
    device: Description,
    data: ArrayLike,
    schedule: Schedule,
    parameter: str = "bias",
    *,
    ticks: int = 1000,
    batch: int | None = None,
    read_noise: float = 0.0,
) -> ExpectedLearning:
    """Averages over all runs of ``learn`` of a Gaussian network's bias, from equilibrium.

    The controller reads the mean of N replicas, m + δm, and its updates are linear in the reading:
    b ← b + G_k(μ − m). So work and likelihood are quadratic in the noise, and averages need only
    its second moments, which move exactly from tick to tick: P_mm ← A P_mm Aᵀ + Q/N, and likewise
    with b. Noise adds −Σ tr Cov(Δb_k, m_k) + ½ tr K⁻¹Cov(b_T) to W − ΔF, and
    ½ tr K⁻¹Cov(b_T)/kT to the nats lost; Cov(b_T, m_T) takes the place of the former's second part
    where a last jump completes the run.

    Args:
        device: a Network or a Board at the controls of its start; of a real board its design.
        data: as of ``learn``.
        schedule: one whose updates are linear in the gradient; not ``Adam``.
        parameter: "bias" or "center".
        ticks, batch: as of ``learn``.
        read_noise: rms of the noise of each reading of each replica's state, independent of all
            others, in the public state (volts on a Board).

    Raises:
        ValueError, TypeError: as of ``learn``; quartic units, several temperatures, a schedule
            that is not linear in the gradient.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> rule = ktc.schedules.MinimalDissipation(duration=1.0)
        >>> found = ktc.theory.expected_learning(net, 5.0, rule, ticks=100)
        >>> round(found.ideal.excess_work, 3), round(found.noise(100).excess_work, 4)
        (8.333, 0.0142)

    Source: Hnybida, Verret (2025), arXiv 2510.03137.
    """
    net = gaussian(device)
    samples = as_samples(data, net.units)
    refuse_overflow(samples, net, device.scale)
    if batch is not None:
        Batches(len(samples), batch, None)
    batches, noise = BatchMoments.of(samples, batch), not_negative("read_noise", read_noise)
    steps, goal = tick_count(ticks), samples.mean(axis=0)
    return expected_of(device, schedule, parameter, steps, goal, batches, noise)


def expected_of(
    device: Description,
    schedule: Schedule,
    parameter: str,
    ticks: int,
    goal: Array,
    batches: BatchMoments | None,
    read_noise: float,
) -> ExpectedLearning:
    """``expected_learning`` from the data's mean and the second moments of batches."""
    net = gaussian(device)
    loop = _Loop(device, schedule, parameter, ticks)
    d, hold = net.units, schedule.duration / ticks
    moved = net.transition(hold)
    phase = len(moved.A)
    flexibility = inverse(net.stiffness)
    toward_rest = (np.eye(phase) - moved.A)[:, :d] @ flexibility
    to_public = np.zeros((d, phase))
    to_public[:, :d] = np.diag(device.scale)
    # Rows of a noise's moments: the replicas' mean, the bias, and the samples dealt in an epoch.
    mean, bias, dealt = slice(0, phase), slice(phase, phase + d), slice(phase + d, phase + 2 * d)
    size = phase + (d if batches is None else 2 * d)
    moments = np.zeros((3, size, size))
    thermal, reading, batch = moments
    thermal[:d, :d] = net.common_kT * flexibility
    if net.inertia is not None:
        thermal[range(d, phase), range(d, phase)] = net.common_kT * net.inertia
    x, b = np.zeros(phase), net.bias.copy()
    x[:d] = flexibility @ b
    work, works = 0.0, np.zeros(3)
    for k in range(ticks + 1):
        offset, by_reading, by_goal = loop.update(k, to_public @ x, goal)
        work -= float(offset @ x[:d])
        b = b + offset
        push = np.zeros((d, size))
        push[:, mean] = by_reading @ to_public
        kick = by_reading * read_noise
        update = np.eye(size)
        if batches is not None:
            slope, spread = batches.next(k % batches.per_epoch)
            push[:, dealt] = slope * by_goal
            update[dealt, dealt] *= 1 + slope
        works -= np.trace(push @ moments[:, :, :d], axis1=1, axis2=2)
        update[bias] += push
        moments[:] = update @ moments @ update.T
        reading[bias, bias] += kick @ kick.T
        if batches is not None:
            dealing = np.vstack([np.zeros((phase, d)), by_goal, np.eye(d)])
            batch += spread * dealing @ batches.scatter @ dealing.T
            if (k + 1) % batches.per_epoch == 0:
                batch[dealt], batch[:, dealt] = 0.0, 0.0
        if k == ticks:
            break
        rest = np.zeros(phase)
        rest[:d] = flexibility @ b
        x = rest + moved.A @ (x - rest)
        flow = np.eye(size)
        flow[mean, mean], flow[mean, bias] = moved.A, toward_rest
        moments[:] = flow @ moments @ flow.T
        thermal[mean, mean] += moved.Q
    target = net.stiffness @ (goal / device.scale)
    kT = net.common_kT

    def free(value: Array) -> float:
        return -0.5 * float(value @ flexibility @ value)

    off = b - target
    lost = 0.5 * float(off @ flexibility @ off) / kT
    completed = work - float((target - b) @ x[:d])
    start = free(net.bias)
    ideal = Costs(work - free(b) + start, completed - free(target) + start, lost)
    noises = []
    for spent, moment in zip(works.tolist(), moments, strict=True):
        shift = 0.5 * float(np.sum(flexibility * moment[bias, bias]))
        left = float(np.trace(moment[bias, :d]))
        noises.append(Costs(spent + shift, spent + left, shift / kT))
    one, read, seen = noises
    return ExpectedLearning(ideal, one, read, seen, schedule.duration, ticks)


def noise_of_reading(imperfections: Imperfections | None) -> float:
    """Rms noise of a reading, the steps of the ADC as noise of step²/12; zero of an ideal one."""
    if imperfections is None:
        return 0.0
    return float(np.hypot(imperfections.adc_noise, imperfections.adc.step / 12**0.5))


class _Loop:
    """Updates of the bias as an affine function of what is read and of the data's mean."""

    def __init__(self, device: Description, schedule: Schedule, parameter: str, ticks: int) -> None:
        hold = of_type("schedule", schedule, Schedule).duration / ticks
        self._geometry = Geometry.of(device, parameter).sampled(hold)
        self._given, self._schedule, self._ticks = schedule, schedule.begun(), ticks
        self._scale = device.scale
        schedule.check(len(device.scale))

    def update(self, tick: int, read: Array, goal: Array) -> tuple[Array, Array, Array]:
        """Δb of the network, shape (d,), and its slopes in what is read and in the data's mean."""
        to_bias = self._geometry.to_bias
        zero, unit = np.zeros(len(goal)), np.eye(len(goal))
        none = self._change(tick, zero, zero)
        by_goal = np.stack([self._change(tick, zero, row) - none for row in unit], 1)
        by_reading = -by_goal
        if tick == 0:
            # A first jump toward the schedule's own target depends on the reading, not on the data.
            by_reading = np.stack([self._change(tick, row, zero) - none for row in unit], 1)
        offset = self._change(tick, read, goal)
        linear = none + by_reading @ read + by_goal @ goal
        largest = np.abs(by_reading) @ np.abs(read) + np.abs(by_goal) @ np.abs(goal)
        if (np.abs(offset - linear) > 1e-6 * (largest + np.abs(none))).any():
            raise ValueError(
                f"schedule must be linear in the gradient to have exact averages, but "
                f"{self._given!r} is not; average excess_work over runs of ktc.learn with several "
                "seeds, and subtract that with replicas=math.inf for the cost of noise alone"
            )
        return to_bias @ offset, to_bias @ by_reading, to_bias @ by_goal

    def _change(self, tick: int, read: Array, goal: Array) -> Array:
        def toward(point: Array) -> Array:
            return np.asarray(self._geometry.to_bias.T @ ((point - read) / self._scale))

        update = Update(self._schedule, tick, self._ticks)
        return update.change(toward(goal), toward, self._geometry)
