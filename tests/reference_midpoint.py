"""Slow, readable reference of the motion of all units at once, and of the density of its steps.

A step is half of the quartic relaxation, the linear motion, and the other half. Linear motion of
coupled units is the implicit midpoint, found here by solving for x′; of units without couplings the
exact Ornstein–Uhlenbeck move. Nothing is imported from the package under test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass
class Together:
    """Units with one resistor each: dx = −g (Kx − b + κx³) dt + √(2kT g) dW, R = 1/g."""

    stiffness: np.ndarray
    quartic: np.ndarray
    bias: np.ndarray
    friction: np.ndarray
    kT: float

    def __post_init__(self) -> None:
        self.stiffness = np.asarray(self.stiffness, dtype=float)
        ones = np.ones(len(self.stiffness))
        self.quartic = np.asarray(self.quartic, dtype=float) * ones
        self.bias = np.asarray(self.bias, dtype=float) * ones
        self.friction = np.asarray(self.friction, dtype=float) * ones

    def energy(self, x: np.ndarray) -> np.ndarray:
        """H of every row."""
        quadratic = 0.5 * np.einsum("ri,ri->r", x @ self.stiffness, x) - x @ self.bias
        return np.asarray(quadratic + 0.25 * x**4 @ self.quartic)

    def slope(self, x: np.ndarray) -> np.ndarray:
        return x @ self.stiffness - self.bias + self.quartic * x**3

    def linear(self, dt: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A, c and S of the linear motion x′ = A x + c + S ξ."""
        rates, one = np.diag(self.stiffness) / self.friction, np.eye(len(self.bias))
        if np.array_equal(self.stiffness, np.diag(np.diag(self.stiffness))):
            nought = rates == 0
            safe = np.where(nought, 1.0, rates)
            reach = np.where(nought, dt, -np.expm1(-safe * dt) / safe)
            spread = np.where(nought, 2 * dt, -np.expm1(-2 * safe * dt) / safe)
            width = np.sqrt(self.kT / self.friction * spread)
            return np.diag(1 - rates * reach), reach * self.bias / self.friction, np.diag(width)
        half = 0.5 * dt * self.stiffness / self.friction[:, None]
        noise = np.diag(np.sqrt(2 * self.kT * dt / self.friction))
        push = dt * self.bias / self.friction
        return (
            np.linalg.solve(one + half, one - half),
            np.linalg.solve(one + half, push),
            np.linalg.solve(one + half, noise),
        )

    def relaxed(self, x: np.ndarray, time: float) -> np.ndarray:
        """dx = −g κ x³ dt, exactly."""
        return np.asarray(x / np.sqrt(1 + 2 * self.quartic / self.friction * time * x**2))

    def moved(self, x: np.ndarray, dt: float, normals: np.ndarray) -> np.ndarray:
        """Rows of x after a step for each (rows, d) of the normals."""
        matrix, push, noise = self.linear(dt)
        for xi in normals:
            x = self.relaxed(x, 0.5 * dt)
            x = x @ matrix.T + push + xi @ noise.T
            x = self.relaxed(x, 0.5 * dt)
        return x


@dataclass
class Density:
    """Probabilities of where steps lead, on a grid of all units: deterministic.

    They are carried between the linear motion and the second half of the quartic relaxation, where
    one step from a point is a normal density and the trapezoidal sum over a grid as fine as its
    width is exact but for exp(−2π² width²/gap²).
    """

    units: Together
    dt: float
    reach: float
    count: int

    def __post_init__(self) -> None:
        axis, d = np.linspace(-self.reach, self.reach, self.count), len(self.units.bias)
        self.points = np.stack(np.meshgrid(*[axis] * d, indexing="ij"), -1).reshape(-1, d)
        self.cell = float((axis[1] - axis[0]) ** d)
        self.after = self.units.relaxed(self.points, 0.5 * self.dt)

    def arrivals(self, before: np.ndarray) -> np.ndarray:
        """Columns: probabilities after the linear motion from each of these points."""
        matrix, push, noise = self.units.linear(self.dt)
        inverse = np.linalg.inv(noise)
        reached = (before @ matrix.T + push) @ inverse.T
        here = self.points @ inverse.T
        square = (here**2).sum(axis=1)[:, None] + (reached**2).sum(axis=1) - 2 * here @ reached.T
        weight = self.cell * abs(np.linalg.det(inverse)) / np.sqrt(2 * np.pi) ** len(push)
        return np.asarray(np.exp(-0.5 * square) * weight)

    def started(self, points: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Probabilities after the first step from x at these points with these weights."""
        return self.arrivals(self.units.relaxed(points, 0.5 * self.dt)) @ weights

    def operator(self) -> np.ndarray:
        """One step from the grid to the grid."""
        return self.arrivals(self.units.relaxed(self.points, self.dt))

    def stationary(self) -> np.ndarray:
        """The probabilities that a step leaves as they are."""
        operator, count = self.operator(), len(self.points)
        energy = self.units.energy(self.points)
        guess = np.exp(-(energy - energy.min()) / self.units.kT)
        guess /= guess.sum()
        # The rank-one shift makes the null vector of T − 1 the solution of a linear system.
        shift = np.outer(guess, np.ones(count))
        weights = np.linalg.solve(np.eye(count) - operator + shift, guess)
        return np.asarray(weights / weights.sum())

    def average(self, function: Callable[[np.ndarray], np.ndarray], weights: np.ndarray) -> float:
        """⟨f(x)⟩ at the ends of steps."""
        return float(weights @ function(self.after))


def fokker_planck(
    units: Together, reach: float, count: int, start: np.ndarray, duration: float
) -> tuple[np.ndarray, np.ndarray]:
    """Grid points of two units and the probabilities on them after a duration from ``start``.

    The operator made symmetric by √p, in sinc functions (Colbert, Miller, J. Chem. Phys. 96, 1982,
    1992); ``start`` are probabilities at the points.
    """
    axis = np.linspace(-reach, reach, count)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    offset = np.subtract.outer(np.arange(count), np.arange(count))
    with np.errstate(divide="ignore"):
        second = np.where(offset == 0, np.pi**2 / 3, 2.0 * (-1.0) ** offset / offset**2.0)
    second = second / (axis[1] - axis[0]) ** 2
    curvature = np.diag(units.stiffness) + 3 * units.quartic * points**2
    slope = units.slope(points)
    wells = (slope**2 / (4 * units.kT) - curvature / 2) @ (1 / units.friction)
    diffusion, one = units.kT / units.friction, np.eye(count)
    generator = np.kron(diffusion[0] * second, one) + np.kron(one, diffusion[1] * second)
    rates, vectors = np.linalg.eigh(generator + np.diag(wells))
    energy = units.energy(points)
    root = np.exp(-(energy - energy.min()) / (2 * units.kT))
    weights = root * (vectors @ (np.exp(-rates * duration) * (vectors.T @ (start(points) / root))))
    return points, weights / weights.sum()
