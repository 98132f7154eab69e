"""Shapes of controls over time: one value per tick, scalars broadcast where they are needed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, real_array
from ktc._model.controls import CONTROL_NAMES

# Numbers of axes that one value of a control may have.
_DIMENSIONS = {name: (0, 2) if name == "stiffness" else (0, 1) for name in CONTROL_NAMES}


def full_shape(name: str, values: Array, size: int) -> Array:
    """Return a waveform at full shape: scalars as ``size`` columns, or multiples of 1."""
    if values.ndim > 1:
        return values
    if name == "stiffness":
        return values[:, None, None] * np.eye(size)
    return np.repeat(values[:, None], size, axis=1)


def one_shape(name: str, parts: list[Array]) -> list[Array]:
    """Return waveforms of one control at one shape, with scalars broadcast to it."""
    shapes = {part.shape[1:] for part in parts if part.ndim > 1}
    if len(shapes) > 1:
        raise ValueError(f"{name} must keep one shape, but has {sorted(shapes)}")
    return [full_shape(name, part, shape[0]) for shape in shapes for part in parts] or parts


def setting(what: str, name: str, value: ArrayLike) -> Array:
    """Return one value of a control, checked; ``what`` names it in errors."""
    array = real_array(what, value)
    if array.ndim not in _DIMENSIONS[name]:
        raise ValueError(f"{what} has shape {array.shape}, which no network's {name} has")
    return array


def waveform(name: str, value: ArrayLike, ticks: int) -> Array:
    """Return one value per tick of a control, checked."""
    array = real_array(name, value)
    if array.ndim == 0 or len(array) != ticks or array.ndim - 1 not in _DIMENSIONS[name]:
        raise ValueError(
            f"{name} must have one value per tick, {ticks} in all, but has shape {array.shape}"
        )
    return array
