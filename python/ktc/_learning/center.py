"""The center of a Gaussian network as its parameter: a reparameterisation of the bias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, real_array
from ktc._model.controls import Controls
from ktc._model.description import Description
from ktc._model.parameters import Parameters
from ktc._theory.gaussian import parameter_map


class Center(Parameters):
    """λ of H = ½ (x − λ)ᵀK(x − λ) at constant K, in the public state: b = B λ, B = K/scale.

    Its conjugate force is ∂H/∂λ = −Bᵀx, and the controls that it sets are those of the bias.
    """

    def __init__(self, device: Description) -> None:
        self._to_bias = parameter_map(device, "center")
        self.units = self.size = len(self._to_bias)
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
        return np.asarray(np.linalg.solve(self._to_bias, controls.bias))

    def changes(self, vector: ArrayLike, controls: Controls) -> dict[str, Array]:
        """The bias that puts the center there."""
        return {"bias": np.asarray(self._to_bias @ real_array("vector", vector))}

    def forces(self, state: ArrayLike) -> Array:
        """−Bᵀx of every public state, shape (n, d)."""
        x = np.atleast_2d(np.asarray(state, dtype=np.float64))
        return np.asarray(-(x / self.scale) @ self._to_bias)

    def mean_forces(self, mean: ArrayLike, covariance: ArrayLike | None = None) -> Array:
        """−Bᵀ⟨x⟩, shape (d,)."""
        return np.asarray(-self._to_bias.T @ (np.asarray(mean, dtype=np.float64) / self.scale))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Center) and np.array_equal(self._to_bias, other._to_bias)

    __hash__ = Parameters.__hash__


def learnable(
    device: Description,
    names: Sequence[str],
    mask: ArrayLike | Mapping[str, ArrayLike] | None = None,
) -> Parameters:
    """The parameters of these names, "center" among them."""
    if tuple(names) != ("center",):
        return Parameters(device, names, mask)
    if mask is not None or device.network.quartic.any():
        raise ValueError(
            "parameters is ('center',), a coordinate of Gaussian networks that is learned whole, "
            "without mask and quartic units; take 'bias'"
        )
    return Center(device)
