"""Steering of a Gaussian ensemble to the data at the least excess work of any control."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ktc._base.codec import Saved, require_alike
from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._learning.averages import gaussian_of_forces, is_whole
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.metrics.source import MetricSource
from ktc._model.controls import Controls
from ktc._model.network import Network
from ktc._model.parameters import Parameters
from ktc._theory.gaussian import inverse, square_root, symmetrized
from ktc._theory.transport import Transport

#: Probability, at one update, of a deviation of a sample that passes for more than that.
FALSE_ALARM = 1e-9
#: Least number of replicas for each degree of freedom of a covariance that is compared.
ENOUGH = 100
#: Share of the stiffness that an update must leave in every direction.
LEAST_STIFFNESS = 1e-6


class Ensemble(NamedTuple):
    """Mean and covariance of a distribution in coordinates y = R^½ x."""

    mean: Array
    covariance: Array


class TransportSteering:
    """Controls of bias and stiffness that carry the replicas to the data along ``Transport``.

    The controls at a time that bring about dy/dt = G (y − ⟨y⟩) + v in an ensemble N(m, S) are

        R^−½ K R^−½ = kT S⁻¹ − G,    R^−½ b = (kT S⁻¹ − G) m + v.

    Held controls are those of the middle of the tick, where G is G (1 + G h/2)⁻¹ and the moments
    have moved by half a tick, which makes the loop second order in the tick.

    Moments are predicted from tick to tick, exactly, because the controls are known. The averages
    of N replicas correct them only by what a sample of N does not explain: where their squared
    deviation, χ² with n degrees of freedom, is above its quantile q of probability 1e-9, the share
    1 − q/χ² of it is taken over. So the noise of replicas does not steer, and feedback gains no
    work from it. Covariances are compared where N is at least a hundred times n; the distribution
    of theirs is not χ² below. An infinite ensemble is taken as it is.

    Args:
        network: the network at its first controls, whose equilibrium is predicted at the start.
        learned: all of the bias and of the stiffness.
        goal: ⟨∂_θH⟩ over the data, shape (p,).
        duration, hold: T, and the time between updates.
        replicas: N, or ``math.inf``.

    Source: James, Stein (1961), Berkeley Symp. Math. Statist. Prob. 1, 361, for the positive part;
    feedback: Sagawa, Ueda (2008), Phys. Rev. Lett. 100, 080403.
    """

    rule = "transport"
    margin = LEAST_STIFFNESS
    noise_work: float | None = 0.0

    def __init__(
        self,
        network: Network,
        learned: Parameters,
        goal: Array,
        duration: float,
        hold: float,
        replicas: float,
    ) -> None:
        self._learned, self._duration, self._hold = learned, duration, hold
        self._network, self._kT, self._replicas = network, network.common_kT, replicas
        self._root = square_root(network.friction)
        self._outward = inverse(self._root)
        start = network.controls
        rest = self._root @ np.linalg.solve(start.stiffness, start.bias)
        spread = network.common_kT * self._root @ inverse(start.stiffness) @ self._root
        self._here = Ensemble(rest, symmetrized(spread))
        target = self._of_forces(goal)
        self._transport = Transport(target.mean, target.covariance, self._kT)

    @property
    def coarseness(self) -> float:
        """A tick over the fastest relaxation time of start and target."""
        ends = self._here.covariance, self._transport.covariance
        least = min(np.linalg.eigvalsh(covariance)[0] for covariance in ends)
        return float(self._hold * self._kT / least)

    def parameters(self, time: float, forces: Array, controls: Controls) -> Array:
        """θ to hold from ``time`` on, from the replicas' ⟨∂_θH⟩ and the controls held so far."""
        seen = self._of_forces(forces)
        if math.isinf(self._replicas):
            self._here = seen
        else:
            if time > 0:
                self._here = self._after(controls)
            self._correct(seen)
        to_go = self._duration - time
        if to_go < 0.5 * self._hold:
            goal = self._transport
            return self._theta(self._kT * goal.precision, goal.mean, np.zeros_like(goal.mean))
        mean, covariance = self._here
        aim = self._transport.aim(mean, covariance, to_go)
        moved: Array = np.eye(len(mean)) + 0.5 * self._hold * aim.stretch
        stretch = symmetrized(np.asarray(np.linalg.solve(moved, aim.stretch)))
        midway = symmetrized(moved @ covariance @ moved)
        stiffness = self._kT * inverse(midway) - stretch
        return self._theta(stiffness, mean + 0.5 * self._hold * aim.velocity, aim.velocity)

    def saved(self) -> dict[str, object]:
        """The moments as predicted last, as ``restore`` takes them."""
        return self._here._asdict()

    def restore(self, saved: Saved) -> None:
        """Go on from what was ``saved``."""
        require_alike(saved, self.saved(), "steering")
        self._here = Ensemble(**saved)

    def _theta(self, stiffness: Array, mean: Array, velocity: Array) -> Array:
        """θ of K and b = K m + v, given in coordinates y."""
        bias = self._root @ (stiffness @ mean + velocity)
        own = symmetrized(self._root @ stiffness @ self._root)
        theta = np.empty(self._learned.size)
        for name, block in self._learned.blocks.items():
            theta[block] = (bias if name == "bias" else own)[self._learned.places[name]]
        return theta

    def _of_forces(self, forces: Array) -> Ensemble:
        """Mean and covariance of which ``forces`` are the averages."""
        mean, covariance = gaussian_of_forces(self._learned, forces)
        return Ensemble(self._root @ mean, symmetrized(self._root @ covariance @ self._root))

    def _after(self, controls: Controls) -> Ensemble:
        """The moments after a tick under controls, exactly."""
        mean, covariance = self._here
        moved = self._network.with_controls(controls).transition(self._hold)
        decay = self._root @ moved.A @ self._outward
        spread = decay @ covariance @ decay.T + self._root @ moved.Q @ self._root
        return Ensemble(decay @ mean + self._root @ moved.c, symmetrized(spread))

    def _correct(self, seen: Ensemble) -> None:
        """Take over what a sample of N replicas does not explain."""
        mean, covariance = self._here
        n, d = self._replicas, len(mean)
        factor = np.linalg.cholesky(covariance)
        off = np.linalg.solve(factor, seen.mean - mean)
        share = _unexplained(n * float(off @ off), d)
        degrees = d * (d + 1) / 2
        excess, widened = np.zeros((d, d)), 0.0
        if n >= ENOUGH * degrees:
            wide = np.linalg.solve(factor, np.linalg.solve(factor, seen.covariance).T)
            excess = np.asarray(wide * (n / (n - 1)) - np.eye(d))
            widened = _unexplained(0.5 * n * float(np.sum(excess**2)), degrees)
        if share or widened:
            spread = covariance + widened * factor @ excess @ factor.T
            self._here = Ensemble(mean + share * (seen.mean - mean), symmetrized(spread))


def transport_steering(
    exact: ExactModel,
    metrics: MetricSource | None,
    goal: Array,
    duration: float,
    hold: float,
    replicas: float,
) -> TransportSteering | None:
    """Steering by transport; None unless all of the bias and stiffness of an overdamped Gaussian
    network are learned, by its closed forms, from data that determine them.
    """
    learned, network = exact.parameters, exact.start.network
    overdamped = network.inertia is None and network.has_friction
    chosen = metrics is None or metrics.closed
    if not (exact.method == "closed form" and is_whole(learned) and overdamped and chosen):
        return None
    try:
        return TransportSteering(network, learned, goal, duration, hold, replicas)
    except (ValueError, np.linalg.LinAlgError):
        return None


def _unexplained(squares: float, degrees: float) -> float:
    """Share of a deviation that is more than that of a sample."""
    expected = float(scipy.special.chdtri(degrees, FALSE_ALARM))
    return max(0.0, 1 - expected / squares) if squares > 0 else 0.0
