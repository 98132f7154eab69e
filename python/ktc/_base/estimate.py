"""Estimates: numbers with error bars, and the lazy samples that they are made of."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import numpy as np

from ktc._base.codec import from_record, register, to_record
from ktc._base.validation import Array, frozen, number, of_type, positive, real_array

# Number of deviations computed at once, so that an error bar takes little memory.
DEVIATIONS_AT_ONCE = 2**16

#: Method of the numbers of an infinite ensemble.
INFINITE = "infinite ensemble"


class LazySamples:
    """Samples, one per replica, that are read on each call until they are materialised."""

    def __init__(self, read: Callable[[], Array]) -> None:
        self._read = read
        self._lock = Lock()

    @classmethod
    def of(cls, samples: Array) -> LazySamples:
        """Wrap samples that exist already."""
        return cls(lambda: samples)

    def __call__(self) -> Array:
        with self._lock:
            return self._read()

    def keep(self) -> None:
        """Materialise the samples, because their source is about to change."""
        with self._lock:
            samples = self._read()
            self._read = lambda: samples

    def __reduce__(self) -> tuple[object, ...]:
        return from_record, (to_record(self),)


def _restored(samples: Array) -> LazySamples:
    if samples.ndim == 0 or samples.size == 0:
        raise ValueError(f"samples must have one row per replica, but have shape {samples.shape}")
    return LazySamples.of(frozen(samples))


register(LazySamples, lambda lazy: {"samples": lazy()}, _restored)


def gained(read: Callable[[], Array], before: Array | None) -> LazySamples:
    """Return the increase of an account since ``before``, None for zero; read-only."""

    def gain() -> Array:
        amount = read()
        return frozen(amount if before is None else np.subtract(amount, before, out=amount))

    return LazySamples(gain)


class Estimate:
    """A mean with its standard error, from samples or in closed form.

    Attributes:
        mean: the estimate.
        stderr: standard error of the mean, √(Var/N) over N independent replicas; 0 where exact,
            infinite for a single sample.
        method: how the estimate was obtained.
        unit: unit symbol; empty where units are the user's own.

    Example:
        >>> import ktc
        >>> work = ktc.Estimate.of_samples([1.0, 3.0], kT=2.0)
        >>> work.mean, work.stderr, work.in_kT.mean
        (2.0, 1.0, 1.0)
        >>> print(ktc.Estimate.exact(0.5, unit="J"))
        0.5 J (closed form)
    """

    def __init__(
        self,
        mean: float,
        stderr: float,
        samples: Array | LazySamples | None = None,
        *,
        method: str,
        unit: str = "",
        kT: float | None = None,
        variance: float | None = None,
    ) -> None:
        self.mean, self.stderr = number("mean", mean), number("stderr", stderr)
        self.method = of_type("method", method, str, "a str")
        self.unit = of_type("unit", unit, str, "a str")
        self._samples = LazySamples.of(samples) if isinstance(samples, np.ndarray) else samples
        self._kT = None if kT is None else positive("kT", kT)
        self._variance = None if variance is None else number("variance", variance)

    @classmethod
    def of_samples(
        cls,
        samples: Array | list[float] | LazySamples,
        *,
        method: str = "mean over replicas",
        unit: str = "",
        kT: float | None = None,
    ) -> Estimate:
        """Estimate the mean of independent samples.

        Args:
            samples: one per replica, shape (n,); lazy samples are not kept in memory.
            method, unit: as the attributes.
            kT: their thermal energy; None if temperatures differ.

        Raises:
            ValueError: no sample, or samples that are not one row of numbers.
        """
        read = samples if isinstance(samples, LazySamples) else None
        values = real_array("samples", samples) if read is None else read()
        if values.ndim != 1 or len(values) == 0:
            raise ValueError(
                f"samples must be one row of at least one number, but has shape {values.shape}"
            )
        error = float(np.sqrt(_variance(values))) / np.sqrt(len(values))
        return cls(float(np.mean(values)), error, read or values, method=method, unit=unit, kT=kT)

    @classmethod
    def exact(
        cls,
        value: float,
        *,
        method: str = "closed form",
        unit: str = "",
        kT: float | None = None,
        variance: float | None = None,
    ) -> Estimate:
        """Make an estimate without error; ``variance`` is the variance over the ensemble."""
        return cls(number("value", value), 0.0, method=method, unit=unit, kT=kT, variance=variance)

    @property
    def variance(self) -> float:
        """Variance over the replicas, of samples (divided by N − 1) or exact; else ValueError."""
        if self._variance is not None:
            return self._variance
        if self._samples is None:
            raise ValueError(f"this estimate has no variance: it is by {self.method}")
        return _variance(self._samples())

    @property
    def samples(self) -> Array:
        """The samples, one per replica; ValueError where there are none."""
        if self._samples is None:
            raise ValueError(f"this estimate has no samples: it is by {self.method}")
        samples = self._samples()
        self._samples = LazySamples.of(samples)  # likely to be read again
        return samples

    @property
    def in_kT(self) -> Estimate:
        """The estimate divided by kT; ValueError where kT was not one constant."""
        if self._kT is None:
            raise ValueError(
                "kT was not one constant during this run, so energies have no value in units of it"
            )
        kT, samples = self._kT, self._samples
        return Estimate(
            self.mean / kT,
            self.stderr / kT,
            None if samples is None else LazySamples(lambda: samples() / kT),
            method=self.method,
            unit="kT",
            kT=1.0,
            variance=None if self._variance is None else self._variance / kT**2,
        )

    def shifted(self, amount: float, stderr: float = 0.0) -> Estimate:
        """Add an independent number with its standard error, 0 where it is exact.

        Each sample is shifted by the number, so that their scatter does not include its error.
        """
        samples = self._samples
        return Estimate(
            self.mean + number("amount", amount),
            float(np.hypot(self.stderr, number("stderr", stderr))),
            None if samples is None else LazySamples(lambda: samples() + amount),
            method=self.method,
            unit=self.unit,
            kT=self._kT,
            variance=self._variance,
        )

    def __float__(self) -> float:
        return self.mean

    def __repr__(self) -> str:
        return f"<ktc.Estimate: {self}>"

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.stderr == 0:
            return f"{self.mean:.6g}{unit} ({self.method})"
        return f"{self.mean:.6g} ± {self.stderr:.2g}{unit}"


# Its attributes are the arguments of the constructor, some with an underscore.
register(Estimate, lambda estimate: {k.lstrip("_"): v for k, v in vars(estimate).items()})


def _variance(samples: Array) -> float:
    """Variance, divided by N − 1; infinite for a single sample."""
    if len(samples) < 2:
        return np.inf
    with np.errstate(over="ignore"):  # infinite for enormous samples
        mean, parts = np.mean(samples), range(0, len(samples), DEVIATIONS_AT_ONCE)
        squares = sum(np.sum((samples[k : k + DEVIATIONS_AT_ONCE] - mean) ** 2) for k in parts)
    return float(squares / (len(samples) - 1))
