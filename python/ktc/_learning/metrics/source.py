"""F and ζ at the present controls, from wherever they are to be had."""

from __future__ import annotations

from typing import Any

import numpy as np

from ktc._learning.metrics.calibration import Calibration
from ktc._learning.metrics.calibration_report import CalibrationReport
from ktc._learning.metrics.equilibria import Equilibria, KnownEquilibria, MeasuredEquilibria
from ktc._learning.metrics.exact_model import MOST_DENSE, ExactModel
from ktc._learning.metrics.metric import Metric
from ktc._learning.metrics.settings import Metrics
from ktc._measure.sampled_metrics import fisher_estimate
from ktc._model.controls import Controls
from ktc._theory.geometry import Geometry

#: Number of the random stream of calibration replicas.
STREAM = 0x6B746363


class MetricSource:
    """Chooses between closed forms, quadrature and measurement as ``Metrics`` asks for.

    Raises:
        ValueError: "exact" of what has no closed form and no quadrature; the running replicas'
            own F for more parameters than a matrix is made of.
    """

    def __init__(
        self,
        exact: ExactModel,
        settings: Metrics,
        device: Any,
        threads: int | None,
        friction: bool = True,
    ) -> None:
        self._exact, self._settings, self._device = exact, settings, device
        size = exact.parameters.size
        if settings.fisher == "replicas" and size > MOST_DENSE:
            raise ValueError(
                f"fisher of metrics must be 'equilibrium' for more than {MOST_DENSE} parameters, "
                f"but is 'replicas' for {size}"
            )
        if settings.fisher == "replicas" and getattr(device.ledger, "infinite", False):
            raise ValueError(
                "fisher of metrics must be 'equilibrium' for an infinite ensemble, "
                "which has no single replicas"
            )
        running = getattr(device, "replicas", size + 1)
        if settings.fisher == "replicas" and settings.shrinkage is None and running <= size:
            raise ValueError(
                f"replicas must be more than the {size} parameters where fisher of metrics is "
                f"'replicas' and shrinkage None, but are {running}: F would be singular; take "
                "more, or shrinkage='optimal'"
            )
        if settings.source == "exact" and not exact.metrics_known:
            raise ValueError(
                "source of metrics is 'exact', but coupled quartic units, and those with inertia, "
                "have no closed form and no quadrature; take 'measured'"
            )
        self._calibration: Calibration | None = None
        measured = settings.source == "measured" or not exact.metrics_known
        # What replicas show of themselves needs no calibration but for ζ.
        self._friction = friction
        if measured and (friction or settings.fisher == "equilibrium"):
            seed = getattr(device, "seed", None)
            own = None if seed is None else np.random.SeedSequence([seed, STREAM])
            number = None if own is None else int(own.generate_state(1, np.uint64)[0])
            self._calibration = Calibration(exact, settings, number, threads)
        self._last: tuple[Controls, Metric] | None = None

    def at(self, controls: Controls, hold: float) -> Metric:
        """F and ζ for controls that are held so long."""
        if self._settings.fisher == "replicas":
            share = self._settings.shrinkage
            own = fisher_estimate(self._device, self._exact.parameters, shrinkage=share).mean
            friction = self._matrices(controls, hold).friction if self._friction else own
            return Geometry.of_matrices(own, friction, self._exact.parameters.blocks)
        if self._calibration is not None:
            return self._calibration.metric(controls, hold)
        if self._last is None or not self._serves(self._last[0], controls):
            self._last = (controls, self._exact.metric(controls, hold))
        return self._last[1]

    def equilibria(self) -> Equilibria:
        """Of the model at any controls, by the same means as F and ζ."""
        if self._calibration is None:
            return KnownEquilibria(self._exact)
        return MeasuredEquilibria(self._calibration)

    @property
    def constant(self) -> bool:
        """Whether F and ζ are the same wherever the learned parameters are."""
        return self._exact.method == "closed form" and self._exact.parameters.names == ("bias",)

    def report(self) -> CalibrationReport | None:
        """What calibration cost; None where there was none."""
        return None if self._calibration is None else self._calibration.report()

    def _matrices(self, controls: Controls, hold: float) -> Geometry:
        calibration = self._calibration
        known = (
            self._exact.metric(controls, hold, True)
            if calibration is None
            else calibration.metric(controls, hold)
        )
        assert isinstance(known, Geometry)  # no more than MOST_DENSE parameters
        return known

    def _serves(self, known: Controls, controls: Controls) -> bool:
        """The bias of a Gaussian network has the same F and ζ wherever it is."""
        if known is controls:
            return True
        return self.constant and known.held_stiffness is controls.held_stiffness
