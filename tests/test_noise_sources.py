"""Noise generators, which inject energy and are no bath: white and behind a low-pass filter.

References are Lyapunov's equation (scipy) of the state augmented by its filters, closed forms of
the injected power, and the exact moments of the sub-steps. "4σ" is a false alarm of 6.3e-5 a
comparison; all seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ensembles import covariance_near, device, near
from ktc._model.elements import NoiseSource
from ktc._model.elements import Resistor as Element
from reference_motion import Circuit, Noise, Resistor, order_of, zero_state
from refusal import refused


def array_of_rlc(cells, resistance, seed=5, kappa=0.02):
    """RLC cells joined by capacitors, white noise into each: L di = v dt, C dv = −(v/R + i) dt + …

    State (charges C v, fluxes L i), as in the eight-cell unit of Melanson et al., Nat. Commun. 16,
    3757 (2025); resistors without noise of their own, √(2κ₀) dW of current into every node.
    """
    rng = np.random.default_rng(seed)
    joined = rng.uniform(0.05, 0.3, (cells, cells))
    joined = np.triu(joined, 1) + np.triu(joined, 1).T
    capacitance = np.diag(1.0 + joined.sum(axis=1)) - joined
    inductance = rng.uniform(0.5, 2.0, cells)
    zero = np.zeros((cells, cells))
    stiffness = np.block([[np.linalg.inv(capacitance), zero], [zero, np.diag(1 / inductance)]])
    interconnection = np.block([[zero, -np.eye(cells)], [np.eye(cells), zero]])
    node = np.eye(2 * cells)[:cells]
    circuit = Circuit(
        (stiffness + stiffness.T) / 2,
        [Resistor(d, 1 / r, 0.0) for d, r in zip(node, np.broadcast_to(resistance, cells))],
        interconnection=interconnection,
        noises=[Noise(d, 2 * kappa) for d in node],
    )
    return circuit, capacitance, inductance


def test_rlc_array_is_a_gaussian_sampler():
    """Cov v = κ₀R C⁻¹ and Cov i = κ₀R L⁻¹ with noiseless resistors, at 4.5σ, from rest too."""
    resistance, kappa = 0.7, 0.02
    circuit, capacitance, inductance = array_of_rlc(3, resistance, kappa=kappa)
    closed = np.zeros((6, 6))
    closed[:3, :3] = kappa * resistance * capacitance
    closed[3:, 3:] = kappa * resistance * np.diag(inductance)
    _, covariance = circuit.stationary()
    assert covariance == pytest.approx(closed, abs=1e-12)
    for options, duration in (({}, 1.0), ({"state": np.zeros(6)}, 25.0)):
        emulator = device(circuit, 20_000, 71, resolve_heat=True, dt=0.1, **options)
        assert not np.any(emulator.controls.kT)
        emulator.run(duration)
        z = emulator.read()
        voltages = z[:, :3] @ np.linalg.inv(capacitance)
        currents = z[:, 3:] / inductance
        relative = {"relative_bias": 2e-3}
        assert covariance_near(
            voltages, kappa * resistance * np.linalg.inv(capacitance), **relative
        )
        assert covariance_near(currents, kappa * resistance * np.diag(1 / inductance), **relative)
        assert covariance_near(z, closed, **relative)
        assert emulator.ledger.imbalance() < 1e-12


def test_injected_power_and_where_it_goes():
    """Each white source injects ½S aᵀ𝒦a whatever the state is; resistors take all of it, 4σ."""
    circuit, capacitance, _ = array_of_rlc(3, 0.7)
    power = 0.02 * np.trace(np.linalg.inv(capacitance))
    emulator = device(circuit, 20_000, 72, resolve_heat=True, dt=0.1)
    emulator.run(10.0)
    books = emulator.ledger
    assert near(books.injected / 10.0, [power])
    assert near(books.heat / 10.0, [power])
    assert not books.work.any() and not books.source.any()
    assert not books.entropy_flow.any()
    assert books.imbalance() < 1e-12
    # The same injection into a state far out: it does not know it.
    far = device(circuit, 20_000, 73, resolve_heat=True, dt=0.1, state=np.full(6, 3.0))
    far.run(0.1)
    assert near(far.ledger.injected / 0.1, [power])


@pytest.mark.parametrize(("spread", "low", "high"), [(0.01, 0.002, 0.02), (0.05, 0.015, 0.08)])
def test_spread_of_resistors_biases_the_covariance(spread, low, high):
    """R drawn with 1 % / 5 %: Cov v differs from κ₀R C⁻¹ by about that much in Frobenius norm.

    By Lyapunov's equation, root mean square over 20 draws; the package solves the same equation.
    """
    rng, kappa = np.random.default_rng(7), 0.02
    biases = []
    for _ in range(20):
        circuit, capacitance, _ = array_of_rlc(8, 0.7 * (1 + spread * rng.normal(size=8)))
        drift, _, diffusion = circuit.motion()
        covariance = ktc.theory.stationary_covariance(drift, diffusion)
        assert covariance == pytest.approx(circuit.stationary()[1], abs=1e-10)
        inverse = np.linalg.inv(capacitance)
        voltages = inverse @ covariance[:8, :8] @ inverse
        ideal = kappa * 0.7 * inverse
        biases.append(np.linalg.norm(voltages - ideal) / np.linalg.norm(ideal))
    assert low < np.sqrt(np.mean(np.square(biases))) < high


def test_spread_of_resistors_on_the_engine():
    """One array with R spread by 30 %: samples follow Lyapunov's equation, not κ₀R C⁻¹; 4.5σ.

    The bias of the step is 1.5 % at dt = 0.1, a quarter of that at half of it.
    """
    rng = np.random.default_rng(8)
    circuit, capacitance, inductance = array_of_rlc(3, 0.7 * (1 + 0.3 * rng.normal(size=3)))
    covariance = circuit.stationary()[1]
    width = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    biased = [circuit.split(np.zeros(6), covariance, dt, round(5 / dt)) for dt in (0.1, 0.05)]
    bias = [np.abs((split.covariance - covariance) / width).max() for split in biased]
    assert bias[0] < 0.02 and bias[1] < 0.3 * bias[0]
    emulator = device(circuit, 60_000, 74, resolve_heat=True, dt=0.1)
    assert covariance_near(emulator.read(), covariance)
    emulator.run(5.0)
    ideal = np.zeros((6, 6))
    ideal[:3, :3], ideal[3:, 3:] = 0.014 * capacitance, 0.014 * np.diag(inductance)
    assert covariance_near(emulator.read(), biased[0].covariance)
    assert not covariance_near(emulator.read(), ideal, relative_bias=0.02)


def filtered_circuit(rate):
    """An RC node and an RLC node, each under noise behind filters, one of them shared white."""
    stiffness = np.diag([1.0, 2.0, 0.5])
    interconnection = np.array([[0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    resistors = [Resistor([1, 0, 0], 1.0, 0.3), Resistor([1, -1, 0], 0.5, 0.3)]
    noises = [
        Noise([1, 0, 0], 0.8, rate),
        Noise([0, 1, 0], 0.1),
        Noise([1, 2, 0], 0.3, 3 * rate),
    ]
    return Circuit(stiffness, resistors, interconnection=interconnection, noises=noises)


@pytest.mark.parametrize("rate", [0.05, 1.0, 40.0])
def test_low_pass_noise(rate):
    """State, injected power and heats against the augmented Lyapunov equation, 4.5σ and 4σ.

    Filters slower and faster than the circuit: from the stationary state, through 5 time units.
    """
    circuit, duration, dt = filtered_circuit(rate), 5.0, 0.05
    mean, covariance = circuit.stationary()
    powers = circuit.powers(mean, covariance)
    assert powers[:2].sum() == pytest.approx(powers[3], rel=1e-9)
    split = circuit.split(mean, covariance, dt, round(duration / dt))
    assert split.injected == pytest.approx(powers[3] * duration, rel=5e-3)
    emulator = device(circuit, 40_000, 75, resolve_heat=True, dt=dt)
    assert covariance_near(emulator.read(), covariance[:3, :3])
    emulator.run(duration)
    books = emulator.ledger
    assert covariance_near(emulator.read(), split.covariance[:3, :3])
    assert near(books.injected, [split.injected])
    assert near(books.heat_per_resistor, split.heat)
    assert books.imbalance() < 1e-12


def test_a_wide_filter_is_white_and_a_narrow_one_is_slow():
    """Var q of an RC node: S R/2 · 1/(1 + 1/λRC), at λRC = 1e4, 1 and 1e-3, against the sampler."""
    for rate in (1e4, 1.0, 1e-3):
        circuit = Circuit(np.eye(1), [Resistor([1.0], 1.0, 0.0)], noises=[Noise([1.0], 2.0, rate)])
        expected = 1 / (1 + 1 / rate)
        assert circuit.stationary()[1][0, 0] == pytest.approx(expected, rel=1e-9)
        emulator = device(circuit, 40_000, 76, resolve_heat=True, dt=0.02)
        emulator.run(1.0)
        assert covariance_near(emulator.read(), np.array([[expected]]), relative_bias=1e-3)


def test_filters_start_stationary_where_a_state_is_given():
    """From z = 0 by hand, filters are in their own stationary state, and stay in it; 4.5σ, 4σ.

    Reference: exact moments of the sub-steps, with the filters' covariance ½λS at the start. If the
    filters started at rest, the injected energy would be a third less.
    """
    circuit, dt, steps = filtered_circuit(1.0), 0.05, 20
    split = circuit.split(*zero_state(circuit), dt, steps)
    rest = circuit.split(np.zeros(5), np.zeros((5, 5)), dt, steps)
    assert rest.injected < 0.8 * split.injected
    emulator = device(circuit, 40_000, 77, resolve_heat=True, dt=dt, state=np.zeros(3))
    for _ in range(2):
        emulator.run(dt * steps)
        assert covariance_near(emulator.read(), split.covariance[:3, :3])
        assert near(emulator.ledger.injected, [split.injected])
        emulator.reset()


def test_engine_has_the_moments_of_long_steps():
    """Steps as long as the filters: mean, covariance, heats and injection at 4.5σ, no bias."""
    circuit, dt = filtered_circuit(1.0), 0.8
    mean, covariance = zero_state(circuit)
    mean[:3] = [1.0, -1.0, 2.0]
    split = circuit.split(mean, covariance, dt, 3)
    emulator = device(circuit, 100_000, 78, resolve_heat=True, dt=dt, state=mean[:3])
    emulator.run(3 * dt)
    z = emulator.read()
    assert near(z, split.mean[:3], sigmas=4.5)
    assert covariance_near(z - split.mean[:3], split.covariance[:3, :3])
    assert near(emulator.ledger.injected, [split.injected], sigmas=4.5)
    assert near(emulator.ledger.heat_per_resistor, split.heat, sigmas=4.5)


def test_injection_is_second_order_in_the_step():
    """Slope 2 ± 0.1 of the errors of heats and injected energy, exact moments of the sub-steps."""
    circuit, duration, counts = filtered_circuit(1.0), 2.0, [10, 20, 40, 80]
    start = zero_state(circuit)
    exact = circuit.evolve(*start, duration)
    split = [circuit.split(*start, duration / n, n) for n in counts]
    steps = [duration / n for n in counts]
    assert order_of(steps, [s.injected - exact.injected for s in split]) == pytest.approx(
        2, abs=0.1
    )
    for r in range(2):
        assert order_of(steps, [s.heat[r] - exact.heat[r] for s in split]) == pytest.approx(
            2, abs=0.1
        )


def test_matrix_inversion_by_injected_currents():
    """White currents into RC nodes of equal C, noiseless G: covariance ∝ G⁻¹, 4.5σ.

    C dv = −G v dt + √S dW has the covariance ½S C⁻¹G⁻¹.
    """
    conductance = np.array([[1.2, -0.4, 0.0], [-0.4, 1.5, -0.3], [0.0, -0.3, 0.8]])
    bridges = [([1, -1, 0], 0.4), ([0, 1, -1], 0.3)]
    grounds = [([1, 0, 0], 0.8), ([0, 1, 0], 0.8), ([0, 0, 1], 0.5)]
    density, capacitance = 0.1, 2.0
    circuit = Circuit(
        np.eye(3) / capacitance,
        [Resistor(d, g, 0.0) for d, g in [*bridges, *grounds]],
        noises=[Noise(np.eye(3)[i], density) for i in range(3)],
    )
    expected = 0.5 * density / capacitance * np.linalg.inv(conductance)
    assert circuit.stationary()[1] / capacitance**2 == pytest.approx(expected, rel=1e-10)
    emulator = device(circuit, 40_000, 79, resolve_heat=True, dt=0.2)
    emulator.run(2.0)
    assert covariance_near(emulator.read() / capacitance, expected, relative_bias=3e-3)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"density": 0.0}, ("noises[0].density must be positive", "0.0")),
        ({"density": -1.0}, ("noises[0].density must be positive", "-1.0")),
        ({"density": np.inf}, ("noises[0].density must be finite",)),
        ({"density": 1.0, "bandwidth": 0.0}, ("noises[0].bandwidth must be positive", "0.0")),
        ({"density": 1.0, "direction": [1.0]}, ("noises[0].direction", "(2,)", "(1,)")),
    ],
)
def test_bad_noise_sources(options, parts):
    """Densities, bandwidths and directions that mean nothing are refused by name."""
    source = NoiseSource(**{"direction": [1.0, 0.0], **options})
    resistors = [Element([1.0, 0.0], 1.0, "a"), Element([0.0, 1.0], 1.0, "b")]
    with refused(ValueError, *parts):
        ktc.Network.of_elements(np.eye(2), resistors, 1.0, noises=[source])


def test_networks_without_any_noise_are_refused():
    """Noiseless resistors and no generator: nothing would fluctuate, and kT says so."""
    with refused(ValueError, "kT must be positive"):
        ktc.Network.of_elements(np.eye(1), [Element([1.0], 1.0, "a")], [0.0])
