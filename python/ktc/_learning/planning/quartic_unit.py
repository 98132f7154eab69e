"""Expected costs of learning the bias of one quartic unit, by its density and quadrature."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array
from ktc._emulation.emulator import density_emulator
from ktc._learning.loop import Loop, Problem
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.metrics.likelihood import maximum_likelihood
from ktc._learning.metrics.settings import Metrics
from ktc._learning.metrics.source import MetricSource
from ktc._learning.open_loop_steering import OpenLoop
from ktc._learning.planning.expected_learning import Costs, ExpectedLearning
from ktc._learning.planning.unit_table import TabulatedUnits, UnitTable
from ktc._learning.positive_phase import DataPhase
from ktc._learning.schedule import Schedule, Update
from ktc._model.description import Described, Description
from ktc._model.parameters import Parameters
from ktc._theory.wasserstein import wasserstein_bound

NONE = Costs(0.0, 0.0, 0.0)


class UnitCosts:
    """Costs of learning the bias of one quartic unit, at any duration.

    Attributes:
        start: the unit at its first controls.
        best: its controls of the greatest likelihood.
        table: F, ζ and free energy of the unit.
    """

    def __init__(self, device: Description, goal: Array) -> None:
        self.start = Described(device.network, device.scale, device.symbols)
        self.goal, self.table = goal, UnitTable(device.network)
        parameters = Parameters(self.start, "bias")
        self._data = DataPhase(goal[None], parameters, None)
        self._exact = TabulatedUnits(self.start, parameters, self.table)
        self.best = maximum_likelihood(self._exact, self._data.forces())

    @property
    def relaxation_time(self) -> float:
        """ζ/F of the bias at the controls of the start."""
        fisher, friction, _ = self.table(self.start.network.bias)
        return float(friction[0] / fisher[0])

    def bound(self, duration: float) -> float:
        """Least excess work of any drive to the best controls."""
        net = self.start.network.with_controls(self.best)
        best = Described(net, self.start.scale, self.start.symbols)
        return wasserstein_bound(self.start, best, duration)

    def expected(self, schedule: Schedule, ticks: int) -> ExpectedLearning:
        """``theory.ExpectedLearning`` of the unit.

        Costs of the ideal ensemble are those of the learner's own loop on the unit's density. A
        drive that is computed before the run has no noise. That of another schedule is the noise of
        a harmonic unit with the unit's F and ζ at each bias of the run, which neglects that gains
        change with noise: up to ten times too small where F changes tenfold, for which simulated
        runs correct it (``simulated_costs``).
        """
        exact, start, best = self._exact, self.start, self.best
        first, last = float(start.network.bias[0]), float(best.bias[0])
        # A last jump by the F of a narrow state may go as far again.
        far = 3 * abs(last - first) + 1e-3 * start.network.common_kT / abs(float(start.scale[0]))
        path = density_emulator(start, (min(first, last) - far, max(first, last) + far))
        source = MetricSource(exact, Metrics(), path, None, None) if schedule.uses_metrics else None
        loop = Loop(
            Problem(
                path, schedule.begun(), ticks, exact.parameters, self._data, source, exact,
                schedule.transports, limited=False,
            )
        )  # fmt: skip
        outcome = loop.run(progress=False)
        if outcome.stopped:
            raise ValueError(f"the plan fails under {schedule!r}: {outcome.stopped}")
        bias, work = path.controls, float(path.ledger.work[0])
        change = exact.free_energy_change(start.network.controls, bias)
        whole = exact.free_energy_change(start.network.controls, best)
        mean = float(path.moments().mean[0] / start.scale[0])
        rest = float(self.goal[0] / start.scale[0])
        step = last - float(bias.bias[0])
        kT = start.network.common_kT
        # kT Δ(log-likelihood) of a step to the best: −Δb ⟨x⟩_data less the change of F, both
        # signed.
        lost = (step * rest + whole - change) / kT
        ideal = Costs(work - change, work - step * mean - whole, max(0.0, lost))
        noise = NONE
        if loop.rule != OpenLoop.rule:
            noise = _noise(exact, schedule, ticks, outcome.rows["theta"][:, 0])
        return ExpectedLearning(ideal, noise, NONE, NONE, schedule.duration, ticks)


def _noise(exact: ExactModel, schedule: Schedule, ticks: int, biases: Array) -> Costs:
    """Noise of one replica, by the second moments of its mean and of the bias."""
    parameters, start = exact.parameters, exact.start.network
    kT, hold = start.common_kT, schedule.duration / ticks
    controls = start.controls
    metric = exact.geometry(controls, hold)
    unit, work = np.ones(1), 0.0
    moments = np.diag([kT * metric.traces[0], 0.0])
    for k, after in enumerate(biases.tolist()):
        gain = float(Update(schedule, k, ticks).change(unit, lambda _: unit, metric)[0])
        work += gain * moments[0, 0]
        update = np.array([[1.0, 0.0], [-gain, 1.0]])
        moments = update @ moments @ update.T
        controls = parameters.controls(np.array([after]), controls)
        metric = exact.geometry(controls, hold)
        fisher, friction = metric.traces
        if k == ticks:
            break
        left = float(np.exp(-hold * fisher / friction))
        flow = np.array([[left, (1 - left) * fisher], [0.0, 1.0]])
        moments = flow @ moments @ flow.T
        moments[0, 0] += kT * fisher * (1 - left**2)
    shift = 0.5 * fisher * moments[1, 1]
    return Costs(float(work + shift), float(work + moments[0, 1]), float(shift / kT))
