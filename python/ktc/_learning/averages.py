"""⟨∂_θH⟩ over replicas and over data, and what a change of controls costs a state."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array
from ktc._learning.device_checks import check_reading
from ktc._model.controls import Controls
from ktc._model.device import Device, is_infinite
from ktc._model.parameters import Parameters


def replica_forces(
    device: Device, parameters: Parameters, first: bool = False
) -> tuple[Array, Array]:
    """⟨∂_θH⟩ over a device's replicas, shape (p,), and the mean of their public state, (d,).

    From moments where these suffice: quartic terms and potentials need the states themselves. The
    shapes of a ``first`` reading are checked.
    """
    moments = device.moments()
    by_mean = parameters.by_bias
    if first:
        check_reading(device, moments, len(parameters.scale), covariance=not by_mean)
    mean = moments.mean
    if by_mean:
        return parameters.mean_forces(mean), mean
    if parameters.of_potentials:
        return parameters.forces(device.read()).mean(axis=0), mean
    forces = parameters.mean_forces(mean, moments.covariance)
    if "quartic" in parameters.names and not is_infinite(device.ledger):
        _replace_quartic(forces, device.read(), parameters)
    return forces, mean


def data_forces(samples: Array, parameters: Parameters) -> Array:
    """⟨∂_θH⟩ over samples of the public state, shape (p,)."""
    mean = samples.mean(axis=0)
    if parameters.by_bias:
        return parameters.mean_forces(mean)
    if parameters.of_potentials:
        return np.asarray(parameters.forces(samples).mean(axis=0))
    deviations = samples - mean
    forces = parameters.mean_forces(mean, deviations.T @ deviations / len(samples))
    if "quartic" in parameters.names:
        _replace_quartic(forces, samples, parameters)
    return forces


def _replace_quartic(forces: Array, states: Array, parameters: Parameters) -> None:
    """¼⟨x⁴⟩ of the states in place of that of a normal distribution."""
    units = parameters.places["quartic"][0]
    x = states[:, units] / parameters.scale[units]
    forces[parameters.blocks["quartic"]] = 0.25 * np.mean(x**4, axis=0)


def is_whole(parameters: Parameters) -> bool:
    """Whether all of the bias and of the stiffness are learned, and nothing else."""
    d = parameters.units
    return parameters.size == d * (d + 3) // 2 and set(parameters.names) <= {
        "bias", "stiffness", "couplings", "diagonal"
    }  # fmt: skip


def gaussian_of_forces(parameters: Parameters, forces: Array) -> tuple[Array, Array]:
    """Mean and covariance, in the network's own state, of which ``forces`` are the averages."""
    d = parameters.units
    mean, second = np.empty(d), np.empty((d, d))
    for name, block in parameters.blocks.items():
        rows, *columns = parameters.places[name]
        if name == "bias":
            mean[rows] = -forces[block]
        else:
            own = forces[block] * np.where(rows == columns[0], 2.0, 1.0)
            second[rows, columns[0]] = second[columns[0], rows] = own
    return mean, second - np.outer(mean, mean)


def energy_differences(state: Array, before: Controls, after: Controls) -> Array:
    """H(x; after) − H(x; before) of every state in the network's own units, shape (n,)."""
    change = -(state @ (after.bias - before.bias))
    if after.held_stiffness is not before.held_stiffness:
        stiffness = 0.5 * (after.stiffness - before.stiffness)
        change += np.sum((state @ stiffness) * state, axis=1)
    if after.quartic is not before.quartic:
        change += 0.25 * (state**4 @ (after.quartic - before.quartic))
    if after.potential is not before.potential:
        change += after.on_site.energy(after.potential, state)
        change -= before.on_site.energy(before.potential, state)
    return np.asarray(change)
