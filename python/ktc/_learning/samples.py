"""Validation of data."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, real_array


def as_samples(data: ArrayLike, units: int) -> Array:
    """Data of shape (samples, d).

    Raises:
        ValueError: another width than ``units``, no sample, a number that is not finite (with its
            row and column).
    """
    array = real_array("data", data)
    if array.ndim < 2:
        array = array.reshape(-1, 1) if units == 1 else array.reshape(1, -1)
    if array.ndim != 2 or array.shape[1] != units:
        raise ValueError(
            f"data must have shape (samples, {units}), one column per unit, "
            f"but has shape {np.shape(data)}"
        )
    if len(array) == 0:
        raise ValueError("data must have at least one sample, but has none")
    return array
