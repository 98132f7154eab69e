"""Jarzynski and Crooks on driven networks, out of equilibrium and at kT ≠ 1.

Free energies come from reference_drive, not from the package. "4σ" means that one comparison
fails by chance with probability 6.3e-5 (two-sided normal); every seed is fixed.
"""

from __future__ import annotations

import numpy as np
import pytest

from ktc import Emulator, Network, Protocol
from reference_drive import Reference, stiffness_work_form

K2 = np.array([[2.0, 0.6], [0.6, 1.0]])
R2 = np.array([[1.0, -0.3], [-0.3, 0.7]])
K2_FINAL = np.array([[3.0, -0.4], [-0.4, 1.6]])
REPLICAS = 60_000


def moving():
    """A trap dragged one thermal width in 0.8 τ, 15 ticks: half a kT of excess.

    More would let rare replicas rule ⟨e^{−W/kT}⟩, and its error bar would mean less.
    """
    network = Network(2.0, 1.5, kT=0.6)
    return network, Protocol.ramp(duration=0.6, ticks=15, bias=(0.3, 1.4))


def stiffening():
    """A trap that becomes 2.5 times as stiff in 0.3 τ, 12 ticks."""
    network = Network(0.8, 1.5, kT=0.6)
    return network, Protocol.ramp(duration=0.5, ticks=12, stiffness=(0.9, 2.0))


def coupled():
    """Bias and all couplings at once, over uneven holds."""
    network = Network(K2, R2, kT=1.4, bias=[0.2, -0.1])
    holds = np.array([0.1, 0.4, 0.05, 0.3, 0.2])
    share = np.cumsum(holds) / holds.sum()
    bias = np.outer(share, [0.9, -0.6])
    stiffness = K2 + share[:, None, None] * (K2_FINAL - K2)
    final = {"bias": [1.0, -0.5], "stiffness": K2_FINAL}
    return network, Protocol(holds, {"bias": bias, "stiffness": stiffness}, final)


def ringing():
    """Coupled units with inertia, lightly damped."""
    network = Network(K2, 0.2 * R2, kT=1.4, inertia=[0.5, 2.0])
    stiffness = (K2, K2_FINAL)
    return network, Protocol.ramp(
        duration=2.0, ticks=20, bias=([0.0, 0.0], [1.0, -0.5]), stiffness=stiffness
    )


CASES = [moving, stiffening, coupled, ringing]


def free_energy_change(network, controls):
    reference = Reference(network.stiffness, network.friction, network.kT)
    return reference.free_energy(controls.bias, controls.stiffness) - reference.free_energy(
        network.bias, network.stiffness
    )


def backwards(protocol, start):
    """The same settings in reverse order, down to the controls that held before it."""
    waveforms = {name: values[::-1] for name, values in protocol.controls.items()}
    final = {name: getattr(start, name) for name in waveforms}
    return Protocol(protocol.holds[::-1], waveforms, final)


def forward_and_reverse(case):
    """W of the protocol, W of its reverse from equilibrium at the final controls, ΔF, kT."""
    network, protocol = case()
    run = Emulator(network, replicas=REPLICAS, seed=31).play(protocol)
    other_end = network.with_controls(run.final_controls)
    reverse = backwards(protocol, network.controls)
    back = Emulator(other_end, replicas=REPLICAS, seed=32).play(reverse)
    assert back.final_controls == network.controls
    change = free_energy_change(network, run.final_controls)
    return run.work.samples, back.work.samples, change, network.kT


@pytest.mark.parametrize("case", CASES)
def test_jarzynski(case):
    """⟨e^{−W/kT}⟩ = e^{−ΔF/kT} at 4σ, forward and reverse; and the error bar is worth something."""
    forward, reverse, change, kT = forward_and_reverse(case)
    for work, sign in ((forward, 1.0), (reverse, -1.0)):
        weights = np.exp(-(work - sign * change) / kT)
        stderr = weights.std(ddof=1) / np.sqrt(REPLICAS)
        assert stderr < 0.02
        assert abs(weights.mean() - 1) < 4 * stderr
    # All of these drives are far from reversible: without fluctuations the identity would fail.
    assert np.exp(-(forward.mean() - change) / kT) < 0.9


