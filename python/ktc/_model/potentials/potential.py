"""The contract of a potential: energy, derivatives, and the numbers that the core takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, choice, frozen, known_keywords, real_array


class Potential(ABC):
    """Energy V(x) of one unit, which a network adds to ½ xᵀKx − bᵀx + ¼ Σ κ_i x_i⁴.

    Objects do not change; ``replaced`` makes others. The core knows the kinds of this module alone:
    write any other energy as a function and pass it to ``ktc.potentials.from_function``.

    Attributes:
        kind: name of the kind in the core.
        names: parameters, which are controls of a network, in the order of ``numbers``.
        linear: those of the names in which V is linear.
    """

    kind: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    linear: ClassVar[tuple[str, ...]]

    @property
    @abstractmethod
    def numbers(self) -> tuple[float, ...]:
        """Values of the parameters, as many as ``names``."""

    @property
    @abstractmethod
    def confinement(self) -> float:
        """Curvature that V adds to the quadratic energy at large |x|: inf, if V grows faster."""

    @property
    def confines(self) -> bool:
        """Whether V confines a unit without stiffness."""
        return self.confinement > 0

    @property
    def breaks(self) -> Array:
        """Points at which a derivative of V jumps, ascending."""
        return np.empty(0)

    @property
    def finest(self) -> float:
        """Length below which V is smooth; inf, where its derivatives alone bound it."""
        return np.inf

    @property
    def knots(self) -> Array:
        """Points between which the core evaluates cubic polynomials, ascending; none elsewhere."""
        return np.empty(0)

    @property
    def cells(self) -> Array:
        """Cubic polynomials between the knots and beyond them, shape (knots + 1, 4), or (0, 4)."""
        return np.empty((0, 4))

    @abstractmethod
    def energy(self, x: ArrayLike) -> Array:
        """V at x, of the shape of x."""

    @abstractmethod
    def slope(self, x: ArrayLike) -> Array:
        """V′ at x; at a kink the mean of both sides."""

    @abstractmethod
    def curvature(self, x: ArrayLike) -> Array:
        """V″ at x, without the delta function of a kink."""

    @abstractmethod
    def smallest_curvature(self) -> float:
        """Least V″ of all x: −inf, if a kink is concave or V″ has no lower bound."""

    @abstractmethod
    def replaced(self, **parameters: float) -> Self:
        """Return the same potential with other values of some parameters, all checked."""

    @abstractmethod
    def _gradient(self, name: str, x: Array) -> Array:
        """∂V/∂name at x of a known name."""

    def gradient(self, name: str, x: ArrayLike) -> Array:
        """∂V/∂name at x, by one parameter."""
        return self._gradient(choice("name", name, dict.fromkeys(self.names)), points(x))

    def features(self, x: ArrayLike) -> Array:
        """∂V/∂name of all names in ``linear``, shape (names, ...): V is their linear combination.

        For kinds with other parameters these are features at their present values.
        """
        at = points(x)
        return np.stack([self._gradient(name, at) for name in self.linear])

    def _known(self, parameters: dict[str, float]) -> dict[str, float]:
        """Parameters, refused if one is unknown."""
        known_keywords(parameters, self.names, f"parameter of a {self.kind} potential")
        return parameters

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Potential):
            return NotImplemented
        alike = self.kind == other.kind and self.numbers == other.numbers
        pairs = (self.knots, other.knots), (self.cells, other.cells)
        return self is other or (alike and all(np.array_equal(*pair) for pair in pairs))

    def __hash__(self) -> int:
        return hash((self.kind, self.numbers, self.cells.tobytes()))


def points(x: ArrayLike) -> Array:
    """Return x as an array of doubles."""
    return np.asarray(x, dtype=np.float64)


def table_column(name: str, value: ArrayLike) -> Array:
    """Return one read-only row of finite numbers."""
    array = real_array(name, value)
    if array.ndim != 1:
        raise ValueError(f"{name} must have shape (n,), but has shape {array.shape}")
    return frozen(array)
