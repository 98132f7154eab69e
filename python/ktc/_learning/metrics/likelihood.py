"""Maximum-likelihood parameters, and refusal of data that have none."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array
from ktc._learning.averages import gaussian_of_forces, is_whole
from ktc._learning.confinement import confined
from ktc._learning.metrics.exact_model import ExactModel
from ktc._model.controls import Controls
from ktc._model.parameters import Parameters
from ktc._theory.gaussian import inverse

MOST_STEPS = 200
# Newton's decrement g·Δθ, twice the remaining gain, at which the search ends, in kT.
ARRIVED = 1e-18
# Variances of the data below this share of their scale count as zero.
LEAST_VARIANCE = 1e-12


def maximum_likelihood(exact: ExactModel, forces: Array, start: Controls | None = None) -> Controls:
    """The controls at which ⟨∂_θH⟩ is that of the data, by Newton's method.

    kT times the mean log-likelihood is F(θ) − θ·⟨∂_θH⟩_data + …, concave in θ because H is linear
    in it; its slope is g at equilibrium, its curvature −F: θ ← θ + F⁻¹g, damped far from the
    maximum. The search starts at the model's own controls by default.

    Source: Barndorff-Nielsen (1978), Information and Exponential Families.
    """
    parameters = exact.parameters
    controls = exact.start.network.controls if start is None else start
    if exact.whole:
        # K⟨x⟩, from ⟨∂_θH⟩ = −⟨x⟩ of the bias, or −K⟨x⟩/scale of the center.
        net, scale = exact.start.network, exact.start.scale
        center = parameters.names == ("center",)
        return controls.updated(bias=-scale * forces if center else -net.stiffness @ forces)
    kT = exact.start.network.common_kT
    if exact.method == "closed form" and is_whole(parameters):
        mean, covariance = gaussian_of_forces(parameters, forces)
        stiffness = kT * inverse(covariance)
        return controls.updated(stiffness=stiffness, bias=stiffness @ mean)
    worst = 0.0
    for _ in range(MOST_STEPS):
        gradient = exact.forces(controls) - forces
        change = exact.natural(controls, gradient)
        decrement = float(gradient @ change) / kT
        if not np.isfinite(decrement):
            break
        if decrement < ARRIVED:
            return controls
        # The damped step of self-concordant functions, 1/(1 + λ), full where λ is small, or where
        # the likelihood is quadratic.
        near = exact.constant or decrement < 1e-4
        damping = 1.0 if near else 1 / (1 + np.sqrt(decrement))
        theta = parameters.vector(controls)
        share, after = confined(parameters, controls, theta, damping * change)
        # Rounding may keep the decrement above its limit for ever, at no loss.
        if share == 0 or (decrement < 1e-12 and decrement >= worst > 0):
            if decrement < 1e-12:
                return controls
            break
        worst, controls = decrement, after
    raise ValueError(
        f"no confined model of {parameters!r} has the averages of the data: the search for the "
        "maximum of the likelihood diverged; learn other parameters, or take data that such a "
        "model can have"
    )


def refuse_unreachable(samples: Array, parameters: Parameters, controls: Controls) -> None:
    """Refuse data whose likelihood has no maximum among confined models.

    These are units that do not vary though their own stiffness is learned; directions in which the
    data do not vary though all of the stiffness is; tails heavier than a normal distribution's
    where a unit's bias, stiffness and quartic term are learned.
    """
    if parameters.by_bias:
        return
    deviations = samples - samples.mean(axis=0)
    variances = np.mean(deviations**2, axis=0)
    stiff = np.zeros(parameters.units, dtype=bool)  # units whose K_ii is learned
    for name in {"stiffness", "diagonal"} & parameters.places.keys():
        first, second = parameters.places[name]
        stiff[first[first == second]] = True
    scale = np.maximum(np.mean(samples**2, axis=0), np.finfo(float).tiny)
    still = [i for i in np.flatnonzero(stiff) if variances[i] <= LEAST_VARIANCE * scale[i]]
    if still:
        raise ValueError(
            f"data do not vary in column {still[0]}, whose stiffness is learned: no confined model "
            "is as narrow; take more samples, add noise, or mask that unit's stiffness"
        )
    whole = "stiffness" in parameters.names or {"couplings", "diagonal"} <= set(parameters.names)
    d = parameters.units
    learned = sum(len(places[0]) for places in parameters.places.values() if len(places) == 2)
    if whole and learned == d * (d + 1) // 2 and not controls.quartic.any():
        root = np.sqrt(variances)
        values = np.linalg.eigvalsh(deviations.T @ deviations / len(samples) / np.outer(root, root))
        if values[0] <= LEAST_VARIANCE * values[-1] * d:
            rank = int(np.sum(values > LEAST_VARIANCE * values[-1] * d))
            raise ValueError(
                f"data of {len(samples)} samples vary in {rank} of {d} directions alone: the "
                "likelihood of all couplings has no maximum; take more samples, a mask, or "
                "data with noise added"
            )
    if {"bias", "quartic"} <= set(parameters.names):
        _refuse_heavy_tails(samples, parameters, controls, stiff)


def _refuse_heavy_tails(
    samples: Array, parameters: Parameters, controls: Controls, stiff: Array
) -> None:
    """Refuse fourth moments above the normal one where b, K_ii and κ are free: they need κ < 0.

    At given mean and variance the distribution of largest entropy is normal, and ⟨x⁴⟩ falls as κ
    grows from zero.
    """
    couplings = any((places[0] != places[-1]).any() for places in parameters.places.values())
    if couplings or np.triu(controls.stiffness, 1).any():
        return
    own = set(parameters.places["bias"][0].tolist()) & set(np.flatnonzero(stiff).tolist())
    for unit in sorted(own & set(parameters.places["quartic"][0].tolist())):
        x = samples[:, unit]
        mean, variance = float(np.mean(x)), float(np.var(x))
        fourth, normal = float(np.mean(x**4)), mean**4 + 6 * mean**2 * variance + 3 * variance**2
        if fourth >= normal:
            raise ValueError(
                f"data have heavier tails than a normal distribution in column {unit} "
                f"(⟨x⁴⟩ = {fourth:.4g}, normal {normal:.4g}), and only a negative quartic term "
                "would give them: no confined model does; leave 'quartic' out of parameters"
            )
