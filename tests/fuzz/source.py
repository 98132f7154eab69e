"""Sources of choices: one generator of inputs serves both Hypothesis and long runs by seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Source:
    """Choices that make up an input; the smallest integer is the simplest choice."""

    def integer(self, low: int, high: int) -> int:
        """An integer from ``low`` to ``high``, both included."""
        raise NotImplementedError

    def pick(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]

    def rarely(self, one_in: int) -> bool:
        return self.integer(1, one_in) == one_in

    def number(self) -> float:
        """An ordinary number of two digits, between 0.1 and 9.9."""
        return self.integer(1, 99) / 10

    def numbers(self, count: int) -> list[float]:
        """Ordinary numbers of both signs."""
        return [self.integer(-99, 99) / 10 for _ in range(count)]


class Seeded(Source):
    """The choices of a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def integer(self, low: int, high: int) -> int:
        return low + int(self._random.random() * (high - low + 1))


class Data(Protocol):
    """What ``hypothesis.strategies.data()`` gives to a test."""

    def draw(self, strategy: st.SearchStrategy[int]) -> int: ...


class Drawn(Source):
    """The choices of Hypothesis, which makes failing inputs smaller."""

    def __init__(self, data: Data) -> None:
        self._data = data

    def integer(self, low: int, high: int) -> int:
        return self._data.draw(st.integers(low, high))
