"""Checks of what a running device returns: its accounts, its first reading, its controls."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ktc._base.validation import Array, of_shape, of_type, told
from ktc._emulation.emulator import Emulator
from ktc._model.controls import Controls
from ktc._model.device import Device, DeviceMoments, is_infinite, require_device
from ktc._model.network import Network


def checked_device(device: object) -> Device:
    """Return a running device, if its network, controls and accounts are what learning reads."""
    found = require_device(device)
    of_type("network of the device", found.network, Network)
    of_type("controls of the device", found.controls, Controls)
    ledger = found.ledger
    replicas = 1 if is_infinite(ledger) else max(1, np.size(ledger.work))
    _array("ledger.work of the device", ledger.work, replicas)
    _array("ledger.heat of the device", ledger.heat, replicas)
    return found


def check_reading(device: Device, moments: DeviceMoments, units: int, covariance: bool) -> None:
    """Refuse a first reading of wrong shape; states are read too, as they are at the end."""
    if isinstance(device, Emulator):
        return
    _array("moments().mean of the device", moments.mean, units)
    if covariance:
        _array("moments().covariance of the device", moments.covariance, units, units)
    replicas = len(device.ledger.work)
    if not is_infinite(device.ledger):
        _array("read() of the device", device.read(), replicas, units)


def check_controls(device: Device, before: Controls, settings: Mapping[str, Array]) -> None:
    """Refuse a device whose controls are still the old ones after its first update."""
    now = device.controls
    for name, values in settings.items():
        old, held = getattr(before, name), getattr(now, name)
        if np.array_equal(held, old) and not np.array_equal(values, old):
            raise ValueError(
                f"controls of the device must be those that were set last, but {name} is still "
                f"{told(held)} after set({name}={told(values)})"
            )


def _array(name: str, value: object, *shape: int) -> None:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise TypeError(
            f"{name} must be an array of numbers of shape {shape}, but is "
            f"{type(value).__name__} {told(value)}"
        )
    of_shape(name, value, *shape)
