"""Minibatches: which samples of the data an update sees."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array, count

#: Number of the random stream that shuffles the data.
BATCH_STREAM = 0x6B746362


class Batches:
    """Numbers of the samples of one update after another, B of n at a time.

    Each epoch shuffles the data and deals them out without replacement, ⌊n/B⌋ batches of exactly
    B; the n mod B samples that are left over wait for the next epoch.

    Args:
        samples: n.
        batch: B, from 1 to n.
        seed: of the run.

    Raises:
        TypeError, ValueError: a batch that is not a whole number from 1 to n.

    Example:
        >>> one = Batches(samples=6, batch=2, seed=1)
        >>> sorted(number for _ in range(3) for number in one.draw().tolist())
        [0, 1, 2, 3, 4, 5]
    """

    def __init__(self, samples: int, batch: int, seed: int | None) -> None:
        self.size = count("batch", batch)
        if self.size > samples:
            raise ValueError(
                f"batch must be at most the {samples} samples of the data, but is {batch}; leave "
                "it out to see all of them at every update"
            )
        self._samples = samples
        self._stream = np.random.Generator(
            np.random.Philox(np.random.SeedSequence([seed or 0, BATCH_STREAM]))
        )
        self._left: NDArray[np.intp] = np.empty(0, dtype=np.intp)

    @classmethod
    def of_run(cls, samples: Array, batch: int | None, device: Any) -> Batches | None:
        """Of a run on ``device``; None where every update sees all of the data."""
        return None if batch is None else cls(len(samples), batch, getattr(device, "seed", None))

    @property
    def share(self) -> float:
        """Variance of a batch's mean over that of its samples, (n − B)/B(n − 1)."""
        n = self._samples
        return (n - self.size) / (self.size * (n - 1)) if n > 1 else 0.0

    def draw(self) -> NDArray[np.intp]:
        """Numbers of the next batch, ascending."""
        if len(self._left) < self.size:
            self._left = self._stream.permutation(self._samples)
        drawn, self._left = self._left[: self.size], self._left[self.size :]
        return np.sort(drawn)
