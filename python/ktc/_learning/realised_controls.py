"""Controls as realised by the hardware."""

from __future__ import annotations

from ktc._model.device import HasImperfections, RealisesControls
from ktc._model.network import Network
from ktc._theory.free_energies import free_energy_change


def applied_network(device: object) -> Network | None:
    """The network as realised at present; None of a device that realises controls exactly."""
    if isinstance(device, HasImperfections) and device.imperfections is None:
        return None
    return device.applied_network if isinstance(device, RealisesControls) else None


def applied_change(before: Network | None, device: object) -> float | None:
    """ΔF of the realised network since ``before``."""
    after = applied_network(device)
    if before is None or after is None:
        return None
    return free_energy_change(_without_pickup(before), _without_pickup(after))


def _without_pickup(network: Network) -> Network:
    """The network at its resistors' temperature alone, without noise generators."""
    return Network(network.stiffness, network.friction, network.kT, network.bias)
