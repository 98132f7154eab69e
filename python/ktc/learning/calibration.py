"""F and ζ measured at the equilibrium of the present controls, on an ensemble of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ktc.checks import Array
from ktc.controls import Controls
from ktc.emulator import Emulator
from ktc.estimate import Estimate
from ktc.geometry import Geometry
from ktc.learning.exact_model import MOST_DENSE
from ktc.learning.metric_settings import Metrics
from ktc.learning.sampled_products import SampledProducts
from ktc.metric import Metric
from ktc.theory import Parameters
from ktc.theory.sampled_metrics import correlated_windows, metric_estimates
from ktc.units import Described

# Beyond so many conjugate forces a window is measured once, to keep to some hundred megabytes.
NUMBERS_TO_HALVE = 5_000_000


@dataclass(frozen=True)
class CalibrationReport:
    """What measuring F and ζ cost beside the run, and how well they were known.

    Attributes:
        replicas: of the calibration ensemble.
        count: number of measurements.
        time: that the ensemble ran for in all.
        work, heat: of the calibration ensemble, per replica of it.
        shrinkage: largest share of the diagonal that was mixed in, of F and of ζ.
        condition: largest condition number of F and of ζ at unit diagonal, after shrinkage; NaN is
            never in it, infinity where shrinkage is None and noise rules, zero where it is not
            known, beyond ``MOST_DENSE`` parameters.
        least_eigenvalue: least eigenvalue of the raw F and ζ at unit diagonal; negative where noise
            rules. Zero where it is not known.
    """

    replicas: int
    count: int
    time: float
    work: Estimate
    heat: Estimate
    shrinkage: tuple[float, float]
    condition: tuple[float, float]
    least_eigenvalue: tuple[float, float]


class Calibration:
    """Replicas that follow the controls, relax at them, and are watched there.

    They start in equilibrium; where the controls have moved far enough, they are set to the
    present ones, run for as long as the last window (six correlation times or more), and are
    measured by ``theory.metric_estimates``. All that they do stands in their own books.
    """

    def __init__(
        self,
        start: Described,
        parameters: Parameters,
        settings: Metrics,
        seed: int | None,
        threads: int | None,
    ) -> None:
        if settings.shrinkage is None and settings.replicas <= parameters.size:
            raise ValueError(
                f"replicas of metrics must be more than the {parameters.size} parameters where "
                f"shrinkage is None, but are {settings.replicas}: F would be singular; take more, "
                "or shrinkage='optimal'"
            )
        self._start, self._parameters, self._settings = start, parameters, settings
        self._emulator = Emulator(start, settings.replicas, seed, threads)
        self._origin = np.zeros(0)
        self._metric: Geometry | SampledProducts | None = None
        self._window = 0.0
        self._seen = np.array([[0.0, 0.0], [0.0, 0.0], [np.inf, np.inf]])
        self._count = 0

    def metric(self, controls: Controls) -> Geometry | SampledProducts:
        """The last measurement where it is near enough, or a new one."""
        theta = self._parameters.vector(controls)
        if self._metric is not None and self._near(theta, self._metric):
            return self._metric
        if self._metric is not None:
            self._emulator.set(**self._parameters.changes(theta, self._emulator.controls))
            self._emulator.run(self._window)
        self._metric, self._origin = self._measured(), theta
        self._count += 1
        return self._metric

    def report(self) -> CalibrationReport:
        """What it has cost so far."""
        symbols, kT = self._start.symbols, self._start.network.common_kT
        work, heat = (
            Estimate.of_samples(np.array(amount), unit=symbols.energy, kT=kT)
            for amount in (self._emulator.ledger.work, self._emulator.ledger.heat)
        )
        s, c, e = ((float(row[0]), float(row[1])) for row in self._seen)
        return CalibrationReport(
            replicas=self._settings.replicas, count=self._count, time=self._emulator.time,
            work=work, heat=heat, shrinkage=s, condition=c,
            least_eigenvalue=e if self._metric is None or np.isfinite(e).all() else (0.0, 0.0),
        )  # fmt: skip

    def _near(self, theta: Array, metric: Metric) -> bool:
        change = theta - self._origin
        assert isinstance(metric, Geometry | SampledProducts)
        pulled = metric.fisher @ change if isinstance(metric, Geometry) else metric.pulled(change)
        kT = self._start.network.common_kT
        distance = float(change @ pulled) / (kT * len(change))
        return distance < self._settings.refresh**2

    def _measured(self) -> Geometry | SampledProducts:
        share = self._settings.shrinkage
        if self._parameters.size > MOST_DENSE:
            numbers = self._settings.replicas * self._parameters.size
            seen = correlated_windows(
                self._emulator, self._parameters, windows=2 if numbers < NUMBERS_TO_HALVE else 1
            )
            self._window = seen.length
            kT = self._start.network.common_kT
            products = SampledProducts(seen, kT, self._parameters.blocks, share)
            self._note(products.shrinkage, (0.0, 0.0), (0.0, 0.0))
            return products
        begun = self._emulator.time
        both = metric_estimates(self._emulator, self._parameters, shrinkage=share)
        self._window = (self._emulator.time - begun) / 4
        one, two = both
        self._note(
            (one.shrinkage, two.shrinkage),
            (one.condition, two.condition),
            (one.least_eigenvalue, two.least_eigenvalue),
        )
        return Geometry.of_matrices(one.mean, two.mean, self._parameters.blocks)

    def _note(
        self,
        shrinkage: tuple[float, float],
        condition: tuple[float, float],
        least: tuple[float, float],
    ) -> None:
        self._seen[0] = np.maximum(self._seen[0], shrinkage)
        self._seen[1] = np.maximum(self._seen[1], condition)
        self._seen[2] = np.minimum(self._seen[2], least)
