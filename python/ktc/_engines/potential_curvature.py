"""Curvature of on-site potentials over the states that units visit, for the step of motion."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array
from ktc._model.controls import Controls
from ktc._model.potentials.cosine import Cosine
from ktc._model.potentials.polynomial import DEGREE, Polynomial
from ktc._model.potentials.potential import Potential
from ktc._model.potentials.two_parabolas import TwoParabolas

#: Energy above the lowest, in kT, of the states whose curvature a step has to follow.
VISITED = 3.0
#: Places at which a polynomial's curvature is looked at.
PLACES = 65


def potential_curvatures(controls: Controls) -> Array:
    """Largest |V″| of each unit's potential where the unit dwells, shape (d,).

    That of a cosine is bounded everywhere. A polynomial counts within 3 kT of the lowest energy of
    its unit, softened by its couplings, which shows the outermost wells that they can make; a table
    within 3 kT at its points. A kink of two parabolas counts as (jump of V′/2)²/kT: that is how
    fast a thermal unit crosses the states over which the kink changes its energy by kT.
    """
    temperatures = np.atleast_1d(controls.kT)
    kT = float(temperatures[temperatures > 0].min())
    hottest = float(temperatures.max())
    stiffness = controls.stiffness
    own = np.diagonal(stiffness)
    pull = np.abs(stiffness).sum(axis=1) - np.abs(own)
    result = np.zeros(len(own))
    for unit, potential in enumerate(controls.potentials):
        if potential is None:
            continue
        bias, quartic = float(controls.bias[unit]), float(controls.quartic[unit])
        if isinstance(potential, TwoParabolas):
            kink = (potential.spring * potential.distance) ** 2 / kT
            result[unit] = potential.spring + kink
        elif isinstance(potential, Cosine):
            result[unit] = -potential.smallest_curvature()
        elif isinstance(potential, Polynomial):
            softened = float(own[unit]) - (float(pull[unit]) if _confines(potential) else 0.0)
            result[unit] = _of_polynomial(potential, softened, bias, quartic, hottest)
        else:
            result[unit] = _of_points(potential, float(own[unit]), bias, quartic, hottest)
    return result


def _confines(potential: Polynomial) -> bool:
    return potential.confinement == np.inf


def _of_polynomial(
    potential: Polynomial, stiffness: float, bias: float, quartic: float, kT: float
) -> float:
    terms = np.zeros(DEGREE + 1)
    terms[1:] = potential.numbers
    terms[1] -= bias
    terms[2] += 0.5 * stiffness
    terms[4] += 0.25 * quartic
    energy = np.polynomial.Polynomial(terms).trim()
    rests = _real_roots(energy.deriv())
    if not len(rests):
        return float(np.abs(potential.curvature(np.zeros(1)))[0])
    lowest = float(energy(rests).min())
    visited = np.concatenate([_real_roots(energy - (lowest + VISITED * kT)), rests])
    places = np.linspace(visited.min(), visited.max(), PLACES)
    return float(np.abs(potential.curvature(places)).max())


def _real_roots(polynomial: np.polynomial.Polynomial) -> Array:
    roots = polynomial.roots()
    size = np.abs(roots).max() if len(roots) else 0.0
    return np.asarray(np.real(roots[np.abs(np.imag(roots)) <= 1e-7 * size]))


def _of_points(
    potential: Potential, stiffness: float, bias: float, quartic: float, kT: float
) -> float:
    """Of a table, whose curvature is linear between its points."""
    x = potential.breaks
    energy = 0.5 * stiffness * x**2 - bias * x + 0.25 * quartic * x**4 + potential.energy(x)
    near = np.flatnonzero(energy <= energy.min() + VISITED * kT)
    first, last = max(near[0] - 1, 0), min(near[-1] + 2, len(x))
    return float(np.abs(potential.curvature(x[first:last])).max())
