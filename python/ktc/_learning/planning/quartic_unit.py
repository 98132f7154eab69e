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
from ktc._learning.planning.expected_learning import Costs, ExpectedLearning
from ktc._learning.positive_phase import DataPhase
from ktc._learning.schedule import Schedule, Update
from ktc._model.description import Described, Description
from ktc._model.parameters import Parameters

NONE = Costs(0.0, 0.0, 0.0)


def relaxation_of_unit(device: Description) -> float:
    """ζ/F of the bias at the controls of the start."""
    fisher, friction = _model(device).geometry(device.network.controls, 0.0).traces
    return friction / fisher


def best_unit(device: Description, goal: Array) -> Described:
    """The unit at the bias of the greatest likelihood."""
    exact = _model(device)
    forces = DataPhase(goal[None], exact.parameters, None).forces()
    network = device.network.with_controls(maximum_likelihood(exact, forces))
    return Described(network, device.scale, device.symbols)


def _model(device: Description) -> ExactModel:
    start = Described(device.network, device.scale, device.symbols)
    return ExactModel(start, Parameters(start, "bias"))


def expected_of_unit(
    device: Description, schedule: Schedule, ticks: int, goal: Array
) -> ExpectedLearning:
    """``theory.ExpectedLearning`` of one quartic unit.

    Costs of the ideal ensemble are those of the learner's own loop on the unit's density. Noise is
    that of a harmonic unit with the unit's F and ζ at each bias of the run, which neglects that
    gains change with noise: up to ten times too small where F changes tenfold, for which simulated
    runs correct it (``simulated_costs``).
    """
    exact = _model(device)
    start, parameters = exact.start, exact.parameters
    data = DataPhase(goal[None], parameters, None)
    best = maximum_likelihood(exact, data.forces())
    first, last = float(start.network.bias[0]), float(best.bias[0])
    # A last jump by the F of a narrow state may go as far again.
    far = 3 * abs(last - first) + 1e-3 * start.network.common_kT / abs(float(device.scale[0]))
    path = density_emulator(start, (min(first, last) - far, max(first, last) + far))
    source = MetricSource(exact, Metrics(), path, None, None) if schedule.uses_metrics else None
    problem = Problem(path, schedule.begun(), ticks, parameters, data, source, exact, limited=False)
    outcome = Loop(problem).run(progress=False)
    if outcome.stopped:
        raise ValueError(f"the plan fails under {schedule!r}: {outcome.stopped}")
    bias, work = path.controls, float(path.ledger.work[0])
    change = exact.free_energy_change(start.network.controls, bias)
    whole = exact.free_energy_change(start.network.controls, best)
    mean = float(path.moments().mean[0] / device.scale[0])
    rest = float(goal[0] / device.scale[0])
    step = last - float(bias.bias[0])
    kT = start.network.common_kT
    # kT Δ(log-likelihood) of a step to the best: −Δb ⟨x⟩_data less the change of F, both signed.
    lost = (step * rest + whole - change) / kT
    ideal = Costs(work - change, work - step * mean - whole, max(0.0, lost))
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
