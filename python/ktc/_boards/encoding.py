"""Linear encoding of data as voltages of a board."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.codec import register
from ktc._base.files import Storable
from ktc._base.validation import (
    Array,
    frozen,
    per_unit,
    positive_per_unit,
    real_array,
    refusing_overflow,
    square,
)


class Encoding(Storable):
    """Linear encoding volts = volts_per_unit · (data − offset) / scale of each cell, and back.

    Args:
        volts_per_unit: volts that represent one ``scale`` of the data, positive, shape (d,).
        offset: data value that zero volts represent, scalar or (d,).
        scale: data difference that ``volts_per_unit`` represent, positive, scalar or (d,).

    Raises:
        ValueError: wrong shapes, or numbers that are not positive or not finite.

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
        given = real_array("volts_per_unit", volts_per_unit)
        units = len(np.atleast_1d(given))
        self.volts_per_unit = frozen(positive_per_unit("volts_per_unit", given, units))
        self.offset = frozen(per_unit("offset", offset, units))
        self.scale = frozen(positive_per_unit("scale", scale, units))

    @refusing_overflow("data")
    def encode(self, data: ArrayLike) -> Array:
        """Encode data, shape (d,) or (samples, d), as volts of the same shape."""
        return np.asarray((self._checked("data", data) - self.offset) * self._gain)

    @refusing_overflow("volts")
    def decode(self, volts: ArrayLike) -> Array:
        """Decode volts, shape (d,) or (samples, d), to data of the same shape."""
        return np.asarray(self._checked("volts", volts) / self._gain + self.offset)

    @refusing_overflow("covariance")
    def encode_covariance(self, covariance: ArrayLike) -> Array:
        """Encode a covariance of data, (d, d) or a scalar variance of every cell, in V², (d, d)."""
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
