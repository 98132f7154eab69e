"""What rates without jumps, or with a head start, cost a Gaussian network: exact, no sampling."""

from __future__ import annotations

import numpy as np
import scipy  # imports scipy.linalg when it is first used
from numpy.typing import ArrayLike

from ktc._base.validation import Array, per_unit, positive
from ktc._model.description import Description
from ktc._model.network import Network
from ktc._theory.gaussian import gaussian, inverse


def constant_rate_excess_work(
    device: Description, target: ArrayLike, rate: float, duration: float
) -> float:
    """Excess work of learning the mean at a constant rate of the bias, without jumps.

    ḃ = η (μ − m), ṁ = R⁻¹(b − Km), from equilibrium, for infinitely many replicas and a tick that
    shrinks. W_ex = ∫(b − Km)ᵀR⁻¹(b − Km)dt + what is left to relax, ½(b − Km)ᵀK⁻¹(b − Km) at T, by
    one matrix exponential. One unit: ½ηγ[μ² − (μ − m_f)²]/k with distances from the start; in the
    centre's coordinate the rate is η/k².

    Args:
        device: an overdamped Gaussian network at its initial bias.
        target: μ, the data's mean, public state, shape (d,).
        rate: η of ``schedules.Constant`` of the bias.
        duration: T.

    Raises:
        ValueError: inertia, quartic units, no equilibrium.

    Source: Hnybida, Verret (2025), arXiv 2510.03137.

    Example:
        >>> import ktc
        >>> round(constant_rate_excess_work(ktc.Network(1.0, 1.0), 5.0, 0.5, 2.0), 4)
        4.635
    """
    net, way = _way(device, target)
    eta, time = positive("rate", rate), positive("duration", duration)
    d = net.units
    flow = np.linalg.solve(net.friction, np.eye(d))
    # z = (m − μ, b − Kμ); the lag b − Km is z_b − K z_m.
    motion = np.block([[-flow @ net.stiffness, flow], [-eta * np.eye(d), np.zeros((d, d))]])
    lag = np.hstack([-net.stiffness, np.eye(d)])
    start = np.concatenate([-way, -net.stiffness @ way])
    # Van Loan's block exponential: ∫e^{Aᵀt} S e^{At} dt beside e^{AT}.
    source = lag.T @ flow @ lag
    block = np.block([[-motion.T, source], [np.zeros_like(motion), motion]])
    moved, integral = _moved_and_summed(block, time)
    left = lag @ moved @ start
    return float(start @ integral @ start + 0.5 * left @ inverse(net.stiffness) @ left)


def continuous_excess_work(
    device: Description, target: ArrayLike, duration: float, start: bool = True
) -> float:
    """Excess work of the scheme without jumps, ``schedules.ContinuousMinimalDissipation``.

    In each mode of K v = λRv: μ²(T + τ/2)/(T + τ)² with the work of the starting displacement
    μτ/(T + τ), which needs the target; μ²T/(T + τ)² along the path alone (start=False); times γ.

    Args:
        device: an overdamped Gaussian network at its initial bias.
        target: μ, public state.
        duration: T.
        start: whether the starting displacement is paid for.

    Raises:
        ValueError: inertia, quartic units, no equilibrium.

    Source: Hnybida, Verret (2025), arXiv 2510.03137.

    Example:
        >>> import ktc
        >>> unit = ktc.Network(1.0, 1.0)
        >>> continuous_excess_work(unit, 5.0, 1.0), continuous_excess_work(unit, 5.0, 1.0, False)
        (9.375, 6.25)
    """
    net, way = _way(device, target)
    time = positive("duration", duration)
    rates, modes = scipy.linalg.eigh(net.stiffness, net.friction)
    moves, times = modes.T @ net.friction @ way, 1 / rates
    return float(np.sum(moves**2 * (time + 0.5 * start * times) / (time + times) ** 2))


def _way(device: Description, target: ArrayLike) -> tuple[Network, Array]:
    net = gaussian(device)
    if net.inertia is not None or not net.has_friction:
        raise ValueError("device has inertia or inductors; these costs are of overdamped networks")
    goal = per_unit("target", target, net.units) / device.scale
    return net, goal - np.linalg.solve(net.stiffness, net.bias)


def _moved_and_summed(block: Array, time: float) -> tuple[Array, Array]:
    """e^{AT} and ∫e^{Aᵀt}Se^{At}dt from Van Loan's block [[−Aᵀ, S], [0, A]].

    Its upper half grows as its lower one falls, so that it is taken over a short time and the
    integral added up by doubling, Q_2h = Q_h + A_hᵀ Q_h A_h.
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
