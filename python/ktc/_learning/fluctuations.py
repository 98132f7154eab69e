"""Fluctuations of averages over replicas about the path of a learning run, to first order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array
from ktc._learning.averages import OF_THE_BIAS
from ktc._learning.metrics.exact_model import ExactModel
from ktc._model.controls import Controls
from ktc._model.network import Network
from ktc._model.parameters import Parameters
from ktc._theory.gaussian import inverse

#: Largest number of averages that are followed: their covariance is a matrix at every update.
MOST_AVERAGES = 64
#: Derivatives are differences over this share of a parameter's thermal width kT/√Var(∂_θH).
STEP = 1e-3


class Path(NamedTuple):
    """Path of a run: θ held after each of its n + 1 updates, shape (n + 1, p), for ``hold`` each.

    ``looks`` are the updates at which derivatives are evaluated, ascending from 0 to n; between
    them they are interpolated.
    """

    exact: ExactModel
    theta: Array
    hold: float
    looks: NDArray[np.intp]

    @property
    def network(self) -> Network:
        """The network at the start."""
        return self.exact.start.network

    def controls(self, theta: Array) -> Controls:
        """All controls at θ."""
        return self.exact.parameters.controls(theta, self.network.controls)

    def between(self, values: Array) -> Array:
        """Values at ``looks``, shape (looks, …), interpolated to all updates."""
        looks, ticks = self.looks, np.arange(len(self.theta))
        if len(looks) == len(ticks):
            return values
        after = np.clip(np.searchsorted(looks, ticks), 1, len(looks) - 1)
        share = (ticks - looks[after - 1]) / (looks[after] - looks[after - 1])
        share = share.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray((1 - share) * values[after - 1] + share * values[after])


@dataclass(frozen=True)
class Fluctuations:
    """Averages y over replicas, shape (m,), whose fluctuations move as δy′ = L δy + B δθ + noise.

    Attributes:
        to_forces: M with ∂⟨H⟩/∂θ = M y + constant, shape (p, m).
        forces: ∂⟨H⟩/∂θ along the path, shape (n + 1, p).
        decay, push: L and B of each hold, shapes (n, m, m) and (n, m, p).
        noise: covariance of what one replica's y gains at random up to each update, from the hold
            before it, and at the first update from the start, shape (n + 1, m, m).
        energy: ∂⟨H⟩/∂y at some controls, at the first update (0) or the last (−1), shape (m,).
        apart: variance of the part of one replica's heat that y does not have.
    """

    to_forces: Array
    forces: Array
    decay: Array
    push: Array
    noise: Array
    energy: Callable[[Controls, int], Array]
    apart: float = 0.0


class _Moments:
    """Averages of a linear network: of its phase z, and of products z_i z_j unless ``of_bias``."""

    def __init__(self, net: Network, learned: Parameters, of_bias: bool) -> None:
        d, n = net.units, (1 if net.inertia is None else 2) * net.units
        self.phase, self.units, self.of_bias = n, d, of_bias
        self._net = net
        self.first, self.second = np.triu_indices(0 if of_bias else n)
        self.size = n + len(self.first)
        self.to_forces = np.zeros((learned.size, self.size))
        for k in range(d):
            mean = np.zeros(d)
            mean[k] = learned.scale[k]
            nothing = None if of_bias else -np.outer(mean, mean)
            self.to_forces[:, k] = learned.mean_forces(mean, nothing)
        for k, (i, j) in enumerate(zip(self.first, self.second, strict=True)):
            if max(i, j) < d:
                second = np.zeros((d, d))
                second[i, j] = second[j, i] = learned.scale[i] * learned.scale[j]
                self.to_forces[:, n + k] = learned.mean_forces(np.zeros(d), second)

    def energy(self, controls: Controls, mean: Array) -> Array:
        """∂⟨H⟩/∂y: of the phase at its mean, where products are not among the averages."""
        d, hessian = self.units, np.zeros((self.phase, self.phase))
        hessian[:d, :d] = controls.stiffness
        if self._net.inertia is not None:
            hessian[range(d, 2 * d), range(d, 2 * d)] = 1 / self._net.inertia
        slope = hessian @ mean if self.of_bias else np.zeros(self.phase)
        slope[:d] -= controls.bias
        same = np.where(self.first == self.second, 0.5, 1.0)
        return np.concatenate([slope, hessian[self.first, self.second] * same])

    def averages(self, mean: Array, spread: Array) -> Array:
        """Y of a normal distribution."""
        second = spread + np.outer(mean, mean)
        return np.concatenate([mean, second[self.first, self.second]])

    def covariance(self, mean: Array, spread: Array) -> Array:
        """Covariance of one replica's y, by the theorem of Isserlis."""
        i, j, n = self.first, self.second, self.phase
        found = np.zeros((self.size, self.size))
        found[:n, :n] = spread
        if not self.of_bias:
            found[:n, n:] = spread[:, i] * mean[j] + spread[:, j] * mean[i]
            found[n:, :n] = found[:n, n:].T
            second = spread + np.outer(mean, mean)
            fourth = np.outer(mean[i] * mean[j], mean[i] * mean[j])
            pairs = second[np.ix_(i, i)] * second[np.ix_(j, j)]
            crossed = second[np.ix_(i, j)] * second[np.ix_(j, i)]
            found[n:, n:] = pairs + crossed - 2 * fourth
        return found

    def decay(self, moved: Array, offset: Array) -> Array:
        """L of a hold with z′ = A z + c."""
        i, j, n = self.first, self.second, self.phase
        found = np.zeros((self.size, self.size))
        found[:n, :n] = moved
        found[n:, :n] = moved[i] * offset[j][:, None] + moved[j] * offset[i][:, None]
        crossed = moved[np.ix_(i, j)] * moved[np.ix_(j, i)]
        found[n:, n:] = moved[np.ix_(i, i)] * moved[np.ix_(j, j)] + np.where(i != j, crossed, 0.0)
        return found


