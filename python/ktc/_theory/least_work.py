"""Excess work of Gaussian networks in closed form: the least, and that of learning rules."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, flag, per_unit, positive, refusing_overflow, square
from ktc._model.description import Description
from ktc._model.network import Network
from ktc._model.protocol import Protocol
from ktc._theory.gaussian import gaussian, inverse


def least_excess_work(device: Description, bias: ArrayLike, duration: float) -> float:
    """Least excess work ⟨W⟩ − ΔF of all bias drives to ``bias`` in ``duration``, from equilibrium.

    W_ex = μᵀR(T + 2K⁻¹R)⁻¹μ with μ = K⁻¹(b_final − b_initial) and the friction matrix R. With
    inertia the bound is the same; impulses of the bias at both ends reach it in the limit of
    vanishing ticks.

    Args:
        device: a Gaussian Network or Board, at its initial bias.
        bias: b_final, scalar or (d,), volts on a Board.
        duration: T.

    Raises:
        ValueError: nonlinear units, no equilibrium, inductors.

    Source: Schmiedl, Seifert (2007), Phys. Rev. Lett. 98, 108301; Gomez-Marin, Schmiedl,
    Seifert (2008), J. Chem. Phys. 129, 024114.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> round(ktc.theory.least_excess_work(net, bias=5.0, duration=1.0), 6)
        8.333333
    """
    net = gaussian(device)
    if not net.has_friction:
        raise ValueError(
            "device must not have inductors between its nodes, because the least work of such "
            "circuits has no closed form here"
        )
    goal = per_unit("bias", bias, net.units)
    move = np.asarray(np.linalg.solve(net.stiffness, goal - net.bias), np.float64)
    return least_work_of_move(move, net, positive("duration", duration))


@refusing_overflow("bias or target")
def least_work_of_move(move: Array, net: Network, time: float) -> float:
    """μᵀR(T + 2K⁻¹R)⁻¹μ, the least excess work of moving the mean by μ in the time T."""
    metric = time * inverse(net.friction) + 2 * inverse(net.stiffness)
    return float(move @ np.linalg.solve(metric, move))


def optimal_drive(device: Description, bias: ArrayLike, duration: float, ticks: int) -> Protocol:
    """Open-loop bias drive that reaches ``least_excess_work`` in the limit of vanishing ticks.

    The mean moves at constant speed v = (T + 2K⁻¹R)⁻¹μ: b(t) = b_initial + R v + K v t, with jumps
    at both ends. Sampled at tick midpoints, its excess work is second order in the tick. With
    inertia M, the first and the last tick also carry the impulses ±M v; each takes a whole tick, so
    that the excess work is then first order.

    Args:
        device, bias, duration: as for ``least_excess_work``.
        ticks: number of equal ticks.

    Raises:
        ValueError: nonlinear units, no equilibrium.

    Source: Schmiedl, Seifert (2007), Phys. Rev. Lett. 98, 108301; with inertia Gomez-Marin,
    Schmiedl, Seifert (2008), J. Chem. Phys. 129, 024114.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> drive = ktc.theory.optimal_drive(net, bias=5.0, duration=1.0, ticks=2)
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
    """Least excess work ⟨W⟩ − ΔF of all stiffness drives of one unbiased overdamped unit.

    With s the width √⟨x²⟩, s₀ = √(kT/k_initial) and s_f = √(kT/k_final), from equilibrium,
    W_ex = min over s of R(s − s₀)²/T + kT[½(s²/s_f² − 1) − ln(s/s_f)]: the dissipation during the
    drive, and of the relaxation after the last jump. The optimal s is the positive root of
    (k_final + 2R/T) s² − (2R s₀/T) s − kT = 0.

    Args:
        device: one unit without bias and without inertia, at k_initial.
        stiffness: k_final, 1/F on a Board.
        duration: T.

    Raises:
        ValueError: more than one unit, a bias, inertia, or numbers that are not positive.

    Source: Schmiedl, Seifert (2007), Phys. Rev. Lett. 98, 108301, second case study.

    Example:
        >>> import ktc
        >>> unit = ktc.Network(stiffness=1.0, friction=1.0)
        >>> round(ktc.theory.least_stiffness_excess_work(unit, stiffness=2.0, duration=1.0), 6)
        0.056345
    """
    net, (first, last, rest) = gaussian(device), _widths(device, stiffness, duration)
    ratio = last / rest
    moving = net.friction[0, 0] * (last - first) ** 2 / duration
    return float(moving + net.common_kT * (0.5 * (ratio**2 - 1) - np.log(ratio)))


