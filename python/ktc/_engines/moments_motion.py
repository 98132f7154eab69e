"""Exact motion of the mean and covariance of a linear network, and the mean heats of a hold."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import ceil, inf, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ktc import _core
from ktc._base.cached import cached_property
from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._model.network import Network

# With ‖F‖h ≤ 1/2 the Lyapunov operator has norm ≤ 1, and 1/20! is below the rounding of a double.
SHORT_HOLD = 0.5
TAYLOR_TERMS = 20
# Numbers of the integrated forms of a hold that are kept; with more, each tick integrates its own
# second moments, which takes some sixty products of matrices but no memory.
MOST_FORMS = 2**21
# Holds of one motion that are kept: a protocol of equal ticks has one.
HOLDS_KEPT = 64
# Growth of a solution beyond which a matrix may be singular.
GROWTH = 1e13


class ElementArrays:
    """The elements of a network, read from the core once.

    Attributes:
        flow: J − G on the state, or M with active elements, shape (n, n).
        dimension, rows: coordinates of the state, without and with those of filters.
        directions, conductance, account: of the resistors.
        accounts: number of heat accounts.
        source_directions: of the current sources.
        readings, reading_conductance, reading_noise: of the power of sources, see ActiveFlow.
        noise_directions, noise_density, noise_rate: of the generators; rate 0 is white noise.
        filtered: numbers of the generators with a filter, whose current is one more coordinate.
    """

    def __init__(self, network: Network) -> None:
        core = network.core.elements
        self.flow: Array = network.core.flow
        self.directions: Array = core.directions
        self.conductance: Array = core.conductance
        self.account: NDArray[np.int64] = core.account
        self.accounts: int = core.accounts
        self.source_directions: Array = core.source_directions
        active = None if network.elements is None else network.elements.active
        self.active = active is not None
        self.readings = self.source_directions if active is None else active.readings
        self.reading_conductance = None if active is None else active.conductance
        self.reading_noise = None if active is None else active.noise
        self.noise_directions: Array = core.noise_directions
        self.noise_density: Array = core.noise_density
        self.noise_rate: Array = core.noise_rate
        self.filtered = np.flatnonzero(self.noise_rate > 0)
        self.dimension = len(self.flow)
        self.rows = self.dimension + len(self.filtered)

    def per_account(self, amounts: Array) -> Array:
        """Sums over the resistors of each heat account."""
        sums = np.bincount(self.account, amounts, minlength=self.accounts)
        return np.asarray(sums, np.float64)


@dataclass(frozen=True, eq=False, repr=False)
class Hold:
    """Transition over a hold: z′ = z* + A (z − z*) + N(0, Q).

    Attributes:
        duration: h.
        decay: A = e^{Fh}, shape (rows, rows).
        covariance: Q.
        itemised: whether every account is told apart.
        lag: ∫₀ʰ e^{Ft} dt, where it is needed.
        forms: ∫₀ʰ e^{Fᵀt} W e^{Ft} dt of every quadratic form W, shape (forms, rows, rows); None
            where they are too many.
    """

    duration: float
    decay: Array
    covariance: Array
    itemised: bool = False
    lag: Array | None = None
    forms: Array | None = None


class Motion:
    """dz = (F z + c) dt + noise of covariance rate D at one stiffness and kT.

    z is the state followed by the currents of filters, H = ½ zᵀAz − βᵀz + …; F and D as in
    docs/physics.md. What depends on bias and sources is left to the caller.
    """

    def __init__(
        self, network: Network, elements: ElementArrays, controls: Mapping[str, Any]
    ) -> None:
        self._network, self._elements = network, elements
        self._controls = {**controls, "bias": np.zeros(network.units)}
        n, rows = elements.dimension, elements.rows
        self.stiffness: Array = controls["stiffness"]
        self.kT: Array = controls["kT"]
        self.hessian = np.zeros((rows, rows))
        self.hessian[: network.units, : network.units] = self.stiffness
        if network.inertia is not None:
            self.hessian[network.units : n, network.units : n] = np.diag(1 / network.inertia)
        passive = not elements.active and not len(elements.noise_density)
        self._isothermal = passive and bool((self.kT == self.kT[0]).all())
        self._holds: dict[tuple[float, bool, bool], Hold] = {}

    def same_shape(self, controls: Mapping[str, Any]) -> bool:
        """Whether it is the motion at these controls."""
        stiffness, kT = controls["stiffness"], controls["kT"]
        same = stiffness is self.stiffness or bool((stiffness == self.stiffness).all())
        return same and (kT is self.kT or bool((kT == self.kT).all()))

    @cached_property
    def _factor(self) -> Array:
        n = self._elements.dimension
        factor: Array = scipy.linalg.cho_factor(self.hessian[:n, :n], lower=True)[0]
        return factor

    def _solved(self, force: Array) -> Array:
        """A⁻¹ β by LAPACK directly: SciPy's checks take longer than solving for one unit."""
        return scipy.linalg.lapack.dpotrs(self._factor, force, lower=1)[0]  # type: ignore[no-any-return]

    def rest_of_force(self, force: Array) -> Array:
        """A⁻¹β, where the state rests without sources, shape (rows,)."""
        return self.with_filters(self._solved(force))

    def with_filters(self, state: Array) -> Array:
        """The state followed by zeros, the currents of filters."""
        filters = self._elements.rows - len(state)
        return np.concatenate([state, np.zeros(filters)]) if filters else state

    def displacement(self, push: Array) -> Array:
        """−F⁻¹c of a steady push c beyond that of the bias, shape (rows,)."""
        # F = (J − G) A, so that A of the displacement is −(J − G)⁻¹ c.
        if self._unbound:
            slope = _solve_unbound(self._elements.flow, -push, np.sqrt(self.hessian.diagonal()))
        else:
            slope = np.asarray(np.linalg.solve(self._elements.flow, -push), np.float64)
        return self.with_filters(self._solved(slope))

    @cached_property
    def _unbound(self) -> bool:
        """Whether J − G is singular or nearly so: the solution for some vector grows like that."""
        unit = np.sqrt(self.hessian.diagonal()[: self._elements.dimension])
        scaled = self._elements.flow * np.outer(unit, unit)
        probe = 0.5 + 0.6180339887498949 * np.arange(1, len(unit) + 1) % 1.0
        with suppress(np.linalg.LinAlgError):
            return not np.abs(scaled).max() * np.abs(np.linalg.solve(scaled, probe)).max() <= GROWTH
        return True

    @cached_property
    def _scale(self) -> Array:
        """Factors that bring coordinates to order √kT, whatever their units."""
        e, n = self._elements, self._elements.dimension
        filters = np.sqrt(0.5 * e.noise_rate[e.filtered] * e.noise_density[e.filtered])
        return np.concatenate([np.sqrt(self.hessian.diagonal()[:n]), 1 / filters])

    @cached_property
    def _scaled(self) -> tuple[Array, Array]:
        """F and D in scaled coordinates."""
        e, n, rows = self._elements, self._elements.dimension, self._elements.rows
        drift, noise = np.zeros((rows, rows)), np.zeros((rows, rows))
        drift[:n, :n] = e.flow @ self.hessian[:n, :n]
        white = e.noise_rate == 0
        rates = 2 * self.kT[e.account] * e.conductance
        noise[:n, :n] = e.directions.T @ (rates[:, None] * e.directions)
        aims = e.noise_directions[white]
        noise[:n, :n] += aims.T @ (e.noise_density[white][:, None] * aims)
        for row, k in self._filter_rows:
            drift[:n, row] = e.noise_directions[k]
            drift[row, row] = -e.noise_rate[k]
            noise[row, row] = e.noise_rate[k] ** 2 * e.noise_density[k]
        s = self._scale
        return drift * s[:, None] / s, noise * np.outer(s, s)

    @cached_property
    def _drift_factors(self) -> tuple[Array, NDArray[np.int32]]:
        """LU factors of F in scaled coordinates."""
        found: tuple[Array, NDArray[np.int32]] = scipy.linalg.lu_factor(self._scaled[0])
        return found

    def feed(self, emf: Array, current: Array) -> tuple[Array, Array, float]:
        """The parts of ``work_variance.Feed`` at values of the sources."""
        e, n, s = self._elements, self._elements.dimension, self._scale
        read = emf if e.reading_noise is None else e.reading_noise.T @ current
        power = self.hessian[:, :n] @ (e.readings.T @ current)
        power -= self.slopes.T @ (emf * e.conductance)
        pull = s * scipy.linalg.lu_solve(self._drift_factors, power / s, trans=1)
        rates = 2 * self.kT[e.account] * e.conductance
        white = np.zeros(e.rows)
        white[:n] = e.directions.T @ (rates * read)
        cross = white - (self._scaled[1] @ (pull / s)) / s
        rate = rates @ (read - e.directions @ pull[:n]) ** 2
        density = np.where(e.noise_rate == 0, e.noise_density, 0.0)
        rate += density @ (e.noise_directions @ pull[:n]) ** 2
        for row, k in self._filter_rows:
            rate += e.noise_rate[k] ** 2 * e.noise_density[k] * pull[row] ** 2
        return pull, cross, float(rate)

    @cached_property
    def stationary(self) -> Array:
        """P with F P + P Fᵀ + D = 0: kT A⁻¹ at one temperature without generators.

        Raises:
            ValueError: where the network is not stable.
        """
        if self._isothermal:
            n = self._elements.dimension
            result: Array = self.kT[0] * self._solved(np.eye(n))
        else:
            s = self._scale
            result = _core.stationary_covariance(*self._scaled) / np.outer(s, s)
        return 0.5 * (result + result.T)

    def hold(self, duration: float, itemised: bool, driven: bool) -> Hold:
        """The transition over a hold of this duration, prepared once."""
        key = (duration, itemised, itemised or driven)
        if key not in self._holds:
            if len(self._holds) >= HOLDS_KEPT:
                self._holds.clear()
            self._holds[key] = self._prepare(*key)
        return self._holds[key]

    def _prepare(self, duration: float, itemised: bool, driven: bool) -> Hold:
        s = self._scale
        if self._isothermal:
            decay, noise = _core.network_transition(self._network.core, self._controls, duration)
        else:
            decay, noise = _core.linear_transition(*self._scaled, duration)
            decay, noise = decay * s / s[:, None], noise / np.outer(s, s)
        if not driven:
            return Hold(duration, decay, noise)
        e = self._elements
        few = itemised and (e.accounts + len(e.filtered)) * e.rows**2 <= MOST_FORMS
        forms = self._forms / np.outer(s, s) if few else np.empty((0, e.rows, e.rows))
        lag, integrals = integrated(self._scaled[0], forms, duration)
        lag = lag * s / s[:, None]
        kept = integrals * np.outer(s, s) if few else None
        return Hold(duration, decay, noise, itemised, lag, kept)

    def swept(self, hold: Hold, moments: Array) -> Array:
        """∫₀ʰ tr(W e^{Ft} M e^{Fᵀt}) dt of every form W and the second moments M at the start."""
        if hold.forms is not None:
            return np.asarray(np.tensordot(hold.forms, moments, 2), np.float64)
        s = self._scale
        scaled = (moments * np.outer(s, s))[None]
        _, integral = integrated(self._scaled[0].T, scaled, hold.duration)
        return self._values(integral[0] / np.outer(s, s))

    def _values(self, moments: Array) -> Array:
        """tr(W M) of every form."""
        e = self._elements
        squares = np.sum(self.slopes @ moments * self.slopes, axis=1)
        pairs = [self.noise_slopes[k] @ moments[:, row] for row, k in self._filter_rows]
        return np.concatenate([e.per_account(e.conductance * squares), pairs])

    @property
    def _filter_rows(self) -> list[tuple[int, int]]:
        """Row of the state and number of every generator that has a filter."""
        return list(enumerate(self._elements.filtered.tolist(), self._elements.dimension))

    @cached_property
    def slopes(self) -> Array:
        """A d_r of every resistor, shape (resistors, rows): its force is slopes·z − d_r·β."""
        e = self._elements
        return e.directions @ self.hessian[: e.dimension]

    @cached_property
    def noise_slopes(self) -> Array:
        """A a_i of every generator, shape (noises, rows)."""
        e = self._elements
        return e.noise_directions @ self.hessian[: e.dimension]

    @cached_property
    def _forms(self) -> Array:
        """Σ g_r (A d_r)(A d_r)ᵀ of every heat account, then (A a_i) j_i of every filter."""
        e = self._elements
        forms = np.zeros((e.accounts + len(e.filtered), e.rows, e.rows))
        for r, slope in enumerate(self.slopes):
            forms[e.account[r]] += e.conductance[r] * np.outer(slope, slope)
        for form, (row, k) in zip(forms[e.accounts :], self._filter_rows, strict=True):
            form[row] += 0.5 * self.noise_slopes[k]
            form[:, row] += 0.5 * self.noise_slopes[k]
        return forms

    @cached_property
    def stationary_rates(self) -> Array:
        """Mean power into every heat account, and from every filter, in the stationary state."""
        e = self._elements
        if self._isothermal:
            return np.zeros(e.accounts)
        rates = self._values(self.stationary)
        thermal = self.kT[e.account] * e.conductance
        back = thermal * np.sum(e.directions * self.slopes[:, : e.dimension], axis=1)
        rates[: e.accounts] -= e.per_account(back)
        return rates

    @cached_property
    def white_rate(self) -> float:
        """Mean power from generators of white noise, ½ Σ S aᵀAa."""
        e = self._elements
        white = e.noise_rate == 0
        own = np.sum(e.noise_directions * self.noise_slopes[:, : e.dimension], axis=1)
        return float(0.5 * np.sum((e.noise_density * own)[white]))


