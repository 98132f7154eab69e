"""F and ζ measured at the equilibrium of the present controls, on separate replicas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ktc._base.codec import Saved
from ktc._base.estimate import Estimate
from ktc._base.validation import Array, count, of_shape, of_type, real_array
from ktc._emulation.emulator import Emulator, restored_emulator, saved_emulator
from ktc._engines.step_size import fastest_rate
from ktc._learning.averages import energy_differences, replica_forces
from ktc._learning.metrics.exact_model import MOST_DENSE, ExactModel
from ktc._learning.metrics.sampled_products import SampledProducts
from ktc._learning.metrics.settings import CalibrationReport, Metrics
from ktc._measure.correlation_windows import correlated_windows
from ktc._measure.sampled_metrics import metric_estimates
from ktc._model.controls import Controls
from ktc._theory.free_energy_estimates import bennett
from ktc._theory.geometry import Geometry
from ktc._theory.matrix_estimate import MatrixEstimate

# Largest number of conjugate forces for which windows are measured twice, some hundred megabytes.
NUMBERS_TO_HALVE = 5_000_000


@dataclass(frozen=True)
class Landmark:
    """One measurement: θ, shape (p,), ⟨∂_θH⟩ at its equilibrium, F and ζ."""

    theta: Array
    forces: Array
    geometry: Geometry


class Calibration:
    """Replicas that follow the controls, relax at them, and are measured there.

    They start in equilibrium. Where the controls have moved far enough, the replicas are set to the
    present ones, run for as long as the last window (six correlation times or more), and are
    measured by ``theory.metric_estimates``. Where ticks are longer than the network's fastest
    relaxation time, ζ is measured by the trapezoidal rule at the ticks, which includes every lag of
    held controls. Their energies are in accounts of their own. Without shrinkage there must be more
    replicas than parameters.
    """

    def __init__(
        self, exact: ExactModel, settings: Metrics, seed: int | None, threads: int | None
    ) -> None:
        self._start, self.parameters = exact.start, exact.parameters
        if settings.shrinkage is None and settings.replicas <= self.parameters.size:
            raise ValueError(
                f"replicas of metrics must be more than the {self.parameters.size} parameters "
                f"where shrinkage is None, but are {settings.replicas}: F would be singular; take "
                "more, or shrinkage='optimal'"
            )
        self._exact, self._settings, self._threads = exact, settings, threads
        self._kT = self._start.network.common_kT
        self._landmarks: list[Landmark] = []
        self._emulator = Emulator(self._start, settings.replicas, seed, threads)
        # What the last measurement started from: a resumed run repeats it.
        self._before, self._hold = self._emulator, 0.0
        self._origin = np.zeros(0)
        self._metric: Geometry | SampledProducts | None = None
        self._window = 0.0
        self._seen = np.array([[0.0, 0.0], [0.0, 0.0], [np.inf, np.inf]])
        self._estimates: SampledProducts | tuple[MatrixEstimate, MatrixEstimate] | None = None
        self._count = 0
        self._changes: list[Estimate] | None = []

    def metric(self, controls: Controls, hold: float) -> Geometry | SampledProducts:
        """The last measurement where it is near enough, or else a new one."""
        theta = self.parameters.vector(controls)
        if self._metric is not None and self.reaches(self._far(self._metric, self._origin, theta)):
            return self._metric
        return self._new(theta, hold)

    def landmark(self, controls: Controls, hold: float, afresh: bool = False) -> Landmark:
        """The nearest measurement, or a new one where none is near enough or ``afresh`` is True."""
        theta = self.parameters.vector(controls)
        distances = [self.distance(one, theta) for one in self._landmarks]
        if distances and self.reaches(min(distances)) and not afresh:
            return self._landmarks[int(np.argmin(distances))]
        metric = self._new(theta, hold)
        assert isinstance(metric, Geometry)  # no more than MOST_DENSE parameters
        forces = replica_forces(self._emulator, self.parameters)[0]
        self._landmarks.append(Landmark(theta, forces, metric))
        return self._landmarks[-1]

    def distance(self, landmark: Landmark, theta: Array) -> float:
        """√(ΔθᵀFΔθ/(p kT)): the distance in thermal scatters per parameter."""
        return self._far(landmark.geometry, landmark.theta, theta)

    def reaches(self, distance: float) -> bool:
        """Whether a measurement is used at this distance."""
        return distance < self._settings.refresh

    def _new(self, theta: Array, hold: float) -> Geometry | SampledProducts:
        if self._metric is not None:
            self._record_quality()
            self._move(theta)
        self._before, self._hold = self._emulator.copy(), hold
        self._metric, self._origin = self._measured(hold), theta
        self._count += 1
        return self._metric

    def report(self) -> CalibrationReport:
        """Cost and quality so far."""
        self._record_quality()
        work, heat = (
            Estimate.of_samples(np.array(amount), unit=self._start.symbols.energy, kT=self._kT)
            for amount in (self._emulator.ledger.work, self._emulator.ledger.heat)
        )
        s, c, e = ((float(row[0]), float(row[1])) for row in self._seen)
        return CalibrationReport(
            replicas=self._settings.replicas, count=self._count, time=self._emulator.time,
            work=work, heat=heat, free_energy_change=self._free_energy_change(),
            parameters=self._origin, shrinkage=s, condition=c,
            least_eigenvalue=e if self._count else (0.0, 0.0),
        )  # fmt: skip

    def saved(self) -> dict[str, object]:
        """Where the calibration stands, as ``restore`` takes it."""
        metric = self._metric
        return {
            "before": saved_emulator(self._before),
            "hold": self._hold,
            "count": self._count,
            "origin": self._origin,
            "seen": self._seen,
            "landmarks": [
                [one.theta, one.forces, one.geometry.fisher, one.geometry.friction]
                for one in self._landmarks
            ],
            "changes": self._changes,
            "shares": metric.shares if isinstance(metric, SampledProducts) else None,
        }

    def restore(self, saved: Saved) -> None:
        """Go on from what was ``saved``, with the last measurement made again."""
        p, changes = self.parameters.size, saved["changes"]
        self._emulator = restored_emulator(**saved["before"], threads=self._threads)
        self._before, self._hold = self._emulator.copy(), saved["hold"]
        self._count = count("calibration/count", saved["count"], least=0)
        if self._count:
            of_shape("calibration/origin", saved["origin"], p)
            self._metric, self._origin = self._measured(self._hold), saved["origin"]
            if isinstance(self._metric, SampledProducts):
                self._metric.shares[:] = real_array("calibration/shares", saved["shares"]).tolist()
        of_shape("calibration/seen", saved["seen"], 3, 2)
        self._seen = saved["seen"]
        self._landmarks = [
            Landmark(theta, forces, Geometry.of_matrices(one, two, self.parameters.blocks))
            for theta, forces, one, two in saved["landmarks"]
        ]
        self._changes = None if changes is None else [of_type("", e, Estimate) for e in changes]

    def _far(self, metric: Geometry | SampledProducts, origin: Array, theta: Array) -> float:
        change = theta - origin
        pulled = metric.fisher @ change if isinstance(metric, Geometry) else metric.pulled(change)
        return float(np.sqrt(max(float(change @ pulled), 0.0) / (self._kT * len(change))))

    def _move(self, theta: Array) -> None:
        """Move to equilibrium at other parameters, with both samples for ΔF."""
        emulator, scale = self._emulator, self._start.scale
        before = emulator.controls
        state = emulator.read() / scale
        emulator.set(**self.parameters.changes(theta, before))
        after = emulator.controls
        emulator.run(self._window)
        if self._exact.known or self._changes is None:
            return
        forward = energy_differences(state, before, after)
        reverse = energy_differences(emulator.read() / scale, after, before)
        try:
            self._changes.append(bennett(forward, reverse, self._kT))
        except ValueError:
            # Too far apart for a meaningful error bar: then ΔF is not available.
            self._changes = None

    def _free_energy_change(self) -> Estimate | None:
        unit = self._start.symbols.energy
        if self._exact.known:
            here = self._emulator.controls
            change = self._exact.free_energy_change(self._start.network.controls, here)
            return Estimate.exact(change, method=self._exact.method or "", unit=unit, kT=self._kT)
        if self._changes is None:
            return None
        return Estimate(
            sum(one.mean for one in self._changes),
            float(np.sqrt(sum(one.stderr**2 for one in self._changes))),
            method="Bennett acceptance ratio", unit=unit, kT=self._kT,
        )  # fmt: skip

    def _measured(self, hold: float) -> Geometry | SampledProducts:
        share, emulator = self._settings.shrinkage, self._emulator
        parameters = self.parameters
        held = hold if hold * fastest_rate(self._start.network, emulator.controls) > 1 else None
        if parameters.size > MOST_DENSE:
            many = 2 if self._settings.replicas * parameters.size < NUMBERS_TO_HALVE else 1
            seen = correlated_windows(emulator, parameters, windows=many, hold=held)
            self._window = seen.length
            self._estimates = SampledProducts(seen, self._kT, parameters.blocks, share)
            return self._estimates
        begun = emulator.time
        # With the first run, which determines the windows, as long as four of them.
        fisher, friction = metric_estimates(
            emulator, parameters, windows=3, shrinkage=share, hold=held
        )
        self._window = (emulator.time - begun) / 4
        self._estimates = fisher, friction
        return Geometry.of_matrices(fisher.mean, friction.mean, parameters.blocks)

    def _record_quality(self) -> None:
        """Record the quality of the last measurement, at the shrinkage that it ended with."""
        known = self._estimates
        if known is None:
            return
        names = ("shrinkage", "condition", "least_eigenvalue")
        if isinstance(known, SampledProducts):
            rows = [getattr(known, name) for name in names]
        else:
            rows = [[getattr(one, name) for one in known] for name in names]
        self._seen[:2] = np.maximum(self._seen[:2], rows[:2])
        self._seen[2] = np.minimum(self._seen[2], rows[2])
