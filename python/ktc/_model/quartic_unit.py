"""Equilibrium averages, F and ζ of one unit with V = ½kx² − bx + ¼κx⁴, by quadrature."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array

# Energies, in kT above the minimum, at which the grid ends; 1e-22 of the probability is beyond.
DEEPEST = 50.0
# ∫ e^{V/kT} over a barrier amplifies rounding errors there: 1e-16² e^50 is below 1e-10.
HIGHEST_BARRIER = 50.0
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)


def _integration() -> Array:
    """Return the matrix from values at the nodes to integrals from −1 to every node."""
    order = len(NODES)
    values = np.polynomial.legendre.legvander(NODES, order)
    integrals = np.empty((order, order))
    integrals[:, 0] = NODES + 1
    for n in range(1, order):
        integrals[:, n] = (values[:, n + 1] - values[:, n - 1]) / (2 * n + 1)
    share = (np.arange(order) + 0.5)[:, None] * values[:, :order].T * WEIGHTS
    product: Array = integrals @ share
    return product


CUMULATIVE = _integration()


class OneUnit:
    """The equilibrium of one unit on a fine grid of pieces with 16 Gauss nodes each.

    No piece spans more than about 2 kT of V, so that polynomials of degree 15 represent e^{±V/kT}
    to rounding, however deep the wells are.

    Attributes:
        states: x at the nodes, shape (pieces, 16), in units of ``length``.
        density: e^{−V/kT}/Z there.
        length: √(kT/k), (kT/κ)^¼ or the smaller of both.

    Raises:
        ValueError: nothing confines the unit.
    """

    def __init__(self, stiffness: float, bias: float, quartic: float, kT: float) -> None:
        soft = [np.sqrt(kT / stiffness)] if stiffness > 0 else []
        hard = [(kT / quartic) ** 0.25] if quartic > 0 else []
        if not soft + hard:
            raise ValueError(f"nothing confines a unit of stiffness {stiffness:g} without quartic")
        self.kT, self.length = kT, float(min(soft + hard))
        a = stiffness * self.length**2 / kT
        c = bias * self.length / kT
        q = quartic * self.length**4 / kT
        v = np.polynomial.Polynomial([0.0, -c, 0.5 * a, 0.0, 0.25 * q]).trim()
        #: V/kT as a polynomial of x/length.
        self.energy = v
        slope = v.deriv()
        rests = _real(slope.roots())
        depths = np.sort(v(rests))
        least = float(depths[0])
        #: Height of the barrier above the shallower of two wells, in kT; 0 for a single well.
        self.barrier = float(depths[2] - depths[1]) if len(depths) == 3 else 0.0
        ends = _real((v - (least + DEEPEST)).roots())
        low, high = float(ends.min()), float(ends.max())
        turns = slope.deriv().roots()
        steepest = np.abs(slope(np.array([low, high, *_real(turns)]))).max()
        pieces = max(8, int(np.ceil(0.5 * steepest * (high - low))))
        self._half = 0.5 * (high - low) / pieces
        centres = low + self._half * (2 * np.arange(pieces) + 1)
        self.states = centres[:, None] + self._half * NODES
        weight = np.exp(least - v(self.states))
        total = self._integral(weight)
        #: ln ∫ e^{−V/kT} dx/length.
        self.log_partition = float(np.log(total) - least)
        self.density = weight / total

    def average(self, values: Array) -> Array:
        """Return ⟨values⟩ of an array of shape (..., pieces, 16)."""
        return np.asarray(self._integral(values * self.density))

    def cumulative(self) -> tuple[Array, Array]:
        """Return P(x) and 1 − P(x) at all nodes in order, both to full accuracy, shape (nodes,)."""
        left, right = self._cumulative(self.density)
        return left.ravel(), right.ravel()

    def forces(self, names: tuple[str, ...]) -> Array:
        """Return ∂H/∂θ at the nodes, for names among "bias", "diagonal", "quartic"."""
        x = self.states * self.length
        forms = {"bias": -x, "diagonal": 0.5 * x**2, "quartic": 0.25 * x**4}
        return np.stack([forms[name] for name in names])

    def fisher(self, names: tuple[str, ...]) -> Array:
        """Return F = Cov(∂_θH)/kT, shape (p, p)."""
        deviation = self._deviation(names)
        return self.average(deviation[:, None] * deviation[None]) / self.kT

    def friction(self, names: tuple[str, ...], friction: float) -> Array:
        """Return ζ_ij = (γ/kT²) ∫ I_i I_j/p dx, I(x) = ∫_{−∞}^x δ∂H p dx′, shape (p, p).

        The time integral of the autocovariance solves a Poisson equation of the overdamped motion,
        which in one dimension is integrated twice.

        Source: Risken (1989), The Fokker–Planck Equation, ch. 5; Zulkowski, Sivak, Crooks, DeWeese
        (2012), Phys. Rev. E 86, 041148.
        """
        if self.barrier > HIGHEST_BARRIER:
            raise ValueError(
                f"the wells of this unit are {self.barrier:.3g} kT apart, so no run crosses the "
                "barrier: a friction tensor at equilibrium over both wells has no meaning"
            )
        flux = self._deviation(names) * self.density
        left, right = self._cumulative(flux)
        # Both are exact; the integral from the nearer tail loses no digits.
        near = np.cumsum(self.density @ WEIGHTS * self._half) < 0.5
        cumulative = np.where(near[None, :, None], left, -right)
        product = cumulative[:, None] * cumulative[None] / self.density
        scale = friction * self.length**2 / self.kT**2
        return np.asarray(scale * self._integral(product))

    def _cumulative(self, values: Array) -> tuple[Array, Array]:
        """Integrals from −∞ to every node, and from there to ∞."""
        pieces = values @ WEIGHTS * self._half
        inside = self._half * values @ CUMULATIVE.T
        before = np.cumsum(pieces, axis=-1) - pieces
        after = np.cumsum(pieces[..., ::-1], axis=-1)[..., ::-1] - pieces
        left = before[..., None] + inside
        right = after[..., None] + pieces[..., None] - inside
        return left, right

    def _deviation(self, names: tuple[str, ...]) -> Array:
        forces = self.forces(names)
        deviation: Array = forces - self.average(forces)[:, None, None]
        return deviation

    def _integral(self, values: Array) -> Array:
        return np.asarray(self._half * (values @ WEIGHTS).sum(axis=-1))


def _real(values: ArrayLike) -> Array:
    """The real ones among roots of a polynomial, ascending."""
    roots = np.asarray(values, dtype=np.complex128)
    size = np.abs(roots).max() if len(roots) else 0.0
    found: Array = np.sort(roots.real[np.abs(roots.imag) <= 1e-9 * size])
    return found
