"""The step of the splitting integrator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ktc.checks import Array, positive
from ktc.controls import Controls
from ktc.network import Network

# Averages are second order in the step: at a tenth of the fastest time their error is some
# 1e-4 of their value, below the sampling error of most ensembles.
STEPS_PER_FASTEST_TIME = 10


def fastest_rate(network: Network, controls: Controls) -> float:
    """Largest |eigenvalue| of the drift, with quartic units as stiff as they are where they stay.

    A quartic unit's curvature K + 3κx² is taken at x² = |K|/κ (its wells) + √(kT/κ) (its thermal
    width) + (|b|/κ)^⅔ (its displacement by the bias).
    """
    kappa, own = controls.quartic, np.diagonal(controls.stiffness)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.maximum(-own, 0) / kappa + np.sqrt(np.max(controls.kT) / kappa)
        spread += (np.abs(controls.bias) / kappa) ** (2 / 3)
        hardening: Array = np.where(kappa > 0, 3 * kappa * spread, 0.0)
    stiffened = controls.updated(stiffness=controls.stiffness + np.diag(hardening))
    rates = np.abs(np.linalg.eigvals(network.with_controls(stiffened).drift))
    return float(rates.max())


def default_step(network: Network, settings: Iterable[Controls]) -> float:
    """A tenth of the fastest time at any of these controls."""
    return 1 / (
        STEPS_PER_FASTEST_TIME * max(fastest_rate(network, controls) for controls in settings)
    )


def checked_step(dt: Any, network: Network) -> float:
    """``dt`` as a step that the network can take.

    Raises:
        ValueError: not positive, or so long that kicked quartic units would be unstable.
    """
    step = positive("dt", dt)
    kicked = network.inertia is not None and network.quartic.any()
    longest = 2 / fastest_rate(network, network.controls)
    if kicked and step > longest:
        raise ValueError(
            f"dt must be at most {longest:.6g} for this network, twice its fastest time, but is "
            f"{step:.6g}: its quartic units would be unstable"
        )
    return step
