"""Exact excess work of learning the mean of a Gaussian network at given rates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, flag, per_unit, positive
from ktc._model.description import Description
from ktc._model.network import Network
from ktc._theory.gaussian import gaussian, inverse


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
        ValueError: inertia, quartic units, no equilibrium.

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
    # Van Loan's block exponential: ∫e^{Aᵀt} S e^{At} dt beside e^{AT}.
    source = lag.T @ flow @ lag
    block = np.block([[-motion.T, source], [np.zeros_like(motion), motion]])
    moved, integral = _moved_and_summed(block, time)
    left = lag @ moved @ start
    return float(start @ integral @ start + 0.5 * left @ inverse(net.stiffness) @ left)


def continuous_excess_work(
    device: Description, target: ArrayLike, duration: float, start: bool = True
) -> float:
    """Excess work of ``schedules.ContinuousMinimalDissipation``, which has no jumps.

    In each mode of K v = λRv of relaxation time τ it is γμ²(T + τ/2)/(T + τ)² with the work of the
    displacement at the start, μτ/(T + τ), which requires the target, and γμ²T/(T + τ)² without.

    Args:
        device: an overdamped Gaussian Network or Board, at its initial bias.
        target: μ, mean of the data, public state, shape (d,).
        duration: T.
        start: whether to include the work of the displacement at the start.

    Raises:
        ValueError: inertia, quartic units, no equilibrium.

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


def _moved_and_summed(block: Array, time: float) -> tuple[Array, Array]:
    """e^{AT} and ∫e^{Aᵀt}Se^{At}dt from Van Loan's block [[−Aᵀ, S], [0, A]].

    The upper half of the block grows while the lower half decays, so that the exponential is taken
    over a short time, and the integral extended by doubling, Q_2h = Q_h + A_hᵀ Q_h A_h.
    """
    half = len(block) // 2
    doublings = max(0, int(np.ceil(np.log2(np.linalg.norm(block, 2) * time))))
    small = scipy.linalg.expm(block * (time / 2**doublings))
    moved = small[half:, half:]
    integral = moved.T @ small[:half, half:]
    for _ in range(doublings):
        integral = integral + moved.T @ integral @ moved
        moved = moved @ moved
    return moved, integral