def of_linear_network(path: Path) -> Fluctuations | None:
    """Fluctuations of a linear network that starts in equilibrium; None for too many averages."""
    net, learned = path.network, path.exact.parameters
    of_bias = learned.names in OF_THE_BIAS
    kT, d = net.common_kT, net.units
    moments = _Moments(net, learned, of_bias)
    if moments.size > MOST_AVERAGES:
        return None
    mean, spread = np.zeros(moments.phase), np.zeros((moments.phase, moments.phase))
    mean[:d] = np.linalg.solve(net.stiffness, net.bias)
    spread[:d, :d] = kT * inverse(net.stiffness)
    if net.inertia is not None:
        spread[range(d, 2 * d), range(d, 2 * d)] = kT * net.inertia
    means, spreads, decays, pushes = [mean], [spread], [], []
    look = set(path.looks.tolist())
    moved = net.transition(path.hold)
    for k, theta in enumerate(path.theta[:-1]):
        controls = path.controls(theta)
        if of_bias:
            rest = np.zeros(moments.phase)
            rest[:d] = np.linalg.solve(net.stiffness, controls.bias)
            moved = moved._replace(c=rest - moved.A @ rest)
        else:
            moved = net.with_controls(controls).transition(path.hold)
        after = moved.A @ mean + moved.c, moved.A @ spread @ moved.A.T + moved.Q
        if k in look and not (of_bias and k):
            scatter = moments.to_forces @ moments.covariance(mean, spread) @ moments.to_forces.T
            steps = STEP * kT / np.sqrt(scatter.diagonal())
            columns = []
            for step in np.diag(steps):
                other = net.with_controls(path.controls(theta + step)).transition(path.hold)
                there = other.A @ mean + other.c, other.A @ spread @ other.A.T + other.Q
                columns.append(moments.averages(*there) - moments.averages(*after))
            pushes.append(np.stack(columns, axis=1) / steps)
        decays.append(moments.decay(moved.A, moved.c))
        mean, spread = after
        means.append(mean)
        spreads.append(spread)
    n = len(decays)
    decay = np.stack(decays)
    covariances = np.stack([moments.covariance(*at) for at in zip(means, spreads, strict=True)])
    push = np.stack(pushes)
    if of_bias:
        push = np.broadcast_to(push[0], (n, *push[0].shape))
    else:
        push = path.between(np.concatenate([push, push[-1:]]))[:n]
    ends = {0: means[0], -1: means[-1]}
    averages = np.stack([moments.averages(*at) for at in zip(means, spreads, strict=True)])
    return Fluctuations(
        moments.to_forces,
        averages @ moments.to_forces.T,
        decay,
        push,
        _gained(covariances, decay),
        lambda controls, at: moments.energy(controls, ends[at]),
        _heat_about_means(net, spreads[0], decay) if of_bias else 0.0,
    )


def of_units(path: Path, forces: Array) -> Fluctuations | None:
    """Fluctuations of units without couplings, to leading order in the speed of the controls.

    About equilibrium at the controls of the time, all ∂H/∂θ have the covariance kT F, relax by
    exp(−F ζ⁻¹ t), and respond to δθ by −F δθ. ``forces`` are their averages, shape (n + 1, p).
    """
    net, learned, start = path.network, path.exact.parameters, path.exact.start
    names = ("bias", "diagonal", "quartic")
    every = Parameters(start, names if net.quartic.any() or names[-1] in learned.names else names[:2])
    if every.size > MOST_AVERAGES:
        return None
    place = [every.labels.index(name) for name in learned.labels]
    model = ExactModel(start, every)
    covariances, decays, pushes = [], [], []
    for k in path.looks:
        found = model.geometry(path.controls(path.theta[k]), path.hold)
        decay = (found.fisher @ found.modes * np.exp(-path.hold / found.times)) @ found.modes.T
        covariances.append(net.common_kT * found.fisher)
        decays.append(decay)
        pushes.append(((decay - np.eye(every.size)) @ found.fisher)[:, place])
    decay, push = (path.between(np.stack(one))[:-1] for one in (decays, pushes))
    covariance = path.between(np.stack(covariances))
    return Fluctuations(
        np.eye(every.size)[place],
        forces,
        decay,
        push,
        _gained(covariance, decay),
        lambda controls, at: every.vector(controls),
    )


def _gained(covariance: Array, decay: Array) -> Array:
    """Noise of each hold, C′ − L C Lᵀ, after the covariance at the start."""
    kept = decay @ covariance[:-1] @ np.swapaxes(decay, 1, 2)
    return np.concatenate([covariance[:1], covariance[1:] - kept])


def _heat_about_means(net: Network, spread: Array, decay: Array) -> float:
    """Variance of H(z(T) − ⟨z⟩) − H(z(0) − ⟨z⟩) in equilibrium."""
    hessian = net.common_kT * inverse(spread)
    kept = np.linalg.matrix_power(decay[0], len(decay)) @ spread
    return float(net.common_kT**2 * len(spread) - np.trace(hessian @ kept @ hessian @ kept.T))
