"""The step of motion that is not exact."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ktc.checks import Array, positive
from ktc.controls import Controls
from ktc.network import Network
from ktc.sparse import SparseStiffness

# Averages are second order in the step: at a tenth of the fastest time their error is some 1e-4
# to 3e-3 of their value (most where generators feed noiseless resistors), below the sampling error
# of most ensembles. Network.convergence shows it.
STEPS_PER_FASTEST_TIME = 10


def fastest_rate(network: Network, controls: Controls) -> float:
    """Largest |eigenvalue| of the drift, with quartic units as stiff as they are where they stay.

    A quartic unit's curvature K + 3κx² is taken at x² = depth/κ (its wells) + √(kT/κ) (its thermal
    width) + (|b|/κ)^⅔ (its displacement by the bias). Wells are as deep as couplings can make
    them, min(−λ_min(K), Σ_j |K_ij| − K_ii), where that is positive.

    Of a sparse network it is Gershgorin's bound, max_i Σ_j |K_ij|/R_i, at most twice the rate where
    K is diagonally dominant; the depth of its wells is Σ_j |K_ij| − K_ii.
    """
    if controls.is_sparse:
        return _sparse_rate(network, controls)
    kappa, stiffness = controls.quartic, controls.stiffness
    if kappa.any():
        pull = np.abs(stiffness - np.diag(np.diagonal(stiffness))).sum(axis=1)
        pull = np.minimum(pull - np.diagonal(stiffness), -np.linalg.eigvalsh(stiffness)[0])
        hardening = np.maximum(pull, 0) + np.sqrt(np.max(controls.kT) * kappa)
        hardening += np.cbrt(kappa * controls.bias**2)
        controls = controls.updated(stiffness=stiffness + np.diag(3 * hardening * (kappa > 0)))
    rates = np.abs(np.linalg.eigvals(network.with_controls(controls).drift))
    return float(rates.max())


def _sparse_rate(network: Network, controls: Controls) -> float:
    held = controls.held_stiffness
    assert isinstance(held, SparseStiffness)
    return _row_bound(held.row_sums, held.diagonal, network.resistance, controls)


def rate_bound(network: Network, controls: Controls) -> float:
    """A bound of ``fastest_rate`` without eigenvalues, or infinity where rows do not give one."""
    if network.inertia is not None or network.elements is not None:
        return math.inf
    try:
        resistance = network.resistance
    except ValueError:  # friction between units
        return math.inf
    if controls.is_sparse:
        return _sparse_rate(network, controls)
    stiffness = controls.stiffness
    return _row_bound(np.abs(stiffness).sum(axis=1), np.diag(stiffness), resistance, controls)


def _row_bound(rows: Array, own: Array, resistance: Array, controls: Controls) -> float:
    """Gershgorin's max_i Σ_j |K_ij|/R_i of row sums and diagonal, quartic units stiffened."""
    kappa = controls.quartic
    if kappa.any():
        pull = rows - np.abs(own) - own
        hardening = np.maximum(pull, 0) + np.sqrt(np.max(controls.kT) * kappa)
        hardening += np.cbrt(kappa * controls.bias**2)
        stiffened = own + 3 * hardening * (kappa > 0)
        rows = rows - np.abs(own) + np.abs(stiffened)
    return float(np.max(rows / resistance))


def default_step(network: Network, settings: Iterable[Controls]) -> float:
    """A tenth of the fastest time at any of these controls."""
    return 1 / (
        STEPS_PER_FASTEST_TIME * max(fastest_rate(network, controls) for controls in settings)
    )


def checked_step(dt: Any, network: Network, settings: Iterable[Controls]) -> float:
    """``dt`` as a step that the network can take at any of these controls.

    Raises:
        ValueError: not positive, or so long that quartic units could not be followed.
    """
    step = positive("dt", dt)
    for controls in settings:
        if not controls.quartic.any() or step * rate_bound(network, controls) <= 2:
            continue
        longest = 2 / fastest_rate(network, controls)
        if step > longest:
            raise ValueError(
                f"dt must be at most {longest:.6g} for this network, twice its fastest time, but "
                f"is {step:.6g}: its quartic units would be unstable"
            )
    return step
