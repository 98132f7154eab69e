"""The code between a user's data and the volts of a board."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.codec import register
from ktc._base.files import Storable
from ktc._base.validation import Array, frozen, per_unit, positive_per_unit, real_array, square


class Encoding(Storable):
    """volts = volts_per_unit · (data − offset) / scale, per unit, and back.

    Args:
        volts_per_unit: (d,), volts that stand for one ``scale`` of the data.
        offset: data value that stands for zero volts, scalar or (d,).
        scale: data difference that stands for ``volts_per_unit``, positive, scalar or (d,).

    Example:
        >>> import ktc
        >>> code = ktc.Encoding([1e-3, 1e-3], offset=8.0, scale=4.0)
        >>> code.encode([12.0, 8.0])
        array([0.001, 0.   ])
        >>> code.decode(code.encode([12.0, 8.0]))
        array([12.,  8.])
    """

    def __init__(
        self, volts_per_unit: ArrayLike, offset: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> None:
        units = len(np.atleast_1d(np.asarray(volts_per_unit)))
        self.volts_per_unit = frozen(positive_per_unit("volts_per_unit", volts_per_unit, units))
        self.offset = frozen(per_unit("offset", offset, units))
        self.scale = frozen(positive_per_unit("scale", scale, units))

    def encode(self, data: ArrayLike) -> Array:
        """Data, shape (d,) or (samples, d), as volts of the same shape."""
        volts: Array = (self._checked("data", data) - self.offset) * self._gain
        return volts

    def decode(self, volts: ArrayLike) -> Array:
        """Volts, shape (d,) or (samples, d), as data of the same shape."""
        data: Array = self._checked("volts", volts) / self._gain + self.offset
        return data

    def encode_covariance(self, covariance: ArrayLike) -> Array:
        """A covariance of data, shape (d, d), in V²; a scalar is that variance of every unit."""
        matrix = square("covariance", covariance, len(self.scale))
        return matrix * np.outer(self._gain, self._gain)

    @property
    def _gain(self) -> Array:
        return self.volts_per_unit / self.scale

    def _checked(self, name: str, values: ArrayLike) -> Array:
        array = real_array(name, values)
        if array.ndim not in (1, 2) or array.shape[-1] != len(self.scale):
            raise ValueError(
                f"{name} must have {len(self.scale)} columns, one per cell, "
                f"but has shape {array.shape}"
            )
        return array


register(Encoding, ("volts_per_unit", "offset", "scale"))
