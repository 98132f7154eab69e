"""Friction of units as a control."""

from __future__ import annotations

from numpy.typing import ArrayLike

from ktc._model.network import Network


def with_friction(network: Network, friction: ArrayLike) -> Network:
    """Return a network of units with another friction; its energy is the same.

    Raises:
        ValueError: a network of elements, a friction that is not positive definite, or one that has
            other heat accounts: several temperatures need one friction per unit.
    """
    if network.elements is not None or not network.has_friction:
        raise ValueError(
            "friction of a network of elements is not a control, because its resistors have no "
            "names; make a new network with other resistances"
        )
    controls = network.controls
    new = Network(
        controls.held_stiffness,
        friction,
        1.0,
        quartic=controls.quartic,
        potential=controls.potentials,
        inertia=network.inertia,
    )
    if new.accounts != network.accounts:
        kinds = "a scalar or (d,)", "a (d, d) matrix with entries off its diagonal"
        kinds = kinds if len(network.accounts) == network.units else kinds[::-1]
        raise ValueError(f"friction must stay {kinds[0]}, but is {kinds[1]}, with other accounts")
    return new.with_controls(controls)
