"""Fisher matrix F and friction tensor ζ of Gaussian networks, by the theorem of Isserlis.

With y = x − m normal and C(t) = ⟨y(t) y(0)ᵀ⟩, ∂_aH − ⟨∂_aH⟩ = u_aᵀy + ½(yᵀS_ay − ⟨yᵀS_ay⟩) + …, and
terms of different order in y are uncorrelated:

    ⟨δ∂_aH(t) δ∂_bH(0)⟩ = u_aᵀC u_b + ½ tr(S_a C S_b Cᵀ),
    and for quartic terms + 6 m_i m_j C_ij³ + 3/2 C_ij⁴.

Source: Isserlis (1918), Biometrika 12, 134; the orders of y, Mehler (1866), J. reine angew. Math.
66, 161.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._model.network import Network
from ktc._model.parameters import Parameters
from ktc._theory.gaussian import inverse, symmetrized

# ∫ f(e^s) e^s ds by the trapezoidal rule: an exponential in t is integrated to e^(−π²/h) = 7e-18.
STEP_OF_LOGARITHM = 0.25


class _Forms(NamedTuple):
    """Every ∂_aH to second order in y: linear u (p, d), and S = w (e_i e_jᵀ + e_j e_iᵀ)."""

    linear: Array
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    weight: Array


def fisher(net: Network, parameters: Parameters) -> Array:
    """Fisher matrix F = Cov(∂_θH)/kT, shape (p, p)."""
    covariance = net.common_kT * inverse(net.stiffness)
    forms = _forms(net, parameters, covariance)
    i, j, w = forms.first, forms.second, forms.weight
    pairs = covariance[np.ix_(i, i)] * covariance[np.ix_(j, j)]
    pairs += covariance[np.ix_(i, j)] * covariance[np.ix_(j, i)]
    result = forms.linear @ covariance @ forms.linear.T + np.outer(w, w) * pairs
    for block, units, mean in _quartic(net, parameters):
        own = covariance[np.ix_(units, units)]
        result[block, block] += 6 * np.outer(mean, mean) * own**3 + 1.5 * own**4
    return symmetrized(result / net.common_kT)


def friction(net: Network, parameters: Parameters, resistance: Array) -> Array:
    """Friction tensor ζ = (1/kT)∫₀^∞ ⟨δ∂H(0) δ∂H(t)ᵀ⟩ dt, shape (p, p)."""
    kT = net.common_kT
    rest = inverse(net.stiffness)
    forms = _forms(net, parameters, kT * rest)
    pulled = forms.linear @ rest
    result = pulled @ resistance @ pulled.T
    if net.inertia is None and net.has_friction:
        rates, modes = scipy.linalg.eigh(net.stiffness, net.friction)
        times = 1 / np.add.outer(rates, rates)
        result += _quadratic_by_modes(forms, rates, times, modes, kT) / kT
        for block, units, mean in _quartic(net, parameters):
            result[block, block] += _higher_by_time(rates, modes[units], mean, kT) / kT
        return symmetrized(result)
    if "quartic" in parameters.names:
        raise ValueError(
            "the friction tensor of quartic parameters has a closed form only in overdamped "
            "networks; measure it by theory.friction_estimate"
        )
    if forms.weight.any():
        result += _quadratic_by_lyapunov(net, forms) / kT
    return symmetrized(result)


def held_friction(net: Network, parameters: Parameters, hold: float) -> Array:
    """Friction tensor ζ of an overdamped network under held controls, without quartic parameters.

    Every mode of the network enters with its ``lag_under_hold``. ζ of some parameters is a block of
    ζ of all, as F is; the lags of modes of that block alone would differ.
    """
    kT = net.common_kT
    rates, modes = scipy.linalg.eigh(net.stiffness, net.friction)
    if 0.5 / rates[-1] >= hold:
        return friction(net, parameters, net.friction)
    forms = _forms(net, parameters, kT * inverse(net.stiffness))
    pulled = forms.linear @ modes
    result = (pulled * (lag_under_hold(1 / rates, hold) / rates)) @ pulled.T
    pairs = lag_under_hold(1 / np.add.outer(rates, rates), hold)
    return symmetrized(result + _quadratic_by_modes(forms, rates, pairs, modes, kT) / kT)


def lag_under_hold(times: Array, hold: float) -> Array:
    """Lag τ′ = (h/2) coth(h/2τ) of modes that relax within a hold h, and τ of slower modes.

    Under controls held for h, a mean in steady motion of speed v lags behind the controls by
    v h/(1 − e^{−h/τ}) = v (τ′ + h/2). For h well below τ, τ′ = τ to second order in h, and τ is
    kept. For h above τ, a rate chosen for τ would overshoot and amplify noise from tick to tick. In
    ζ = (1/kT)∫C(t)dt, τ′ is the trapezoidal rule at the ticks, h[½C(0) + C(h) + C(2h) + …].
    """
    fast, half = times < hold, 0.5 * hold
    result: Array = times.copy()
    result[fast] = half / np.tanh(half / times[fast])
    return result


def _forms(net: Network, parameters: Parameters, covariance: Array) -> _Forms:
    mean = np.linalg.solve(net.stiffness, net.bias)
    own = covariance.diagonal()
    linear = np.zeros((parameters.size, net.units))
    first = np.zeros(parameters.size, dtype=np.intp)
    second, weight = first.copy(), np.zeros(parameters.size)
    if parameters.to_bias is not None:
        return _Forms(-parameters.to_bias.T, first, second, weight)
    for name, block in parameters.blocks.items():
        i, j = parameters.places[name][0], parameters.places[name][-1]
        rows = np.arange(block.start, block.stop)
        first[block], second[block] = i, j
        if name == "bias":
            linear[rows, i] = -1.0
        elif name == "quartic":
            linear[rows, i] = (mean**3 + 3 * mean * own)[i]
            weight[block] = 1.5 * (mean**2 + own)[i]
        else:
            weight[block] = np.where(i == j, 0.5, 1.0)
            np.add.at(linear, (rows, i), weight[block] * mean[j])
            np.add.at(linear, (rows, j), weight[block] * mean[i])
    return _Forms(linear, first, second, weight)


def _quartic(net: Network, parameters: Parameters) -> list[tuple[slice, Array, Array]]:
    if "quartic" not in parameters.names:
        return []
    units = parameters.places["quartic"][0]
    mean = np.linalg.solve(net.stiffness, net.bias)[units]
    return [(parameters.blocks["quartic"], units, mean)]


def _quadratic_by_modes(
    forms: _Forms, rates: Array, times: Array, modes: Array, kT: float
) -> Array:
    """½ ∫ tr(S C S′ C) dt in modes V of rates λ, VᵀRV = 1: C(t) = V diag(e^{−λt} kT/λ) Vᵀ."""
    a, b = np.triu_indices(len(rates))
    root = kT * np.sqrt(np.where(a == b, 0.5, 1.0) * times[a, b] / (rates[a] * rates[b]))
    one, other = modes[forms.first], modes[forms.second]
    loads = one[:, a] * other[:, b] + one[:, b] * other[:, a]
    loads *= root * forms.weight[:, None]
    return np.asarray(loads @ loads.T)


def _quadratic_by_lyapunov(net: Network, forms: _Forms) -> Array:
    """½ ∫ tr(S C S′ Cᵀ) dt with C = Π e^{At} Σ Πᵀ for any stable drift A.

    Y = ∫ e^{At} ΣΠᵀS′ΠΣ e^{Aᵀt} dt solves the Lyapunov equation A Y + Y Aᵀ = −ΣΠᵀS′ΠΣ, by the
    Schur form of A.
    """
    drift, units = net.drift, net.units
    spread = np.zeros((len(drift), units))
    spread[:units] = net.common_kT * inverse(net.stiffness)
    triangle, basis = scipy.linalg.schur(drift, output="real")
    (solve,) = scipy.linalg.get_lapack_funcs(("trsyl",), (triangle,))
    inward, outward = basis.T @ spread, basis[:units]
    result = np.zeros((len(forms.weight),) * 2)
    for k in np.flatnonzero(forms.weight):
        sides = np.outer(inward[:, forms.first[k]], inward[:, forms.second[k]])
        source = -forms.weight[k] * (sides + sides.T)
        solution, scale, _ = solve(triangle, triangle, source, tranb="T")
        integral = outward @ (solution / scale) @ outward.T
        result[:, k] = forms.weight * integral[forms.first, forms.second]
    return result


def _higher_by_time(rates: Array, modes: Array, mean: Array, kT: float) -> Array:
    """∫ (6 m_i m_j C_ij³ + 3/2 C_ij⁴) dt by the trapezoidal rule in ln t."""
    first, last = np.log(1e-17 / rates[-1]), np.log(50 / rates[0])
    total = np.zeros((len(modes),) * 2)
    for s in np.arange(first, last, STEP_OF_LOGARITHM):
        correlation = (modes * (kT / rates * np.exp(-rates * np.exp(s)))) @ modes.T
        total += np.exp(s) * (6 * np.outer(mean, mean) * correlation**3 + 1.5 * correlation**4)
    return STEP_OF_LOGARITHM * total
