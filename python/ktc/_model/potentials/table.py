"""Tabulated potentials: a cubic spline through points, and parabolas beyond its ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.codec import register
from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, finite, frozen, not_negative, positive, real_array
from ktc._model.potentials.potential import Potential, points, table_column

FEWEST_POINTS = 4
#: Cells of a tabulated function, first and at most.
FIRST_CELLS, MOST_CELLS = 16, 2**14
#: Places within each cell at which a tabulated function is compared with its table.
TRIALS = np.array([0.125, 0.25, 0.5, 0.75, 0.875])


class Table(Potential):
    """V(x) = a s(x), s the cubic spline through points, with parabolas beyond its ends.

    The spline is not-a-knot: its third derivative is continuous at the second and the last but one
    point. Each parabola has the energy and the slope of its end. Its curvature is that of the
    spline at this end, or ``continuation``.

    Args:
        x: at least 4 points, ascending, shape (n,).
        energy: energies at these points, shape (n,).
        continuation: curvature of both parabolas, not negative, in the unit of energy over x²; at 0
            they are straight lines, which confine no unit without stiffness.
        scale: a, positive; a control, and can be learned.

    Raises:
        TypeError: a value that is not a number.
        ValueError: wrong shapes, points that do not ascend, numbers that are not finite, a scale
            that is not positive, or a spline of negative curvature at an end without
            ``continuation``.

    Example:
        >>> import ktc
        >>> import numpy as np
        >>> x = np.linspace(-2, 2, 41)
        >>> measured = ktc.potentials.Table(x, 0.25 * x**4)
        >>> measured.energy([0.0, 1.03, 3.0]).round(1)  # beyond the end 4 + 8 (x - 2) + 6 (x - 2)²
        array([ 0. ,  0.3, 18. ])

    Source: de Boor (2001), A Practical Guide to Splines, chapter 4.
    """

    kind = "table"
    names: ClassVar[tuple[str, ...]] = ("scale",)
    linear: ClassVar[tuple[str, ...]] = ("scale",)

    def __init__(
        self,
        x: ArrayLike,
        energy: ArrayLike,
        continuation: float | None = None,
        scale: float = 1.0,
    ) -> None:
        self._x, self._energy = table_column("x", x), table_column("energy", energy)
        self._scale = positive("scale", scale)
        self._continuation = continuation
        if len(self._x) < FEWEST_POINTS or self._x.shape != self._energy.shape:
            raise ValueError(
                f"x and energy must have one shape (n,), n at least {FEWEST_POINTS}, but have "
                f"{self._x.shape} and {self._energy.shape}"
            )
        steps = np.diff(self._x)
        if not (steps > 0).all():
            place = int(np.argmin(steps > 0))
            raise ValueError(
                f"x must ascend, but x[{place + 1}] = {self._x[place + 1]:g} follows "
                f"{self._x[place]:g}; sort the points and merge equal ones"
            )
        self._cells = frozen(_cells(self._x, self._energy, _checked(continuation)))
        if not np.isfinite(self._cells).all():
            raise ValueError(
                f"x and energy make a spline that overflows; points are {steps.min():g} apart: "
                "leave close points out, or choose other units"
            )

    @property
    def x(self) -> Array:
        """The points, shape (n,)."""
        return self._x

    @property
    def tabulated(self) -> Array:
        """The energies at the points at scale 1, shape (n,)."""
        return self._energy

    @property
    def continuation(self) -> float | None:
        """Curvature beyond both ends at scale 1; None for that of the spline at each end."""
        return self._continuation

    @property
    def scale(self) -> float:
        """a."""
        return self._scale

    @property
    def numbers(self) -> tuple[float, ...]:
        return (self._scale,)

    @property
    def confinement(self) -> float:
        return 2 * self._scale * float(min(self._cells[0, 2], self._cells[-1, 2]))

    @property
    def breaks(self) -> Array:
        return self._x

    @property
    def knots(self) -> Array:
        return self._x

    @property
    def cells(self) -> Array:
        return self._cells

    def energy(self, x: ArrayLike) -> Array:
        return self._scale * self._gradient("scale", points(x))

    def slope(self, x: ArrayLike) -> Array:
        t, (_, b, c, d) = self._within(points(x))
        return np.asarray(self._scale * (b + t * (2 * c + t * 3 * d)))

    def curvature(self, x: ArrayLike) -> Array:
        t, (_, _, c, d) = self._within(points(x))
        return np.asarray(self._scale * (2 * c + t * 6 * d))

    def smallest_curvature(self) -> float:
        ends = np.append(self._cells[[0, -1], 2], self.curvature(self._x) / (2 * self._scale))
        return 2 * self._scale * float(ends.min())

    def replaced(self, **parameters: float) -> Self:
        given = {"scale": self._scale} | self._known(parameters)
        return type(self)(self._x, self._energy, self._continuation, **given)

    def _gradient(self, name: str, x: Array) -> Array:
        t, (a, b, c, d) = self._within(x)
        return np.asarray(a + t * (b + t * (c + t * d)))

    def _within(self, x: Array) -> tuple[Array, Array]:
        """Distance from the knot of its cell, and the cell's coefficients, of every x."""
        cell = np.searchsorted(self._x, x, side="right")
        anchor = self._x[np.maximum(cell - 1, 0)]
        return np.asarray(x - anchor), np.moveaxis(self._cells[cell], -1, 0)

    def __repr__(self) -> str:
        ends = f"{self._x[0]:g} to {self._x[-1]:g}"
        return f"<ktc.potentials.Table: {len(self._x)} points from {ends}, scale {self._scale:g}>"


