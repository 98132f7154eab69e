"""Slow, readable references for quartic units, H = ½ xᵀKx − bᵀx + ¼ Σ κ_i x_i⁴: no random numbers.

Quadrature of exp(−H/kT), transfer matrices of chains and rings, a Gaussian integral that decouples
units coupled all alike; the Fokker–Planck equation of one overdamped unit on a grid, first passage
times, and the operator of one documented step of the splitting integrator. Nothing is imported from
the package under test.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

legendre = cache(np.polynomial.legendre.leggauss)


@dataclass
class Unit:
    """One overdamped unit, R dx = −V′ dt + √(2 kT R) dW, V = ½ k x² − b x + ¼ κ x⁴."""

    stiffness: float
    quartic: float
    bias: float = 0.0
    kT: float = 1.0
    friction: float = 1.0

    def energy(self, x: np.ndarray) -> np.ndarray:
        return x * (0.5 * self.stiffness * x - self.bias + 0.25 * self.quartic * x**3)

    def slope(self, x: np.ndarray) -> np.ndarray:
        return self.stiffness * x - self.bias + self.quartic * x**3

    def rests(self) -> np.ndarray:
        """Zeros of V′, ascending."""
        roots = np.roots([self.quartic, 0.0, self.stiffness, -self.bias])
        return np.sort(roots[np.abs(roots.imag) < 1e-9].real)

    def reach(self, depth: float = 45.0) -> float:
        """|x| beyond which V is more than ``depth`` kT above its least value."""
        x = np.linspace(0, 1, 2001)[1:] * 1e3 * max(1.0, np.abs(self.rests()).max())
        for scale in np.geomspace(1, 1e-4, 200):
            low = self.energy(np.array([-x[-1], x[-1]]) * scale * 0.95).min()
            if low < self.energy(self.rests()).min() + depth * self.kT:
                return float(x[-1] * scale)
        return float(x[-1] * 1e-4)

    def nodes(self, count: int = 400) -> tuple[np.ndarray, np.ndarray]:
        """Gauss–Legendre nodes over all that matters, and p(x) dx of the equilibrium at them."""
        reach = self.reach()
        nodes, weights = legendre(count)
        x, energy = reach * nodes, self.energy(reach * nodes)
        density = np.exp(-(energy - energy.min()) / self.kT) * weights
        return x, density / density.sum()

    def average(self, function: Callable[[np.ndarray], np.ndarray]) -> float:
        """⟨f⟩ at equilibrium."""
        x, weights = self.nodes()
        return float(weights @ function(x))

    def free_energy(self) -> float:
        """−kT ln ∫ exp(−V/kT) dx."""
        nodes, weights = legendre(400)
        energy = self.energy(self.reach() * nodes)
        total = weights @ np.exp(-(energy - energy.min()) / self.kT) * self.reach()
        return float(energy.min() - self.kT * np.log(total))

    def passage_time(self, start: float, end: float) -> float:
        """Mean first passage time from start to end > start, nothing held back on the left.

        τ = (R/kT) ∫_start^end dy e^{V(y)/kT} ∫_{−∞}^y dz e^{−V(z)/kT}
        (Gardiner, Stochastic Methods, sec. 5.5).
        """
        nodes, weights = legendre(400)
        left = -self.reach()
        y = start + 0.5 * (end - start) * (nodes + 1)
        inner = np.empty(len(y))
        for i, upto in enumerate(y):
            z = left + 0.5 * (upto - left) * (nodes + 1)
            inner[i] = (
                0.5
                * (upto - left)
                * (weights @ np.exp((self.energy(np.array(upto)) - self.energy(z)) / self.kT))
            )
        return float(self.friction / self.kT * 0.5 * (end - start) * (weights @ inner))

    def modes(self, count: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Grid, rates λ_n ascending, orthonormal v_n, and √p of the equilibrium at the grid.

        The Fokker–Planck operator, made symmetric by √p, in sinc functions: exponentially accurate
        (Colbert, Miller, J. Chem. Phys. 96, 1982, 1992). φ_n = v_n/√p are the right eigenfunctions,
        ⟨φ_n(x_t)⟩ = e^{−λ_n t} φ_n(x_0).
        """
        x = np.linspace(-self.reach(), self.reach(), count)
        gap, diffusion = x[1] - x[0], self.kT / self.friction
        offset = np.subtract.outer(np.arange(count), np.arange(count))
        with np.errstate(divide="ignore"):
            second = np.where(offset == 0, np.pi**2 / 3, 2.0 * (-1.0) ** offset / offset**2.0)
        curvature = self.stiffness + 3 * self.quartic * x**2
        well = self.slope(x) ** 2 / (4 * self.kT) - curvature / 2
        rates, vectors = np.linalg.eigh(diffusion * second / gap**2 + np.diag(well / self.friction))
        density = np.exp(-(self.energy(x) - self.energy(x).min()) / self.kT)
        return x, rates, vectors, np.sqrt(density / density.sum())

    def moved(self, weights: np.ndarray, duration: float) -> np.ndarray:
        """Probabilities on the grid of ``modes`` after a duration, by Fokker and Planck."""
        _, rates, vectors, root = self.modes(len(weights))
        return root * (vectors @ (np.exp(-rates * duration) * (vectors.T @ (weights / root))))

    def step_density(self, dt: float, x: np.ndarray) -> np.ndarray:
        """T[i, j] = density of x_i after half a step from x_j, of the splitting integrator.

        Half a step of a resistor alone: the quartic force for a quarter step, w/√(1 + 2κw²t/R),
        the Ornstein–Uhlenbeck move of the rest for half a step, and the quartic force again.
        """
        rate = 2 * self.quartic / self.friction * 0.25 * dt
        after = x / np.sqrt(1 + rate * x**2)
        exponent = self.stiffness / self.friction * 0.5 * dt
        shrink = -np.expm1(-exponent) / exponent if exponent else 1.0
        reach = 0.5 * dt / self.friction * shrink
        spread = -np.expm1(-2 * exponent) / (2 * exponent) if exponent else 1.0
        width = np.sqrt(self.kT * dt / self.friction * spread)
        centre = after - reach * (self.stiffness * after - self.bias)
        inside = 1 - rate * x**2
        with np.errstate(divide="ignore", invalid="ignore"):
            before, jacobian = x / np.sqrt(inside), inside**-1.5
        gauss = np.exp(-0.5 * ((before[:, None] - centre[None, :]) / width) ** 2)
        gauss /= width * np.sqrt(2 * np.pi)
        return np.where((inside > 0)[:, None], gauss * jacobian[:, None], 0.0)

    def step_operator(self, dt: float, count: int = 600) -> tuple[np.ndarray, np.ndarray]:
        """Grid and the matrix that takes probabilities p(x_j) Δx through one whole step."""
        x = np.linspace(-self.reach(), self.reach(), count)
        half = self.step_density(dt, x) * (x[1] - x[0])
        return x, half @ half

    def stationary_of_step(self, dt: float, count: int = 600) -> tuple[np.ndarray, np.ndarray]:
        """Grid and the probabilities that one step leaves as they are."""
        x, operator = self.step_operator(dt, count)
        weights = np.exp(-(self.energy(x) - self.energy(self.rests()).min()) / self.kT)
        # The rank-one shift makes the null vector of T − 1 the solution of a linear system.
        ones = np.ones(count)
        weights = np.linalg.solve(
            np.eye(count) - operator + np.outer(weights / weights.sum(), ones),
            weights / weights.sum(),
        )
        return x, weights / weights.sum()


