"""A learning problem: the device, the data, the parameters, and how F and ζ are obtained."""

from __future__ import annotations

from dataclasses import dataclass

from ktc._learning.data_phase import PositivePhase
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.metrics.source import MetricSource
from ktc._learning.schedule import Schedule
from ktc._model.device import Device
from ktc._model.parameters import Parameters


@dataclass(frozen=True)
class Problem:
    """What is learned, on what, and by which rule.

    Attributes:
        device: running, in equilibrium at its controls.
        schedule: as made for this run (``Schedule.begun``).
        ticks: number of holds.
        parameters: the learned parameters θ.
        positive: ⟨∂_θH⟩ under the data.
        metrics: source of F and ζ; None for a schedule that needs neither.
        exact: the model, for free energies on the path where they are available.
    """

    device: Device
    schedule: Schedule
    ticks: int
    parameters: Parameters
    positive: PositivePhase
    metrics: MetricSource | None
    exact: ExactModel

    @property
    def closed_form(self) -> bool:
        """Whether F and ζ are closed forms that stay the same over the whole run.

        True for the bias of a Gaussian network, which no update can leave unconfined.
        """
        return self.exact.constant and (self.metrics is None or self.metrics.steady)
