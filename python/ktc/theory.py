"""Closed forms of Gaussian networks: free energies, metrics and bounds.

Every function takes a description (a Network or a Board) and works at its own controls; pass
``device.program(...)`` or ``network.with_controls(...)`` for others. A running emulator is refused
(TypeError): its network is as it started. H = ½ xᵀKx − bᵀx. Free energies are there for uncoupled
quartic units as well. What the form at hand does not cover raises: quartic units, several
temperatures, and circuits that sources or noise generators drive.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy  # imports scipy.linalg when it is first used
from numpy.typing import ArrayLike

from ktc import _core
from ktc.checks import Array, per_unit, positive, real_array, square
from ktc.free_energies import at_equilibrium
from ktc.free_energies import free_energy as free_energy
from ktc.free_energies import free_energy_change as free_energy_change
from ktc.network import Network
from ktc.protocol import Protocol
from ktc.units import Description

PARAMETERS = ("bias", "center")


def gaussian(device: Description) -> Network:
    """The device's network, where exp(−H/kT)/Z is a normal distribution that it relaxes to.

    Raises:
        ValueError: quartic units, several temperatures, sources or noise generators.
    """
    net = at_equilibrium(device)
    if net.quartic.any():
        raise ValueError(
            "quartic units have no such closed form, which is that of Gaussian networks, but "
            f"quartic is {net.quartic}; sample an Emulator instead"
        )
    return net


class Gaussian(NamedTuple):
    """A normal distribution of the public state."""

    mean: Array
    covariance: Array


def equilibrium(device: Description) -> Gaussian:
    """Mean K⁻¹b and covariance kT K⁻¹ of exp(−H/kT)/Z, in the public state (volts on a Board).

    Example:
        >>> import ktc
        >>> mean, covariance = equilibrium(ktc.Network(stiffness=2.0, friction=1.0, bias=4.0))
        >>> float(mean[0]), round(float(covariance[0, 0]), 6)
        (2.0, 0.5)
    """
    net, scale = gaussian(device), device.scale
    covariance = net.common_kT * _inverse(net.stiffness)
    return Gaussian(
        scale * np.linalg.solve(net.stiffness, net.bias), covariance * np.outer(scale, scale)
    )


def bias_free_energy(device: Description, bias: ArrayLike) -> Array:
    """−½ bᵀK⁻¹b: the part of F that depends on the bias, for each of many, shape (n,).

    Args:
        bias: shape (n, d), volts on a Board.

    Example:
        >>> import ktc
        >>> bias_free_energy(ktc.Network(stiffness=2.0, friction=1.0), [[0.0], [2.0]])
        array([-0., -1.])
    """
    net = gaussian(device)
    many = np.atleast_2d(real_array("bias", bias))
    if many.shape[1] != net.units:
        raise ValueError(f"bias must have {net.units} columns, one a unit, but has {many.shape[1]}")
    value: Array = -0.5 * np.sum(many.T * np.linalg.solve(net.stiffness, many.T), axis=0)
    return value


def log_likelihood(device: Description, data: ArrayLike) -> float:
    """Mean of ln p(x) over samples of the public state, in nats, p = exp(−H/kT)/Z.

    Args:
        data: shape (samples, d).

    Example:
        >>> import ktc
        >>> round(log_likelihood(ktc.Network(stiffness=1.0, friction=1.0), [[0.0]]), 6)
        -0.918939
    """
    model = equilibrium(device)
    samples = np.atleast_2d(real_array("data", data))
    if samples.ndim != 2 or samples.shape[1] != len(model.mean) or len(samples) == 0:
        raise ValueError(
            f"data must be of shape (samples, {len(model.mean)}), one column a unit and at least "
            f"one sample, but has shape {samples.shape}"
        )
    deviations = samples - model.mean
    factor = scipy.linalg.cho_factor(model.covariance, lower=True)
    squares = np.sum(deviations.T * scipy.linalg.cho_solve(factor, deviations.T), axis=0)
    log_det = 2 * np.sum(np.log(np.diag(factor[0])))
    return float(-0.5 * (np.mean(squares) + log_det + len(model.mean) * np.log(2 * np.pi)))


def parameter_map(device: Description, parameter: str) -> Array:
    """The matrix B with b = B θ: the identity for "bias", K/scale for "center", a public state."""
    net = gaussian(device)
    if parameter == "bias":
        return np.eye(net.units)
    if parameter == "center":
        return net.stiffness / device.scale
    raise ValueError(f"parameter must be one of {PARAMETERS}, but is {parameter!r}")


def fisher_matrix(device: Description, parameter: str = "bias") -> Array:
    """F = Cov(∂_θE)/kT, shape (d, d): K⁻¹ for the bias, K for the center. Fisher information: F/kT.

    Example:
        >>> import ktc
        >>> fisher_matrix(ktc.Network(stiffness=4.0, friction=1.0), "center")
        array([[4.]])
    """
    net, to_bias = gaussian(device), parameter_map(device, parameter)
    return _symmetric(to_bias.T @ np.linalg.solve(net.stiffness, to_bias))


def friction_tensor(device: Description, parameter: str = "bias") -> Array:
    """ζ = (1/kT)∫₀^∞ ⟨δ∂E(0) δ∂E(t)ᵀ⟩ dt, shape (d, d): K⁻¹RK⁻¹ for the bias, R for the center.

    With inertia it is the same: the inertia drops out of the time integral. In circuits with
    inductors the place of R is taken by the symmetric part of (G − J)⁻¹, the integral of
    e^{Ft} K⁻¹ with F = (J − G)K.

    Source: Sivak, Crooks (2012), Phys. Rev. Lett. 108, 190602.

    Example:
        >>> import ktc
        >>> friction_tensor(ktc.Network(stiffness=2.0, friction=3.0), "bias")
        array([[0.75]])
    """
    net = gaussian(device)
    pulled = np.linalg.solve(net.stiffness, parameter_map(device, parameter))
    return _symmetric(pulled.T @ _resistance(net) @ pulled)


def least_excess_work(device: Description, bias: ArrayLike, duration: float) -> float:
    """Least ⟨W⟩ − ΔF of any bias drive to ``bias`` in ``duration``, from equilibrium.

    W_ex = μᵀR(T + 2K⁻¹R)⁻¹μ with μ = K⁻¹(b_final − b_initial). With inertia the bound is the same,
    reached only by impulses of the bias at both ends, as a tick that shrinks allows them.

    Source: Schmiedl, Seifert (2007), Phys. Rev. Lett. 98, 108301; Gomez-Marin, Schmiedl,
    Seifert (2008), J. Chem. Phys. 129, 024114.

    Example:
        >>> import ktc
        >>> round(least_excess_work(ktc.Network(stiffness=1.0, friction=1.0), 5.0, 1.0), 6)
        8.333333
    """
    net = gaussian(device)
    if not net.has_friction:
        raise ValueError(
            "device has inductors between its nodes, and the least work of such circuits has no "
            "closed form here"
        )
    move = np.linalg.solve(net.stiffness, per_unit("bias", bias, net.units) - net.bias)
    metric = positive("duration", duration) * _inverse(net.friction) + 2 * _inverse(net.stiffness)
    return float(move @ np.linalg.solve(metric, move))


def optimal_drive(device: Description, bias: ArrayLike, duration: float, ticks: int) -> Protocol:
    """The open-loop drive that reaches ``least_excess_work`` as the tick shrinks.

    The mean moves at constant speed v = (T + 2K⁻¹R)⁻¹μ: b(t) = b_initial + R v + K v t, with jumps
    at both ends. Sampled at tick midpoints it is second order in the tick. With inertia M, the
    first and the last tick carry the impulses ±M v besides; as each takes a whole tick, the drive
    is first order then.

    Source: Schmiedl, Seifert (2007), Phys. Rev. Lett. 98, 108301; with inertia Gomez-Marin,
    Schmiedl, Seifert (2008), J. Chem. Phys. 129, 024114.

    Example:
        >>> import ktc
        >>> drive = optimal_drive(ktc.Network(stiffness=1.0, friction=1.0), 5.0, 1.0, ticks=2)
        >>> drive.controls["bias"].ravel().round(4)
        array([2.0833, 2.9167])
    """
    net = gaussian(device)
    final = per_unit("bias", bias, net.units)
    move = np.linalg.solve(net.stiffness, final - net.bias)
    lag = np.linalg.solve(net.stiffness, net.friction)
    speed = np.linalg.solve(positive("duration", duration) * np.eye(net.units) + 2 * lag, move)
    start, slope = net.bias + net.friction @ speed, net.stiffness @ speed
    drive = Protocol.sample(duration, ticks, {"bias": final}, bias=lambda t: start + slope * t)
    if net.inertia is None:
        return drive
    values = drive.controls["bias"].copy()
    values[0] += net.inertia * speed / drive.holds[0]
    values[-1] -= net.inertia * speed / drive.holds[-1]
    return Protocol(drive.holds, {"bias": values}, drive.final)


def least_stiffness_excess_work(
    device: Description, stiffness: ArrayLike, duration: float
) -> float:
    """Least ⟨W⟩ − ΔF of any stiffness drive of one unbiased overdamped unit, from equilibrium.

    With s the width √⟨x²⟩, s₀ = √(kT/k_initial) and s_f = √(kT/k_final),
    W_ex = min over s of R(s − s₀)²/T + kT[½(s²/s_f² − 1) − ln(s/s_f)]: dissipation on the way, and
    what the last jump leaves to relax. The least s is the positive root of
    (k_final + 2R/T) s² − (2R s₀/T) s − kT = 0.

    Args:
        device: one unit without bias and without inertia, at k_initial.
        stiffness: k_final, 1/F on a Board.
        duration: T.

    Raises:
        ValueError: more units, a bias, inertia, or numbers that are not positive.

    Source: Schmiedl, Seifert (2007), Phys. Rev. Lett. 98, 108301, second case study.

    Example:
        >>> import ktc
        >>> unit = ktc.Network(stiffness=1.0, friction=1.0)
        >>> round(least_stiffness_excess_work(unit, 2.0, 1.0), 6)
        0.056345
    """
    net = gaussian(device)
    first, last, rest = _widths(device, stiffness, duration)
    ratio = last / rest
    moving = net.friction[0, 0] * (last - first) ** 2 / duration
    return float(moving + net.common_kT * (0.5 * (ratio**2 - 1) - np.log(ratio)))


def optimal_stiffness_drive(
    device: Description, stiffness: ArrayLike, duration: float, ticks: int
) -> Protocol:
    """The drive that reaches ``least_stiffness_excess_work`` as the tick shrinks.

    The width s moves at constant speed, so ⟨x²⟩ is quadratic in time:
    k(t) = kT/s² − R ṡ/s, with jumps at both ends. It is positive throughout, also for a fast
    widening: before the last jump it is the mean of k_final and kT/s². Sampled at tick midpoints
    it is second order in the tick.

    Raises:
        ValueError: as ``least_stiffness_excess_work``.

    Source: Schmiedl, Seifert (2007), Phys. Rev. Lett. 98, 108301, second case study.

    Example:
        >>> import ktc
        >>> unit = ktc.Network(stiffness=1.0, friction=1.0)
        >>> drive = optimal_stiffness_drive(unit, 2.0, 1.0, ticks=2)
        >>> drive.controls["stiffness"].ravel().round(4)
        array([1.3034, 1.5852])
    """
    net = gaussian(device)
    first, last, _ = _widths(device, stiffness, duration)
    speed = (last - first) / duration

    def held(t: float) -> Array:
        width = first + speed * t
        value: Array = net.common_kT / width**2 - net.friction * speed / width
        return value

    final = square("stiffness", stiffness, 1)
    return Protocol.sample(duration, ticks, {"stiffness": final}, stiffness=held)


def _widths(
    device: Description, stiffness: ArrayLike, duration: float
) -> tuple[float, float, float]:
    """√⟨x²⟩ of one unit: at the start, at the end of the best drive, and in the final rest."""
    net = gaussian(device)
    if net.units != 1 or net.inertia is not None or net.bias[0] != 0:
        raise ValueError(
            "device must be one overdamped unit without bias, but is "
            f"{net!r} with bias {net.bias}; its best stiffness drive has no closed form here"
        )
    final = positive("stiffness", square("stiffness", stiffness, 1)[0, 0])
    pace = 2 * float(net.friction[0, 0]) / positive("duration", duration)
    first = float(np.sqrt(net.common_kT / net.stiffness[0, 0]))
    half = 0.5 * pace * first
    last = (half + np.sqrt(half**2 + (final + pace) * net.common_kT)) / (final + pace)
    return first, float(last), float(np.sqrt(net.common_kT / final))


def linear_transition(drift: ArrayLike, diffusion: ArrayLike, hold: float) -> tuple[Array, Array]:
    """A = e^{Fh} and Q = ∫₀ʰ e^{Fs} D e^{Fᵀs} ds of dz = F z dt + noise of covariance rate D.

    F may be any stable matrix, also non-normal or defective; D may be singular. Short holds by
    Taylor series, longer ones by doubling A and Q = P − A P Aᵀ, which stays exact at any length.

    Args:
        drift: F, shape (n, n), every eigenvalue with a negative real part.
        diffusion: D, shape (n, n), symmetric positive semidefinite.
        hold: positive.

    Raises:
        ValueError: wrong shapes, numbers that are not finite, F not stable, hold not positive.

    Example:
        >>> A, Q = linear_transition([[-1.0]], [[2.0]], 1.0)
        >>> round(float(A[0, 0]), 6), round(float(Q[0, 0]), 6)
        (0.367879, 0.864665)
    """
    return _core.linear_transition(*_linear_system(drift, diffusion), positive("hold", hold))


def stationary_covariance(drift: ArrayLike, diffusion: ArrayLike) -> Array:
    """P with F P + P Fᵀ + D = 0: the stationary covariance of dz = F z dt + noise of rate D.

    Source: Bartels, Stewart (1972), Commun. ACM 15, 820.

    Example:
        >>> stationary_covariance([[-2.0, -1.5], [0.0, -1.0]], [[1.0, 0.0], [0.0, 1.0]]).diagonal()
        array([0.4375, 0.5   ])
    """
    return _core.stationary_covariance(*_linear_system(drift, diffusion))


def _linear_system(drift: ArrayLike, diffusion: ArrayLike) -> tuple[Array, Array]:
    matrix = np.atleast_2d(real_array("drift", drift))
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"drift must be a square matrix, but has shape {matrix.shape}")
    noise = square("diffusion", diffusion, len(matrix))
    if not np.allclose(noise, noise.T, rtol=1e-12, atol=0):
        raise ValueError("diffusion must be symmetric; pass (diffusion + diffusion.T)/2")
    least = float(np.linalg.eigvalsh(noise)[0])
    if least < -1e-12 * float(np.abs(noise).max()):
        raise ValueError(
            f"diffusion must be positive semidefinite, but has the eigenvalue {least:.6g}"
        )
    return matrix, noise


def _resistance(net: Network) -> Array:
    if net.has_friction:
        return net.friction
    core = net.core
    return _symmetric(np.asarray(np.linalg.inv(core.mobility - core.interconnection), np.float64))


def _inverse(matrix: Array) -> Array:
    inverse: Array = scipy.linalg.cho_solve(
        scipy.linalg.cho_factor(matrix, lower=True), np.eye(len(matrix))
    )
    return _symmetric(inverse)


def _symmetric(matrix: Array) -> Array:
    return 0.5 * (matrix + matrix.T)
