"""Cases after public reports, each with the answer that was derived or published."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc
from ktc import presets, spectra, theory
from refusal import refused

BOLTZMANN = 1.380649e-23


def infinite(netlist: str) -> tuple[ktc.Circuit, ktc.Emulator]:
    circuit = ktc.Circuit.from_netlist(netlist)
    return circuit, ktc.Emulator(circuit, replicas=math.inf)


def voltage(circuit: ktc.Circuit, emulator: ktc.Emulator, node: str) -> float:
    return float(circuit.voltage_moments(emulator).mean[circuit.nodes.index(node)])


def test_works_of_a_ramp_and_of_its_reverse():
    """ΔF = −4.5 by the pair; the negative of the reverse works is no pair. 4.5σ."""
    unit = ktc.Network(1.0, 1.0)
    there = ktc.Emulator(unit, 5000, seed=1).play(ktc.Protocol.ramp(1.0, 50, bias=(0.0, 3.0)))
    other = ktc.Emulator(unit.with_controls(bias=3.0), 5000, seed=2)
    back = other.play(ktc.Protocol.ramp(1.0, 50, bias=(3.0, 0.0)))
    found = theory.bennett(there.work.samples, back.work.samples, 1.0)
    assert abs(found.mean + 4.5) < 4.5 * found.stderr < 0.2
    with pytest.raises(ValueError, match="sign"):
        theory.bennett(there.work.samples, -back.work.samples, 1.0)


def test_times_of_many_ticks_do_not_drift():
    """300,000 ticks of 0.1: a running sum is off by 1.6e-7."""
    run = ktc.Emulator(ktc.Network(1.0, 1.0), 1, seed=1).play(
        ktc.Protocol.ramp(30_000.0, 300_000, bias=(0.0, 1.0)), "mean", every=100_000
    )
    np.testing.assert_allclose(run.times, [1e4, 2e4, 3e4], rtol=1e-15)


def test_the_breadboard_at_the_ratio_of_its_source():
    """v₁/v₂ 1.1223, correlation 0.3532, off-diagonal of Σ·G −0.41 % of its diagonal."""
    circuit = presets.breadboard2(drive_ratio=0.984)
    net = circuit.compile()
    covariance = net.stiffness @ spectra.band_covariance(net, 200.0, 50e3) @ net.stiffness
    rms = np.sqrt(np.diagonal(covariance))
    assert rms[0] / rms[1] == pytest.approx(1.1223, abs=1e-4)
    assert covariance[0, 1] / np.prod(rms) == pytest.approx(0.3532, abs=1e-4)
    ohms = np.array([4690.0, 4680.0, 6830.0, 9900.0])
    own = np.array([1 / ohms[0] + 1 / ohms[2], 1 / ohms[1] + 1 / ohms[2] + 1 / ohms[3]])
    conductance = np.array([[own[0], -1 / ohms[2]], [-1 / ohms[2], own[1]]])
    product = covariance @ conductance
    assert 2 * product[0, 1] / np.trace(product) == pytest.approx(-0.0041, abs=1e-4)


def test_a_current_through_a_resistor_is_exact_at_any_step():
    """1 mA in 1 kΩ: 1 V, where a step of half a time constant was 2 % off."""
    text = "I1 0 a 1m\nR1 a 0 1k\nC1 a 0 1n"
    circuit, exact = infinite(text)
    assert voltage(circuit, exact, "a") == pytest.approx(1.0, rel=1e-12)
    steps = ktc.Emulator(circuit, 2000, seed=1, resolve_heat=True, dt=0.5e-6)
    steps.run(1e-5)
    found = circuit.voltages(steps)[:, circuit.nodes.index("a")]
    assert abs(found.mean() - 1.0) < 4.5 * found.std() / np.sqrt(2000) < 1e-6


def test_a_source_of_zero_is_a_source():
    circuit, emulator = infinite("I1 0 a 0\nR1 a 0 1k\nC1 a 0 1n")
    emulator.set(**circuit.controls(I1=1e-6))
    emulator.run(1e-3)
    assert voltage(circuit, emulator, "a") == pytest.approx(1e-3, rel=1e-12)


def test_a_cold_circuit_is_without_noise():
    """All resistors at 0 K: v(a) = 1 V and no noise, or an error that says so."""
    text = "V1 i 0 1\nR1 i a 1k kelvin=0\nC1 a 0 1n"
    circuit = ktc.Circuit.from_netlist(text)
    assert circuit.op().voltages["a"] == pytest.approx(1.0, rel=1e-12)
    with refused(ktc.CircuitError, "0 K"):
        circuit.compile()


def test_a_resistor_of_zero_is_a_wire():
    circuit, emulator = infinite("V1 in 0 1\nR1 in a 1k\nR2 a b 0\nR3 b 0 1k\nC1 b 0 1n")
    assert voltage(circuit, emulator, "b") == pytest.approx(0.5, rel=1e-12)


def test_a_cold_resistor_beside_a_warm_one():
    """1 kΩ at 0 K beside 3 kΩ at 300 K: Σ g T / Σ g = 75 K."""
    circuit, emulator = infinite("R1 a 0 1k kelvin=0\nR2 a 0 3k kelvin=300\nC1 a 0 1n")
    found = circuit.voltage_moments(emulator).covariance[0, 0]
    assert found == pytest.approx(BOLTZMANN * 75 / 1e-9, rel=1e-12)


def test_two_temperatures_of_a_resonator():
    """R₁ beside C, L in series with R₂: the heat between them by Lyapunov's equation."""
    R1, R2, L, C, hot, cold = 1e3, 50.0, 1e-6, 1e-9, 300.0, 100.0
    text = f"R1 a 0 {R1} kelvin={hot}\nC1 a 0 {C}\nL1 a b {L}\nR2 b 0 {R2} kelvin={cold}"
    _, emulator = infinite(text)
    emulator.run(1e-3)
    drift = np.array([[-1 / (R1 * C), -1 / C], [1 / L, -R2 / L]])
    noise = np.diag([2 * BOLTZMANN * hot / R1 / C**2, 2 * BOLTZMANN * cold * R2 / L**2])
    system = np.kron(drift, np.eye(2)) + np.kron(np.eye(2), drift)
    square = np.linalg.solve(system, -noise.ravel()).reshape(2, 2)
    into_first = square[0, 0] / R1 - BOLTZMANN * hot / (R1 * C)
    heats = emulator.ledger.heat_per_resistor[0] / 1e-3
    assert heats == pytest.approx([into_first, -into_first], rel=1e-9)


