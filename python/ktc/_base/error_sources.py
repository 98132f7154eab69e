"""Independent sources of an error, by which estimates know what they share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ktc._base.lazy_samples import LazySamples
from ktc._base.validation import Array

# Number of deviations computed at once, so that an error bar takes little memory.
DEVIATIONS_AT_ONCE = 2**16


class Draws(NamedTuple):
    """Replicas that a seed draws; those of one seed share their noise, whatever it drives."""

    seed: int
    replicas: int
    units: int


class Row(NamedTuple):
    """Deviations of the samples of an ensemble, one per replica, and the error of their mean."""

    owner: object
    read: LazySamples
    error: float


class Number(NamedTuple):
    """A signed error without samples."""

    owner: object
    error: float


class ErrorSources:
    """What the error of an estimate is made of: a sum of independent sources.

    An estimate is linear in its sources, to first order. A source is known by the object that owns
    it, or by the ``Draws`` of its noise, so that sums and differences of estimates combine what
    they share linearly, and only the rest in squares. Samples of one ensemble are combined replica
    by replica.
    """

    def __init__(self, rows: Sequence[Row] = (), numbers: Sequence[Number] = ()) -> None:
        self.rows, self.numbers = tuple(rows), tuple(numbers)

    @property
    def stderr(self) -> float:
        """The root of the sum of their squares."""
        errors = [row.error for row in self.rows] + [one.error for one in self.numbers]
        return math.hypot(*errors)

    def scaled(self, slope: float) -> ErrorSources:
        """Those of ``slope`` times the estimate."""
        if slope == 1:
            return self
        if slope == 0:
            return ErrorSources()
        return ErrorSources(
            [_scaled(row, slope) for row in self.rows],
            [Number(owner, slope * error) for owner, error in self.numbers],
        )

    def plus(self, other: ErrorSources) -> ErrorSources:
        """Those of the sum of two estimates."""
        numbers = {_key(one.owner): one for one in self.numbers}
        for one in other.numbers:
            same = numbers.get(_key(one.owner))
            total = one.error if same is None else same.error + one.error
            numbers[_key(one.owner)] = Number(one.owner, math.inf if math.isnan(total) else total)
        rows = {_key(one.owner): one for one in self.rows}
        for row in other.rows:
            first = rows.get(_key(row.owner))
            rows[_key(row.owner)] = row if first is None else _sum(first, row)
        return ErrorSources(list(rows.values()), list(numbers.values()))

    def row(self, owner: object) -> Array | None:
        """The deviations of the samples of an ensemble; None where it is not a source."""
        return next((one.read() for one in self.rows if one.owner is owner), None)


def sources_of(
    error: float, samples: LazySamples | None = None, owner: object = None
) -> ErrorSources:
    """Those of a standard error, of samples of an ensemble or of its own.

    What the error has beyond that of the samples is common to all that the ensemble owns.
    """
    if owner is None or samples is None:
        return ErrorSources([], [Number(object(), error)] if error else [])
    values = samples()
    alone = error_of_mean(values)
    row = Row(owner, deviations(samples, float(np.mean(values))), alone)
    if error < alone < math.inf:
        return ErrorSources([row]).scaled(error / alone)
    square = error**2 - alone**2
    rest = math.sqrt(square) if square > 1e-12 * error**2 else 0.0
    return ErrorSources([row], [Number(owner, rest)] if rest else [])


def _key(owner: object) -> object:
    return owner if isinstance(owner, Draws) else id(owner)


def _scaled(row: Row, slope: float) -> Row:
    owner, read, error = row
    return Row(owner, LazySamples(lambda: slope * read()), abs(slope) * error)


def _sum(one: Row, other: Row) -> Row:
    first, second = one.read(), other.read()
    if len(first) != len(second):
        raise ValueError(
            f"samples of one ensemble must be as many, but are {len(first)} and {len(second)}"
        )
    total = first + second
    return Row(one.owner, LazySamples.of(total), error_of_mean(total))


def deviations(samples: LazySamples, mean: float) -> LazySamples:
    """Samples less their mean."""
    return LazySamples(lambda: samples() - mean)


def error_of_mean(samples: Array) -> float:
    """Standard error of the mean of independent samples."""
    return float(np.sqrt(variance(samples)) / np.sqrt(len(samples)))


def variance(samples: Array) -> float:
    """Variance, divided by N − 1; infinite for a single sample."""
    if len(samples) < 2:
        return np.inf
    with np.errstate(over="ignore"):  # infinite for enormous samples
        mean, parts = np.mean(samples), range(0, len(samples), DEVIATIONS_AT_ONCE)
        squares = sum(np.sum((samples[k : k + DEVIATIONS_AT_ONCE] - mean) ** 2) for k in parts)
    return float(squares / (len(samples) - 1))
