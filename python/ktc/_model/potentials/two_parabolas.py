"""Double wells of two parabolas that meet in a kink."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.codec import register
from ktc._base.validation import Array, finite, positive
from ktc._model.potentials.potential import Potential, points


@dataclass(frozen=True, eq=False)
class TwoParabolas(Potential):
    """V(x) = k [½ x² + ½ c₁² − c₁ |x − c₀| + c₁ |c₀|]: parabolas around ±c₁ that meet at c₀.

    It is k [½ (x − S c₁)² + 2 c₀c₁ (Θ(x − c₀) − 1 + Θ(c₀))], S = sign(x − c₀): the two wells are
    equally deep at c₀ = 0, where the barrier is ½ k c₁², and the one on the side of c₀ is higher by
    2 k |c₀| c₁ elsewhere; from |c₀| = c₁ on there is one well. It confines a unit of stiffness 0,
    and adds to its stiffness otherwise.

    Attributes:
        center: c₀, in the unit of x.
        distance: c₁ of each well from 0, in the unit of x; a negative one makes one well of a
            convex kink.
        spring: k, in the unit of energy over x², positive; can be learned.

    Raises:
        TypeError: a value that is not a number.
        ValueError: a number that is not finite, or a spring that is not positive.

    Example:
        >>> import ktc
        >>> memory = ktc.potentials.TwoParabolas(center=0.0, distance=5.0)
        >>> memory.energy([-5.0, 0.0, 5.0])
        array([ 0. , 12.5,  0. ])

    Source: Dago, Pereda, Barros, Ciliberto, Bellon (2021), Phys. Rev. Lett. 126, 170601.
    """

    center: float
    distance: float
    spring: float = 1.0

    kind: ClassVar[str] = "two_parabolas"
    names: ClassVar[tuple[str, ...]] = ("spring", "center", "distance")
    linear: ClassVar[tuple[str, ...]] = ("spring",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "center", finite("center", self.center))
        object.__setattr__(self, "distance", finite("distance", self.distance))
        object.__setattr__(self, "spring", positive("spring", self.spring))

    @property
    def numbers(self) -> tuple[float, ...]:
        return self.spring, self.center, self.distance

    @property
    def leading(self) -> float:
        return self.spring

    @property
    def confinement(self) -> float:
        return self.spring

    @property
    def breaks(self) -> Array:
        return np.array([self.center])

    def energy(self, x: ArrayLike) -> Array:
        return np.asarray(self.spring * self._gradient("spring", points(x)))

    def slope(self, x: ArrayLike) -> Array:
        at = points(x)
        return np.asarray(self.spring * (at - self.distance * np.sign(at - self.center)))

    def curvature(self, x: ArrayLike) -> Array:
        return np.full(np.shape(x), self.spring)

    def smallest_curvature(self) -> float:
        return -np.inf if self.distance > 0 else self.spring

    def replaced(self, **parameters: float) -> Self:
        return replace(self, **self._known(parameters))

    def _gradient(self, name: str, x: Array) -> Array:
        apart = x - self.center
        if name == "center":
            turn = np.sign(apart) + np.sign(self.center)
            return np.asarray(self.spring * self.distance * turn)
        if name == "distance":
            return np.asarray(self.spring * (self.distance - np.abs(apart) + abs(self.center)))
        # Of the wells' own forms, whose parts do not cancel at a large distance of the wells.
        own = 0.5 * (np.where(apart < 0, x + self.distance, x - self.distance)) ** 2
        raised = np.where(apart < 0, self.center < 0, self.center > 0)
        lift = 2 * abs(self.center) * self.distance
        return np.asarray(own + np.where(raised, lift, 0.0))


register(TwoParabolas)
