"""⟨∂_θH⟩ over replicas and over data, and what a change of controls costs a state."""

from __future__ import annotations

from typing import Any

import numpy as np

from ktc._base.validation import Array
from ktc._model.controls import Controls
from ktc._model.parameters import Parameters


def replica_forces(device: Any, parameters: Parameters) -> tuple[Array, Array]:
    """⟨∂_θH⟩ over a device's replicas, shape (p,), and the mean of their public state, (d,).

    From the cheap read-out where it suffices: quartic terms alone need the states themselves.
    """
    moments = device.moments()
    if parameters.names == ("bias",):
        return _bias_forces(moments.mean, parameters), moments.mean
    forces = parameters.mean_forces(moments.mean, moments.covariance)
    if "quartic" in parameters.names and not getattr(device.ledger, "infinite", False):
        units = parameters.places["quartic"][0]
        x = device.read()[:, units] / parameters.scale[units]
        forces[parameters.blocks["quartic"]] = 0.25 * np.mean(x**4, axis=0)
    return forces, moments.mean


def _bias_forces(mean: Array, parameters: Parameters) -> Array:
    return np.asarray(-(mean / parameters.scale)[parameters.places["bias"][0]])


def data_forces(samples: Array, parameters: Parameters) -> Array:
    """⟨∂_θH⟩ over samples of the public state, shape (p,)."""
    if parameters.names == ("bias",):
        return _bias_forces(samples.mean(axis=0), parameters)
    mean = samples.mean(axis=0)
    deviations = samples - mean
    forces = parameters.mean_forces(mean, deviations.T @ deviations / len(samples))
    if "quartic" in parameters.names:
        units = parameters.places["quartic"][0]
        x = samples[:, units] / parameters.scale[units]
        forces[parameters.blocks["quartic"]] = 0.25 * np.mean(x**4, axis=0)
    return forces


def energy_differences(state: Array, before: Controls, after: Controls) -> Array:
    """H(x; after) − H(x; before) of every state in the network's own units, shape (n,)."""
    change = -(state @ (after.bias - before.bias))
    if after.held_stiffness is not before.held_stiffness:
        stiffness = 0.5 * (after.stiffness - before.stiffness)
        change += np.sum((state @ stiffness) * state, axis=1)
    if after.quartic is not before.quartic:
        change += 0.25 * (state**4 @ (after.quartic - before.quartic))
    return np.asarray(change)