def optimal_stiffness_drive(
    device: Description, stiffness: ArrayLike, duration: float, ticks: int
) -> Protocol:
    """Stiffness drive that reaches ``least_stiffness_excess_work`` in the limit of vanishing ticks.

    The width s changes at constant speed: k(t) = kT/s² − R ṡ/s, with jumps at both ends. It is
    positive at all times, also for a fast widening, because before the last jump it is the mean of
    k_final and kT/s². Sampled at tick midpoints, its excess work is second order in the tick.

    Args:
        device, stiffness, duration: as for ``least_stiffness_excess_work``.
        ticks: number of equal ticks.

    Raises:
        ValueError: as for ``least_stiffness_excess_work``.

    Source: Schmiedl, Seifert (2007), Phys. Rev. Lett. 98, 108301, second case study.

    Example:
        >>> import ktc
        >>> unit = ktc.Network(stiffness=1.0, friction=1.0)
        >>> drive = ktc.theory.optimal_stiffness_drive(unit, stiffness=2.0, duration=1.0, ticks=2)
        >>> drive.controls["stiffness"].ravel().round(4)
        array([1.3034, 1.5852])
    """
    net, (first, last, _) = gaussian(device), _widths(device, stiffness, duration)
    speed = (last - first) / duration

    def held(t: float) -> Array:
        width = first + speed * t
        return np.asarray(net.common_kT / width**2 - net.friction * speed / width)

    final = square("stiffness", stiffness, 1)
    return Protocol.sample(duration, ticks, {"stiffness": final}, stiffness=held)


def _widths(
    device: Description, stiffness: ArrayLike, duration: float
) -> tuple[float, float, float]:
    """√⟨x²⟩ of one unit: at the start, at the end of the optimal drive, in equilibrium after."""
    net = gaussian(device)
    if net.units != 1 or net.inertia is not None or net.bias[0] != 0:
        raise ValueError(
            "device must be one overdamped unit without bias, but is "
            f"{net!r} with bias {net.bias}; its optimal stiffness drive has no closed form here"
        )
    final = positive("stiffness", square("stiffness", stiffness, 1)[0, 0])
    pace = 2 * float(net.friction[0, 0]) / positive("duration", duration)
    first = float(np.sqrt(net.common_kT / net.stiffness[0, 0]))
    half = 0.5 * pace * first
    last = (half + np.sqrt(half**2 + (final + pace) * net.common_kT)) / (final + pace)
    return first, float(last), float(np.sqrt(net.common_kT / final))