def _cells(x: Array, energy: Array, continuation: float | None) -> Array:
    """Coefficients of 1, t, t², t³ in each cell, the first and the last beyond the ends."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        inner = scipy.interpolate.CubicSpline(x, energy).c[::-1].T
        step = x[-1] - x[-2]
        _, slope, half, third = inner[-1]
        first = np.array([*inner[0, :3], 0.0])
        last = np.array([
            energy[-1], slope + step * (2 * half + step * 3 * third), half + 3 * step * third, 0.0
        ])  # fmt: skip
    for end, place in ((first, x[0]), (last, x[-1])):
        if continuation is not None:
            end[2] = 0.5 * continuation
        elif end[2] < 0:
            raise ValueError(
                f"energy has the curvature {2 * end[2]:g} at the end x = {place:g}, with which no "
                "parabola beyond it confines; add points, or pass continuation, a curvature that "
                "is not negative"
            )
    return np.concatenate([[first], inner, [last]])


def _checked(continuation: float | None) -> float | None:
    return None if continuation is None else not_negative("continuation", continuation)


def from_function(
    function: Callable[[Array], ArrayLike],
    low: float,
    high: float,
    error: float = 1e-6,
    continuation: float | None = None,
) -> Table:
    """Tabulate a function of one unit's x until its spline is within ``error`` of it.

    The points are even. Their number is doubled, from 17 up to 16385, until energies at five places
    within every cell differ by at most ``error``. Beyond ``low`` and ``high`` the energy goes on as
    in ``Table``.

    Args:
        function: V(x), called with arrays and returning one energy per entry.
        low, high: ends of the table; the unit should rarely leave them.
        error: greatest difference of the energy, in its unit, positive.
        continuation: as for ``Table``.

    Raises:
        TypeError: a function that does not return numbers.
        ValueError: high not above low, energies of another shape than x or not finite, a function
            that 16385 points do not represent, and as for ``Table``.

    Example:
        >>> import ktc
        >>> import numpy as np
        >>> morse = ktc.potentials.from_function(
        ...     lambda x: 5 * (1 - np.exp(-x)) ** 2, -1.0, 3.0, error=1e-4, continuation=0.0
        ... )
        >>> len(morse.x), bool(abs(morse.energy(1.5) - 5 * (1 - np.exp(-1.5)) ** 2) < 1e-4)
        (129, True)
    """
    first, last = finite("low", low), finite("high", high)
    most = positive("error", error)
    if not last > first:
        raise ValueError(f"high must be above low, but low is {first:g} and high is {last:g}")
    cells, gap = FIRST_CELLS, np.inf
    while cells <= MOST_CELLS:
        x = np.linspace(first, last, cells + 1)
        table = Table(x, _values(function, x), 0.0 if continuation is None else continuation)
        between = (x[:-1, None] + np.diff(x)[:, None] * TRIALS).ravel()
        apart = np.abs(table.energy(between) - _values(function, between))
        gap, place = float(apart.max()), float(between[np.argmax(apart)])
        if gap <= most:
            return table if continuation is not None else Table(x, table.tabulated)
        cells *= 2
    raise ValueError(
        f"function differs by {gap:.3g} near x = {place:g} from a table of {MOST_CELLS + 1} "
        f"points, more than error = {most:g}; raise error, or narrow low and high; a jump cannot "
        "be tabulated"
    )


def _values(function: Callable[[Array], ArrayLike], x: Array) -> Array:
    values = real_array("values of function", function(x.copy()))
    if values.shape != x.shape:
        raise ValueError(
            f"function must return one energy per x, but returned shape {values.shape} for "
            f"{x.shape}; use NumPy functions that take arrays"
        )
    return values


def _restored(x: Array, tabulated: Array, continuation: float | None, scale: float) -> Table:
    return Table(x, tabulated, continuation, scale)


register(Table, ("x", "tabulated", "continuation", "scale"), _restored)
