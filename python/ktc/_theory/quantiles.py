"""Optimal transport in one dimension, by monotone maps of quantiles."""

from __future__ import annotations

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._model.quartic_unit import OneUnit

# Quantiles are taken at Φ(z), |z| ≤ 8, which leaves out 1e-15 of the probability.
REACH = 8.0
CELLS = 2000
NEWTON_STEPS = 500


def quantiles_of(unit: OneUnit, z: Array) -> Array:
    """x with P(x) = Φ(z), for each z."""
    below, above = unit.cumulative()
    lower = below < 0.5
    own = np.where(
        lower, scipy.special.ndtri(np.where(lower, below, 0.5)),
        -scipy.special.ndtri(np.where(lower, 0.5, above)),
    )  # fmt: skip
    # Where the density vanishes, as on a high barrier, z does not increase; one node is kept.
    keep = np.concatenate([[True], own[1:] > np.maximum.accumulate(own)[:-1] + 1e-13])
    keep &= np.isfinite(own)
    states = unit.states.ravel()[keep] * unit.length
    return np.asarray(scipy.interpolate.PchipInterpolator(own[keep], states)(z))


def squared_distance(first: OneUnit, last: OneUnit) -> float:
    """∫(q′ − q)² du, by the trapezoidal rule in z, exponentially convergent for smooth maps."""
    z = np.linspace(-REACH, REACH, 4 * CELLS + 1)
    apart = quantiles_of(last, z) - quantiles_of(first, z)
    weights = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    return float(weights @ apart**2)


def bound(first: OneUnit, last: OneUnit, friction: float, duration: float) -> float:
    """min over monotone y(z) of γ∫(y − x)²du/T + kT KL, extrapolated from two meshes."""
    problem = first, last, friction, duration
    coarse, fine = (_Transport(*problem, cells).least() for cells in (CELLS, 2 * CELLS))
    return first.kT * max(0.0, (4 * fine - coarse) / 3)


class _Transport:
    """The objective in units of kT on a mesh of z, second order in its spacing."""

    def __init__(
        self, first: OneUnit, last: OneUnit, friction: float, duration: float, cells: int
    ) -> None:
        z = np.linspace(-REACH, REACH, cells + 1)
        self._h = z[1] - z[0]
        both = z, 0.5 * (z[1:] + z[:-1])
        density = [np.exp(-0.5 * at**2) / np.sqrt(2 * np.pi) for at in both]
        self._nodes, self._cells = (values * self._h for values in density)
        # In the unit of length of the target.
        self._start, self._goal = (quantiles_of(unit, z) / last.length for unit in (first, last))
        self._pull = friction * last.length**2 / (duration * last.kT)
        self._energy = last.energy
        self._constant = last.log_partition - 0.5 * np.log(2 * np.pi * np.e)

    def least(self) -> float:
        """The lower of the minima found from the start and from the target."""
        return min(self._descend(guess) for guess in (self._start, self._goal))

    def _value(self, y: Array) -> float:
        steps = np.diff(y)
        if not (steps > 0).all():
            return np.inf
        held = self._nodes @ (self._pull * (y - self._start) ** 2 + self._energy(y))
        return float(held - self._cells @ np.log(steps / self._h) + self._constant)

    def _descend(self, guess: Array) -> float:
        y, value = guess, self._value(guess)
        curvature, slope_of = self._energy.deriv(2), self._energy.deriv()
        for _ in range(NEWTON_STEPS):
            steps = np.diff(y)
            slope = self._nodes * (2 * self._pull * (y - self._start) + slope_of(y))
            slope[:-1] += self._cells / steps
            slope[1:] -= self._cells / steps
            bonds = self._cells / steps**2
            bands = np.zeros((2, len(y)))
            bands[0, 1:] = -bonds
            bands[1, :-1] += bonds
            bands[1, 1:] += bonds
            # Where the objective is not convex, the concave parts of the target are left out.
            bent = 2 * self._pull + curvature(y)
            for own in (bent, np.maximum(bent, 0.1 * np.abs(bent) + 1e-9)):
                try:
                    step = _solve(bands, self._nodes * own, -slope)
                except np.linalg.LinAlgError:
                    continue
                break
            fall = -float(slope @ step)
            if fall < 1e-15 * max(1.0, abs(value)):
                break
            share = 1.0
            while (new := self._value(y + share * step)) > value - 1e-4 * share * fall:
                share *= 0.5
                if share < 1e-10:
                    return value
            y, value = y + share * step, new
        return value


def _solve(bands: Array, own: Array, right: Array) -> Array:
    """Solve the tridiagonal system at unit diagonal: its scale falls by 14 decades in the tails."""
    diagonal = bands[1] + own
    if not (diagonal > 0).all():
        raise np.linalg.LinAlgError
    root = np.sqrt(diagonal)
    scaled = np.ones((2, len(root)))
    scaled[0, 0] = 0.0
    scaled[0, 1:] = bands[0, 1:] / root[1:] / root[:-1]
    return np.asarray(scipy.linalg.solveh_banded(scaled, right / root) / root)
