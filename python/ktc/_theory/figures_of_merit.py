"""Figures by which runs are compared: Landauer's limit, times to accuracy, energy–delay–error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.lazy_imports import scipy
from ktc._base.validation import (
    Array,
    choice,
    finite,
    not_negative,
    of_type,
    per_unit,
    positive,
    square,
)
from ktc._engines.factory import STATIONARY
from ktc._engines.moments_engine import MomentsEngine
from ktc._model.description import Description
from ktc._model.device import DeviceMoments
from ktc._theory.gaussian import Gaussian, bures, equilibrium, gaussian, symmetrized

DISTANCES = ("divergence", "wasserstein")


def landauer(kT: float, bits: float = 1.0) -> float:
    """kT ln 2 per bit: the least work of erasing, and the most that a known bit can give.

    Source: Landauer (1961), IBM J. Res. Dev. 5, 183.

    Example:
        >>> import ktc
        >>> round(ktc.theory.landauer(1.0), 6)
        0.693147
    """
    return positive("kT", kT) * positive("bits", bits) * float(np.log(2))


def divergence(state: Gaussian, device: Description) -> float:
    """KL(p‖p_eq) in nats of a normal state p from the device's equilibrium.

    kT times it is the work that the state could still give, and what it dissipates in relaxing.

    Args:
        state: mean (d,) and covariance (d, d) of the public state, such as ``emulator.moments()``.
        device: a Gaussian network at the controls in question.

    Raises:
        ValueError: nonlinear units, no equilibrium, or a covariance that is not positive definite.

    Example:
        >>> import ktc
        >>> state = ktc.theory.Gaussian([1.0], [[1.0]])
        >>> ktc.theory.divergence(state, ktc.Network(stiffness=1.0, friction=1.0))
        0.5
    """
    target, move, covariance = _compared(state, device)
    ratio = np.linalg.solve(target.covariance, covariance)
    sign, log_det = np.linalg.slogdet(ratio)
    if not sign > 0:
        raise ValueError("covariance must be positive definite; take more replicas than units")
    far = float(move @ np.linalg.solve(target.covariance, move))
    return max(0.0, 0.5 * (far + float(np.trace(ratio)) - len(move) - float(log_det)))


def deficiency(state: Gaussian, device: Description, distance: str = "divergence") -> float:
    """How far a normal state is from the device's equilibrium.

    Args:
        state, device: as for ``divergence``.
        distance: "divergence", KL(p‖p_eq) in nats, or "wasserstein", min √⟨|x − y|²/σ²⟩ over
            couplings, every unit by its own equilibrium width.

    Example:
        >>> import ktc
        >>> state = ktc.theory.Gaussian([2.0], [[1.0]])
        >>> ktc.theory.deficiency(state, ktc.Network(1.0, 1.0), "wasserstein")
        2.0
    """
    if choice("distance", distance, DISTANCES) == "divergence":
        return divergence(state, device)
    target, move, covariance = _compared(state, device)
    width = np.sqrt(target.covariance.diagonal())
    first, last = (p / np.outer(width, width) for p in (covariance, target.covariance))
    return float(np.sqrt(bures(symmetrized(first), last) + np.sum((move / width) ** 2)))


def _compared(state: Gaussian, device: Description) -> tuple[Gaussian, Array, Array]:
    """The device's equilibrium, the mean of a state relative to it, and the state's covariance."""
    target = equilibrium(device)
    d = len(target.mean)
    of_type("state", state, DeviceMoments, "an object with a mean and a covariance")
    mean = per_unit("mean of state", state.mean, d)
    covariance = square("covariance of state", state.covariance, d)
    return target, mean - target.mean, covariance


def energy_delay_deficiency(energy: float, delay: float, error: float) -> float:
    """Energy × time × distance of the final state from the target's equilibrium: smaller is better.

    Each factor falls as another rises: a drive that is twice as slow costs about half, and one that
    stops early is off. Compare runs of one task, by one distance, from one start.

    Args:
        energy: excess work, or all work, of the task.
        delay: its duration.
        error: ``deficiency`` of the final state.

    Raises:
        ValueError: numbers that are not finite, a delay that is not positive, a negative error.

    Source: Rolandi et al. (2026), arXiv 2601.04358.

    Example:
        >>> import ktc
        >>> ktc.theory.energy_delay_deficiency(2.0, 3.0, 0.1)
        0.6000000000000001
    """
    off = not_negative("error", error)
    return finite("energy", energy) * positive("delay", delay) * off


def time_to_equilibrium(
    before: Description, device: Description, error: float, distance: str = "divergence"
) -> float:
    """How long after a jump of the controls the state is as near to equilibrium as ``error``.

    The state starts in equilibrium at ``before`` and relaxes at ``device``. Zero where it is near
    enough from the start.

    Args:
        before, device: one Gaussian network at the controls before and after the jump.
        error, distance: of ``deficiency``, positive, and its name.

    Example:
        >>> import ktc
        >>> start, end = ktc.Network(1.0, 1.0), ktc.Network(1.0, 1.0, bias=1.0)
        >>> time = ktc.theory.time_to_equilibrium(start, end, 0.5 * 1e-4)
        >>> round(time, 6)  # ½ e^{−2t} = ½ 10⁻⁴, t = ln 100
        4.60517
    """
    goal = positive("error", error)
    old, new = gaussian(before), gaussian(device)
    if old.units != new.units:
        raise ValueError(
            f"before and device must have the same number of units, but have {old.units} and "
            f"{new.units}"
        )
    slowest = float(new.relaxation_times[-1])
    start = MomentsEngine(old, False, STATIONARY, variances=False)
    start.set({"bias": new.bias, "stiffness": new.stiffness})

    def off(time: float) -> float:
        engine = start.copy()
        if time > 0:
            engine.hold(time)
        mean, covariance = engine.moments(True)
        d, scale = new.units, device.scale
        spread: Array = covariance[:d, :d] * np.outer(scale, scale)
        return deficiency(Gaussian(mean[:d] * scale, spread), device, distance) - goal

    if off(0.0) <= 0:
        return 0.0
    late = slowest
    while off(late) > 0:
        late *= 2
        if late > 1e4 * slowest:
            raise ValueError(f"error {goal:g} is below what doubles resolve; ask for a larger one")
    return float(scipy.optimize.brentq(off, 0.0, late, xtol=1e-12 * slowest))


def time_to_accuracy(device: Description, accuracy: ArrayLike) -> float:
    """Time over which one replica's ⟨δx δxᵀ⟩ is known to a relative error: T = 2 τ_slow/ε².

    A time average over T has T/2τ independent samples of its slowest mode, whose square has the
    relative error √2 per sample and half the correlation time: ε = √(2τ_slow/T).

    Args:
        device: a Gaussian network.
        accuracy: ε, positive.

    Example:
        >>> import ktc
        >>> ktc.theory.time_to_accuracy(ktc.Network(stiffness=1.0, friction=3.0), 0.01)
        60000.0
    """
    slowest = float(gaussian(device).relaxation_times[-1])
    error = positive("accuracy", accuracy)
    return 2 * slowest / error / error
