"""Periodic potentials of Josephson junctions and oscillators."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.codec import register
from ktc._base.validation import Array, finite, positive
from ktc._model.potentials.potential import Potential, points


@dataclass(frozen=True, eq=False)
class Cosine(Potential):
    """V(x) = A cos(2πx/p), which does not confine: the stiffness of the unit must.

    A unit of stiffness 1/L and bias Φ/L with A = −Φ₀I_c/2π and p = Φ₀ is the flux in a loop of
    inductance L with one Josephson junction of critical current I_c in the external flux Φ.

    Attributes:
        amplitude: A, in the unit of energy, of either sign; can be learned.
        period: p, in the unit of x, positive.

    Raises:
        TypeError: a value that is not a number.
        ValueError: a number that is not finite, or a period that is not positive.

    Example:
        >>> import ktc
        >>> junction = ktc.potentials.Cosine(amplitude=-2.0, period=1.0)
        >>> junction.energy([0.0, 0.25, 0.5]).round(12) + 0.0
        array([-2.,  0.,  2.])

    Source: Likharev (1986), Dynamics of Josephson Junctions and Circuits, chapter 3.
    """

    amplitude: float
    period: float

    kind: ClassVar[str] = "cosine"
    names: ClassVar[tuple[str, ...]] = ("amplitude", "period")
    linear: ClassVar[tuple[str, ...]] = ("amplitude",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "amplitude", finite("amplitude", self.amplitude))
        object.__setattr__(self, "period", positive("period", self.period))

    @property
    def numbers(self) -> tuple[float, ...]:
        return self.amplitude, self.period

    @property
    def confinement(self) -> float:
        return 0.0

    @property
    def finest(self) -> float:
        return self.period

    @property
    def _wave(self) -> float:
        return 2 * np.pi / self.period

    def energy(self, x: ArrayLike) -> Array:
        return np.asarray(self.amplitude * np.cos(self._wave * points(x)))

    def slope(self, x: ArrayLike) -> Array:
        return np.asarray(-self.amplitude * self._wave * np.sin(self._wave * points(x)))

    def curvature(self, x: ArrayLike) -> Array:
        return np.asarray(-self.amplitude * self._wave**2 * np.cos(self._wave * points(x)))

    def smallest_curvature(self) -> float:
        return -abs(self.amplitude) * self._wave**2

    def replaced(self, **parameters: float) -> Self:
        return replace(self, **self._known(parameters))

    def _gradient(self, name: str, x: Array) -> Array:
        if name == "amplitude":
            return np.asarray(np.cos(self._wave * x))
        turn = self._wave * x / self.period
        return np.asarray(self.amplitude * turn * np.sin(self._wave * x))


register(Cosine, name="CosinePotential")
