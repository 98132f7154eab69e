"""The step of motion that is not exact."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ktc._base.validation import Array, positive, refusing_overflow
from ktc._engines.potential_curvature import potential_curvatures
from ktc._model.controls import Controls
from ktc._model.network import Network
from ktc._model.sparse_stiffness import SparseStiffness

# Averages are second order in the step: at a tenth of the fastest time their error is some 1e-4
# to 3e-3 of their value (most where generators feed noiseless resistors), below the sampling error
# of most ensembles. ktc.convergence shows it.
STEPS_PER_FASTEST_TIME = 10
# Estimated bias of averages, or of rates of escape, above which a given step is reported; where no
# estimate is known, a share of the longest stable step.
LARGE_BIAS, LARGE_STEP = 0.05, 0.5
# Barrier in kT above which no run leaves a well.
HIGHEST_BARRIER = 30.0

#: Controls on which the curvature of potentials depends, beside the stiffness.
_SHAPE = ("potential", "bias", "quartic", "kT")
#: Rates near the end of double precision.
FASTEST = 1e290


def fastest_rate(network: Network, controls: Controls) -> float:
    """Largest |eigenvalue| of the drift, with quartic units stiffened as where they dwell.

    A quartic unit's curvature K + 3κx² is taken at x² = depth/κ (its wells) + √(kT/κ) (its thermal
    width) + (|b|/κ)^⅔ (its displacement by the bias). Wells are as deep as couplings can make
    them, min(−λ_min(K), Σ_j |K_ij| − K_ii), where that is positive. For a sparse network it is
    Gershgorin's bound, with wells of depth Σ_j |K_ij| − K_ii. Potentials add their largest
    curvature where units dwell, ``potential_curvatures``.
    """
    return _rate(network, controls, _pull_of_bias(controls))


@refusing_overflow("stiffness, quartic or kT")
def _rate(network: Network, controls: Controls, by_bias: Array) -> float:
    """``fastest_rate`` with κx² of units where their bias puts them."""
    if network.core.fastest:
        return network.core.fastest
    held = controls.held_stiffness
    if isinstance(held, SparseStiffness):
        return _row_bound(held.row_sums, held.diagonal, network.resistance, controls, by_bias)
    kappa, stiffness = controls.quartic, controls.stiffness
    if kappa.any():
        pull = np.abs(stiffness - np.diag(np.diagonal(stiffness))).sum(axis=1)
        pull = np.minimum(pull - np.diagonal(stiffness), -np.linalg.eigvalsh(stiffness)[0])
        hardening = np.maximum(pull, 0) + np.sqrt(np.max(controls.kT) * kappa) + by_bias
        controls = controls.updated(stiffness=stiffness + np.diag(3 * hardening * (kappa > 0)))
    if controls.on_site:
        added = np.diag(potential_curvatures(controls))
        controls = controls.updated(stiffness=controls.stiffness + added)
    rates = np.abs(np.linalg.eigvals(network.with_controls(controls).drift))
    return float(rates.max())


@refusing_overflow("bias or quartic")
def _pull_of_bias(controls: Controls) -> Array:
    """κx² = (κb²)^⅓ of every unit where its bias puts it."""
    return np.asarray(np.cbrt(controls.quartic * controls.bias**2))


def _resistance(network: Network) -> Array | None:
    """Resistance per unit of overdamped networks without other friction."""
    if network.inertia is not None or network.elements is not None:
        return None
    try:
        return network.resistance
    except ValueError:  # friction between units
        return None


def _row_bound(
    rows: Array, own: Array, resistance: Array, controls: Controls, by_bias: Array
) -> float:
    """Gershgorin's max_i Σ_j |K_ij|/R_i of row sums and diagonal, quartic units stiffened."""
    kappa = controls.quartic
    if kappa.any():
        pull = rows - np.abs(own) - own
        hardening = np.maximum(pull, 0) + np.sqrt(np.max(controls.kT) * kappa) + by_bias
        stiffened = own + 3 * hardening * (kappa > 0)
        rows = rows - np.abs(own) + np.abs(stiffened)
    return float(np.max(rows / resistance))