def test_noise_behind_a_filter_into_a_cell():
    """White current S behind a filter of rate λ: ⟨v²⟩ = kT/C + (S/2C²) τ λ/(λ + 1/τ)."""
    R, C, density, corner = 1e3, 1e-9, 1e-20, 1e5
    text = f"R1 a 0 {R} kelvin=300\nC1 a 0 {C}\nI1 0 a 0 noise={density} bandwidth={corner}"
    circuit, emulator = infinite(text)
    rate, slow = 2 * np.pi * corner, 1 / (R * C)
    # One-sided densities are twice those of the Langevin equation.
    expected = 0.5 * density / C**2 * rate / (2 * slow * (rate + slow))
    found = circuit.voltage_moments(emulator).covariance[0, 0] - BOLTZMANN * 300 / C
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("duration", [0.05, 0.5])
def test_swift_equilibration_of_a_stiffness(duration):
    """Martínez et al. (2016), Nat. Phys. 12, 843: κ(t) = 1/σ² − σ̇/σ of any σ from σ₀ to σ₁."""
    start, end = 1.0, 2.0
    ticks = 4000
    edges = np.linspace(0.0, 1.0, ticks + 1)
    square = 1 / start + (1 / end - 1 / start) * (3 * edges**2 - 2 * edges**3)
    decay = np.diff(square) / (duration / ticks)
    middle = 0.5 * (square[1:] + square[:-1])
    stiffness = (1 - 0.5 * decay) / middle
    emulator = ktc.Emulator(ktc.Network(start, 1.0), math.inf)
    emulator.play(ktc.Protocol([duration / ticks] * ticks, {"stiffness": stiffness[:, None, None]}))
    assert emulator.moments().covariance[0, 0] == pytest.approx(1 / end, rel=1e-5)


def test_an_emulator_keeps_what_it_was_made_with():
    emulator = ktc.Emulator(ktc.Network(1.0, 1.0), 4, seed=1)
    for name in ("seed", "replicas", "dtype", "threads"):
        with pytest.raises(AttributeError, match=name):
            setattr(emulator, name, 99)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("I1 a 0 TRNOISE(1m 1u 0 0)\nR1 a 0 1k\nC1 a 0 1n", ["noise="]),
        ("R1 a 0 1micro\nC1 a 0 1n", ["1micro"]),
        ("R1 a 0 1X\nC1 a 0 1n", ["1X"]),
    ],
)
def test_words_that_no_board_has(text, parts):
    with pytest.raises(ktc.CircuitError) as caught:
        ktc.Circuit.from_netlist(text)
    assert all(part in str(caught.value) for part in parts), caught.value


def test_attofarads():
    network = ktc.Circuit.from_netlist("R1 a 0 1k\nC1 a 0 100aF").compile()
    assert network.relaxation_times[0] == pytest.approx(1e3 * 1e-16)


def test_default_steps_of_quartic_units_are_the_same_in_a_play_and_in_runs():
    """``play`` takes the step of the whole protocol; at given controls that is the step of ``run``.

    With ``dt`` both take the same steps whatever the controls, and have the same bits.
    """
    wells = ktc.Network([[-1.0, 0.2], [0.2, -1.0]], 1.0, quartic=1.0)
    steady = [ktc.Emulator(wells, 64, seed=3) for _ in range(2)]
    for each in steady:
        each.set(bias=[0.5, 0.0])
    steady[0].play(ktc.Protocol([0.3] * 3, {"bias": [[0.5, 0.0]] * 3}))
    for _ in range(3):
        steady[1].run(0.3)
    np.testing.assert_array_equal(steady[0].read(), steady[1].read())
    biases = [[0.5, 0.0], [4.0, 1.0], [-3.0, 0.0]]
    driven = [ktc.Emulator(wells, 64, seed=3, dt=0.02) for _ in range(2)]
    driven[0].play(ktc.Protocol([0.3] * 3, {"bias": biases}))
    for bias in biases:
        driven[1].set(bias=bias)
        driven[1].run(0.3)
    np.testing.assert_array_equal(driven[0].read(), driven[1].read())
