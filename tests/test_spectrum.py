"""Voltage spectra of RC cells, in SI: Johnson and Nyquist, through Welch's estimate.

The expectation of a Welch segment is worked out without approximation (reference_drive), so that
the estimate is compared at its error bar; how far that expectation lies from 4kTR/(1 + (ωRC)²) is
compared apart, without noise. Seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.signal

from ktc import Board, Emulator, Network, Protocol
from reference_drive import expected_welch, sampled_spectrum

RESISTANCE, CAPACITANCE, TEMPERATURE = 2e6, 1.5e-12, 310.0
KT = 1.380649e-23 * TEMPERATURE
TAU = RESISTANCE * CAPACITANCE
INTERVAL, SEGMENT, SEGMENTS = 0.05 * TAU, 1024, 4
POINTS = SEGMENT * SEGMENTS
WINDOW = scipy.signal.get_window("hann", SEGMENT)


@pytest.fixture(scope="module")
def recorded():
    board = Board(1, RESISTANCE, CAPACITANCE, TEMPERATURE)
    rest = Protocol.sample(duration=POINTS * INTERVAL, ticks=POINTS)
    return board.emulator(replicas=400, seed=41).play(rest, record="state")


@pytest.fixture(scope="module")
def expected():
    lags = np.arange(SEGMENT) * INTERVAL
    covariance = scipy.linalg.toeplitz(KT / CAPACITANCE * np.exp(-lags / TAU))
    return expected_welch(covariance, WINDOW, INTERVAL)


def johnson(frequency):
    return 4 * KT * RESISTANCE / (1 + (2 * np.pi * frequency * RESISTANCE * CAPACITANCE) ** 2)


def test_spectrum_agrees_with_its_expectation(recorded, expected):
    """All 513 bins at 5σ: false alarm 513 · 5.7e-7 = 3e-4."""
    spectrum = recorded.spectrum(segments=SEGMENTS)
    assert spectrum.frequency.shape == expected.shape
    np.testing.assert_allclose(
        spectrum.frequency, np.arange(SEGMENT // 2 + 1) / (SEGMENT * INTERVAL), rtol=1e-9
    )
    deviations = (spectrum.density - expected) / spectrum.stderr
    assert np.abs(deviations).max() < 5
    # The error bars are right: mean square 1 ± √(2/513), with neighbours correlated by the window
    # (√3 wider at most), at 4σ.
    assert abs(np.mean(deviations**2) - 1) < 4 * np.sqrt(3 * 2 / len(deviations))


def test_expectation_is_johnson_noise(expected):
    """4kTR/(1 + (ωRC)²) from the third bin to ωRC = 6, to 2 %: leakage and aliasing.

    Aliasing adds (ωΔ)²/12 of the density (0.8 % at ωΔ = 0.3); the window's leakage, of relative
    size (τ/segment)² = 4e-4, is felt where the density bends.
    """
    frequency = np.arange(SEGMENT // 2 + 1) / (SEGMENT * INTERVAL)
    band = (np.arange(SEGMENT // 2 + 1) >= 3) & (2 * np.pi * frequency * TAU < 6)
    assert band.sum() > 40
    np.testing.assert_allclose(expected[band], johnson(frequency[band]), rtol=0.02)


def test_measured_plateau_and_corner(recorded):
    """4kTR at low frequency and half of it at ω = 1/RC, band averages at 4σ plus the 1 % above."""
    spectrum = recorded.spectrum(segments=SEGMENTS)
    omega = 2 * np.pi * spectrum.frequency * TAU
    for low, high in ((0.3, 0.6), (0.9, 1.1), (2.0, 3.0)):
        band = (omega > low) & (omega < high) & (np.arange(len(omega)) >= 2)
        ratio = spectrum.density[band] / johnson(spectrum.frequency[band])
        # Neighbours are correlated by the Hann window: the errors are added, not their squares.
        error = np.mean(spectrum.stderr[band] / johnson(spectrum.frequency[band]))
        assert abs(ratio.mean() - 1) < 4 * error + 0.01


def test_integral_is_the_variance(recorded):
    """∫ S df = kT/C at 4σ; a segment of 205 τ loses 2τ/205τ = 1 % with its mean."""
    spectrum = recorded.spectrum(segments=1)
    integral = np.sum(spectrum.density) * spectrum.frequency[1]
    per_replica = recorded.series["state"][:, :, 0].var(axis=0)
    error = per_replica.std(ddof=1) / np.sqrt(per_replica.size)
    assert error < 0.01 * KT / CAPACITANCE
    assert abs(integral - KT / CAPACITANCE * (1 - 2 / 204.8)) < 4 * error


def test_a_long_interval_aliases():
    """Read every 0.7 τ, the spectrum is the aliased one, 2.5 times Johnson's at the Nyquist end.

    257 bins at 5σ: false alarm 1.5e-4. Segments of 358 τ leave leakage and lost mean below the
    error bar from the third bin on.
    """
    board = Board(1, RESISTANCE, CAPACITANCE, TEMPERATURE)
    rest = Protocol.sample(duration=2048 * 0.7 * TAU, ticks=2048)
    run = board.emulator(replicas=200, seed=42).play(rest, record=["state"])
    spectrum = run.spectrum(segments=4)
    exact = sampled_spectrum(spectrum.frequency, KT / CAPACITANCE, TAU, 0.7 * TAU)
    assert exact[-1] > 2 * johnson(spectrum.frequency[-1])
    deviations = (spectrum.density - exact) / spectrum.stderr
    assert np.abs(deviations[3:-1]).max() < 5


def test_reference_spectrum():
    """The aliased closed form sums to the variance and tends to Johnson's as sampling is finer."""
    for ratio in (0.05, 0.7, 3.0):
        grid = (np.arange(4096) + 0.5) / 4096 * 0.5 / ratio  # periodic: midpoints are exact
        density = sampled_spectrum(grid, 2.0, 1.0, ratio)
        assert np.sum(density) * (grid[1] - grid[0]) == pytest.approx(2.0, rel=1e-12)
    fine = sampled_spectrum(np.array([0.0, 0.1, 0.3]), 2.0, 1.0, 1e-3)
    omega = 2 * np.pi * np.array([0.0, 0.1, 0.3])
    np.testing.assert_allclose(fine, 8 / (1 + omega**2), rtol=1e-5)


