"""Spectra in closed form, against impedances: S_v(f) = 4 kT Re Z(f) (Nyquist, 1928)."""

import numpy as np
import pytest

import ktc
from ktc._model.elements import NoiseSource, Resistor
from ktc.spectra import band_covariance, spectral_density

BOLTZMANN = 1.380649e-23


def test_johnson_noise_of_a_cell():
    board = ktc.Board(cells=2, resistance=[1e6, 3e5], capacitance=[1e-12, 2e-12], temperature=290.0)
    frequency = np.array([0.0, 1e4, 1e5, 1e6, 1e8])
    density = spectral_density(board, frequency)
    for cell, (ohms, farads) in enumerate([(1e6, 1e-12), (3e5, 2e-12)]):
        impedance = ohms / (1 + 2j * np.pi * frequency * ohms * farads)
        expected = 4 * BOLTZMANN * 290 * impedance.real
        assert density[:, cell, cell].real == pytest.approx(expected, rel=1e-12)
    assert np.abs(density[:, 0, 1]).max() == 0


def test_resonance_of_a_parallel_circuit():
    ohms, henries, farads, kT = 2e3, 1e-3, 1e-9, 4e-21
    net = ktc.Network.of_elements(
        np.diag([1 / farads, 1 / henries]),
        [Resistor([1, 0], 1 / ohms, "R1")],
        kT,
        interconnection=[[0, -1], [1, 0]],
    )
    frequency = np.geomspace(1e2, 1e8, 25)
    omega = 2 * np.pi * frequency
    impedance = 1 / (1 / ohms + 1j * omega * farads + 1 / (1j * omega * henries))
    density = spectral_density(net, frequency)
    assert density[:, 0, 0].real / farads**2 == pytest.approx(4 * kT * impedance.real, rel=1e-9)
    current = impedance / (1j * omega * henries)
    expected = 4 * kT / ohms * np.abs(current) ** 2
    assert density[:, 1, 1].real / henries**2 == pytest.approx(expected, rel=1e-9)
    # i L = ∫v: charge and flux in one spectrum, with their phase.
    cross = density[:, 1, 0] / (henries * farads)
    assert cross == pytest.approx(density[:, 0, 0] / farads**2 / (1j * omega * henries), rel=1e-9)


def test_inertia_is_the_same_circuit_in_other_words():
    k, m, r, kT = 2.0, 0.3, 0.7, 1.3
    frequency = np.linspace(0, 3, 13)
    omega = 2 * np.pi * frequency
    expected = 4 * kT * r / np.abs(k - m * omega**2 + 1j * omega * r) ** 2
    density = spectral_density(ktc.Network(k, r, kT=kT, inertia=m), frequency)
    assert density.shape == (13, 1, 1)
    assert density[:, 0, 0].real == pytest.approx(expected, rel=1e-12)


def test_noise_behind_a_filter():
    """White noise of two-sided density S through Δf, into k and γ: S_x = 2S/(…)(1 + (f/Δf)²)."""
    net = ktc.Network.of_elements(
        [[2.0]],
        [Resistor([1.0], 0.5, "R1")],
        kT=[0.0],
        noises=[NoiseSource([1.0], 0.7, bandwidth=0.4)],
    )
    frequency = np.linspace(0, 2, 9)
    expected = 2 * 0.7 / (1 + (2 * np.pi * frequency) ** 2) / (1 + (frequency / 0.4) ** 2)
    assert spectral_density(net, frequency)[:, 0, 0].real == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("inertia", [None, [1.0, 0.2, 3.0]])
def test_all_frequencies_make_the_covariance(inertia):
    rng = np.random.default_rng(1)
    square = rng.normal(size=(2, 3, 3))
    stiffness, friction = square @ square.transpose(0, 2, 1) + np.eye(3)
    net = ktc.Network(stiffness, friction, kT=0.6, inertia=inertia)
    # The tails beyond the band are below 1e-6 of the whole: rates of 0.05 to 10, band to 1e8.
    covariance = band_covariance(net, 1e-9, 1e8)
    assert covariance == pytest.approx(0.6 * np.linalg.inv(stiffness), abs=2e-6)


def test_a_band_of_one_cell():
    """∫ 4kTR/(1 + (ωRC)²) df = (2kT/πC) [arctan ωRC]."""
    board = ktc.Board(cells=1, resistance=1e6, capacitance=1e-12, temperature=300.0)
    low, high = 3e4, 5e5
    ends = np.arctan(2 * np.pi * np.array([low, high]) * 1e-6)
    expected = 2 * BOLTZMANN * 300 / (np.pi * 1e-12) * (ends[1] - ends[0])
    assert band_covariance(board, low, high)[0, 0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda net: spectral_density(net, -1.0),
            "frequency must be a non-negative .*, but is -1.0",
        ),
        (lambda net: spectral_density(net, [[1.0]]), "frequency must be"),
        (lambda net: spectral_density(net, np.nan), "frequency must be finite"),
        (lambda net: band_covariance(net, 0.0, 1.0), "low must be positive, but is 0.0"),
        (lambda net: band_covariance(net, 2.0, 1.0), "high must be above low = 2"),
        (lambda net: spectral_density(ktc.Network(1.0, 1.0, quartic=1.0), 1.0), "quartic"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call(ktc.Network(1.0, 1.0))