@refusing_overflow("target, rate or duration")
def constant_rate_excess_work(
    device: Description, target: ArrayLike, rate: float, duration: float
) -> float:
    """Excess work of learning the mean at a constant rate of the bias, without jumps.

    ḃ = η (μ − m), ṁ = R⁻¹(b − Km), from equilibrium, in the limit of infinitely many replicas and
    vanishing ticks. W_ex = ∫(b − Km)ᵀR⁻¹(b − Km)dt + ½(b − Km)ᵀK⁻¹(b − Km), where the last term is
    the energy left to relax at T, by one matrix exponential. For one unit it is
    ½ηγ[μ² − (μ − m_f)²]/k, with distances from the start; in the coordinate of the center the rate
    is η/k².

    Args:
        device: an overdamped Gaussian Network or Board, at its initial bias.
        target: μ, mean of the data, public state, shape (d,).
        rate: η, as of ``schedules.Constant`` for the bias.
        duration: T.

    Raises:
        ValueError: inertia, nonlinear units, no equilibrium.

    Source: Hnybida, Verret (2025), arXiv 2510.03137.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> round(ktc.theory.constant_rate_excess_work(net, 5.0, rate=0.5, duration=2.0), 4)
        4.635
    """
    net, move = _network_and_move(device, target)
    eta, time = positive("rate", rate), positive("duration", duration)
    d = net.units
    flow = np.linalg.solve(net.friction, np.eye(d))
    # z = (m − μ, b − Kμ); the lag b − Km is z_b − K z_m.
    motion = np.block([[-flow @ net.stiffness, flow], [-eta * np.eye(d), np.zeros((d, d))]])
    lag = np.hstack([-net.stiffness, np.eye(d)])
    start = np.concatenate([-move, -net.stiffness @ move])
    moved, integral = _moved_and_summed(motion, lag.T @ flow @ lag, time)
    left = lag @ moved @ start
    return float(start @ integral @ start + 0.5 * left @ inverse(net.stiffness) @ left)


@refusing_overflow("target or duration")
def continuous_excess_work(
    device: Description, target: ArrayLike, duration: float, start: bool = True
) -> float:
    """Excess work of ``schedules.ContinuousMinimalDissipation``, which has no jumps.

    In each mode of K v = λRv of relaxation time τ it is γμ²(T + τ/2)/(T + τ)² with the work of the
    displacement at the start, μτ/(T + τ), which requires the target, and γμ²T/(T + τ)² without.

    Args:
        device, target, duration: as for ``theory.constant_rate_excess_work``.
        start: whether to include the work of the displacement at the start.

    Raises:
        ValueError: inertia, nonlinear units, no equilibrium.

    Source: Hnybida, Verret (2025), arXiv 2510.03137.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> ktc.theory.continuous_excess_work(net, 5.0, duration=1.0)
        9.375
        >>> ktc.theory.continuous_excess_work(net, 5.0, duration=1.0, start=False)
        6.25
    """
    net, move = _network_and_move(device, target)
    time = positive("duration", duration)
    rates, modes = scipy.linalg.eigh(net.stiffness, net.friction)
    moves, times = modes.T @ net.friction @ move, 1 / rates
    return float(
        np.sum(moves**2 * (time + 0.5 * flag("start", start) * times) / (time + times) ** 2)
    )


def _network_and_move(device: Description, target: ArrayLike) -> tuple[Network, Array]:
    """The network, and the move of its mean to the target."""
    net = gaussian(device)
    if net.inertia is not None or not net.has_friction:
        raise ValueError("device must be overdamped, but has inertia or inductors")
    goal = per_unit("target", target, net.units) / device.scale
    return net, goal - np.linalg.solve(net.stiffness, net.bias)


@refusing_overflow("rate or duration")
def _moved_and_summed(motion: Array, source: Array, time: float) -> tuple[Array, Array]:
    """e^{AT} and ∫e^{Aᵀt}Se^{At}dt from Van Loan's block [[−Aᵀ, S], [0, A]].

    The upper half of the block grows while the lower half decays, so that the exponential is taken
    over a short time, and the integral extended by doubling, Q_2h = Q_h + A_hᵀ Q_h A_h.
    """
    half = len(motion)
    block = np.block([[-motion.T, source], [np.zeros_like(motion), motion]])
    doublings = max(0, int(np.ceil(np.log2(np.linalg.norm(block, 2) * time))))
    small = scipy.linalg.expm(block * (time / 2**doublings))
    moved = small[half:, half:]
    integral = moved.T @ small[:half, half:]
    for _ in range(doublings):
        integral = integral + moved.T @ integral @ moved
        moved = moved @ moved
    return moved, integral
