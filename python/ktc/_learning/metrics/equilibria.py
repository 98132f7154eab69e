"""Equilibria of a model at any controls: in closed form, by quadrature, or measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from ktc._base.validation import Array
from ktc._emulation.emulator import Emulator
from ktc._learning.confinement import confined
from ktc._learning.metrics.calibration import Calibration, Landmark
from ktc._learning.metrics.exact_model import MOST_DENSE, ExactModel
from ktc._learning.metrics.likelihood import maximum_likelihood
from ktc._model.controls import Controls
from ktc._model.parameters import Parameters
from ktc._theory.geometry import Geometry

MOST_STEPS = 50
#: Replicas on which the maximum of a likelihood is measured.
MAXIMUM_REPLICAS = 10_000
#: Number of their random stream.
MAXIMUM_STREAM = 0x6B746C6D
# The last step is taken where the decrement is this many times that of noise.
NOISE = 10.0


class Equilibria(Protocol):
    """What ``Anticipation`` asks of a model."""

    parameters: Parameters

    def geometry(self, controls: Controls, hold: float) -> Geometry:
        """F and ζ as matrices, for controls held for ``hold``."""

    def with_forces(self, forces: Array, start: Controls, hold: float) -> Controls:
        """The controls at whose equilibrium ⟨∂_θH⟩ is ``forces``, by Newton's method."""


class KnownEquilibria:
    """Equilibria in closed form or by quadrature."""

    def __init__(self, exact: ExactModel) -> None:
        self._exact, self.parameters = exact, exact.parameters

    def geometry(self, controls: Controls, hold: float) -> Geometry:
        """F and ζ."""
        return self._exact.geometry(controls, hold)

    def with_forces(self, forces: Array, start: Controls, hold: float) -> Controls:
        """The controls, to rounding."""
        return maximum_likelihood(self._exact, forces, start)


class MeasuredEquilibria:
    """Equilibria measured on calibration replicas.

    Each landmark is used within the distance ``Metrics.refresh``, where averages are taken as
    linear in θ, by its F.
    """

    def __init__(self, calibration: Calibration) -> None:
        self._calibration, self.parameters = calibration, calibration.parameters

    def geometry(self, controls: Controls, hold: float) -> Geometry:
        """F and ζ of the nearest landmark."""
        return self._calibration.landmark(controls, hold).geometry

    def with_forces(self, forces: Array, start: Controls, hold: float) -> Controls:
        """The controls, to within the reach of a landmark and its noise."""
        calibration, parameters, controls = self._calibration, self.parameters, start
        passed: list[Landmark] = []
        for _ in range(MOST_STEPS):
            landmark = calibration.landmark(controls, hold)
            # Where two landmarks point at each other from either side, measure between them.
            if any(landmark is one for one in passed):
                landmark = calibration.landmark(controls, hold, afresh=True)
            passed.append(landmark)
            change = landmark.geometry.natural(1.0, landmark.forces - forces)
            far = calibration.distance(landmark, landmark.theta + change)
            # The damped step of self-concordant functions, unless it stays within this reach.
            damping = 1 / (1 + far * np.sqrt(len(change)))
            damping = 1.0 if calibration.reaches(damping * far) else damping
            share, after = confined(parameters, controls, landmark.theta, damping * change)
            if calibration.reaches(share * far):
                return after
            if share == 0:
                break
            controls = after
        raise ValueError(
            "no equilibrium of the model with the requested averages was found: the search "
            "diverged, or noise dominates it; take more replicas for metrics"
        )


def likelihood_maximum(
    exact: ExactModel, forces: Array, hidden: int, seed: int | None
) -> tuple[Controls, Array | None]:
    """Controls of the greatest likelihood, and the covariance of their noise where it is measured.

    ``forces`` are ⟨∂_θH⟩ over the data; ``hidden`` is the number of hidden units.
    """
    if hidden:
        raise ValueError(
            "the likelihood of a model with hidden units has no single maximum; give "
            "completed(...) the controls that are meant"
        )
    if exact.known:
        return maximum_likelihood(exact, forces), None
    return measured_maximum_likelihood(exact, forces, seed)


def measured_maximum_likelihood(
    exact: ExactModel, forces: Array, seed: int | None, replicas: int = MAXIMUM_REPLICAS
) -> tuple[Controls, Array]:
    """Controls of the greatest likelihood, and the covariance kT F⁻¹/N of their noise.

    Newton's method, damped far from the maximum, each step on fresh replicas in equilibrium; the
    last one starts where what remains is no more than their noise.
    """
    parameters, kT = exact.parameters, exact.start.network.common_kT
    if parameters.size > MOST_DENSE:
        raise ValueError(
            f"the maximum-likelihood parameters can be measured up to {MOST_DENSE} of them, but "
            f"{parameters.size} are learned; give completed(...) the controls that are meant"
        )
    stream = np.random.SeedSequence([seed or 0, MAXIMUM_STREAM])
    controls = exact.start.network.controls
    for number in stream.generate_state(MOST_STEPS, np.uint64).tolist():
        model = replace(exact.start, network=exact.start.network.with_controls(controls))
        each = parameters.forces(Emulator(model, replicas, number).read())
        fisher = np.atleast_2d(np.cov(each.T)) / kT
        gradient = each.mean(axis=0) - forces
        change = np.asarray(np.linalg.solve(fisher, gradient))
        decrement = float(gradient @ change) / kT
        if decrement < NOISE * len(change) / replicas:
            return parameters.controls(parameters.vector(controls) + change, controls), (
                kT * np.linalg.inv(fisher) / replicas
            )
        damping = 1 / (1 + np.sqrt(decrement))
        share, controls = confined(
            parameters, controls, parameters.vector(controls), damping * change
        )
        if share == 0:
            break
    raise ValueError(
        "no confined model with the averages of the data was found: the search diverged; learn "
        "other parameters, or take data that such a model can have"
    )
