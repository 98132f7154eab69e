"""Fluctuations of averages over replicas about the path of a learning run, to first order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array
from ktc._learning.metrics.exact_model import ExactModel
from ktc._model.controls import Controls
from ktc._model.network import Network
from ktc._model.parameters import Parameters
from ktc._theory.gaussian import inverse, square_root
from ktc._theory.metrics import entries_by_unit

#: Largest number of averages that are followed, and of the entries of their covariance in all
#: updates of a run.
MOST_AVERAGES, MOST_NUMBERS = 64, 10_000_000
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

    def too_long(self, averages: int) -> bool:
        """Whether so many averages are too many to follow."""
        return averages > MOST_AVERAGES or averages**2 * len(self.theta) > MOST_NUMBERS

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
    """Averages of a linear network: of its phase z, and of products z_i z_j unless ``of_bias``.

    Arguments may have leading axes, such as one of updates.
    """

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
        products = mean[..., self.first] * mean[..., self.second]
        return np.concatenate([mean, spread[..., self.first, self.second] + products], axis=-1)

    def covariance(self, mean: Array, spread: Array) -> Array:
        """Covariance of one replica's y, by the theorem of Isserlis."""
        i, j, n = self.first, self.second, self.phase
        found = np.zeros((*mean.shape[:-1], self.size, self.size))
        found[..., :n, :n] = spread
        mixed = spread[..., i] * mean[..., None, j] + spread[..., j] * mean[..., None, i]
        found[..., :n, n:] = mixed
        found[..., n:, :n] = np.swapaxes(mixed, -1, -2)
        second = spread + mean[..., None] * mean[..., None, :]
        rows, columns = i[:, None], j[:, None]
        product = mean[..., i] * mean[..., j]
        found[..., n:, n:] = (
            second[..., rows, i] * second[..., columns, j]
            + second[..., rows, j] * second[..., columns, i]
            - 2 * product[..., None] * product[..., None, :]
        )
        return found

    def decay(self, moved: Array, offset: Array) -> Array:
        """L of a hold with z′ = A z + c."""
        i, j, n = self.first, self.second, self.phase
        found = np.zeros((*offset.shape[:-1], self.size, self.size))
        found[..., :n, :n] = moved
        found[..., n:, :n] = (
            moved[..., i, :] * offset[..., j, None] + moved[..., j, :] * offset[..., i, None]
        )
        rows, columns = i[:, None], j[:, None]
        crossed = moved[..., rows, j] * moved[..., columns, i]
        found[..., n:, n:] = moved[..., rows, i] * moved[..., columns, j]
        found[..., n:, n:] += np.where(i != j, crossed, 0.0)
        return found


def of_linear_network(path: Path) -> Fluctuations | None:
    """Fluctuations of a linear network that starts in equilibrium; None for too many averages."""
    net, learned = path.network, path.exact.parameters
    of_bias = learned.by_bias
    kT, d = net.common_kT, net.units
    moments = _Moments(net, learned, of_bias)
    if path.too_long(moments.size):
        return None
    mean, spread = np.zeros(moments.phase), np.zeros((moments.phase, moments.phase))
    mean[:d] = np.linalg.solve(net.stiffness, net.bias)
    spread[:d, :d] = kT * inverse(net.stiffness)
    if net.inertia is not None:
        spread[range(d, 2 * d), range(d, 2 * d)] = kT * net.inertia
    holds = path.theta[:-1]
    moved, offset, noise = _moved(path, holds, of_bias)
    means, spreads = (
        np.empty((len(holds) + 1, *mean.shape)),
        np.empty((len(holds) + 1, *spread.shape)),
    )
    means[0], spreads[:] = mean, spread
    for k in range(len(holds)):
        means[k + 1] = moved[k] @ means[k] + offset[k]
        if not of_bias:  # which leaves the spread as it is
            spreads[k + 1] = moved[k] @ spreads[k] @ moved[k].T + noise[k]
    covariances = moments.covariance(means, spreads)
    scatter = np.sum(moments.to_forces * (moments.to_forces @ covariances[0]), axis=1)
    looks = path.looks[:1] if of_bias else path.looks[:-1]
    push = _pushed(path, moments, means[looks], spreads[looks], holds[looks], scatter)
    if of_bias:
        push = np.broadcast_to(push, (len(holds), *push.shape[1:]))
    else:
        push = path.between(np.concatenate([push, push[-1:]]))[:-1]
    decay = moments.decay(moved, offset)
    averages = moments.averages(means, spreads)
    ends_at = {0: means[0], -1: means[-1]}
    return Fluctuations(
        moments.to_forces,
        averages @ moments.to_forces.T,
        decay,
        push,
        _gained(covariances, decay),
        lambda controls, at: moments.energy(controls, ends_at[at]),
        _heat_about_means(net, spread, decay) if of_bias else 0.0,
    )


