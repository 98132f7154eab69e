"""Data: samples of the public state, and the minibatches that updates see."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ktc._base.codec import RecordError, Saved, require_alike
from ktc._base.random_stream import philox, restore_stream, saved_stream
from ktc._base.validation import Array, count, real_array
from ktc._model.network import Network

#: Number of the random stream that shuffles the data.
BATCH_STREAM = 0x6B746362
#: Largest energy of the data in units of kT: far below where doubles overflow.
LARGEST_ENERGY = 1e100


def as_samples(data: ArrayLike, units: int) -> Array:
    """Data of shape (samples, units), refused where it cannot be, or has no sample."""
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


def refuse_overflow(samples: Array, network: Network, scale: Array) -> None:
    """Refuse data whose energies overflow; ``scale`` are public units per unit of the network."""
    own = (network.sparse_stiffness if network.is_sparse else network.stiffness).diagonal()
    with np.errstate(over="ignore", invalid="ignore"):
        energy = np.abs(samples / scale).max() ** 2 * np.abs(own).max()
    if not energy < LARGEST_ENERGY * network.common_kT:
        raise ValueError(
            f"data are as far off as {np.abs(samples).max():.6g}, where the energy of the network "
            "overflows; scale them down"
        )


class Batches:
    """Numbers of the samples of one update after another, ``batch`` = B of n ``samples`` at a time.

    Each epoch shuffles the data and deals ⌊n/B⌋ batches of exactly B without replacement; the
    n mod B samples that remain are left out of it.
    """

    def __init__(self, samples: int, batch: int, seed: int | None) -> None:
        self._size = count("batch", batch)
        if self._size > samples:
            raise ValueError(
                f"batch must be at most the {samples} samples of the data, but is {batch}; leave "
                "it out to see all of them at every update"
            )
        self._samples = samples
        #: Variance of a batch's mean over that of its samples.
        self.share = batch_share(samples, self._size)
        self._stream = philox(seed or 0, BATCH_STREAM)
        self._left: NDArray[np.intp] = np.empty(0, dtype=np.intp)

    def draw(self) -> NDArray[np.intp]:
        """Draw the numbers of the next batch, ascending."""
        if len(self._left) < self._size:
            self._left = self._stream.permutation(self._samples)
        drawn, self._left = self._left[: self._size], self._left[self._size :]
        return np.sort(drawn)

    def saved(self) -> dict[str, object]:
        """Where the deal stands, as ``restore`` takes it."""
        return {"stream": saved_stream(self._stream), "left": self._left}

    def restore(self, saved: Saved) -> None:
        """Go on from what was ``saved``."""
        require_alike(saved, self.saved(), "batches", ("left",))
        restore_stream(self._stream, saved["stream"], "batches/stream")
        left = saved["left"]
        if left.ndim != 1 or ((left < 0) | (left >= self._samples)).any():
            raise RecordError(f"batches/left: must be numbers of {self._samples} samples")
        self._left = left.astype(np.intp)


class BatchMoments(NamedTuple):
    """Second moments of the means of batches that are dealt as ``Batches`` deals them.

    ``scatter`` is the covariance of the samples (divided by n), shape (d, d).
    """

    scatter: Array
    samples: int
    size: int

    @classmethod
    def of(cls, samples: Array, batch: int | None) -> BatchMoments | None:
        """Those of some data; None where every update sees all samples."""
        if batch is None or batch == len(samples):
            return None
        deviations = samples - samples.mean(axis=0)
        return cls(deviations.T @ deviations / len(samples), len(samples), batch)

    @property
    def per_epoch(self) -> int:
        """Number of batches in an epoch."""
        return self.samples // self.size

    def next(self, dealt: int) -> tuple[float, float]:
        """Mean and variance of the next batch's mean, where an epoch has ``dealt`` batches so far.

        With s the sum of their deviations, it returns the factor a of the conditional mean a s, and
        the variance about it in units of the scatter.
        """
        n, size = self.samples, self.size
        own, shared = batch_share(n, size), -1 / (n - 1)
        if dealt == 0:
            return 0.0, own
        slope = -size / (n - size * dealt)
        return slope, own - slope**2 * (dealt * own + dealt * (dealt - 1) * shared)


def batch_share(samples: int, size: int) -> float:
    """Variance of the mean of a batch drawn without replacement, over that of its samples."""
    return (samples - size) / (size * (samples - 1)) if samples > 1 else 0.0
