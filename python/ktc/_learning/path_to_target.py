"""The remaining path of a learner, from the replicas' equilibrium to that of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ktc._base.cached import cached_property
from ktc._base.codec import Saved, require_alike
from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._learning.confinement import MARGIN
from ktc._learning.metrics.equilibria import Equilibria
from ktc._model.controls import Controls

if TYPE_CHECKING:
    from ktc._learning.schedule import Schedule

# Gauss–Legendre nodes on the path: F and ζ that fall by a factor of twenty are averaged to 1e-5.
NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
NODES, WEIGHTS = 0.5 + 0.5 * NODES, 0.5 * WEIGHTS


class PathToTarget:
    """F and ζ along the straight path from θ* to θ̂.

    θ* is where the equilibrium has the averages of the replicas, θ̂ where it has those of the data.
    F̄ = ∫F ds over the path, s from 0 to 1, so that F̄(θ̂ − θ*) is the gradient g. In the metric F̄,
    ζ̄ = (∫√ζ ds)²: for one parameter the square of the thermodynamic length per length of the path.
    X is the symmetric solution of X ζ(θ*) X = ζ̄, with which motion along the path has constant
    friction power: for one parameter √(ζ̄/ζ(θ*)), and 1 where F and ζ are constant.

    Args:
        here: θ*, shape (p,).
        goal: θ̂.
        fisher, friction: F and ζ at θ*, shape (p, p).
        fishers, frictions: those at the eight Gauss–Legendre nodes of the path.

    Raises:
        ValueError: a friction tensor that is not positive definite, as noise may make it.

    Example:
        >>> import numpy as np
        >>> import ktc
        >>> one, two, path = np.eye(1), 2 * np.eye(1), ktc.schedules.PathToTarget
        >>> path(np.zeros(1), np.ones(1), one, two, [one] * 8, [two] * 8).velocity(1.0)
        array([0.2])

    Source: thermodynamic length, Crooks (2007), Phys. Rev. Lett. 99, 100602; Sivak, Crooks (2012),
    Phys. Rev. Lett. 108, 190602.
    """

    def __init__(
        self,
        here: Array,
        goal: Array,
        fisher: Array,
        friction: Array,
        fishers: Sequence[Array],
        frictions: Sequence[Array],
    ) -> None:
        self.here, self.goal, self.fisher, self.friction = here, goal, fisher, friction
        mean = np.tensordot(WEIGHTS, np.array(fishers), 1)
        self._factor = scipy.linalg.cholesky(mean, lower=True)
        roots = [_root(self._within(one)) for one in frictions]
        self._mean_root = np.tensordot(WEIGHTS, np.array(roots), 1)

    def velocity(self, to_go: float) -> Array:
        """θ̇* = X [to_go F̄ + 2ζ̄]⁻¹ g, shape (p,)."""
        system = to_go * np.eye(len(self.here)) + 2 * self._mean_root @ self._mean_root
        pushed = self._factor.T @ (self.goal - self.here)
        moved = self._pace @ np.linalg.solve(system, pushed)
        return np.asarray(scipy.linalg.solve_triangular(self._factor, moved, lower=True, trans="T"))

    def lead(self, velocity: Array) -> Array:
        """F⁻¹ζ θ̇* at θ*: the lead of the controls over an equilibrium in steady motion."""
        return np.asarray(np.linalg.solve(self.fisher, self.friction @ velocity))

    @cached_property
    def _pace(self) -> Array:
        """X in the metric F̄: the geometric mean of ζ(θ*)⁻¹ and ζ̄."""
        root = _root(self._within(self.friction))
        back = np.linalg.inv(root)
        return np.asarray(back @ _root(root @ self._mean_root @ self._mean_root @ root) @ back)

    def _within(self, matrix: Array) -> Array:
        half = scipy.linalg.solve_triangular(self._factor, matrix, lower=True)
        return np.asarray(scipy.linalg.solve_triangular(self._factor, half.T, lower=True))


def _root(matrix: Array) -> Array:
    """Square root of a symmetric positive definite matrix."""
    values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
    if not values[0] > 0:
        raise ValueError(
            "the friction tensor is not positive definite on the path to the target: noise "
            "dominates it; take more replicas for metrics"
        )
    return np.asarray((vectors * np.sqrt(values)) @ vectors.T)


class Anticipation:
    """Steering by ``Schedule.ahead`` to the averages ``goal`` of the data."""

    rule = "path ahead"
    margin = MARGIN
    noise_work: float | None = None

    def __init__(
        self,
        equilibria: Equilibria,
        schedule: Schedule,
        goal: Array,
        start: Controls,
        hold: float,
    ) -> None:
        self._equilibria, self._schedule, self._hold = equilibria, schedule, hold
        self._goal = equilibria.with_forces(goal, start, hold)
        self._here = start

    def saved(self) -> dict[str, object]:
        """Where the search stands, as ``restore`` takes it."""
        return {"goal": self._goal, "here": self._here}

    def restore(self, saved: Saved) -> None:
        """Go on from what was ``saved``."""
        require_alike(saved, self.saved(), "steering")
        self._goal, self._here = (self._here.checked(saved[name]) for name in ("goal", "here"))

    def parameters(self, time: float, forces: Array, controls: Controls) -> Array:
        """θ to hold from ``time`` on, from ⟨∂_θH⟩ over the replicas; shape (p,)."""
        equilibria, hold, learned = self._equilibria, self._hold, self._equilibria.parameters
        goal = learned.vector(self._goal)
        if time >= self._schedule.duration:
            return goal
        self._here = equilibria.with_forces(forces, self._here, hold)
        here = learned.vector(self._here)
        # From the far end backwards, so that a calibration ensemble that has found the target
        # returns in steps.
        passed = [
            equilibria.geometry(learned.controls(here + s * (goal - here), self._here), hold)
            for s in NODES[::-1]
        ][::-1]
        own = equilibria.geometry(self._here, hold)
        path = PathToTarget(
            here, goal, own.fisher, own.friction,
            [one.fisher for one in passed], [one.friction for one in passed],
        )  # fmt: skip
        return self._schedule.ahead(time, hold, path)
