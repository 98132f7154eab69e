"""Arguments that make an equal network, and its kind in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktc._model.sparse_stiffness import SparseStiffness

if TYPE_CHECKING:
    from ktc._model.network import Network


def arguments_of(network: Network) -> dict[str, object]:
    """Arguments of the constructor, or of of_elements, that make an equal network."""
    controls, elements = network.controls, network.elements
    given: dict[str, object] = {"stiffness": controls.held_stiffness}
    given |= {name: getattr(controls, name) for name in ("kT", "bias", "quartic")}
    if elements is None:
        shared = network.accounts == ("all",)
        friction = network.friction if shared else network.resistance
        return {**given, "friction": friction, "inertia": network.inertia}
    return {**given, **elements.arguments(controls.emf, controls.current)}


def told_kind(network: Network) -> str:
    """Size, kind and temperature, as its repr shows them."""
    kind, held = "overdamped", network.controls.held_stiffness
    if network.inertia is not None:
        kind = "with inertia"
    elif isinstance(held, SparseStiffness):
        kind = f"{held.couplings} couplings, overdamped"
    elif network.elements is not None:
        kind = f"circuit of {len(network.elements.resistors)} resistors"
    kT = f"kT={network.kT:g}" if network.controls.isothermal else "several temperatures"
    return f"{network.units} units, {kind}, {kT}"