@pytest.mark.parametrize("case", CASES)
def test_jarzynski_needs_equilibrium(case):
    """The same estimate tells a start out of equilibrium: the identity test can fail."""
    network, protocol = case()
    emulator = Emulator(network, replicas=REPLICAS, seed=33, state=np.full(network.units, 1.5))
    run = emulator.play(protocol)
    change = free_energy_change(network, run.final_controls)
    weights = np.exp(-(run.work.samples - change) / network.kT)
    assert abs(weights.mean() - 1) > 20 * weights.std(ddof=1) / np.sqrt(REPLICAS)


@pytest.mark.parametrize("case", CASES)
def test_crooks_bin_by_bin(case):
    """P_F(W) e^{−(W−ΔF)/kT} = P_R(−W) integrated over 12 bins, exact for any bin width.

    Each bin at 4.5σ: false alarm 12 · 6.8e-6 = 8e-5 in all. Bins hold 500 samples or more of
    either side, so that their scatter is normal.
    """
    forward, reverse, change, kT = forward_and_reverse(case)
    both = np.concatenate([forward, -reverse])
    edges = np.quantile(both, np.linspace(0.03, 0.97, 13))
    compared = 0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (forward >= low) & (forward < high)
        weights = np.where(inside, np.exp(-(forward - change) / kT), 0.0)
        there = (-reverse >= low) & (-reverse < high)
        if min(inside.sum(), there.sum()) < 500:
            continue
        compared += 1
        error = np.sqrt((weights.var(ddof=1) + there.var(ddof=1)) / REPLICAS)
        assert abs(weights.mean() - there.mean()) < 4.5 * error
    assert compared >= 8


@pytest.mark.parametrize("case", CASES)
def test_bennett_from_both_sides(case):
    """⟨1/(1 + e^{(W−ΔF)/kT})⟩ forward = ⟨1/(1 + e^{(W+ΔF)/kT})⟩ reverse at 4σ (Bennett 1976)."""
    forward, reverse, change, kT = forward_and_reverse(case)
    ahead = 1 / (1 + np.exp((forward - change) / kT))
    behind = 1 / (1 + np.exp((reverse + change) / kT))
    error = np.sqrt((ahead.var(ddof=1) + behind.var(ddof=1)) / REPLICAS)
    assert abs(ahead.mean() - behind.mean()) < 4 * error


def test_work_of_stiffening_is_its_quadratic_form():
    """Mean, variance and ⟨e^{−W/(2kT)}⟩ of the stiffening trap against closed forms, 4σ each."""
    network, protocol = stiffening()
    form, covariance = stiffness_work_form(
        0.8, protocol.holds, protocol.controls["stiffness"], 2.0, 1.5, 0.6
    )
    product = form @ covariance
    variance = 2 * np.trace(product @ product)
    run = Emulator(network, replicas=REPLICAS, seed=34).play(protocol)
    samples = run.work.samples
    assert abs(samples.mean() - np.trace(product)) < 4 * np.sqrt(variance / REPLICAS)
    fourth = 48 * np.trace(np.linalg.matrix_power(product, 4))
    scatter = np.sqrt((fourth + 2 * variance**2) / REPLICAS)
    assert abs(samples.var(ddof=1) - variance) < 4 * scatter

    def generating(s):
        return np.linalg.det(np.eye(len(product)) + 2 * s * product) ** -0.5

    half, whole = generating(0.5 / 0.6), generating(1 / 0.6)
    assert whole == pytest.approx(np.sqrt(0.8 / 2.0), rel=1e-12)  # Jarzynski, exactly
    measured = np.exp(-samples / 1.2).mean()
    assert abs(measured - half) < 4 * np.sqrt((whole - half**2) / REPLICAS)


@pytest.mark.parametrize("case", CASES)
def test_second_law(case):
    """Excess work of either direction is positive by more than 20 error bars here."""
    forward, reverse, change, _ = forward_and_reverse(case)
    for work, sign in ((forward, 1.0), (reverse, -1.0)):
        excess = work.mean() - sign * change
        assert excess > 20 * work.std(ddof=1) / np.sqrt(REPLICAS)