class Rates:
    """Upper bound of a network's ``fastest_rate``, cheap to update for a new bias every tick.

    The bias is taken to pull every quartic unit as far as it does the one that it pulls most: κx²
    over the unit's resistance (or inertia) is the largest (κb²)^⅓ over it, rounded up to a quarter
    of a factor of two, so that a bias that drifts meets few rates and few steps, which are kept.
    It is ``fastest_rate`` where there is no bias or no quartic unit, and no less elsewhere:
    stiffness in proportion to resistances adds to every overdamped rate alike. With inertia it
    slows the faster of two real roots down, so that the rate without the bias counts too.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        weight = _resistance(network) if network.inertia is None else network.inertia
        self._weight: Array = np.ones(network.units) if weight is None else weight
        self._resistance = _resistance(network)
        self._known = _Known((None,) * 3, None, None, {})
        self._lowest: tuple[Array | None, float] = (None, 0.0)
        self._last: tuple[tuple[object, ...], float] = ((None,) * (len(_SHAPE) + 1), 0.0)

    def __call__(self, controls: Controls) -> float:
        """The bound at these controls."""
        if self.network.core.fastest:
            return self.network.core.fastest
        if controls.on_site:
            return self._with_potentials(controls)
        known = self._at(controls)
        rates, level = known.rates, 0.0
        if known.pull is not None:
            bias = controls.bias
            with np.errstate(over="ignore", invalid="ignore"):
                level = _rounded_up(float((known.pull * np.cbrt(bias * bias)).max()))
            if not level < FASTEST:
                raise ValueError(
                    "bias is so large that no step of time follows its quartic units; scale it down"
                )
        for each in (0.0, level):
            if each not in rates:
                rates[each] = _rate(self.network, controls, each * self._weight)
        return max(rates[0.0], rates[level])

    def _with_potentials(self, controls: Controls) -> float:
        """``fastest_rate``, kept while the controls are the same."""
        key = (*(getattr(controls, name) for name in _SHAPE), controls.held_stiffness)
        if any(one is not two for one, two in zip(key, self._last[0], strict=True)):
            self._last = key, fastest_rate(self.network, controls)
        return self._last[1]

    def by_rows(self, controls: Controls) -> float:
        """A bound without eigenvalues, Gershgorin's, or infinity where rows do not give one."""
        rows = self._at(controls).rows
        if rows is None or controls.on_site or self._resistance is None:
            return math.inf
        return _row_bound(*rows, self._resistance, controls, _pull_of_bias(controls))

    def biases(self, controls: Controls) -> tuple[float, float] | None:
        """Bias of averages, and logarithm of that of escapes, over the square of a midpoint step.

        The largest of all units: [5κkT + k² + (κb²)^⅔]/R², within a factor of two that of ⟨x⁴⟩, and
        (k/R)² B/6 of a well of curvature −k between wells and a barrier of B = k²/4κkT, without a
        bias, with k as in ``fastest_rate``. None where units have inertia or more than one
        resistor. docs/decisions/default-step.md derives it.
        """
        rows = self._at(controls).rows
        if rows is None or controls.on_site or self._resistance is None:
            return None
        (total, own), soft = rows, controls.quartic > 0
        depth = np.maximum(total - np.abs(own) - own, 0.0)
        if depth.any() and not isinstance(held := controls.held_stiffness, SparseStiffness):
            depth = np.minimum(depth, self._softest(held))
        kappa, kT = controls.quartic[soft], np.min(controls.kT)
        squares = (depth[soft] / self._resistance[soft]) ** 2
        heights = depth[soft] ** 2 / (4 * kappa * kT)
        heights[heights > HIGHEST_BARRIER] = 0.0
        others = (5 * kappa * kT + _pull_of_bias(controls)[soft] ** 2) / self._resistance[soft] ** 2
        return float(np.max(squares + others)), float(np.max(squares * heights / 6))

    def _softest(self, held: Array) -> float:
        """Curvature of the steepest descent, −λ_min(K), or zero; kept while K is the same."""
        if self._lowest[0] is not held:
            self._lowest = held, max(-float(np.linalg.eigvalsh(held)[0]), 0.0)
        return self._lowest[1]

    def _at(self, controls: Controls) -> _Known:
        stiffness, quartic, kT = self._known.shape
        same = controls.held_stiffness is stiffness and controls.quartic is quartic
        if not (same and controls.kT is kT):
            self._known = self._shaped(controls)
        return self._known

    def _shaped(self, controls: Controls) -> _Known:
        held, pull, rows = controls.held_stiffness, None, None
        if controls.quartic.any():
            with np.errstate(over="ignore"):
                pull = np.cbrt(controls.quartic) / self._weight
        if isinstance(held, SparseStiffness):
            rows = held.row_sums, held.diagonal
        elif self._resistance is not None:
            with refusing_overflow("stiffness"):
                rows = np.abs(held).sum(axis=1), np.diagonal(held)
        return _Known((held, controls.quartic, controls.kT), pull, rows, {})


