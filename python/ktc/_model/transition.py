"""Exact motion of linear networks: relaxation times, and the transition over a hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ktc import _core
from ktc._base.validation import Array, positive

if TYPE_CHECKING:
    from ktc._model.network import Network


class Transition(NamedTuple):
    """Exact motion over a hold: z′ = A z + c + N(0, Q), z = x, or (x, p) with inertia."""

    A: Array
    c: Array
    Q: Array


def transition(network: Network, hold: float) -> Transition:
    """Return A = e^{Fh}, c = (1 − A) z* and Q of a network at its own controls."""
    if network.is_sparse:
        raise ValueError("transition needs a dense network; make it of stiffness.toarray()")
    if not network.moves_exactly:
        raise ValueError(
            "transition needs a linear network at one temperature without sources; "
            "theory.linear_transition takes any stable drift and diffusion"
        )
    decay, covariance = _core.network_transition(
        network.core, network.controls.arrays(), positive("hold", hold)
    )
    rest = np.zeros(len(decay))
    rest[: network.units] = np.linalg.solve(network.stiffness, network.bias)
    return Transition(decay, rest - decay @ rest, covariance)


def relaxation_times(network: Network) -> Array:
    """Return 1/|Re λ| of the drift's eigenvalues λ, ascending."""
    if network.quartic.any():
        raise ValueError(
            f"relaxation_times needs a linear network, but quartic is {network.quartic}; "
            "measure them on an Emulator"
        )
    with np.errstate(divide="ignore"):
        return np.sort(1 / np.abs(np.linalg.eigvals(network.drift).real))
