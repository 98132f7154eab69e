"""Equilibrium of one unit in any potential, by quadrature over the states that it visits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array
from ktc._model.network import Network
from ktc._model.potentials.potential import Potential
from ktc._model.quartic_unit import (
    CUMULATIVE,
    DEEPEST,
    DEEPEST_WELL,
    HIGHEST_BARRIER,
    NODES,
    WEIGHTS,
    OneUnit,
    both_tails,
)

Brackets: TypeAlias = tuple[Array, Array]

# Places of the first scan: 30 decades of |x| on both sides of zero, 16 per octave.
OCTAVES, PER_OCTAVE = 100, 16
#: Even points of a scan, and places in each cell of a table.
POINTS, PER_CELL = 4096, 4
#: Most nodes of a quadrature, of 16 each.
MOST_PIECES = 200_000
#: Places of a bisection beyond which doubles have no more digits.
HALVINGS = 100


class WholeEnergy:
    """V/kT of the whole energy as a function of x/length, with derivatives as a polynomial has."""

    def __init__(
        self, own: tuple[float, float, float], potential: Potential, kT: float, order: int = 0
    ) -> None:
        self._own, self._potential, self._kT, self._order = own, potential, kT, order
        k, b, q = own
        self._polynomial = np.polynomial.Polynomial([0.0, -b, 0.5 * k, 0.0, 0.25 * q]).deriv(order)
        self._part = (potential.energy, potential.slope, potential.curvature)[order]
        self.length = 1.0

    def __call__(self, x: Array) -> Array:
        at = x * self.length
        value = self._polynomial(at) + self._part(at)
        return np.asarray(value * (self.length**self._order / self._kT))

    def deriv(self, order: int = 1) -> WholeEnergy:
        """The derivative of this order by x/length, at most the second."""
        result = WholeEnergy(self._own, self._potential, self._kT, self._order + order)
        result.length = self.length
        return result


class PotentialUnit(OneUnit):
    """The equilibrium of one unit with a potential, on pieces of 16 Gauss nodes each.

    The states within 50 kT of the lowest energy are found by a scan over 60 decades, then by ever
    finer ones, and bounded where the energy crosses that level between its stationary points.
    Pieces end at the breaks of the potential, and the energy changes by about 2 kT over one.
    """

    energy: WholeEnergy

    def __init__(
        self, stiffness: float, bias: float, quartic: float, kT: float, potential: Potential
    ) -> None:
        self.kT, self.potential = kT, potential
        self._own = stiffness, bias, quartic
        if quartic == 0 and not stiffness + potential.confinement > 0:
            raise ValueError(
                f"nothing confines a unit of stiffness {stiffness:g} in {potential!r}: raise its "
                "stiffness, or confine it by its potential"
            )
        energy = WholeEnergy(self._own, potential, kT)
        points = _turning_points(energy, potential)
        height = energy(points)
        least = float(height.min())
        lowest = float(points[np.argmin(height)])
        if max(abs(least), abs(stiffness) * lowest**2 / kT, abs(bias * lowest) / kT) > DEEPEST_WELL:
            raise ValueError(
                f"stiffness {stiffness:g}, bias {bias:g} and {potential!r} make a well at "
                f"{lowest:.3g}, in which rounding outweighs kT; raise kT, or scale the energies "
                "down"
            )
        left = np.minimum.accumulate(height)
        right = np.minimum.accumulate(height[::-1])[::-1]
        over = height - np.maximum(left, right)
        self.barrier = max(0.0, float(over.max()))
        edges = _edges(energy, points, height, over, least + DEEPEST)
        low, self._halves = _pieces(energy, potential, edges)
        x = low[:, None] + self._halves[:, None] * (NODES + 1)
        weight = np.exp(least - energy(x))
        weight /= self._integral(weight)
        mean = self._integral(x * weight)
        self.length = float(np.sqrt(self._integral((x - mean) ** 2 * weight)))
        self.energy = energy
        energy.length = self.length
        self._halves = self._halves / self.length
        self.states = x / self.length
        weight = np.exp(least - energy(self.states))
        total = self._integral(weight)
        self.log_partition = float(np.log(total) - least)
        self.density = weight / total

    def forces(self, names: tuple[str, ...]) -> Array:
        own = [name for name in names if name not in self.potential.names]
        rows = dict(zip(own, super().forces(tuple(own)), strict=True)) if own else {}
        x = self.states * self.length
        for name in set(names) - set(own):
            rows[name] = self.potential.gradient(name, x)
        return np.stack([rows[name] for name in names])

    def _cumulative(self, values: Array) -> tuple[Array, Array]:
        pieces = values @ WEIGHTS * self._halves
        return both_tails(pieces, self._halves[:, None] * (values @ CUMULATIVE.T))

    def _masses(self) -> Array:
        return np.asarray(self.density @ WEIGHTS * self._halves)

    def _integral(self, values: Array) -> Array:
        return np.asarray((values @ WEIGHTS * self._halves).sum(axis=-1))


def unit_of(net: Network, unit: int) -> OneUnit:
    """Return the equilibrium of one unit of a network in which it is coupled to no other."""
    return one_unit(
        float(net.stiffness[unit, unit]),
        float(net.bias[unit]),
        float(net.quartic[unit]),
        net.common_kT,
        net.potentials[unit],
    )


def one_unit(
    stiffness: float, bias: float, quartic: float, kT: float, potential: Potential | None = None
) -> OneUnit:
    """Return the equilibrium of one unit with or without a potential."""
    if potential is None:
        return OneUnit(stiffness, bias, quartic, kT)
    return PotentialUnit(stiffness, bias, quartic, kT, potential)


def _turning_points(energy: WholeEnergy, potential: Potential) -> Array:
    """Stationary points, kinks and breaks of the visited states, and both ends, ascending."""
    far = 2.0 ** (np.arange(-OCTAVES * PER_OCTAVE, OCTAVES * PER_OCTAVE + 1) / PER_OCTAVE)
    breaks = potential.breaks
    inner = np.arange(1, PER_CELL)[:, None] / PER_CELL * np.diff(breaks) + breaks[:-1]
    known = np.concatenate([breaks, inner.ravel()])
    low, high = _visited(energy, np.unique(np.concatenate([-far, [0.0], far, known])), PER_OCTAVE)
    for _ in range(60):
        count = POINTS
        if np.isfinite(potential.finest):
            count = max(count, int(min(8 * (high - low) / potential.finest, 8 * MOST_PIECES)))
        grid = np.unique(np.concatenate([np.linspace(low, high, count + 1), known]))
        grid = grid[(grid >= low) & (grid <= high)]
        ends = _visited(energy, grid, 1)
        if ends[1] - ends[0] > 0.5 * (high - low):
            break
        low, high = ends
    _refuse_many(potential, 2 * (high - low) / potential.finest)
    slope = energy.deriv()
    gaps = np.diff(grid)
    starts, stops = (slope(at) for at in (grid[:-1] + 1e-9 * gaps, grid[1:] - 1e-9 * gaps))
    turned = np.sign(starts) * np.sign(stops) < 0
    rests = _bisected(slope, grid[:-1][turned], grid[1:][turned], starts[turned])
    kinks = grid[1:-1][np.sign(stops[:-1]) * np.sign(starts[1:]) <= 0]
    own = breaks[(breaks > low) & (breaks < high)]
    return np.unique(np.concatenate([grid[[0, -1]], rests, kinks, own]))


def _visited(energy: WholeEnergy, grid: Array, margin: int) -> tuple[float, float]:
    """The outermost points within 50 kT of the least energy, and ``margin`` points beyond each."""
    with np.errstate(over="ignore", invalid="ignore"):
        values = energy(grid)
    values = np.where(np.isnan(values), np.inf, values)
    inside = np.flatnonzero(values <= values.min() + DEEPEST)
    first, last = max(inside[0] - margin, 0), min(inside[-1] + margin, len(grid) - 1)
    return float(grid[first]), float(grid[last])


def _bisected(function: WholeEnergy, low: Array, high: Array, start: Array) -> Array:
    """Zeros of a function between pairs of points at which it has different signs."""
    low, high = _bracketed(lambda x: np.sign(function(x)) == np.sign(start), low, high)
    return np.asarray(0.5 * (low + high))


def _bracketed(before: Callable[[Array], NDArray[np.bool_]], low: Array, high: Array) -> Brackets:
    """Neighbouring points at which a condition holds, and holds no more, between pairs of such."""
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        holds = before(middle)
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    return low, high


def _edges(energy: WholeEnergy, points: Array, height: Array, over: Array, level: float) -> Array:
    """Ends of the regions below a level, and of barriers low enough to be crossed between them.

    Shape (regions, 2). The energy is monotone between consecutive points.
    """
    above = height > level
    crossed = np.flatnonzero(above[1:] != above[:-1])
    falls = above[crossed]
    low, high = _bracketed(
        lambda x: (energy(x) > level) == falls, points[crossed], points[crossed + 1]
    )
    # The outer ends, so that no region is empty.
    ends = np.where(falls, low, high).reshape(-1, 2)
    regions = [ends[0]]
    for region in ends[1:]:
        between = (points > regions[-1][1]) & (points < region[0])
        if over[between].max() <= HIGHEST_BARRIER:
            regions[-1] = np.array([regions[-1][0], region[1]])
        else:
            regions.append(region)
    return np.array(regions)


def _pieces(energy: WholeEnergy, potential: Potential, regions: Array) -> tuple[Array, Array]:
    """Left ends and half widths of the pieces of a quadrature."""
    breaks = potential.breaks
    cuts = [np.concatenate([[a], breaks[(breaks > a) & (breaks < b)], [b]]) for a, b in regions]
    starts = np.concatenate([cut[:-1] for cut in cuts])
    widths = np.concatenate([np.diff(cut) for cut in cuts])
    shares = np.linspace(0.0, 1.0, 257 if len(starts) < 64 else 2 * PER_CELL + 1)
    steepest = np.abs(energy.deriv()(starts[:, None] + widths[:, None] * shares)).max()
    least = max(0.5 * steepest, 8 / widths.sum(), 2 / potential.finest)
    _refuse_many(potential, least * widths.sum())
    counts = np.maximum(1, np.ceil(least * widths)).astype(int)
    steps = np.repeat(widths / counts, counts)
    number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(starts, counts) + steps * number, 0.5 * steps


def _refuse_many(potential: Potential, pieces: float) -> None:
    if pieces > MOST_PIECES:
        raise ValueError(
            f"{potential!r} varies so much over the states that the unit visits that a quadrature "
            f"takes {pieces:.3g} pieces, more than {MOST_PIECES}: raise kT, or scale the energies "
            "down"
        )