def test_a_coupled_cell():
    """Second of two coupled cells, from C(t) = e^{Ft} P: its own voltage, its own scale.

    129 bins at 5σ: false alarm 7e-5.
    """
    capacitance = np.array([1e-12, 3e-12])
    stiffness = np.array([[1.0e12, 0.3e12], [0.3e12, 0.4e12]])
    board = Board(2, [1e6, 2e6], capacitance, TEMPERATURE, stiffness=stiffness)
    interval, segment = 0.2e-6, 256
    rest = Protocol.sample(duration=4 * segment * interval, ticks=4 * segment)
    run = board.emulator(replicas=300, seed=43).play(rest, record="state")
    spectrum = run.spectrum(unit=1, segments=4)

    step = scipy.linalg.expm(-np.diag([1e-6, 0.5e-6]) @ stiffness * interval)
    lagged, lags = KT * np.linalg.inv(stiffness), []
    for _ in range(segment):
        lags.append(lagged[1, 1] / 3e-12**2)
        lagged = step @ lagged
    window = scipy.signal.get_window("hann", segment)
    expected = expected_welch(scipy.linalg.toeplitz(lags), window, interval)
    assert np.abs((spectrum.density - expected) / spectrum.stderr).max() < 5


def test_every_second_record_halves_the_bandwidth():
    board = Board(1, RESISTANCE, CAPACITANCE, TEMPERATURE)
    rest = Protocol.sample(duration=64 * TAU, ticks=64)
    run = board.emulator(replicas=3, seed=44).play(rest, record="state", every=2)
    spectrum = run.spectrum(segments=2)
    assert spectrum.frequency[-1] == pytest.approx(0.25 / TAU)
    assert len(spectrum.frequency) == 16 // 2 + 1


def test_error_bar_of_three_replicas():
    """Standard deviation over √3 of the three replicas' own spectra."""
    network = Network(1.0, 1.0)
    rest = Protocol.sample(duration=64.0, ticks=64)
    run = Emulator(network, replicas=3, seed=48).play(rest, record="state")
    apart = [
        Emulator(network, replicas=1, seed=48, first_replica=r)
        .play(rest, record="state")
        .spectrum(segments=2)
        .density
        for r in range(3)
    ]
    together = run.spectrum(segments=2)
    np.testing.assert_allclose(together.density, np.mean(apart, axis=0), rtol=1e-12)
    expected = np.std(apart, axis=0, ddof=1) / np.sqrt(3)
    np.testing.assert_allclose(together.stderr, expected, rtol=1e-12)


def test_one_replica_has_no_error_bar():
    rest = Protocol.sample(duration=64.0, ticks=64)
    run = Emulator(Network(1.0, 1.0), replicas=1, seed=45).play(rest, record="state")
    spectrum = run.spectrum(segments=2)
    assert np.isinf(spectrum.stderr).all()
    assert (spectrum.density > 0).all()


def test_rounded_times_are_equal_intervals():
    """After a rest of 10⁶ the record times are rounded to 1e-10: no uneven hold of 1e-3."""
    holds = np.concatenate([[1e6], np.full(255, 1e-3)])
    emulator = Emulator(Network(1.0, 1e-3), replicas=2, seed=46)
    spectrum = emulator.play(Protocol(holds, {}), record="state").spectrum(segments=2)
    assert spectrum.frequency[-1] == pytest.approx(500.0, rel=1e-6)


def test_refusals():
    network = Network(np.eye(2), 1.0)
    rest = Protocol.sample(duration=8.0, ticks=8)
    run = Emulator(network, replicas=2, seed=47).play(rest, record="state")
    with pytest.raises(ValueError, match="unit must be below 2, but is 2"):
        run.spectrum(unit=2)
    with pytest.raises(ValueError, match="unit must be at least 0, but is -1"):
        run.spectrum(unit=-1)
    with pytest.raises(ValueError, match="at least two records in each, but is 5 for 8 records"):
        run.spectrum(segments=5)
    with pytest.raises(ValueError, match="segments must be at least 1"):
        run.spectrum(segments=0)
    without = Emulator(network, replicas=2, seed=47).play(rest, record="mean")
    with pytest.raises(ValueError, match="record='state'"):
        without.spectrum()
    uneven = Protocol([1.0, 2.0, 1.0, 2.0], {})
    bent = Emulator(network, replicas=2, seed=47).play(uneven, record="state")
    with pytest.raises(ValueError, match="equal intervals"):
        bent.spectrum(segments=1)