@dataclass
class Units:
    """Several units at equilibrium, exp(−H/kT)/Z."""

    stiffness: np.ndarray
    quartic: np.ndarray
    bias: np.ndarray
    kT: float = 1.0

    def __post_init__(self) -> None:
        self.stiffness = np.asarray(self.stiffness, dtype=float)
        ones = np.ones(len(self.stiffness))
        self.quartic = np.asarray(self.quartic, dtype=float) * ones
        self.bias = np.asarray(self.bias, dtype=float) * ones

    def alone(self, i: int, x: np.ndarray) -> np.ndarray:
        """−V_i(x)/kT of one unit without its couplings."""
        own = 0.5 * self.stiffness[i, i] * x**2 - self.bias[i] * x + 0.25 * self.quartic[i] * x**4
        return -own / self.kT

    def on_grid(self, reach: float, count: int) -> tuple[np.ndarray, np.ndarray]:
        """All points of a grid, (count^d, d), and their probabilities: for two or three units."""
        nodes, weights = legendre(count)
        d = len(self.bias)
        points = np.stack(np.meshgrid(*[reach * nodes] * d, indexing="ij"), -1).reshape(-1, d)
        logs = np.stack(np.meshgrid(*[np.log(weights)] * d, indexing="ij"), -1).reshape(-1, d)
        log = logs.sum(axis=1) - self.energy(points) / self.kT
        probability = np.exp(log - log.max())
        return points, probability / probability.sum()

    def chain(self, reach: float, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Marginal probabilities (d, count) on a grid, units coupled to the next alone.

        A coupling of the last to the first closes the chain to a ring.
        """
        d, x = len(self.bias), np.linspace(-reach, reach, count)
        own = np.array([self.alone(i, x) for i in range(d)])
        bonds = [-self.stiffness[i, (i + 1) % d] * np.outer(x, x) / self.kT for i in range(d)]
        ring = d > 2 and self.stiffness[0, d - 1] != 0
        transfer = []
        for i in range(d if ring else d - 1):
            # Ends of a chain belong to one bond alone, other units half to either side.
            first = 1.0 if i == 0 and not ring else 0.5
            last = 1.0 if i == d - 2 and not ring else 0.5
            log = first * own[i][:, None] + last * own[(i + 1) % d][None, :] + bonds[i]
            transfer.append(np.exp(log - log.max()))
        if not ring:
            left, right = [np.ones(count)], [np.ones(count)]
            for i in range(d - 1):
                left.append(_unit(left[-1] @ transfer[i]))
                right.append(_unit(transfer[d - 2 - i] @ right[-1]))
            marginals = [left[i] * right[d - 1 - i] for i in range(d)]
            if d == 1:
                marginals = [np.exp(own[0] - own[0].max())]
        else:
            marginals = []
            for i in range(d):
                around = np.eye(count)
                for k in range(d):
                    around = _unit(around @ transfer[(i + k) % d])
                marginals.append(np.diagonal(around))
        weights = np.array(marginals)
        return x, weights / weights.sum(axis=1, keepdims=True)

    def all_alike(self, reach: float, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Marginals (d, count) where all couplings are one number J > 0, which frustrates signs.

        exp(−½J(Σx)²/kT) = ∫ exp(−½y² + i y Σx √(J/kT)) dy/√2π decouples the units
        (Hubbard, Phys. Rev. Lett. 3, 77, 1959).
        """
        d, x = len(self.bias), np.linspace(-reach, reach, count)
        coupling = self.stiffness[0, 1]
        own = np.array([self.alone(i, x) for i in range(d)]) + 0.5 * coupling * x**2 / self.kT
        weights = np.exp(own - own.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        y = np.linspace(-9.0, 9.0, 2001)
        phase = np.exp(1j * np.outer(y, x) * np.sqrt(coupling / self.kT))
        single = phase @ weights.T
        gauss = np.exp(-0.5 * y**2)
        marginals = []
        for i in range(d):
            others = np.prod(np.delete(single, i, axis=1), axis=1) * gauss
            marginals.append(weights[i] * np.real(others @ phase))
        result = np.array(marginals)
        return x, result / result.sum(axis=1, keepdims=True)

    def of_wells(self, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Points and weights of an importance sampling from normals at all minima.

        Minima are sought from all combinations of signs; normals are wider than the wells by half,
        so that weights are bounded. For dense networks of few units, whatever their couplings.
        """
        d, rng = len(self.bias), np.random.default_rng(seed)
        minima: dict[tuple[float, ...], tuple[np.ndarray, np.ndarray]] = {}
        for signs in itertools.product((-1.0, 1.0), repeat=d):
            x = np.array(signs) * np.sqrt(np.abs(np.diag(self.stiffness)) / self.quartic)
            for _ in range(60):
                slope = self.stiffness @ x - self.bias + self.quartic * x**3
                hessian = self.stiffness + np.diag(3 * self.quartic * x**2)
                # Newton's step made downhill where the energy is not convex, and not too long.
                lift = max(0.0, 1e-3 - 2 * np.linalg.eigvalsh(hessian)[0])
                step = np.linalg.solve(hessian + lift * np.eye(d), -slope)
                x = x + step / max(1.0, 2 * np.abs(step).max())
                if np.abs(slope).max() < 1e-10:
                    break
            hessian = self.stiffness + np.diag(3 * self.quartic * x**2)
            if np.abs(slope).max() < 1e-8 and np.linalg.eigvalsh(hessian)[0] > 0:
                minima[tuple(np.round(x, 6))] = (x, hessian / self.kT)
        wells = list(minima.values())
        centres = np.array([x for x, _ in wells])
        logs = -self.energy(centres) / self.kT
        logs -= [0.5 * np.linalg.slogdet(h)[1] for _, h in wells]
        shares = np.maximum(np.exp(logs - logs.max()), 1e-3)
        shares /= shares.sum()
        points = np.vstack(
            [
                x + rng.normal(size=(n, d)) @ np.linalg.cholesky(1.5 * np.linalg.inv(h)).T
                for (x, h), n in zip(wells, rng.multinomial(count, shares))
            ]
        )
        density = np.full(len(points), -np.inf)
        for (x, h), share in zip(wells, shares):
            offsets = points - x
            inside = -np.einsum("ri,ri->r", offsets @ h, offsets) / 3
            density = np.logaddexp(density, np.log(share) + inside + 0.5 * np.linalg.slogdet(h)[1])
        logs = -self.energy(points) / self.kT - density
        weights = np.exp(logs - logs.max())
        return points, weights / weights.sum()

    def energy(self, x: np.ndarray) -> np.ndarray:
        """H of every row."""
        quadratic = 0.5 * np.einsum("ri,ri->r", x @ self.stiffness, x) - x @ self.bias
        return np.asarray(quadratic + 0.25 * x**4 @ self.quartic)


def _unit(values: np.ndarray) -> np.ndarray:
    return values / values.max()
