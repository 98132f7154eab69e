"""Checks of arguments: every error names the argument, its value and the fix."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Scalar = TypeVar("Scalar", bound=np.generic)
T = TypeVar("T")


def real_array(name: str, value: object) -> Array:
    """Return ``value`` as a new array of finite doubles."""
    # A controller passes arrays of doubles at every tick.
    if type(value) is np.ndarray and value.dtype == np.float64:
        array = np.array(value)
    else:
        array = _doubles(name, value)
    finite = np.isfinite(array)
    if not finite.all():
        bad = np.argwhere(~finite)
        where = "" if array.ndim == 0 else f" at index {tuple(int(i) for i in bad[0])}"
        found = array[tuple(bad[0])]
        raise ValueError(f"{name} must be finite, but is {found}{where}")
    return array


def _doubles(name: str, value: object) -> Array:
    # np.ma would import numpy.ma on first use; without it there are no masked arrays.
    masked = sys.modules.get("numpy.ma")
    if masked is not None and masked.is_masked(value):
        raise ValueError(
            f"{name} must have no masked entries, but has {np.sum(masked.getmask(value))}; "
            "leave them out, or put numbers in their place by its filled(...)"
        )
    try:
        array = np.array(value)
        if array.dtype.kind not in "biuf":
            raise TypeError
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        raise TypeError(
            f"{name} must be real numbers, but is {type(value).__name__} {told(value)}"
        ) from None


def number(name: str, value: object) -> float:
    """Return ``value`` as one number, which may be infinite or NaN."""
    return float(value) if isinstance(value, (float, np.floating)) else finite(name, value)


def finite(name: str, value: object) -> float:
    """Return ``value`` as one finite number."""
    array = real_array(name, value)
    if array.ndim != 0:
        raise ValueError(f"{name} must be one number, but has shape {array.shape}")
    return float(array)


def positive(name: str, value: object) -> float:
    """Return ``value`` as one positive, finite number."""
    number = finite(name, value)
    if not number > 0:
        raise ValueError(f"{name} must be positive, but is {number}")
    return number


def not_negative(name: str, value: object) -> float:
    """Return ``value`` as one finite number that is not negative."""
    number = finite(name, value)
    if number < 0:
        raise ValueError(f"{name} must not be negative, but is {number}")
    return number


def count(name: str, value: object, least: int = 1, most: float = 2**64) -> int:
    """Return ``value`` as an integer from ``least`` to ``most``."""
    wrong = isinstance(value, (bool, np.timedelta64))
    if wrong or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, but is {told(value)}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, but is {told(value)}")
    if value > most:
        raise ValueError(f"{name} must be at most {most}, but is {told(value)}")
    return int(value)


def flag(name: str, value: object) -> bool:
    """Return ``value`` if it is True or False."""
    return bool(of_type(name, value, bool, "True or False"))


def choice(name: str, value: object, known: Iterable[str]) -> str:
    """Return ``value`` if it is one of the known words."""
    known = tuple(known)
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {known}, but is {told(value)}")
    return value


@contextmanager
def refusing_overflow(name: str) -> Iterator[None]:
    """Report an overflow in the block, or in the function that this decorates, as an error."""
    try:
        with np.errstate(over="raise"):
            yield
    except (FloatingPointError, OverflowError):
        raise ValueError(f"{name} is so large that results overflow; scale it down") from None


def is_infinity(value: object) -> bool:
    """Whether a value is the number ∞."""
    return isinstance(value, (float, np.floating)) and value == np.inf


def of_type(name: str, value: T, cls: type[object], what: str = "") -> T:
    """Return ``value`` if it is of a class, which messages call ``what``."""
    if not isinstance(value, cls):
        kind = type(value).__name__
        raise TypeError(
            f"{name} must be {what or f'a ktc.{cls.__name__}'}, but is {kind} {told(value)}"
        )
    return value


def of_shape(name: str, value: ArrayLike, *shape: int) -> None:
    """Refuse an array of another shape."""
    if np.shape(value) != shape:
        raise ValueError(f"{name} must be of shape {shape}, but has shape {np.shape(value)}")


def items(name: str, value: Iterable[T]) -> tuple[T, ...]:
    """Return the items of a sequence; text is none."""
    if isinstance(value, str) or not np.iterable(value):
        raise TypeError(f"{name} must be a sequence, but is {type(value).__name__} {told(value)}")
    try:
        return tuple(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be a sequence, but has no items: {error}") from None


def tick_count(value: object) -> int:
    """Return a number of ticks whose records a machine can hold."""
    return count("ticks", value, most=10**8)


def per_unit(name: str, value: ArrayLike, units: int) -> Array:
    """Return one number per unit; a scalar is the same for all."""
    return broadcast_to_units(name, real_array(name, value), units)


def broadcast_to_units(name: str, array: Array, units: int) -> Array:
    """Return a checked array as one number per unit; a scalar is the same for all."""
    if array.ndim == 0:
        return np.full(units, float(array))
    if array.shape != (units,):
        raise ValueError(
            f"{name} must be a scalar or of shape ({units},), one number per unit, "
            f"but has shape {array.shape}"
        )
    return array


def positive_per_unit(name: str, value: ArrayLike, units: int) -> Array:
    """Return one positive number per unit; a scalar is the same for all."""
    return require_positive(name, per_unit(name, value, units))


def require_positive(name: str, array: Array) -> Array:
    """Return a checked array of one number per unit, if all are positive."""
    if not (array > 0).all():
        unit = int(np.argmin(array > 0))
        raise ValueError(f"{name} must be positive, but is {array[unit]} at unit {unit}")
    return array


def square(name: str, value: ArrayLike, units: int) -> Array:
    """Return a (units, units) matrix; a scalar is that multiple of the identity."""
    array = real_array(name, value)
    if array.ndim == 0:
        return float(array) * np.eye(units)
    if array.shape != (units, units):
        raise ValueError(
            f"{name} must be of shape ({units}, {units}), one row and column per unit, "
            f"but has shape {array.shape}"
        )
    return array


def symmetric(name: str, matrix: Array) -> Array:
    """Return ``matrix`` made exactly symmetric, if its asymmetry is within rounding."""
    asymmetry = np.abs(matrix - matrix.T)
    root = np.sqrt(np.abs(matrix.diagonal()))
    tolerance = 1e-12 * np.maximum(np.outer(root, root), np.abs(matrix))
    if (asymmetry > tolerance).any():
        i, j = np.unravel_index(int(np.argmax(asymmetry - tolerance)), matrix.shape)
        raise ValueError(
            f"{name} must be symmetric, but {name}[{i}, {j}] = {matrix[i, j]} and "
            f"{name}[{j}, {i}] = {matrix[j, i]}; pass ({name} + {name}.T)/2 if that is meant"
        )
    return np.asarray(0.5 * matrix + 0.5 * matrix.T)


def require_positive_definite(name: str, matrix: Array, fix: str) -> None:
    """Refuse a symmetric matrix that is not positive definite; ``fix`` ends the message."""
    # Judged at unit diagonal: farads and henries of one network may differ by many decades.
    diagonal = matrix.diagonal()
    least = float(diagonal.min())
    if least > 0:
        root = np.sqrt(diagonal)
        scaled = np.linalg.eigvalsh(matrix / root / root[:, None])
        if scaled[0] > 4 * len(matrix) * np.finfo(np.float64).eps:
            return
        least = float(np.linalg.eigvalsh(matrix)[0])
    raise ValueError(
        f"{name} must be positive definite, but its smallest eigenvalue is about {least:.6g}; {fix}"
    )


def known_keywords(given: Iterable[object], known: Iterable[str], what: str) -> None:
    """Refuse a name that is not among the known ones."""
    known = tuple(known)
    for name in given:
        if not isinstance(name, str) or name not in known:
            raise TypeError(
                f"unknown {what} {told(name)}; choose from {', '.join(map(repr, known))}"
            )


def random_seed(seed: object) -> int:
    """Return a 64-bit seed: ``seed``, or a new one of the operating system where it is None."""
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    number = count("seed", seed, 0, np.inf)
    if number >= 2**64:
        raise ValueError(f"seed must be below 2**64, but is {told(seed)}")
    return number


def seeds_of(seed: int) -> Iterator[int]:
    """Seeds of several runs, all of their own, that one seed determines."""
    sequence = np.random.SeedSequence(seed)
    while True:
        yield int(sequence.spawn(1)[0].generate_state(1, np.uint64)[0])


def frozen(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return the same array, made read-only."""
    array.setflags(write=False)
    return array


def told(value: object) -> str:
    """Return a value as messages show it, in at most 60 characters."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write an integer of thousands of digits
        text = f"{type(value).__name__} of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."
