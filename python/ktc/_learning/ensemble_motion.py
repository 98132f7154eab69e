"""Motion of an infinite ensemble as a linear system whose generator is affine in θ.

With the energy linear in θ, so is the Fokker–Planck operator: ds/dt = (L₀ + Σ θ_i L_i) s for the
moments s = (1, ⟨z⟩, ⟨zzᵀ⟩) of a Gaussian network, and for the density of a unit on a grid. Averages
⟨∂_θH⟩ = Φ s are linear in s.

θ is counted from its first value, in units of ``scales``; energies are in kT.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._model.description import Described
from ktc._model.network import Network
from ktc._model.parameters import Parameters
from ktc._model.quartic_unit import OneUnit
from ktc._theory.gaussian import inverse

Complex: TypeAlias = NDArray[np.complex128]
Either: TypeAlias = NDArray[np.inexact]

#: Number of points of the grid of a unit.
GRID = 160
#: Density below this share of its largest is left out of the grid.
LEAST_DENSITY = 1e-13


class Solver(Protocol):
    """A factored matrix."""

    def __call__(self, right: Either, transposed: bool = False) -> Complex:
        """A⁻¹ b, or A⁻ᵀ b."""


class Motion(Protocol):
    """An ensemble of n numbers s, driven by p parameters.

    Attributes:
        first: s at the start.
        forces: Φ, shape (p, n).
    """

    first: Array
    forces: Array

    def factored(self, path: Array, share: complex) -> list[Solver]:
        """Factor 1 − share · L(θ) of every θ, shape (holds, p)."""

    def pushed(self, states: Either) -> Either:
        """L_i s of every parameter, shape (..., p, n), of states of shape (..., n)."""

    def response(self, state: Array) -> Array:
        """A_ij = −∂(dφ_i/dt)/∂θ_j = ⟨∇φ_i·R⁻¹∇φ_j⟩ of an overdamped ensemble, shape (p, p)."""


class GaussianMotion:
    """Mean and second moments of a Gaussian network, with inertia or without."""

    def __init__(self, start: Described, learned: Parameters, scales: Array) -> None:
        net, d = start.network, start.network.units
        self._network, self._learned, kT = net, learned, net.common_kT
        self._units, heavy = d, net.inertia is not None
        mass = np.zeros(0) if net.inertia is None else np.asarray(net.inertia)
        width = np.sqrt(kT / np.concatenate([net.stiffness.diagonal(), mass]))
        self._size, self._public = len(width), width[:d] * start.scale
        # dz = (free − inject K select) z + inject b + noise of ``spread``, in thermal widths.
        self._free, self._spread = np.zeros((2, self._size, self._size))
        if heavy:
            self._free[:d, d:] = np.eye(d)
            self._free[d:, d:] = -net.friction / mass[:, None]
            self._inject = np.vstack([np.zeros((d, d)), np.diag(1 / mass)])
            self._spread[d:, d:] = 2 * kT * net.friction / np.outer(mass, mass)
        else:
            self._inject = inverse(net.friction)
            self._spread[:] = 2 * kT * self._inject
        self._free = self._free * width / width[:, None]
        self._spread = self._spread / np.outer(width, width)
        self._inject = self._inject / width[:, None]
        self._width = width[:d]
        self._upper = np.triu_indices(self._size)
        count = 1 + self._size + len(self._upper[0])
        rest = np.concatenate([np.linalg.solve(net.stiffness, net.bias), np.zeros(len(mass))])
        covariance = np.zeros((self._size, self._size))
        covariance[:d, :d] = kT * inverse(net.stiffness)
        covariance[d:, d:] = kT * np.diag(1 / mass) if heavy else 0
        rest, covariance = rest / width, covariance / np.outer(width, width)
        second = covariance + np.outer(rest, rest)
        self.first = np.concatenate([[1.0], rest, second[self._upper]])
        origin = learned.vector(net.controls)
        self._base = self._generator(origin)
        rows = np.eye(len(scales)) * scales
        self._each = np.stack([self._generator(origin + one) - self._base for one in rows])
        columns = [self._averages(one) for one in np.eye(count)]
        self.forces = np.stack(columns, axis=1) * scales[:, None] / kT
        self._calm: GaussianMotion | None = None
        if heavy:
            light = Network(net.stiffness, net.friction, kT, net.bias)
            calm = Described(light, start.scale, start.symbols)
            self._calm = GaussianMotion(calm, learned, scales)

    def factored(self, path: Array, share: complex) -> list[Solver]:
        """Factor 1 − share · L(θ)."""
        generators = self._base + np.tensordot(path, self._each, 1)
        # The inverse, since LAPACK's getrs sums in an order that depends on the threads of BLAS.
        return [_solver(one) for one in np.linalg.inv(np.eye(len(self.first)) - share * generators)]

    def pushed(self, states: Either) -> Either:
        """L_i s."""
        return np.asarray(np.einsum("pij,...j->...pi", self._each, states, optimize=True))

    def response(self, state: Array) -> Array:
        """⟨∇φ_i·R⁻¹∇φ_j⟩."""
        if self._calm is None:
            return np.asarray(-self.forces @ self.pushed(state).T)
        d = self._units
        mean, second = self._unpacked(state)
        upper = np.triu_indices(d)
        return self._calm.response(np.concatenate([[state[0]], mean[:d], second[:d, :d][upper]]))

    def _unpacked(self, state: Array) -> tuple[Array, Array]:
        """Mean and second moments."""
        second = np.zeros((self._size, self._size))
        second[self._upper] = second.T[self._upper] = state[1 + self._size :]
        return state[1 : 1 + self._size], second

    def _averages(self, state: Array) -> Array:
        """⟨∂_θH⟩, linear in s."""
        mean, second = self._unpacked(state)
        seen, public = mean[: self._units], self._public
        covariance = second[: self._units, : self._units] - np.outer(seen, seen)
        return self._learned.mean_forces(seen * public, covariance * np.outer(public, public))

    def _generator(self, theta: Array) -> Array:
        """L(θ), shape (n, n)."""
        settings = self._learned.changes(theta, self._network.controls)
        stiffness = settings.get("stiffness", self._network.stiffness)
        push = self._inject @ settings.get("bias", self._network.bias)
        drift = self._free.copy()
        drift[:, : self._units] -= self._inject @ stiffness * self._width
        columns = []
        for one in np.eye(len(self.first)):
            mean, second = self._unpacked(one)
            moved = drift @ second + np.outer(push, mean)
            moved = moved + moved.T + one[0] * self._spread
            columns.append(
                np.concatenate([[0.0], drift @ mean + one[0] * push, moved[self._upper]])
            )
        return np.stack(columns, axis=1)


def _solver(inverse: Complex) -> Solver:
    def solve(right: Either, transposed: bool = False) -> Complex:
        return np.asarray((inverse.T if transposed else inverse) @ right)

    return solve


class UnitMotion:
    """Density of one overdamped unit on a grid, by central differences."""

    def __init__(
        self, start: OneUnit, goal: OneUnit, friction: float, names: tuple[str, ...], scales: Array
    ) -> None:
        kT = start.kT
        ends = np.array([_support(one) for one in (start, goal)])
        low, high = ends[:, 0].min(), ends[:, 1].max()
        margin = 0.05 * (high - low)
        x = np.linspace(low - margin, high + margin, GRID)
        between = 0.5 * (x[1:] + x[:-1])
        energies = {"bias": -x, "diagonal": 0.5 * x**2, "quartic": 0.25 * x**4}
        slopes = {"bias": -np.ones(GRID - 1), "diagonal": between, "quartic": between**3}
        self._step, self._mobility = float(x[1] - x[0]), 1 / friction
        self.forces = np.stack([energies[name] for name in names]) * scales[:, None] / kT
        density = np.exp(-(start.energy(x / start.length) - start.energy(x / start.length).min()))
        self.first = density / density.sum()
        own = kT * start.energy.deriv()(between / start.length) / start.length
        self._base = self._tridiagonal(own, kT)
        self._each = [
            self._tridiagonal(scale * slopes[name], 0.0)
            for name, scale in zip(names, scales.tolist(), strict=True)
        ]

    def _tridiagonal(self, slope: Array, kT: float) -> Array:
        """Upper, own and lower diagonal of p ↦ ∂(V′p + kT ∂p)/γ, without flux at the ends."""
        rate = self._mobility / self._step
        leaving = rate * (kT / self._step - 0.5 * slope)
        entering = rate * (kT / self._step + 0.5 * slope)
        own = np.zeros(GRID)
        own[:-1] -= leaving
        own[1:] -= entering
        return np.stack([np.append(0.0, entering), own, np.append(leaving, 0.0)])

    def factored(self, path: Array, share: complex) -> list[Solver]:
        """Factor 1 − share · L(θ)."""
        return [self._factored(theta, share) for theta in path]

    def _factored(self, theta: Array, share: complex) -> Solver:
        whole = self._base + sum(
            value * one for value, one in zip(theta.tolist(), self._each, strict=True)
        )
        bands = -share * whole
        bands[1] += 1
        lapack = scipy.linalg.lapack
        *factors, failed = lapack.zgttrf(bands[2, :-1], bands[1], bands[0, 1:])
        if failed:
            raise ValueError("the motion of a unit is singular")

        def solve(right: Either, transposed: bool = False) -> Complex:
            column = np.asarray(right, dtype=np.complex128)[:, None]
            found = lapack.zgttrs(*factors, column, trans="T" if transposed else "N")[0]
            return np.asarray(found[:, 0], dtype=np.complex128)

        return solve

    def pushed(self, states: Either) -> Either:
        """L_i s."""
        rows = []
        for upper, own, lower in self._each:
            row = own * states
            row[..., :-1] += upper[1:] * states[..., 1:]
            row[..., 1:] += lower[:-1] * states[..., :-1]
            rows.append(row)
        return np.stack(rows, axis=-2)

    def response(self, state: Array) -> Array:
        """⟨∇φ_i·R⁻¹∇φ_j⟩."""
        return np.asarray(-self.forces @ self.pushed(state).T)


def _support(unit: OneUnit) -> tuple[float, float]:
    """Least and largest state of a density that is not negligible."""
    states, density = unit.length * unit.states, unit.density
    inside = states[density > LEAST_DENSITY * density.max()]
    return float(inside.min()), float(inside.max())
