"""A network as the arguments that make an equal one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ktc._model.network import Network


def arguments_of(network: Network) -> dict[str, object]:
    """The arguments that make an equal network: those of the constructor, or of of_elements."""
    controls = network.controls
    given: dict[str, object] = {
        "stiffness": controls.held_stiffness,
        "kT": controls.kT,
        "bias": controls.bias,
        "quartic": controls.quartic,
    }
    elements = network.elements
    if elements is None:
        shared = network.accounts == ("all",)
        friction = network.friction if shared else network.resistance
        return {**given, "friction": friction, "inertia": network.inertia}
    emf, current = controls.emf.tolist(), controls.current.tolist()
    return {
        **given,
        "resistors": tuple(replace(r, emf=e) for r, e in zip(elements.resistors, emf, strict=True)),
        "interconnection": elements.interconnection,
        "sources": tuple(
            replace(s, current=i) for s, i in zip(elements.sources, current, strict=True)
        ),
        "noises": tuple(elements.noises),
    }