def _pushed(
    path: Path, moments: _Moments, mean: Array, spread: Array, theta: Array, scatter: Array
) -> Array:
    """B of holds at θ, shape (n, p), from moments at their start: by central differences."""
    steps = STEP * path.network.common_kT / np.sqrt(scatter)
    either = np.stack([-np.diag(steps), np.diag(steps)])[:, :, None, :]
    shifted = theta + either
    A, c, Q = _moved(path, shifted.reshape(-1, theta.shape[1]), moments.of_bias)
    many = shifted.shape[:3]
    A, c, Q = (one.reshape(*many, *one.shape[1:]) for one in (A, c, Q))
    wide = Q if moments.of_bias else A @ spread @ np.swapaxes(A, -1, -2) + Q
    ends = moments.averages((A @ mean[..., None])[..., 0] + c, wide)
    return np.moveaxis((ends[1] - ends[0]) / (2 * steps[:, None, None]), 0, -1)


def _moved(path: Path, theta: Array, of_bias: bool) -> tuple[Array, Array, Array]:
    """A, c and Q of holds at θ, shape (n, p)."""
    net, learned = path.network, path.exact.parameters
    start, many = net.controls, len(theta)
    origin = learned.changes(np.zeros(learned.size), start)
    slopes = [learned.changes(row, start) for row in np.eye(learned.size)]
    found = {
        name: zero + np.tensordot(theta, np.stack([one[name] - zero for one in slopes]), 1)
        for name, zero in origin.items()
    }
    bias = found.get("bias", np.broadcast_to(net.bias, (many, net.units)))
    if of_bias:
        A, _, Q = net.transition(path.hold)
        rest = np.linalg.solve(net.stiffness, bias.T).T
        moved = np.broadcast_to(A, (many, *A.shape)), np.broadcast_to(Q, (many, *Q.shape))
    else:
        stiffness = found["stiffness"]
        rest = np.linalg.solve(stiffness, bias[..., None])[..., 0]
        if net.inertia is None:
            moved = _overdamped(net, stiffness, path.hold)
        else:
            each = [net.with_controls(stiffness=one).transition(path.hold) for one in stiffness]
            moved = np.stack([one.A for one in each]), np.stack([one.Q for one in each])
    offset = np.zeros((many, moved[0].shape[-1]))
    offset[:, : net.units] = rest
    return moved[0], offset - (moved[0] @ offset[..., None])[..., 0], moved[1]


def _overdamped(net: Network, stiffness: Array, hold: float) -> tuple[Array, Array]:
    """A = e^(−R⁻¹K h) and Q = kT (1 − A²) K⁻¹ for many K, by the modes of R^−½ K R^−½."""
    root = square_root(net.friction)
    inward = inverse(root)
    rates, modes = np.linalg.eigh(inward @ stiffness @ inward)
    left, right = inward @ modes, np.swapaxes(modes, -1, -2)
    decay = np.exp(-rates * hold)[:, None, :]
    spread = (-net.common_kT * np.expm1(-2 * rates * hold) / rates)[:, None, :]
    return (left * decay) @ right @ root, (left * spread) @ np.swapaxes(left, -1, -2)


def of_units(path: Path, forces: Array) -> Fluctuations | None:
    """Fluctuations of units without couplings, to leading order in the speed of the controls.

    About equilibrium at the controls of the time, all ∂H/∂θ have the covariance kT F, relax by
    exp(−F ζ⁻¹ t), and respond to δθ by −F δθ. ``forces`` are their averages, shape (n + 1, p).
    """
    net, learned, start = path.network, path.exact.parameters, path.exact.start
    if net.controls.on_site:
        return None
    names = ("bias", "diagonal", "quartic")
    every = Parameters(
        start, names if net.quartic.any() or names[-1] in learned.names else names[:2]
    )
    if path.too_long(every.size):
        return None
    places = {
        (unit, name): entry
        for unit, own, entries in entries_by_unit(every)
        for name, entry in zip(own, entries, strict=True)
    }
    place = np.empty(learned.size, dtype=np.intp)
    for unit, own, entries in entries_by_unit(learned):
        place[entries] = [places[unit, name] for name in own]
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