def _solve_unbound(flow: Array, push: Array, unit: Array) -> Array:
    """(J − G)⁻¹ push where no resistor binds some coordinates, which push must not reach.

    ``unit`` are the roots of the diagonal of ∇²H.
    """
    n = len(push)
    left, sizes, right = np.linalg.svd(flow * np.outer(unit[:n], unit[:n]))
    bound = sizes > 1e-14 * sizes[0]
    parts = left.T @ (push * unit[:n])
    if np.abs(parts[~bound]).max(initial=0.0) > 1e-9 * np.abs(parts).max():
        raise ValueError(
            "the drift is singular: a source drives a coordinate that is bound by nothing; add a "
            "resistor there"
        )
    return np.asarray(right[bound].T @ (parts[bound] / sizes[bound]) * unit[:n])


def integrated(drift: Array, forms: Array, hold: float) -> tuple[Array, Array]:
    """∫ e^{Ft} dt and ∫ e^{Fᵀt} W e^{Ft} dt over a hold: Taylor series, then doubling.

    Doubling adds only what is of one sign, where the block exponential of Van Loan (1978), IEEE
    Trans. Autom. Control 23, 395, loses all digits over long holds.
    """
    size = float(np.linalg.norm(drift))
    extent = log2(size) + log2(hold) - log2(SHORT_HOLD) if size > 0 else -inf
    doublings = max(0, ceil(extent)) if extent > -inf else 0
    short = hold * 0.5**doublings
    identity = np.eye(len(drift))
    power, lag = identity, short * identity
    growth = np.zeros_like(identity)
    term, total = short * forms, short * forms
    for k in range(2, TAYLOR_TERMS + 1):
        power = (short / (k - 1)) * (drift @ power)
        growth = growth + power
        lag = lag + (short / k) * power
        half = term @ drift
        term = (short / k) * (half + np.swapaxes(half, 1, 2))
        total = total + term
    for _ in range(doublings):
        decay = identity + growth
        lag = lag + decay @ lag
        total = total + decay.T @ total @ decay
        growth = 2 * growth + growth @ growth
    return lag, 0.5 * (total + np.swapaxes(total, 1, 2))
