"""Statistics of a run: those that the engine gathered, and the spectrum of recorded states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ktc._base.autocorrelation import WINDOW, integrated_times
from ktc._base.codec import register
from ktc._base.files import Storable
from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, count, frozen, positive, told


class RunStatistics(Storable):
    """Statistics of the state x over the observations and replicas of a run.

    On a Board they are of the true voltages; readings through its ADC are records. Sums are over
    all samples together: where a protocol drives the mean, its motion is part of the variance.
    What ``ktc.Statistics`` did not ask for raises ValueError.

    Attributes:
        observations: instants that were observed.
        samples: observations times replicas.
        interval: time from one observation to the next; None where it varied.
        mean: ⟨x⟩, shape (d,).
        variance: ⟨(x − ⟨x⟩)²⟩, shape (d,), divided by the number of samples.
    """

    def __init__(
        self,
        observations: int,
        samples: int,
        interval: float | None,
        arrays: Mapping[str, Any],
    ) -> None:
        self.observations, self.samples = int(observations), int(samples)
        self.interval = interval
        self._arrays: dict[str, Array] = {name: frozen(each) for name, each in arrays.items()}
        self.mean, self.variance = self._arrays["mean"], self._arrays["variance"]

    @property
    def covariance(self) -> Array:
        """⟨(x − ⟨x⟩)(x − ⟨x⟩)ᵀ⟩, shape (d, d)."""
        return self._asked("covariance", "covariance=True")

    @property
    def edges(self) -> Array:
        """Edges of the histogram, shape (d, bins + 1)."""
        return self._asked("edges", "histogram=edges")

    @property
    def histogram(self) -> Any:
        """Samples in each bin, integers of shape (d, bins)."""
        return self._counts[:, 1:-1]

    @property
    def below(self) -> Any:
        """Samples below the first edge, integers of shape (d,)."""
        return self._counts[:, 0]

    @property
    def above(self) -> Any:
        """Samples above the last edge, integers of shape (d,)."""
        return self._counts[:, -1]

    @property
    def density(self) -> Array:
        """Share of all samples in each bin over its width, shape (d, bins).

        It integrates to one less the share of what lies outside of the edges.
        """
        return np.asarray(self.histogram / (self.samples * np.diff(self.edges)))

    @property
    def lags(self) -> Array:
        """Times at which the autocorrelation is known, shape (lags + 1,)."""
        interval = self.interval or 0.0  # never zero with an autocorrelation
        return np.arange(len(self._autocovariance), dtype=np.float64) * interval

    @property
    def autocorrelation(self) -> Array:
        """ρ(l) = C(l)/C(0), shape (lags + 1, d).

        C(l) is the mean of (x(t + l) − ⟨x⟩)(x(t) − ⟨x⟩) over all pairs that are l apart, with the
        one ⟨x⟩ of all samples.

        Raises:
            ValueError: a unit did not vary.
        """
        covariance = self._autocovariance
        still = np.flatnonzero(~(covariance[0] > 0))
        if len(still):
            raise ValueError(
                f"unit {still[0]} did not vary in this run, so it has no autocorrelation"
            )
        return np.asarray(covariance / covariance[0])

    @property
    def integrated_time(self) -> Array:
        """τ = Δ·(½ + Σ_{l=1}^{M} ρ(l)), shape (d,), Δ the interval of observations.

        The time constant of an exponential decay that Δ resolves; T/2τ is the number of independent
        samples in a time T. M is the least lag with M ≥ 5 τ/Δ, beyond which the sum gathers
        more noise than signal; for an exponential the rest is e⁻⁵ of τ.

        Raises:
            ValueError: the lags end before that window.

        Source: Sokal (1997), in Functional Integration (Cargèse), NATO ASI B 361, 131.
        """
        rho = self.autocorrelation
        times, windows = integrated_times(rho)
        short = np.flatnonzero(windows < 0)
        if len(short):
            raise ValueError(
                f"{len(rho) - 1} lags do not reach {WINDOW} integrated times of unit {short[0]}, "
                f"which are more than {WINDOW * times[short[0]]:.3g} of them; ask for a larger "
                "autocorrelation, or observe less often"
            )
        return (self.interval or 0.0) * times

    @property
    def _autocovariance(self) -> Array:
        return self._asked("autocovariance", "autocorrelation=lags")

    @property
    def _counts(self) -> Any:
        return self._asked("counts", "histogram=edges")

    def _asked(self, name: str, wish: str) -> Array:
        if name not in self._arrays:
            raise ValueError(
                f"these statistics have no {wish.partition('=')[0]}; ask for it by "
                f"ktc.Statistics({wish})"
            )
        return self._arrays[name]

    def __repr__(self) -> str:
        return (
            f"<ktc.RunStatistics: {self.samples} samples, mean {self.mean!r}, "
            f"variance {self.variance!r}>"
        )


def _fields(statistics: RunStatistics) -> dict[str, object]:
    names = ("observations", "samples", "interval")
    return {**{name: getattr(statistics, name) for name in names}, "arrays": statistics._arrays}


def _of_fields(
    observations: int,
    samples: int,
    interval: float | None,
    arrays: Mapping[str, NDArray[np.generic]],
) -> RunStatistics:
    count("samples", samples, least=count("observations", observations))
    if interval is not None:
        positive("interval", interval)
    return RunStatistics(observations, samples, interval, arrays)


register(RunStatistics, _fields, _of_fields)


def equal_interval(times: Array) -> float | None:
    """The interval of times that are equally spaced; None of others, and of a single one."""
    if len(times) < 2:
        return None
    interval = float(times[-1] - times[0]) / (len(times) - 1)
    # Differences of times carry the rounding of the times themselves.
    rounding = 8 * np.finfo(np.float64).eps * times[-1]
    equal = np.allclose(np.diff(times), interval, rtol=1e-9, atol=rounding)
    return interval if equal else None


class Spectrum(NamedTuple):
    """One-sided power spectral density of the state.

    Attributes:
        frequency: [1/time], shape (frequencies,).
        density: [state²·time], mean over replicas.
        stderr: its standard error over replicas; infinite for one replica.
    """

    frequency: Array
    density: Array
    stderr: Array


def welch_spectrum(states: Array, times: Array, segments: int) -> Spectrum:
    """Welch's estimate from one unit's states, shape (points, replicas), at equal intervals."""
    points = len(times)
    length = points // count("segments", segments)
    if length < 2:
        raise ValueError(
            f"segments must leave at least two records in each, but is {told(segments)} "
            f"for {points} records"
        )
    step = equal_interval(times)
    if step is None:
        raise ValueError(
            "a spectrum needs records at equal intervals; play a protocol of equal holds"
        )
    frequency, density = scipy.signal.welch(states, 1 / step, "hann", length, axis=0)
    replicas = density.shape[1]
    spread = density.std(axis=1, ddof=1) if replicas > 1 else np.full(len(density), np.inf)
    return Spectrum(frequency, density.mean(axis=1), spread / np.sqrt(replicas))
