"""Slow modes of ∂H/∂θ: what several forces share for longer than their own correlations last."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._measure.lagged_covariances import FEWEST, LaggedCovariances, Observe, windows_of
from ktc._model.controls import Controls
from ktc._model.parameters import Parameters

#: Largest number of forces among which slow modes are sought.
MOST_FORCES = 64
MOST_MODES = 8
# Windows that differ by less need no mode of their own.
RATIO = 2.0
# Share of the largest variance below which a combination of forces counts as zero.
RANK = 1e-10
# Time for which C at the end of a window goes on, as a share of the window.
TAIL = 0.125


class Observed:
    """Forces of the parameters, and of others that may share their slow modes.

    Replicas in several wells exchange slowly, and every force that differs between wells has a part
    as slow, perhaps too small to be seen in its own correlations. The states of all units, and
    their products, tell the wells apart.

    Attributes:
        parameters: the parameters whose metric is measured; their forces are first.
        pairwise: whether correlations of all pairs are affordable.
    """

    def __init__(self, parameters: Parameters, controls: Controls) -> None:
        self.parameters = parameters
        self.pairwise = parameters.size <= MOST_FORCES
        self._scale = parameters.scale
        units = len(controls.bias)
        self._products = np.triu_indices(units, 1)
        self._states = False
        wells = self.pairwise and not controls.is_linear and not _convex(controls)
        # Without a bias and potentials the energy is even: odd forces share no mode with even ones.
        odd = "bias" in parameters.names or bool(controls.bias.any() or controls.on_site)
        if wells and odd and parameters.size + units <= MOST_FORCES:
            self._states = True
        number = parameters.size + units * self._states + len(self._products[0])
        if not wells or number > MOST_FORCES:
            self._products = self._products[0][:0], self._products[1][:0]

    def __call__(self, state: Array) -> Array:
        forces = [self.parameters.forces(state)]
        x = state / self._scale
        if self._states:
            forces.append(x)
        if len(self._products[0]):
            forces.append(x[:, self._products[0]] * x[:, self._products[1]])
        return np.hstack(forces) if len(forces) > 1 else forces[0]


def _convex(controls: Controls) -> bool:
    least = [0.0 if one is None else one.smallest_curvature() for one in controls.potentials]
    if not np.isfinite(least).all():
        return False
    return bool(np.linalg.eigvalsh(controls.stiffness + np.diag(least))[0] > 0)


class Modes(NamedTuple):
    """Combinations of forces, each integrated over a window of its own.

    The n = r + p combinations are r slow modes, and what is left of each force without them. They
    come first. Copies of them follow with the longer windows of the modes, because the covariance
    of a mode's start with the integral of a fast force is less noisy than that of the fast force's
    start with the integral of the mode.

    Attributes:
        basis: combinations of what is observed, shape (q, m). None where every force is its own.
        back: the p forces as sums of the combinations, shape (p, n), or None.
        windows: number of intervals in the window of each combination, 0 where C has not decayed,
            shape (m,).
        tails: number of intervals for which C at the end of a window goes on, shape (m,).
        integrated: which of the m enters a pair (a, b) by its integral, with a at the start of
            the window, shape (n, n).
        weights: of the pairs (a, b) and (b, a), which add up to one, shape (n, n).
    """

    basis: Array | None
    back: Array | None
    windows: NDArray[np.intp]
    tails: Array
    integrated: NDArray[np.intp]
    weights: Array

    @classmethod
    def alone(cls, windows: NDArray[np.intp]) -> Modes:
        """Forces without slow modes."""
        size = len(windows)
        integrated = np.broadcast_to(np.arange(size), (size, size))
        return cls(
            None, None, windows, TAIL * windows.astype(float), integrated, longer_window(windows)
        )

    @classmethod
    def of(cls, basis: Array, back: Array, windows: NDArray[np.intp]) -> Modes:
        """The first r combinations are modes."""
        size = len(windows)
        integrated = np.tile(np.arange(size), (size, 1))
        weights = longer_window(windows)
        columns, longer = [np.arange(size)], [windows]
        for k in range(size - len(back)):
            others = np.flatnonzero((np.arange(size) >= size - len(back)) | (windows < windows[k]))
            integrated[k, others] = sum(map(len, columns)) + np.arange(len(others))
            weights[k, others], weights[others, k] = 1.0, 0.0
            columns.append(others)
            longer.append(np.maximum(windows[others], windows[k]))
        every = np.concatenate(longer)
        tails = np.concatenate([TAIL * windows, np.zeros(len(every) - size)])
        return cls(basis[:, np.concatenate(columns)], back, every, tails, integrated, weights)

    def read_every(self, stride: int) -> Modes:
        """The same, with windows and tails in units of so many intervals, rounded up."""
        if stride == 1:
            return self
        return self._replace(windows=-(-self.windows // stride), tails=self.tails / stride)

    def observing(self, observed: Observed) -> Observe:
        """The combinations, of a public state."""
        if (basis := self.basis) is None:
            return observed.parameters.forces
        return lambda state: np.asarray(observed(state) @ basis)


def longer_window(windows: NDArray[np.intp]) -> Array:
    """Weight of each entry of ∂H ∫∂Hᵀdt: the longer of two windows has all their correlation."""
    longer = np.subtract.outer(-windows, -windows)
    return np.where(longer > 0, 1.0, np.where(longer == 0, 0.5, 0.0))


def slow_modes(seen: LaggedCovariances, parameters: int) -> Modes:
    """Split forces into slow modes and the rest, as far as their windows differ.

    The slowest mode z maximises the correlation with its own past at lags t of half to twice the
    slowest correlation time. Of every other force f, ∫⟨z(0)f(t)⟩dt/∫⟨z(0)z(t)⟩dt times z is
    subtracted, which leaves no correlation with it at those lags. Modes that are slower than what
    is left are subtracted in turn.

    Source: Molgedey, Schuster (1994), Phys. Rev. Lett. 72, 3634; Pérez-Hernández, Paul, Giorgino,
    De Fabritiis, Noé (2013), J. Chem. Phys. 139, 015102.
    """
    lags, sums, replicas = seen.lags, seen.sums, seen.replicas
    if sums.ndim == 2:
        return Modes.alone(windows_of(lags, sums, replicas))
    size = sums.shape[1]
    root = np.sqrt(np.maximum(2 * np.diagonal(sums[0]), np.finfo(float).tiny))
    sums = sums / np.outer(root, root)
    rest, modes, shares = np.eye(size), np.zeros((size, 0)), np.zeros((0, size))
    while True:
        left = rest.T @ sums @ rest
        windows = _windows(lags, left, replicas)
        windows = np.where(windows > 0, windows, lags[-1])
        slow = int(np.argmax(windows))
        # What is left of a force that is a mode itself needs no window.
        real = left[0].diagonal()[:parameters] > RANK
        fastest = windows[:parameters][real].min(initial=windows[slow])
        if modes.shape[1] == MOST_MODES or windows[slow] <= RATIO * fastest:
            break
        end = np.searchsorted(lags, windows[slow])
        time = 0.5 * float(left[end, slow, slow] / left[0, slow, slow])
        found = _slowest(lags, left, min(max(time, 2.0), windows[slow] / 6), replicas)
        if found is None:
            break
        direction, share = found
        mode = rest @ direction
        modes, shares = np.column_stack([modes, mode]), np.vstack([shares, share])
        rest = rest - np.outer(mode, share)
    if not modes.shape[1]:
        return Modes.alone(windows_of(lags, seen.own[:, :parameters], replicas))
    basis = np.hstack([modes, rest[:, :parameters]])
    windows = _windows(lags, basis.T @ sums @ basis, replicas)
    own_root = root[:parameters]
    back = np.hstack([shares[:, :parameters].T * own_root[:, None], np.diag(own_root)])
    return Modes.of(basis / root[:, None], back, windows)


def _windows(lags: NDArray[np.intp], sums: Array, replicas: int) -> NDArray[np.intp]:
    """Windows of combinations; the least where rounding is all that is left of a force."""
    own = np.einsum("jii->ji", sums)
    windows = windows_of(lags, own, replicas)
    return np.where(own[0] <= RANK, FEWEST, windows)


def _slowest(
    lags: NDArray[np.intp], sums: Array, time: float, replicas: int
) -> tuple[Array, Array] | None:
    """The combination slower than ``time``, and its share of each force; None if noise hides it."""
    first, last = np.searchsorted(lags, [time / 2, 2 * time])
    last = max(int(last), int(first) + 1)
    lagged = (sums[last] - sums[first]) / (lags[last] - lags[first])
    values, vectors = np.linalg.eigh(2 * sums[0])
    kept = values > RANK * values[-1]
    white = vectors[:, kept] / np.sqrt(values[kept])
    inner = white.T @ (lagged + lagged.T) @ white / 2
    rates, turns = scipy.linalg.eigh(inner)
    if rates[-1] <= np.sqrt(kept.sum() / replicas):
        return None
    direction = white @ turns[:, -1]
    response = direction @ lagged
    return direction, response / float(response @ direction)
