"""The center of a Gaussian network as its parameter: a reparameterisation of the bias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, real_array
from ktc._model.controls import Controls
from ktc._model.description import Description
from ktc._model.directions import directions_among, directions_of
from ktc._model.parameters import Parameters
from ktc._theory.gaussian import parameter_map


class Center(Parameters):
    """λ of H = ½ (x − λ)ᵀK(x − λ) at constant K, in the public state: b = B λ, B = K/scale.

    Its conjugate force is ∂H/∂λ = −Bᵀx, and the controls that it sets are those of the bias.
    """

    def __init__(self, device: Description) -> None:
        self.to_bias: Array = parameter_map(device, "center")
        self.units = self.size = len(self.to_bias)
        self.scale = device.scale
        self.names = ("center",)
        self.places = {"center": (np.arange(self.units),)}
        self.blocks = {"center": slice(0, self.units)}
        self.labels = tuple(f"center[{unit}]" for unit in range(self.units))

    @property
    def masks(self) -> None:
        """None: a center is learned whole."""
        return None

    def vector(self, controls: Controls) -> Array:
        """λ = B⁻¹ b, shape (d,)."""
        return np.asarray(np.linalg.solve(self.to_bias, controls.bias))

    def changes(self, vector: ArrayLike, controls: Controls) -> dict[str, Array]:
        """The bias that puts the center there."""
        return {"bias": np.asarray(self.to_bias @ real_array("vector", vector))}

    def forces(self, state: ArrayLike) -> Array:
        """−Bᵀx of every public state, shape (n, d)."""
        x = np.atleast_2d(np.asarray(state, dtype=np.float64))
        return np.asarray(-(x / self.scale) @ self.to_bias)

    def mean_forces(self, mean: ArrayLike, covariance: ArrayLike | None = None) -> Array:
        """−Bᵀ⟨x⟩, shape (d,)."""
        return np.asarray(-self.to_bias.T @ (np.asarray(mean, dtype=np.float64) / self.scale))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Center) and np.array_equal(self.to_bias, other.to_bias)

    __hash__ = Parameters.__hash__


def learnable(
    device: Description,
    names: Sequence[str],
    mask: ArrayLike | Mapping[str, ArrayLike] | None = None,
    values: Mapping[str, float] | None = None,
    remembered: Array | None = None,
) -> Parameters:
    """The parameters of these names, "center" and directions of the device among them.

    Directions are at ``values`` by name, or else at present ones, which a device may remember.
    """
    if directions_among(device, names):
        if mask is not None:
            raise ValueError(
                f"mask is of units, but parameters are {tuple(names)}, which act on the units that "
                "the network says; leave mask out"
            )
        return directions_of(device, names, values, remembered)
    if tuple(names) != ("center",):
        return Parameters(device, names, mask)
    if mask is not None or not device.network.is_linear:
        raise ValueError(
            "parameters is ('center',), a coordinate of Gaussian networks that is learned whole, "
            "without mask and quartic units; take 'bias'"
        )
    return Center(device)
