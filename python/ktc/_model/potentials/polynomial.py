"""Polynomial potentials of even degree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.codec import register
from ktc._base.validation import Array, count, finite, real_array
from ktc._model.potentials.potential import Potential, points

DEGREE = 8


class Polynomial(Potential):
    """V(x) = Σ c_n xⁿ, n = 1 … 8, of even degree with a positive leading coefficient.

    c_n has the unit of energy over xⁿ. Its parameters "c1" … "c8" are controls of a network and
    can be learned, because V is linear in them; those that are not given are zero.

    Args:
        coefficients: {n: c_n}, such as {2: −1.0, 6: 0.1}, or the sequence c_1, c_2, … of at most 8
            numbers, from x¹ upward.

    Raises:
        TypeError: a coefficient that is not a number, or a power that is not a whole number.
        ValueError: a power beyond 1 … 8, numbers that are not finite, an odd degree, or a negative
            leading coefficient.

    Example:
        >>> import ktc
        >>> triple = ktc.potentials.Polynomial({2: 1.0, 4: -1.0, 6: 0.2})
        >>> triple.energy([0.0, 1.0, 2.0]).round(3)
        array([0. , 0.2, 0.8])
        >>> triple.replaced(c6=0.3).numbers
        (0.0, 1.0, 0.0, -1.0, 0.0, 0.3, 0.0, 0.0)

    Source: Landau, Lifshitz (1980), Statistical Physics, part 1, section 143, for degrees 4 and 6.
    """

    kind = "polynomial"
    names: ClassVar[tuple[str, ...]] = tuple(f"c{n}" for n in range(1, DEGREE + 1))
    linear: ClassVar[tuple[str, ...]] = names

    def __init__(self, coefficients: Mapping[int, float] | ArrayLike) -> None:
        row = np.zeros(DEGREE)
        if isinstance(coefficients, Mapping):
            for power, value in coefficients.items():
                power = count("power of coefficients", power, 1, DEGREE)
                row[power - 1] = finite(f"coefficients[{power}]", value)
        else:
            given = real_array("coefficients", coefficients)
            if given.ndim != 1 or len(given) > DEGREE:
                raise ValueError(
                    f"coefficients must be those of x¹ … x⁸, at most {DEGREE} numbers, but has "
                    f"shape {given.shape}"
                )
            row[: len(given)] = given
        degree = int(np.flatnonzero(row)[-1]) + 1 if row.any() else 0
        if degree % 2:
            raise ValueError(
                f"coefficients must make an even degree, but the highest power is {degree}: the "
                "energy has no minimum; add a positive coefficient of a higher, even power"
            )
        if degree and row[degree - 1] < 0:
            raise ValueError(
                f"coefficients must have a positive leading one, but that of x^{degree} is "
                f"{row[degree - 1]:g}: the energy has no minimum"
            )
        self._numbers = tuple(row.tolist())
        self._degree = degree
        self._series = np.polynomial.Polynomial(np.append(0.0, row[:degree]))

    @property
    def coefficients(self) -> tuple[float, ...]:
        """c_1 … c_8."""
        return self._numbers

    @property
    def numbers(self) -> tuple[float, ...]:
        return self._numbers

    @property
    def confinement(self) -> float:
        if self._degree < 4:
            return 2 * self._numbers[1]
        return np.inf

    def energy(self, x: ArrayLike) -> Array:
        return np.asarray(self._series(points(x)))

    def slope(self, x: ArrayLike) -> Array:
        return np.asarray(self._series.deriv()(points(x)))

    def curvature(self, x: ArrayLike) -> Array:
        return np.asarray(self._series.deriv(2)(points(x)))

    def smallest_curvature(self) -> float:
        bent = self._series.deriv(2)
        turns = np.real(bent.deriv().roots())  # the real part of a complex root is no minimum
        return float(bent(np.append(turns, 0.0)).min())

    def replaced(self, **parameters: float) -> Self:
        given = {int(name[1:]): value for name, value in self._known(parameters).items()}
        return type(self)({n + 1: c for n, c in enumerate(self._numbers)} | given)

    def _gradient(self, name: str, x: Array) -> Array:
        return np.asarray(x ** int(name[1:]))

    def __repr__(self) -> str:
        terms = {n + 1: c for n, c in enumerate(self._numbers) if c}
        return f"Polynomial({terms})"


register(Polynomial, ("coefficients",))
