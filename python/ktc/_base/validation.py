"""Checks of what users pass in: every error names the argument, the value and the mend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def real_array(name: str, value: Any) -> Array:
    """``value`` as a new array of finite doubles."""
    if np.ma.is_masked(value):
        raise ValueError(
            f"{name} must have no masked entries, but has {np.sum(np.ma.getmask(value))}; "
            "leave them out, or put numbers in their place by its filled(...)"
        )
    try:
        array = np.array(value)
        if np.iscomplexobj(array) or array.dtype.kind not in "biuf":
            raise TypeError
        array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"{name} must be real numbers, but is {type(value).__name__} {_short(value)}"
        ) from None
    finite = np.isfinite(array)
    if not finite.all():
        bad = np.argwhere(~finite)
        where = "" if array.ndim == 0 else f" at index {tuple(int(i) for i in bad[0])}"
        found = array[tuple(bad[0])]
        raise ValueError(f"{name} must be finite, but is {found}{where}")
    return array


def positive(name: str, value: Any) -> float:
    """``value`` as one positive, finite number."""
    array = real_array(name, value)
    if array.ndim != 0:
        raise ValueError(f"{name} must be one number, but has shape {array.shape}")
    if not array > 0:
        raise ValueError(f"{name} must be positive, but is {float(array)}")
    return float(array)


def count(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """``value`` as a whole number of at least ``least`` and at most ``most``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, but is {_short(value)}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, but is {value}")
    if most is not None and value > most:
        raise ValueError(f"{name} must be at most {most}, but is {value}")
    return int(value)


def per_unit(name: str, value: ArrayLike, units: int) -> Array:
    """One number a unit; a scalar is the same for all."""
    array = real_array(name, value)
    if array.ndim == 0:
        return np.full(units, float(array))
    if array.shape != (units,):
        raise ValueError(
            f"{name} must be a scalar or of shape ({units},), one number a unit, "
            f"but has shape {array.shape}"
        )
    return array


def positive_per_unit(name: str, value: ArrayLike, units: int) -> Array:
    """One positive number a unit; a scalar is the same for all."""
    array = per_unit(name, value, units)
    if not (array > 0).all():
        unit = int(np.argmin(array > 0))
        raise ValueError(f"{name} must be positive, but is {array[unit]} at unit {unit}")
    return array


def square(name: str, value: ArrayLike, units: int) -> Array:
    """A (units, units) matrix; a scalar is that multiple of the identity."""
    array = real_array(name, value)
    if array.ndim == 0:
        return float(array) * np.eye(units)
    if array.shape != (units, units):
        raise ValueError(
            f"{name} must be of shape ({units}, {units}), one row and column a unit, "
            f"but has shape {array.shape}"
        )
    return array


def finite(name: str, value: Any) -> float:
    """``value`` as one finite number."""
    array = real_array(name, value)
    if array.ndim != 0:
        raise ValueError(f"{name} must be one number, but has shape {array.shape}")
    return float(array)


def symmetric(name: str, matrix: Array) -> Array:
    """``matrix`` made exactly symmetric, or an error that says by how much it is not."""
    asymmetry = np.abs(matrix - matrix.T)
    root = np.sqrt(np.abs(matrix.diagonal()))
    tolerance = 1e-12 * np.maximum(np.outer(root, root), np.abs(matrix))
    if (asymmetry > tolerance).any():
        i, j = np.unravel_index(int(np.argmax(asymmetry - tolerance)), matrix.shape)
        raise ValueError(
            f"{name} must be symmetric, but {name}[{i}, {j}] = {matrix[i, j]} and "
            f"{name}[{j}, {i}] = {matrix[j, i]}; pass ({name} + {name}.T)/2 if that is meant"
        )
    result: Array = 0.5 * matrix + 0.5 * matrix.T
    return result


def positive_definite(name: str, matrix: Array, mend: str) -> Array:
    """``matrix`` made exactly symmetric, and positive definite."""
    matrix = symmetric(name, matrix)
    # Judged at unit diagonal: farads and henries of one network may differ by many decades.
    diagonal = matrix.diagonal()
    least = float(diagonal.min())
    if least > 0:
        root = np.sqrt(diagonal)
        scaled = np.linalg.eigvalsh(matrix / root / root[:, None])
        if scaled[0] > 4 * len(matrix) * np.finfo(np.float64).eps:
            return matrix
        least = float(np.linalg.eigvalsh(matrix)[0])
    raise ValueError(
        f"{name} must be positive definite, but its smallest eigenvalue is about {least:.6g}; "
        f"{mend}"
    )


def known_keywords(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Refuses a name that is not among the known ones."""
    known = tuple(known)
    for name in given:
        if name not in known:
            raise TypeError(f"unknown {what} {name!r}; there is {', '.join(map(repr, known))}")


def random_seed(seed: Any) -> int:
    """A 64-bit seed: the given one, or a fresh one from the system where it is None."""
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    if count("seed", seed, least=0) >= 2**64:
        raise ValueError(f"seed must be below 2**64, but is {seed}")
    return int(seed)


def frozen(array: Array) -> Array:
    """The same array, closed for writing."""
    array.setflags(write=False)
    return array


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
