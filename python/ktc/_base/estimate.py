"""Estimates: numbers with error bars."""

from __future__ import annotations

import math
from numbers import Real

import numpy as np

from ktc._base.autocorrelation import error_of_series
from ktc._base.codec import register
from ktc._base.error_sources import ErrorSources, Row, deviations, error_of_mean, sources_of
from ktc._base.error_sources import variance as variance_of
from ktc._base.lazy_samples import LazySamples
from ktc._base.unit_symbols import product, quotient
from ktc._base.validation import Array, number, of_type, positive, real_array, told

#: Method of the numbers of an infinite ensemble.
INFINITE = "infinite ensemble"


class Estimate:
    """A mean with its standard error, from samples or in closed form.

    Sums, differences, products and quotients with numbers and other estimates propagate the error
    to first order. What estimates share does not count twice: samples of the replicas of one run
    are combined replica by replica, and so are estimates that were made of a common one, such as a
    measured ΔF. An error beyond that of its samples is common to the estimates of one run. All else
    counts as independent. Units of products and quotients are powers of symbols, such as J·s/V².
    Comparisons are of means. ``f"{estimate:.2f}"`` formats mean and standard error alike.

    Attributes:
        mean: the estimate.
        stderr: standard error of the mean, √(Var/N) over N independent replicas; 0 where exact,
            infinite for a single sample.
        method: how the estimate was obtained.
        unit: unit symbol; empty where units are the user's own.
        note: what the number depends on and is not known to hold; empty where there is nothing.

    Example:
        >>> import ktc
        >>> work = ktc.Estimate.of_samples([1.0, 3.0], kT=2.0)
        >>> work.mean, work.stderr, work.in_kT.mean
        (2.0, 1.0, 1.0)
        >>> print(ktc.Estimate.exact(0.5, unit="J"))
        0.5 J (closed form)
        >>> f"{work / 2 - 0.25:.2f}", work > 1.5
        ('0.75 ± 0.50', True)
        >>> other = ktc.Estimate.of_samples([0.0, 4.0])
        >>> round((work + other - other).stderr, 12)  # that of work
        1.0

    Source of the propagation: Taylor (1997), An Introduction to Error Analysis, ch. 3.
    """

    # So that a NumPy number on the left leaves the operation to this class.
    __array_ufunc__ = None

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
        note: str = "",
        ensemble: object = None,
    ) -> None:
        self.mean, self.stderr = number("mean", mean), number("stderr", stderr)
        if self.stderr < 0:
            raise ValueError(f"stderr must not be negative, but is {self.stderr}")
        self.method = of_type("method", method, str, "a str")
        self.unit = of_type("unit", unit, str, "a str")
        self.note = of_type("note", note, str, "a str")
        self._samples = LazySamples.of(samples) if isinstance(samples, np.ndarray) else samples
        self._kT = None if kT is None else positive("kT", kT)
        self._variance = None if variance is None else number("variance", variance)
        self._ensemble = ensemble
        self._known_sources: ErrorSources | None = None

    @classmethod
    def of_samples(
        cls,
        samples: Array | list[float] | LazySamples,
        *,
        method: str = "mean over replicas",
        unit: str = "",
        kT: float | None = None,
        ensemble: object = None,
    ) -> Estimate:
        """Estimate the mean of independent samples.

        States of one replica at successive times are correlated, and their error bar by this would
        be too small: ``of_series`` takes these.

        Args:
            samples: one per replica, shape (n,); lazy samples are not kept in memory.
            method, unit: as the attributes.
            kT: their thermal energy; None if temperatures differ.
            ensemble: any object that stands for the replicas: estimates of the same one, with one
                sample per replica each, are combined replica by replica.

        Raises:
            ValueError: no sample, or samples that are not one row of numbers.
        """
        read = samples if isinstance(samples, LazySamples) else None
        values = _row("samples", real_array("samples", samples) if read is None else read())
        mean, error = float(np.mean(values)), error_of_mean(values)
        made = cls(
            mean, error, read or values, method=method, unit=unit, kT=kT, ensemble=ensemble
        )  # fmt: skip
        if ensemble is not None and made._samples is not None:
            made._of(ErrorSources([Row(ensemble, deviations(made._samples, mean), error)]))
        return made

    @classmethod
    def of_series(
        cls, series: Array | list[float], *, unit: str = "", kT: float | None = None
    ) -> Estimate:
        """Estimate the mean of a stationary series, whose samples are correlated in time.

        stderr = √(2τ C(0)/n), C the autocovariance of the series, and τ = ½ + Σ_{l=1}^{M} C(l)/C(0)
        its integrated time in intervals, with Sokal's window M ≥ 5τ, times 1 + (2M + 1)/n for the
        bias of C by the mean, and at least ½, as of independent samples. The relative error of
        stderr is √((2M + 1)/2n).

        Args:
            series: at equal intervals, shape (n,): one replica, or averages over the replicas, of
                times by which the start is forgotten.
            unit, kT: as for ``of_samples``.

        Raises:
            ValueError: a series that is not one row of numbers, or shorter than 20 integrated times
                or ten samples.

        Example:
            >>> import ktc
            >>> emulator = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=1, seed=6)
            >>> run = emulator.play(ktc.Protocol([0.02] * 20_000, {}), record="state")
            >>> series = run.series["state"][:, 0, 0]  # 400 relaxation times: √(2/400) = 0.0707
            >>> round(ktc.Estimate.of_series(series).stderr, 2)
            0.07
            >>> round(ktc.Estimate.of_samples(series).stderr, 3)  # as if they were independent
            0.007

        Source: Sokal (1997), in Functional Integration (Cargèse), NATO ASI B 361, 131; Wolff
        (2004), Comput. Phys. Commun. 156, 143.
        """
        values = _row("series", real_array("series", series))
        error, mean = error_of_series(values), float(np.mean(values))
        return cls(mean, error, values, method="mean over time", unit=unit, kT=kT)

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
        if math.isnan(number("value", value)):
            raise ValueError(f"value must be a number, but is {value}")
        return cls(value, 0.0, method=method, unit=unit, kT=kT, variance=variance)

    @property
    def variance(self) -> float:
        """Variance over the replicas, of samples (divided by N − 1) or exact; else ValueError."""
        if self._variance is not None:
            return self._variance
        if self._samples is None:
            raise ValueError(f"this estimate has no variance: it is by {self.method}")
        return variance_of(self._samples())

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
            note=self.note,
            ensemble=self._ensemble,
        )._of(self._sources.scaled(1 / kT))

    def shifted(self, amount: float | Estimate, stderr: float = 0.0, note: str = "") -> Estimate:
        """Add an estimate, or a number with its standard error, 0 where it is exact, and a note.

        Each sample is shifted by the number, so that their scatter does not include its error.
        """
        samples, note = self._samples, of_type("note", note, str, "a str")
        if isinstance(amount, Estimate):
            self._same_unit(amount)
            change, added = amount.mean, amount._sources
        else:
            change, error = number("amount", amount), number("stderr", stderr)
            added = sources_of(error)
        sources = self._sources.plus(added)
        return Estimate(
            self.mean + change,
            sources.stderr,
            None if samples is None else LazySamples(lambda: samples() + change),
            method=self.method,
            unit=self.unit,
            kT=self._kT,
            variance=self._variance,
            note=note or self.note,
            ensemble=self._ensemble,
        )._of(sources)

    @property
    def _sources(self) -> ErrorSources:
        """Independent sources of the error."""
        if self._known_sources is None:
            self._known_sources = sources_of(self.stderr, self._samples, self._ensemble)
        return self._known_sources

    def _of(self, sources: ErrorSources) -> Estimate:
        """Itself, with known sources of its error."""
        self._known_sources = sources
        return self

    def __add__(self, other: Estimate | float) -> Estimate:
        return self._combined(other, np.add, 1.0, 1.0, self._same_unit(other))

    def __sub__(self, other: Estimate | float) -> Estimate:
        return self._combined(other, np.subtract, 1.0, -1.0, self._same_unit(other))

    def __mul__(self, other: Estimate | float) -> Estimate:
        unit = product(self.unit, _unit(other)) if _unit(other) else self.unit
        return self._combined(other, np.multiply, _number(other), self.mean, unit)

    def __truediv__(self, other: Estimate | float) -> Estimate:
        divisor, unit = _number(other), self.unit
        if divisor == 0:
            raise ZeroDivisionError(f"the divisor of {self} is zero: {other}")
        if _unit(other):
            unit = quotient(unit, _unit(other))
        slope = -self.mean / divisor**2
        return self._combined(other, np.divide, 1 / divisor, slope, unit)

    def __neg__(self) -> Estimate:
        return self * -1.0

    def __rsub__(self, other: float) -> Estimate:
        return -self + other

    __radd__ = __add__
    __rmul__ = __mul__

    def __rtruediv__(self, other: float) -> Estimate:
        if self.mean == 0:
            raise ZeroDivisionError(f"the divisor is zero: {self}")
        inverse = _number(other) / self.mean
        turned = (self - self.mean) * (-inverse / self.mean) + inverse
        turned.unit, turned._kT = quotient("", self.unit), None
        return turned

    def __lt__(self, other: Estimate | float) -> bool:
        self._same_unit(other)
        return self.mean < _number(other)

    def __le__(self, other: Estimate | float) -> bool:
        self._same_unit(other)
        return self.mean <= _number(other)

    def __gt__(self, other: Estimate | float) -> bool:
        self._same_unit(other)
        return self.mean > _number(other)

    def __ge__(self, other: Estimate | float) -> bool:
        self._same_unit(other)
        return self.mean >= _number(other)

    def _same_unit(self, other: Estimate | float) -> str:
        if isinstance(other, Estimate) and other.unit != self.unit:
            raise ValueError(
                f"{self} and {other} have different units, {self.unit or 'none'!r} and "
                f"{other.unit or 'none'!r}; convert one of them, by in_kT for instance"
            )
        return self.unit

    def _combined(
        self,
        other: Estimate | float,
        operation: np.ufunc,
        slope: float,
        other_slope: float,
        unit: str,
    ) -> Estimate:
        """The result of an operation, with its slopes in both at their means."""
        kT = self._kT
        if operation in (np.multiply, np.divide) and isinstance(other, Estimate):
            kT = None  # the power of the energy has changed
        if not isinstance(other, Estimate) or (other.stderr == 0 and other._samples is None):
            return self._with_number(_number(other), operation, slope, unit, kT)
        mean, samples = float(operation(self.mean, other.mean)), self._samples
        method = self.method if self.method == other.method else f"{self.method}; {other.method}"
        note = "; ".join(dict.fromkeys(filter(None, (self.note, other.note))))
        kT = kT if kT == other._kT else None
        # To first order in the deviations, so that a product keeps the mean of its factors.
        sources = self._sources.scaled(slope).plus(other._sources.scaled(other_slope))
        paired, ensemble = None, self._ensemble
        if ensemble is other._ensemble and samples is not None and other._samples is not None:
            paired = sources.row(ensemble)
        return Estimate(
            mean, sources.stderr, None if paired is None else mean + paired, method=method,
            unit=unit, kT=kT, note=note, ensemble=None if paired is None else ensemble,
        )._of(sources)  # fmt: skip

    def _with_number(
        self, number: float, operation: np.ufunc, slope: float, unit: str, kT: float | None
    ) -> Estimate:
        """The result of an operation with an exact number."""
        mean, read, variance = float(operation(self.mean, number)), self._samples, self._variance
        error = abs(slope) * self.stderr if slope and self.stderr else 0.0
        scaled = None if read is None else LazySamples(lambda: operation(read(), number))
        return Estimate(
            mean, error, scaled, method=self.method, unit=unit, kT=kT, note=self.note,
            variance=None if variance is None else slope**2 * variance, ensemble=self._ensemble,
        )._of(self._sources.scaled(slope))  # fmt: skip

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        error = f" ± {self.stderr:{spec}}" if self.stderr else ""
        return f"{self.mean:{spec}}{error}{f' {self.unit}' if self.unit else ''}"

    def __float__(self) -> float:
        return self.mean

    def __repr__(self) -> str:
        return f"<ktc.Estimate: {self}>"

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.stderr == 0:
            note = f"; {self.note}" if self.note else ""
            return f"{self.mean:.6g}{unit} ({self.method}{note})"
        note = f" ({self.note})" if self.note else ""
        return f"{self.mean:.6g} ± {self.stderr:.2g}{unit}{note}"


def _number(value: object) -> float:
    """An operand as a number."""
    if isinstance(value, Estimate):
        return value.mean
    if isinstance(value, Real):
        return number("the operand", value)
    raise TypeError(
        f"an Estimate combines with numbers and Estimates, but the operand is {told(value)}"
    )


def _unit(value: Estimate | float) -> str:
    return value.unit if isinstance(value, Estimate) else ""


def _kept(estimate: Estimate) -> dict[str, object]:
    """Its attributes, which are arguments of the constructor, but for the replicas themselves."""
    names = {name.lstrip("_"): value for name, value in vars(estimate).items()}
    return {
        name: value for name, value in names.items() if name not in ("ensemble", "known_sources")
    }


register(Estimate, _kept)


def _row(name: str, values: Array) -> Array:
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(
            f"{name} must be one row of at least one number, but has shape {values.shape}"
        )
    return values
