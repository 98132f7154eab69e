"""What a real board made of the controls that it was given."""

from __future__ import annotations

from typing import Any

from ktc._model.network import Network
from ktc._theory.free_energies import free_energy_change


def applied_network(device: Any) -> Network | None:
    """A real board's network at present; None of a device that does as it is told."""
    network: Network | None = getattr(device, "applied_network", None)
    return network


def applied_change(before: Network | None, device: Any) -> float | None:
    """ΔF of what a real board applied since ``before``."""
    after = applied_network(device)
    if before is None or after is None:
        return None
    return free_energy_change(_quiet(before), _quiet(after))


def _quiet(network: Network) -> Network:
    """A real board's network at its resistors' temperature alone, without what it picks up."""
    return Network(network.stiffness, network.friction, network.kT, network.bias)