class _Known(NamedTuple):
    """Quantities that do not depend on the bias, and the rates at each level of it."""

    shape: tuple[Any, Any, Any]
    pull: Array | None  #: κ^⅓/w: κx²/w is that times b^⅔
    rows: tuple[Array, Array] | None  #: Σ_j |K_ij| and K_ii, of one resistance a unit
    rates: dict[float, float]


def _rounded_up(level: float) -> float:
    return 2 ** (math.ceil(4 * math.log2(level)) / 4) if 0 < level < math.inf else level


def default_step(network: Network, settings: Iterable[Controls]) -> float:
    """A tenth of the fastest time at any of these controls, by the bound of ``Rates``."""
    return step_of(Rates(network), settings)


def step_of(rates: Rates, settings: Iterable[Controls]) -> float:
    """``default_step`` of the network that has these rates."""
    return 1 / (STEPS_PER_FASTEST_TIME * max(map(rates, settings)))


def checked_step(dt: Any, rates: Rates, settings: Iterable[Controls]) -> float:
    """``dt``, if quartic units can be followed at any of these controls; else ValueError."""
    step = positive("dt", dt)
    for controls in settings:
        if controls.is_linear or step * rates.by_rows(controls) <= 2:
            continue
        longest = 2 / fastest_rate(rates.network, controls)
        if step > longest:
            raise ValueError(
                f"dt must be at most {longest:.6g} for this network, twice its fastest time, but "
                f"is {step:.6g}: its quartic units and potentials would be unstable"
            )
    return step


def bias_of_step(
    dt: float, rates: Rates, settings: Iterable[Controls], midpoint: bool
) -> str | None:
    """What is known of the bias of a large step of quartic units; None of a small one.

    A splitting step is as accurate as two midpoint steps of half its length.
    """
    for controls in settings:
        # Below twice the default step no bias is large; a controller asks at every tick.
        if controls.is_linear or dt * rates.by_rows(controls) <= 0.2:
            continue
        share = 0.5 * dt * rates(controls)
        place = f"{share:.0%} of the longest that is stable"
        if (biases := rates.biases(controls)) is None:
            if share > LARGE_STEP:
                return f"{place}, and the bias of averages and rates grows as its square"
            continue
        averages, escapes = np.array(biases) * (dt if midpoint else 0.5 * dt) ** 2
        if max(averages, np.expm1(escapes)) > LARGE_BIAS:
            told = f"{place}: averages such as ⟨x⁴⟩ are off by about {averages:.0%}"
            more = f", and wells are left about {np.expm1(escapes):.0%} too often"
            return told + (more if escapes > 0 else "")
    return None
