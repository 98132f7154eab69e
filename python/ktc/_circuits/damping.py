"""Refusal of circuits that are not damped, or whose rates lie too far apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy  # imports scipy.cluster when it is first used

from ktc._base.validation import Array
from ktc._circuits.branch import CircuitError
from ktc._circuits.equation import CircuitEquation


def _drift(equation: CircuitEquation) -> Array:
    """The drift in the coordinates Lᵀz, ∇²H = L Lᵀ, in which the damping is symmetric."""
    lower = np.linalg.cholesky(equation.stiffness)
    flow = equation.interconnection.copy()
    for r in equation.resistors:
        flow -= r.conductance * np.outer(*(np.asarray(r.direction),) * 2)
    drift: Array = lower.T @ flow @ lower
    return drift


def refuse_undamped(equation: CircuitEquation) -> None:
    """Refuse a circuit with a mode that no resistor damps."""
    if not equation.interconnection.any():
        return
    drift = _drift(equation)
    # Parts that are not coupled may differ in rate by more than rounding resolves.
    joined = scipy.cluster.hierarchy.DisjointSet(range(len(drift)))
    for i, j in zip(*np.nonzero(drift), strict=True):
        joined.merge(int(i), int(j))
    for part in map(sorted, joined.subsets()):
        own = drift[np.ix_(part, part)]
        rates, shapes = np.linalg.eig(own)
        rounding = 8 * len(part) * np.finfo(np.float64).eps * np.linalg.norm(own)
        undamped = np.abs(rates.real) <= np.minimum(rounding, 1e-9 * np.abs(rates))
        if undamped.any():
            weight = np.abs(shapes[:, int(np.argmax(undamped))])
            names = [equation.coordinates[part[k]] for k in np.flatnonzero(weight > 0.1)]
            raise CircuitError(
                f"no resistor damps the motion of {', '.join(names)}, which has no stationary "
                "state; add the resistance of the winding of the inductor"
            )


def refuse_unresolved(equation: CircuitEquation, noisy: Sequence[str]) -> None:
    """Refuse rates too far apart to solve for the stationary state in double precision.

    At one temperature and without sources that state is known at any rates: kT (∇²H)⁻¹.
    """
    driven = equation.emf_of.any() or equation.current_of.any() or equation.noises
    if not driven and (equation.kT == equation.kT[0]).all():
        return
    rates, shapes = np.linalg.eig(_drift(equation))
    paces = [(float(-rate.real), float(abs(rate))) for rate in rates]
    widths = [(name, n.bandwidth) for name, n in zip(noisy, equation.noises, strict=True)]
    filters = [(name, 2 * np.pi * width) for name, width in widths if width is not None]
    paces += [(rate, rate) for _, rate in filters]
    resolved = 8 * len(paces) * np.finfo(np.float64).eps
    slow = min(range(len(paces)), key=lambda k: paces[k][0])
    fast = max(range(len(paces)), key=lambda k: paces[k][1])
    if paces[slow][0] > resolved * paces[fast][1]:
        return

    def name(mode: int) -> str:
        if mode >= len(rates):
            return f"the filter of {filters[mode - len(rates)][0]}"
        return _coordinates(equation, shapes[:, mode])

    raise CircuitError(
        f"the values of the elements lie too far apart for double precision: {name(slow)} relaxes "
        f"over {1 / resolved:.0e} times slower than {name(fast)}, which takes "
        f"{1 / paces[fast][1]:.1e} s; leave out the smallest capacitors, or the largest and "
        "smallest resistors"
    )


def _coordinates(equation: CircuitEquation, shape: Array) -> str:
    """Names of the coordinates of a mode."""
    return ", ".join(equation.coordinates[k] for k in np.flatnonzero(np.abs(shape) > 0.1))
