"""Slow, readable references for driven linear networks: moment equations, no random numbers.

Everything here follows from two facts about held controls: a linear network is Gaussian with
z′ = A z + c + N(0, Q) over a hold, and an update θ → θ′ costs H(z; θ′) − H(z; θ). Nothing is
imported from the package under test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg


@dataclass
class Reference:
    """The numbers that make a network: stiffness K, friction R, kT, and inertia M or None."""

    stiffness: np.ndarray
    friction: np.ndarray
    kT: float = 1.0
    inertia: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.stiffness = np.atleast_2d(np.asarray(self.stiffness, dtype=float))
        friction = np.asarray(self.friction, dtype=float)
        d = len(self.stiffness)
        self.friction = friction if friction.ndim == 2 else np.diag(friction * np.ones(d))
        if self.inertia is not None:
            self.inertia = np.asarray(self.inertia, dtype=float) * np.ones(d)

    @property
    def units(self) -> int:
        return len(self.stiffness)

    def drift(self, stiffness: np.ndarray) -> np.ndarray:
        """F of dz = F (z − z*) dt + noise, z = x or (x, p)."""
        if self.inertia is None:
            return -np.linalg.solve(self.friction, stiffness)
        over_mass = np.diag(1 / self.inertia)
        return np.block(
            [[np.zeros_like(over_mass), over_mass], [-stiffness, -self.friction @ over_mass]]
        )

    def equilibrium_covariance(self, stiffness: np.ndarray) -> np.ndarray:
        """kT K⁻¹ for x, kT M for p."""
        covariance = self.kT * np.linalg.inv(stiffness)
        if self.inertia is None:
            return covariance
        return scipy.linalg.block_diag(covariance, self.kT * np.diag(self.inertia))

    def rest(self, bias: np.ndarray, stiffness: np.ndarray) -> np.ndarray:
        """The fixed point z* = (K⁻¹b, 0)."""
        point = np.linalg.solve(stiffness, bias)
        return point if self.inertia is None else np.concatenate([point, np.zeros_like(point)])

    def hold(self, stiffness: np.ndarray, duration: float) -> tuple[np.ndarray, np.ndarray]:
        """A = e^{Fh} and Q = P − A P Aᵀ with P the equilibrium at this stiffness."""
        decay = scipy.linalg.expm(self.drift(stiffness) * duration)
        covariance = self.equilibrium_covariance(stiffness)
        return decay, covariance - decay @ covariance @ decay.T

    def free_energy(self, bias: np.ndarray, stiffness: np.ndarray) -> float:
        """−kT ln ∫ e^{−H/kT} dx up to what does not depend on bias and stiffness."""
        log_determinant = float(np.linalg.slogdet(stiffness)[1])
        pulled = float(bias @ np.linalg.solve(stiffness, bias))
        return 0.5 * self.kT * log_determinant - 0.5 * pulled


@dataclass
class Moments:
    """First and second moments of the state and of the work."""

    mean: np.ndarray
    covariance: np.ndarray
    work: float
    work_variance: float
    excess_work: float


def bias_drive(
    network: Reference,
    start: np.ndarray,
    holds: np.ndarray,
    biases: np.ndarray,
    final: np.ndarray,
) -> Moments:
    """A held bias drive from equilibrium at ``start``: exact mean and variance of the work.

    (z, W) is Gaussian. An update Δb adds −Δb·x to W; a hold moves z alone.
    """
    stiffness, d = network.stiffness, network.units
    bias = np.asarray(start, dtype=float)
    mean = network.rest(bias, stiffness)
    covariance = network.equilibrium_covariance(stiffness)
    with_work = np.zeros(len(mean))  # Cov(z, W)
    work = variance = 0.0
    maps = {h: network.hold(stiffness, h) for h in set(np.asarray(holds).tolist())}
    for hold, following in [*zip(holds, biases), (None, final)]:
        change = np.zeros(len(mean))
        change[:d] = -(following - bias)  # dW = change · z
        bias = np.asarray(following, dtype=float)
        work += float(change @ mean)
        variance += float(change @ covariance @ change + 2 * change @ with_work)
        with_work = with_work + covariance @ change
        if hold is None:
            continue
        decay, noise = maps[float(hold)]
        rest = network.rest(bias, stiffness)
        mean = rest + decay @ (mean - rest)
        covariance = decay @ covariance @ decay.T + noise
        with_work = decay @ with_work
    before = network.free_energy(np.asarray(start, dtype=float), stiffness)
    free_energy_change = network.free_energy(bias, stiffness) - before
    return Moments(mean, covariance, work, variance, work - free_energy_change)


def mean_work(
    network: Reference,
    start: tuple[np.ndarray, np.ndarray],
    holds: np.ndarray,
    settings: list[tuple[np.ndarray, np.ndarray]],
    final: tuple[np.ndarray, np.ndarray],
) -> Moments:
    """Bias and stiffness held at ``settings`` tick by tick, from equilibrium: the mean work.

    ⟨H(x; θ′) − H(x; θ)⟩ = ½ tr[ΔK (P + m mᵀ)] − Δb·m. The variance of the work is not given.
    """
    d = network.units
    bias, stiffness = start
    mean = network.rest(bias, stiffness)
    covariance = network.equilibrium_covariance(stiffness)
    work = 0.0
    for hold, following in [*zip(holds, settings), (None, final)]:
        m, p = mean[:d], covariance[:d, :d]
        work += 0.5 * float(np.trace((following[1] - stiffness) @ (p + np.outer(m, m))))
        work -= float((following[0] - bias) @ m)
        bias, stiffness = following
        if hold is None:
            continue
        decay, noise = network.hold(stiffness, hold)
        rest = network.rest(bias, stiffness)
        mean = rest + decay @ (mean - rest)
        covariance = decay @ covariance @ decay.T + noise
    change = network.free_energy(bias, stiffness) - network.free_energy(*start)
    return Moments(mean, covariance, work, np.nan, work - change)


def stiffness_work_form(
    k_start: float, holds: np.ndarray, k: np.ndarray, k_final: float, friction: float, kT: float
) -> tuple[np.ndarray, np.ndarray]:
    """One overdamped unit without bias, stiffness driven: W = xᵀ D x with x ~ N(0, C).

    x are the states at the updates. With D and C, exactly: mean tr DC, variance 2 tr (DC)²,
    ⟨e^{−sW}⟩ = det(1 + 2 s D C)^(−½).
    """
    variances = [kT / k_start]
    decays = []
    for hold, value in zip(holds, k):
        decay = np.exp(-value * hold / friction)
        decays.append(decay)
        variances.append(decay**2 * variances[-1] + kT / value * (1 - decay**2))
    n = len(variances)
    covariance = np.empty((n, n))
    for i in range(n):
        covariance[i, i] = variances[i]
        for j in range(i + 1, n):
            covariance[i, j] = covariance[j, i] = covariance[i, j - 1] * decays[j - 1]
    changes = np.diff(np.concatenate([[k_start], k, [k_final]]))
    return np.diag(0.5 * changes), covariance


def sampled_spectrum(
    frequency: np.ndarray, variance: float, relaxation_time: float, interval: float
) -> np.ndarray:
    """One-sided density of an Ornstein–Uhlenbeck process read at equal intervals Δ, exactly.

    2Δ Σ_k C(kΔ) cos ωkΔ = 2Δσ² (1 − a²)/(1 − 2a cos ωΔ + a²), a = e^{−Δ/τ}: a geometric series.
    It integrates to the variance over 0 … 1/(2Δ), and tends to 4σ²τ/(1 + (ωτ)²) as Δ → 0.
    """
    a = np.exp(-interval / relaxation_time)
    phase = 2 * np.pi * frequency * interval
    return 2 * interval * variance * (1 - a**2) / (1 - 2 * a * np.cos(phase) + a**2)


def expected_welch(covariance: np.ndarray, window: np.ndarray, interval: float) -> np.ndarray:
    """Expectation of one Hann segment's one-sided periodogram, mean removed: no approximation.

    Y = DFT of w·(x − mean x) is linear in x, so ⟨|Y_f|²⟩ is a quadratic form in the covariance of
    the segment. Leakage of the window and the loss of the mean are in it.
    """
    n = len(window)
    transform = np.fft.fft(np.diag(window) @ (np.eye(n) - 1 / n), axis=0)[: n // 2 + 1]
    power = np.real(np.einsum("fi,ij,fj->f", transform, covariance, transform.conj()))
    density = power * interval / np.sum(window**2)
    density[1:] *= 2
    if n % 2 == 0:
        density[-1] /= 2
    return density
