"""Equilibrium of two or three coupled quartic units, by quadrature in all of them together."""

from __future__ import annotations

from contextlib import suppress
from functools import reduce
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array
from ktc._model.network import Network

#: Largest number of units.
MOST_UNITS = 3
#: Where H is this many kT above its minimum, the density is left out.
DEEPEST = 40.0
LEAST_DENSITY = 1e-17
#: Nodes per unit of the first grid, and most nodes of the last.
FIRST_NODES, MOST_NODES = {2: 41, 3: 33}, 2**22
#: A grid is fine enough where every second node per unit gives Z to this share: the rule's error is
#: then of the order of its square or less, as that of the trapezoidal rule for smooth functions.
AGREEMENT = 1e-4
MOST_CUTS = 30


class CoupledUnits:
    """The equilibrium of coupled quartic units on a grid of equal steps per unit.

    The box holds all that is within 40 kT of the minimum, by H ≥ Σ_i U_i(x_i) with
    U_i = V_i − ½ x_i² Σ_j|K_ij|; it is cut to where the density is, and the step halved until
    every second node gives the same.

    Args:
        net: a network of two or three units, all of them with a quartic term and no potential.

    Attributes:
        states: x at the nodes, in the network's own units, shape (n, d).
        weights: probability of each node, shape (n,).
        free_energy: −kT ln ∫ exp(−H/kT) dx, in the unit of kT.

    Raises:
        ValueError: wells so narrow beside their distance that 2²² nodes do not resolve them.

    Source: Trefethen, Weideman (2014), SIAM Review 56, 385, for the trapezoidal rule.
    """

    def __init__(self, net: Network) -> None:
        self._stiffness, self._bias, self._quartic = net.stiffness, net.bias, net.quartic
        self._kT, d = net.common_kT, net.units
        box, nodes = self._box(), FIRST_NODES[d]
        for cuts in range(MOST_CUTS + 1):
            axes = [np.linspace(low, high, nodes) for low, high in box]
            energy = self._energy(axes)
            least = float(energy.min())
            density = np.exp(-(energy - least) / self._kT)
            inside = [_span(axis, density, unit) for unit, axis in enumerate(axes)]
            spans = [
                (b - a) / (axis[-1] - axis[0]) for (a, b), axis in zip(inside, axes, strict=True)
            ]
            cut = min(spans) < 0.8
            total = float(density.sum())
            coarse = 2.0**d * float(density[(slice(None, None, 2),) * d].sum())
            if not cut and abs(coarse - total) <= AGREEMENT * total:
                break
            if not cut:
                nodes = 2 * nodes - 1
            if nodes**d > MOST_NODES or cuts == MOST_CUTS:
                raise ValueError(
                    f"the wells of these {d} coupled units are so narrow beside their distance "
                    f"that {MOST_NODES} nodes do not resolve them; raise kT, or scale stiffness, "
                    "bias and quartic down"
                )
            box = inside
        flat = density.ravel()
        kept = np.flatnonzero(flat > LEAST_DENSITY)
        places = np.unravel_index(kept, density.shape)
        columns = [axis[place] for axis, place in zip(axes, places, strict=True)]
        self.states = np.stack(columns, axis=1)
        self.weights = flat[kept] / total
        cell = float(np.prod([axis[1] - axis[0] for axis in axes]))
        self.free_energy = least - self._kT * float(np.log(total * cell))

    @classmethod
    def of(cls, net: Network) -> CoupledUnits | None:
        """The units of a network; None unless they are two or three that a grid resolves."""
        few = not net.is_sparse and 2 <= net.units <= MOST_UNITS
        if not few or not (net.quartic > 0).all() or net.controls.on_site:
            return None
        with suppress(ValueError):
            return cls(net)
        return None

    def _box(self) -> list[tuple[float, float]]:
        """Least and largest x of each unit within 40 kT of the minimum of H."""
        own = self._stiffness.diagonal()
        weaker = own - (np.abs(self._stiffness).sum(axis=1) - np.abs(own))
        bounds, rests = [], []
        terms = weaker.tolist(), self._bias.tolist(), self._quartic.tolist()
        for k, b, q in zip(*terms, strict=True):
            bounds.append(np.polynomial.Polynomial([0.0, -b, 0.5 * k, 0.0, 0.25 * q]))
            rests.append(_real(bounds[-1].deriv().roots()))
        corners = np.array([np.zeros(len(own)), *product(*(rest.tolist() for rest in rests))])
        quadratic = 0.5 * np.einsum("ni,ij,nj->n", corners, self._stiffness, corners)
        energies = quadratic - corners @ self._bias + 0.25 * corners**4 @ self._quartic
        depths = [float(bound(rest).min()) for bound, rest in zip(bounds, rests, strict=True)]
        spare = float(energies.min()) + DEEPEST * self._kT - sum(depths)
        box = []
        for bound, depth in zip(bounds, depths, strict=True):
            edges = _real((bound - (depth + spare)).roots())
            box.append((float(edges[0]), float(edges[-1])))
        return box

    def _energy(self, axes: list[Array]) -> Array:
        """H at all nodes, one axis per unit."""
        d = len(axes)
        wide = [
            axis.reshape([-1 if i == j else 1 for j in range(d)]) for i, axis in enumerate(axes)
        ]
        terms = self._stiffness.diagonal(), self._bias, self._quartic
        parts = [
            0.5 * k * x**2 - b * x + 0.25 * q * x**4
            for x, k, b, q in zip(wide, *terms, strict=True)
        ]
        parts += [
            self._stiffness[i, j] * wide[i] * wide[j] for i in range(d) for j in range(i + 1, d)
        ]
        return np.asarray(reduce(np.add, parts))


def _span(axis: Array, density: Array, unit: int) -> tuple[float, float]:
    """Where the density of a unit is not negligible, with one step more on either side."""
    others = tuple(other for other in range(density.ndim) if other != unit)
    there = np.flatnonzero(density.max(axis=others) > LEAST_DENSITY)
    low, high = max(there[0] - 1, 0), min(there[-1] + 1, len(axis) - 1)
    return float(axis[low]), float(axis[high])


def _real(values: ArrayLike) -> Array:
    """The real ones among roots of a polynomial, ascending."""
    roots = np.asarray(values, dtype=np.complex128)
    return np.sort(roots.real[np.abs(roots.imag) <= 1e-6 * np.abs(roots).max(initial=0.0)])
