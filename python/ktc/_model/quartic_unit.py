"""Equilibrium of one unit in the potential V = ½kx² − bx + ¼κx⁴, by quadrature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array
from ktc._model.network import Network

# Where V is this many kT above its minimum, 1e-22 of the probability is left out.
DEEPEST = 50.0
# A well this many kT deep has V rounded to 1e-4 kT.
DEEPEST_WELL = 1e12
# ∫ e^{V/kT} over a barrier magnifies the rounding of the flux over it: 1e-16² e^50 is below 1e-10.
HIGHEST_BARRIER = 50.0
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)


def _integration() -> Array:
    """Matrix that maps values at the nodes to their integrals from −1 to every node."""
    order = len(NODES)
    values = np.polynomial.legendre.legvander(NODES, order)
    integrals = np.empty((order, order))
    integrals[:, 0] = NODES + 1
    for n in range(1, order):
        integrals[:, n] = (values[:, n + 1] - values[:, n - 1]) / (2 * n + 1)
    share = (np.arange(order) + 0.5)[:, None] * values[:, :order].T * WEIGHTS
    return np.asarray(integrals @ share)


CUMULATIVE = _integration()


#: Quartic energy in kT that changes no figure of a unit with positive stiffness.
NEGLIGIBLE = 1e-17


class UnitEnergy(Protocol):
    """V/kT as a function of x/length, such as a polynomial."""

    def __call__(self, x: Array, /) -> Array:
        """V/kT at x/length."""

    def deriv(self, order: int = 1, /) -> Callable[[Array], Array]:
        """Derivative by x/length."""


class OneUnit:
    """The equilibrium of one unit on pieces of 16 Gauss nodes each.

    V changes by no more than about 2 kT over a piece, so that polynomials of degree 15 represent
    e^{±V/kT} to rounding, however deep the wells are.

    Attributes:
        kT: thermal energy.
        length: unit of length: √(kT/k) or (kT/κ)^¼, the smaller of both.
        energy: V/kT as a function of x/length, a polynomial without a potential.
        barrier: height of the barrier over the shallower of two wells, in kT; 0 for one well.
        states: x/length at the nodes, shape (pieces, 16).
        density: e^{−V/kT}/Z at the nodes.
        log_partition: ln ∫ e^{−V/kT} dx/length.
    """

    energy: UnitEnergy

    def __init__(self, stiffness: float, bias: float, quartic: float, kT: float) -> None:
        soft = [np.sqrt(kT / stiffness)] if stiffness > 0 else []
        hard = [(kT / quartic) ** 0.25] if quartic > 0 else []
        if not soft + hard:
            raise ValueError(
                f"stiffness must be positive where quartic is 0, but is {stiffness:g}: the energy "
                "has no minimum"
            )
        self.kT, self.length = kT, float(min(soft + hard))
        a = stiffness * self.length**2 / kT
        c = bias * self.length / kT
        q = quartic * self.length**4 / kT
        reach = abs(c) + np.sqrt(2 * DEEPEST)
        if stiffness > 0 and q * reach**4 < NEGLIGIBLE:
            q = 0.0  # a polynomial with so small a leading term has no accurate roots
        v = np.polynomial.Polynomial([0.0, -c, 0.5 * a, 0.0, 0.25 * q]).trim()
        self.energy = v
        slope = v.deriv()
        rests = _real(slope.roots())
        depths = np.sort(v(rests))
        least = float(depths[0])
        self.barrier = float(depths[2] - depths[1]) if len(depths) == 3 else 0.0
        edges = _real((v - (least + DEEPEST)).roots())
        if least < -DEEPEST_WELL or len(edges) not in (2, 4):
            raise ValueError(
                f"stiffness {stiffness:g} and bias {bias:g} make a well {-least:.3g} kT deep, in "
                "which rounding outweighs kT; raise kT, or scale stiffness, bias and quartic down"
            )
        # A higher barrier divides the states, and has no probability.
        if len(edges) == 4 and edges[2] - edges[1] <= (edges[3] - edges[0]) / 8:
            edges = edges[[0, -1]]
        turns = _real(slope.deriv().roots())
        turns = turns[np.searchsorted(edges, turns) % 2 == 1]
        spans = edges[1::2] - edges[::2]
        steepest = np.abs(slope(np.concatenate([edges, turns]))).max()
        self._half = 0.5 * spans.sum() / max(8, int(np.ceil(0.5 * steepest * spans.sum())))
        pieces = np.ceil(0.5 * spans / self._half - 1e-9).astype(int)
        centres = np.concatenate(
            [
                low + self._half * (2 * np.arange(number) + 1)
                for low, number in zip(edges[::2], pieces, strict=True)
            ]
        )
        self.states = centres[:, None] + self._half * NODES
        weight = np.exp(least - v(self.states))
        total = self._integral(weight)
        self.log_partition = float(np.log(total) - least)
        self.density = weight / total

    @classmethod
    def of(cls, net: Network, unit: int) -> OneUnit:
        """One unit of a network in which it is coupled to no other."""
        own = (net.stiffness[unit, unit], net.bias[unit], net.quartic[unit], net.common_kT)
        return cls(*map(float, own))

    @property
    def free_energy(self) -> float:
        """−kT ln ∫ e^{−V/kT} dx, in the unit of kT."""
        return -self.kT * (self.log_partition + float(np.log(self.length)))

    def average(self, values: Array) -> Array:
        """Average of values at the nodes, shape (..., pieces, 16)."""
        return np.asarray(self._integral(values * self.density))

    def cumulative(self) -> tuple[Array, Array]:
        """P(x) and 1 − P(x) at all nodes in order, both to relative precision, shape (nodes,)."""
        left, right = self._cumulative(self.density)
        return left.ravel(), right.ravel()

    def forces(self, names: tuple[str, ...]) -> Array:
        """∂H/∂θ at the nodes, of "bias", "diagonal" or "quartic", shape (p, pieces, 16)."""
        x = self.states * self.length
        factors = {"bias": (-1.0, 1), "diagonal": (0.5, 2), "quartic": (0.25, 4)}
        return np.stack([factors[name][0] * x ** factors[name][1] for name in names])

    def fisher(self, names: tuple[str, ...]) -> Array:
        """Fisher matrix F = Cov(∂_θH)/kT, shape (p, p)."""
        deviation = self._deviation(names)
        return self.average(deviation[:, None] * deviation[None]) / self.kT

    def friction(self, names: tuple[str, ...], friction: float) -> Array:
        """Friction tensor ζ_ij = (γ/kT²) ∫ I_i I_j/p dx, I(x) = ∫_{−∞}^x δ∂H p dx′, shape (p, p).

        The time integral of the autocovariance solves a Poisson equation of the overdamped motion,
        which in one dimension is integrated twice.

        Source: Risken (1989), The Fokker–Planck Equation, ch. 5; Zulkowski, Sivak, Crooks, DeWeese
        (2012), Phys. Rev. E 86, 041148.
        """
        if self.barrier > HIGHEST_BARRIER:
            raise ValueError(
                f"a barrier of {self.barrier:.3g} kT separates the wells of this unit, so that no "
                f"run crosses it: the friction tensor is not defined above {HIGHEST_BARRIER:g} kT; "
                "lower the barrier"
            )
        flux = self._deviation(names) * self.density
        left, right = self._cumulative(flux)
        # Both are exact; the one from the nearer tail keeps relative precision there.
        near = np.cumsum(self._masses()) < 0.5
        cumulative = np.where(near[None, :, None], left, -right)
        product = cumulative[:, None] * cumulative[None] / self.density
        scale = friction * self.length**2 / self.kT**2
        return np.asarray(scale * self._integral(product))

    def _cumulative(self, values: Array) -> tuple[Array, Array]:
        """Integrals from −∞ to every node, and from every node to ∞."""
        pieces = values @ WEIGHTS * self._half
        return both_tails(pieces, self._half * values @ CUMULATIVE.T)

    def _masses(self) -> Array:
        """Probability of each piece."""
        return np.asarray(self.density @ WEIGHTS * self._half)

    def _deviation(self, names: tuple[str, ...]) -> Array:
        forces = self.forces(names)
        return np.asarray(forces - self.average(forces)[:, None, None])

    def _integral(self, values: Array) -> Array:
        return np.asarray(self._half * (values @ WEIGHTS).sum(axis=-1))


def both_tails(pieces: Array, inside: Array) -> tuple[Array, Array]:
    """Integrals below and above every node, of those over pieces and, ``inside``, up to nodes."""
    before = np.cumsum(pieces, axis=-1) - pieces
    after = np.cumsum(pieces[..., ::-1], axis=-1)[..., ::-1] - pieces
    return before[..., None] + inside, after[..., None] + pieces[..., None] - inside


def _real(values: ArrayLike) -> Array:
    """The real ones among roots of a polynomial, ascending."""
    roots = np.asarray(values, dtype=np.complex128)
    size = np.abs(roots).max() if len(roots) else 0.0
    return np.asarray(np.sort(roots.real[np.abs(roots.imag) <= 1e-9 * size]))
