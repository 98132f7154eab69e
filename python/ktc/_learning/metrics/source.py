"""Where a run gets F and ζ from: closed forms, quadrature or measurement."""

from __future__ import annotations

import numpy as np

from ktc._base.codec import Saved
from ktc._learning.metrics.calibration import Calibration
from ktc._learning.metrics.equilibria import Equilibria, KnownEquilibria, MeasuredEquilibria
from ktc._learning.metrics.exact_model import MOST_DENSE, ExactModel
from ktc._learning.metrics.metric_tensors import MetricTensors
from ktc._learning.metrics.settings import CalibrationReport, Metrics
from ktc._measure.sampled_metrics import fisher_estimate
from ktc._model.controls import Controls
from ktc._model.device import Device, is_infinite
from ktc._theory.geometry import Geometry

#: Number of the random stream of calibration replicas.
STREAM = 0x6B746363


class MetricSource:
    """F and ζ at any controls of a run, obtained as ``Metrics`` says.

    The seed of the run gives that of the calibration replicas; ``friction`` says whether ζ is
    needed.
    """

    def __init__(
        self,
        exact: ExactModel,
        settings: Metrics,
        device: Device,
        seed: int | None,
        threads: int | None,
        friction: bool = True,
    ) -> None:
        self._exact, self._settings, self._device = exact, settings, device
        if settings.fisher == "replicas":
            _check_replicas(settings, exact.parameters.size, device)
        if settings.source == "exact" and not exact.metrics_known:
            raise ValueError(
                "source of metrics is 'exact', but coupled quartic units, and those with inertia, "
                "have no closed form and no quadrature; take 'measured'"
            )
        self._calibration: Calibration | None = None
        self._friction = friction
        measured = settings.source == "measured" or not exact.metrics_known
        # F of the running replicas needs calibration for ζ alone.
        if measured and (friction or settings.fisher == "equilibrium"):
            own = None if seed is None else np.random.SeedSequence([seed, STREAM])
            number = None if own is None else int(own.generate_state(1, np.uint64)[0])
            self._calibration = Calibration(exact, settings, number, threads)
        self._last: tuple[Controls, MetricTensors] | None = None

    def at(self, controls: Controls, hold: float) -> MetricTensors:
        """F and ζ at controls that are held for ``hold``."""
        if self._settings.fisher == "replicas":
            share = self._settings.shrinkage
            own = fisher_estimate(self._device, self._exact.parameters, shrinkage=share).mean
            friction = self._matrices(controls, hold).friction if self._friction else own
            return Geometry.of_matrices(own, friction, self._exact.parameters.blocks)
        if self._calibration is not None:
            return self._calibration.metric(controls, hold)
        last = None if self._last is None else self._last[0]
        same = last is controls
        if self.constant and last is not None:
            same = same or last.held_stiffness is controls.held_stiffness
        if self._last is None or not same:
            self._last = (controls, self._exact.metric(controls, hold))
        return self._last[1]

    def equilibria(self) -> Equilibria:
        """Equilibria of the model, obtained as F and ζ are."""
        if self._calibration is None:
            return KnownEquilibria(self._exact)
        return MeasuredEquilibria(self._calibration)

    @property
    def constant(self) -> bool:
        """Whether F and ζ are the same wherever the learned parameters are."""
        return self._exact.constant

    @property
    def steady(self) -> bool:
        """Whether ``at`` gives the same closed forms at all controls of a run."""
        return self.constant and self.closed

    @property
    def closed(self) -> bool:
        """Whether F and ζ are closed forms or quadratures at all controls of a run."""
        return self._calibration is None and self._settings.fisher == "equilibrium"

    @property
    def measured(self) -> bool:
        """Whether calibration replicas measure F or ζ."""
        return self._calibration is not None

    def report(self) -> CalibrationReport | None:
        """Cost and quality of the calibration; None where nothing is measured."""
        return None if self._calibration is None else self._calibration.report()

    def saved(self) -> dict[str, object] | None:
        """Where the calibration stands, as ``restore`` takes it; None where there is none."""
        return None if self._calibration is None else self._calibration.saved()

    def restore(self, saved: Saved | None) -> None:
        """Go on from what was ``saved``."""
        if (saved is None) != (self._calibration is None):
            raise ValueError("calibration: only that of measured F and zeta is saved")
        if self._calibration is not None and saved is not None:
            self._calibration.restore(saved)

    def _matrices(self, controls: Controls, hold: float) -> Geometry:
        if self._calibration is None:
            return self._exact.geometry(controls, hold)
        known = self._calibration.metric(controls, hold)
        assert isinstance(known, Geometry)  # no more than MOST_DENSE parameters
        return known


def _check_replicas(settings: Metrics, size: int, device: Device) -> None:
    """Refuse F of the running replicas where they cannot give one."""
    if size > MOST_DENSE:
        raise ValueError(
            f"fisher of metrics must be 'equilibrium' for more than {MOST_DENSE} parameters, "
            f"but is 'replicas' for {size}"
        )
    if is_infinite(device.ledger):
        raise ValueError(
            "fisher of metrics must be 'equilibrium' for an infinite ensemble, which has no "
            "individual replicas"
        )
    running = len(device.ledger.work)
    if settings.shrinkage is None and running <= size:
        raise ValueError(
            f"replicas must be more than the {size} parameters where fisher of metrics is "
            f"'replicas' and shrinkage None, but are {running}: F would be singular; take more, or "
            "shrinkage='optimal'"
        )
