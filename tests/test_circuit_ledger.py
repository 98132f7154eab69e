"""Circuits with closed forms: voltages, heat by resistor, and books that close.

Emulators start in the stationary state, or where the closed form starts.
"""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from circuit_moments import Linear
from reference_circuit import BOLTZMANN
from replica_means import assert_closed, assert_mean, assert_variance

KT = BOLTZMANN * 300.0  # J, at the default temperature
MICRO = 1e-6


def circuit(text):
    return ktc.Circuit.from_netlist(text)


def emulator(text, replicas=4000, seed=1, **options):
    options.setdefault("resolve_heat", True)
    return ktc.Emulator(circuit(text).compile(), replicas=replicas, seed=seed, **options)


def test_two_temperature_pair():
    """5.584e-21 W, 1.286 and 2.829 µV: Ciliberto, Imparato, Naert, Tanase, PRL 2013."""
    text = "R1 a 0 10meg kelvin=88\nC1 a 0 680p\nR2 b 0 10meg kelvin=296\nC2 b 0 420p\nC3 a b 100p"
    net = circuit(text).compile()
    flux, _, _ = Linear(net).powers()
    np.testing.assert_allclose(flux, [5.584e-21, -5.584e-21], rtol=1e-4)
    device = emulator(text, replicas=20_000)
    assert_variance(circuit(text).voltages(device), np.array([1.286e-6, 2.829e-6]) ** 2)
    device.run(0.2)
    # The default step leaves some 1e-3 of the flux; four significant digits are given.
    assert_mean(device.ledger.heat_per_resistor / 0.2, [5.584e-21, -5.584e-21], 2e-3 * 5.584e-21)
    assert_closed(device)


def test_driven_divider_with_a_capacitor():
    """V²/(R1 + R2) in all, each resistor its own share, whatever the noise."""
    text = "V1 in 0 5u\nR1 in a 1k\nR2 a 0 3k\nC1 a 0 1n"
    device = emulator(text)
    device.run(6e-6)
    voltages = circuit(text).voltages(device)
    np.testing.assert_allclose(voltages[:, 0], 5 * MICRO)
    assert_mean(voltages[:, 1], 3.75 * MICRO)
    assert_variance(voltages[:, 1], KT / 1e-9)
    current = 5 * MICRO / 4e3
    assert device.ledger.accounts == ("R1", "R2")
    assert_mean(device.ledger.heat_per_resistor / 6e-6, current**2 * np.array([1e3, 3e3]))
    assert_mean(device.ledger.source / 6e-6, 5 * MICRO * current)
    assert_closed(device)


def test_divider_without_capacitor_at_its_middle():
    """Shared heat of mean V²/(R1 + R2) t, and variance 2kT of that beside the capacitor's.

    The Joule loss fluctuates with variance 2 kT P t; charging adds −Δ(½ δq²/C), an independent
    variance kT² (1 − e^{−2t/τ}), τ = (R3 + R1/2) C.
    """
    text = "V1 in 0 4u\nR1 in m 1k\nR2 m 0 1k\nR3 m a 1k\nC1 a 0 1n"
    device = emulator(text, replicas=20_000)
    assert device.ledger.accounts == ("R1+R2+R3",)
    time, tau, power = 6e-6, 1.5e-6, (4 * MICRO) ** 2 / 2e3
    np.testing.assert_allclose(device.network.relaxation_times, [tau])
    device.run(time)
    voltages = circuit(text).voltages(device)
    assert_mean(voltages[:, 1:], [2 * MICRO, 2 * MICRO])
    # The middle's mean at a given charge: the resistors divide what stands at a.
    np.testing.assert_allclose(voltages[:, 1], (4 * MICRO + voltages[:, 2]) / 3)
    heat = device.ledger.heat_per_resistor[:, 0]
    assert_mean(heat, power * time)
    assert_mean(device.ledger.source, power * time)
    spread = 2 * KT * power * time + KT**2 * (1 - np.exp(-2 * time / tau))
    assert_mean((heat - heat.mean()) ** 2, spread)
    assert_closed(device)


def test_resistors_without_any_state_still_heat():
    """V²/(R1 + R2) t of mean and 2 kT of it of variance, exact at any step."""
    text = "V1 in 0 4u\nR1 in m 1k\nR2 m 0 1k\nR3 b 0 1k\nC1 b 0 1n"
    device = emulator(text, replicas=20_000)
    assert device.ledger.accounts == ("R1+R2", "R3")
    device.run(5e-6)
    loss = (4 * MICRO) ** 2 / 2e3 * 5e-6
    heat = device.ledger.heat_per_resistor
    assert_mean(heat, [loss, 0.0])
    assert_variance(heat[:, 0], 2 * KT * loss)
    assert_closed(device)


def test_series_circuit_rings_up():
    """v = V [1 − e^{−αt} (cos ωt + α/ω sin ωt)], α = R/2L, ω² = 1/LC − α²; ½kT in each element."""
    text = "V1 in 0 5u\nR1 in m 100\nL1 m b 1m\nC1 b 0 1n"
    device = emulator(text, state=0.0)
    assert device.network.coordinates == ("q(b)", "phi(L1)")
    alpha, volts = 100 / 2e-3, 5 * MICRO
    omega = np.sqrt(1e12 - alpha**2)
    for time in (2e-6, 5e-6):
        device.run(time - device.time)
        ringing = np.cos(omega * time) + alpha / omega * np.sin(omega * time)
        voltages = circuit(text).voltages(device)
        # The step, a tenth of 1/ω, leaves a phase error of some 1e-3 αt.
        assert_mean(voltages[:, 2], volts * (1 - np.exp(-alpha * time) * ringing), 1e-3 * volts)
        current = device.read()[:, 1] / 1e-3
        np.testing.assert_allclose(voltages[:, 1], volts - 100 * current, rtol=1e-9)
    assert_closed(device)
    device.equilibrate()
    state = device.read()
    assert_variance(state, [KT * 1e-9, KT * 1e-3])
    assert_mean(state, [1e-9 * volts, 0.0])


def test_inductor_fed_through_a_resistor():
    """i = V/R (1 − e^{−t/τ}); heat ∫R i² − ½kT (1 − e^{−2t/τ}) from a cold start, source ∫V i."""
    text = "V1 in 0 5u\nR1 in m 1k\nL1 m 0 1m"
    device = emulator(text, state=0.0)
    tau, time, volts = 1e-6, 3e-6, 5 * MICRO
    device.run(time)
    lost, lost_twice = -np.expm1(-time / tau), -np.expm1(-2 * time / tau)
    assert_mean(device.read()[:, 0] / 1e-3, volts / 1e3 * lost)
    assert_mean(device.ledger.source, volts**2 / 1e3 * (time - tau * lost), 1e-3 * KT)
    joule = volts**2 / 1e3 * (time - 2 * tau * lost + 0.5 * tau * lost_twice)
    # Averages are second order in the step τ/10.
    assert_mean(device.ledger.heat, joule - 0.5 * KT * lost_twice, 2e-3 * joule)
    assert_closed(device)


def test_current_source_through_a_resistor_into_a_capacitor():
    """At rest v_a = I R2, v_m = v_a + I R1; R1 takes I² R1 t with variance 2 kT of it."""
    text = "I1 0 m 2n\nR1 m a 1k\nR2 a 0 3k\nC1 a 0 1n"
    device = emulator(text, replicas=20_000)
    device.run(6e-6)
    voltages = circuit(text).voltages(device)
    assert circuit(text).nodes == ("m", "a")
    np.testing.assert_allclose(voltages[:, 0] - voltages[:, 1], 2 * MICRO)
    assert_mean(voltages[:, 1], 6 * MICRO)
    heat, loss = device.ledger.heat_per_resistor, 4e-18 * 6e-6 * np.array([1e3, 3e3])
    assert_mean(heat, loss)
    assert_variance(heat[:, 0], 2 * KT * loss[0])
    assert_mean(device.ledger.source, loss.sum())
    assert_closed(device)


def test_star_of_resistors_is_a_triangle():
    """Star–triangle: between ends i and j, g_i g_j / Σ g."""
    text = "R1 a m 1k\nR2 b m 2k\nR3 c m 4k\nR4 a 0 1k\nC1 a 0 1n\nC2 b 0 2n\nC3 c 0 3n\n"
    net = circuit(text).compile()
    assert net.accounts == ("R1+R2+R3", "R4")
    g = 1 / np.array([1e3, 2e3, 4e3])
    expected = np.diag(g) - np.outer(g, g) / g.sum() + np.diag([1e-3, 0, 0])
    np.testing.assert_allclose(np.linalg.inv(net.friction), expected, rtol=1e-12, atol=1e-16)
    device = emulator(text)
    device.run(1e-5)
    voltages = circuit(text).voltages(device)
    ends = [circuit(text).nodes.index(node) for node in "abc"]
    middle = circuit(text).nodes.index("m")
    np.testing.assert_allclose(voltages[:, middle], voltages[:, ends] @ g / g.sum(), rtol=1e-9)
    assert_closed(device)


def test_capacitor_between_nodes_that_nothing_else_holds():
    """One coordinate, v_a − v_b, with variance kT/C and τ = (R1 + R2) C."""
    text = "R1 a 0 1k\nR2 b 0 3k\nC1 a b 1n"
    device = emulator(text, resolve_heat=False)
    assert device.network.coordinates == ("q(b-a)",)
    assert device.network.accounts == ("R1+R2",)
    np.testing.assert_allclose(device.network.relaxation_times, [4e-6])
    voltages = circuit(text).voltages(device)
    assert_variance(voltages[:, 0] - voltages[:, 1], KT / 1e-9)
    # The same current through both.
    np.testing.assert_allclose(voltages[:, 1], -3 * voltages[:, 0], rtol=1e-9)


def test_heat_through_an_inductor_between_capacitors():
    """k (T1 − T2) R / [2 (R² C + L)] from node 1 to node 2, equal R and C: from ⟨v₂ i⟩ at rest."""
    text = "R1 a 0 1k kelvin=400\nC1 a 0 1n\nR2 b 0 1k kelvin=100\nC2 b 0 1n\nL1 a b 0.5m"
    flux = BOLTZMANN * 300 * 1e3 / (2 * (1e6 * 1e-9 + 0.5e-3))
    heat, _, _ = Linear(circuit(text).compile()).powers()
    np.testing.assert_allclose(heat, [-flux, flux], rtol=1e-9)
    device = emulator(text, replicas=20_000)
    device.run(1e-5)
    assert_mean(device.ledger.heat_per_resistor / 1e-5, [-flux, flux], 5e-3 * flux)
    assert_closed(device)


def test_heat_through_a_resonator_of_two_temperatures():
    """k (T_p − T_s) / (R_p C + R_s C + L/R_p + L/R_s): R_s in series with L, R_p across C."""
    text = "R1 a m 300 kelvin=100\nL1 m 0 1m\nR2 a 0 2k kelvin=400\nC1 a 0 1n"
    flux = BOLTZMANN * 300 / (2e3 * 1e-9 + 300 * 1e-9 + 1e-3 / 2e3 + 1e-3 / 300)
    heat, _, _ = Linear(circuit(text).compile()).powers()
    np.testing.assert_allclose(heat, [flux, -flux], rtol=1e-9)
    device = emulator(text, replicas=20_000)
    device.run(1e-5)
    assert_mean(device.ledger.heat_per_resistor / 1e-5, [flux, -flux], 5e-3 * flux)
    assert_closed(device)


def test_heat_between_resistors_in_series_with_an_inductor():
    """k (T2 − T1) R1 R2 / [(R1 + R2) L] into R1: white noise does not pass the inductor.

    ⟨i²⟩ = k (R1 T1 + R2 T2) / [(R1 + R2) L], and R⟨i²⟩ − kT R/L flows into each.
    """
    text = "R1 0 a 100 kelvin=100\nR2 a b 300 kelvin=400\nL1 b c 1m\nC1 c 0 1n"
    flux = BOLTZMANN * 300 * 100 * 300 / 400 / 1e-3
    net = circuit(text).compile()
    assert net.accounts == ("R1", "R2")
    heat, _, _ = Linear(net).powers()
    np.testing.assert_allclose(heat, [flux, -flux], rtol=1e-9)
    device = emulator(text, replicas=20_000)
    device.run(1e-5)
    assert_mean(device.ledger.heat_per_resistor / 1e-5, [flux, -flux], 5e-3 * flux)
    assert_closed(device)


@pytest.mark.parametrize("bandwidth", [None, 2e5])
def test_injected_noise(bandwidth):
    """⟨v²⟩ = kT/C + S R/4C, white; with a filter the second is S R² (π/2) f₁Δf/(f₁ + Δf).

    f₁ = 1/2πRC. At rest all that is injected heats the resistor: ⟨v²⟩/R of the second part.
    """
    density, corner = 4e-23, 1 / (2 * np.pi * 1e-6)
    added = density * 1e3 / 4e-9
    if bandwidth is not None:
        added = density * 1e6 * np.pi / 2 * corner * bandwidth / (corner + bandwidth)
    made = ktc.Circuit().add("R1", "a", 0, "1k").add("C1", "a", 0, "1n")
    made.add_noise("I1", 0, "a", density, bandwidth)
    device = ktc.Emulator(made.compile(), replicas=20_000, seed=1, resolve_heat=True)
    assert_variance(made.voltages(device), KT / 1e-9 + added)
    device.run(1e-5)
    # The step of τ/10 leaves errors of its square.
    assert_mean(device.ledger.injected / 1e-5, added / 1e3, 5e-3 * added / 1e3)
    assert_mean(device.ledger.heat / 1e-5, added / 1e3, 5e-3 * added / 1e3)
    assert_closed(device)


def test_resistor_across_a_source_heats():
    """V²/R beside a circuit that it does not touch otherwise."""
    device = emulator("V1 a 0 2u\nR1 a 0 1k\nR2 b 0 1k\nC1 b 0 1n")
    device.run(1e-6)
    assert_mean(device.ledger.heat_per_resistor[:, 0], 4e-12 / 1e3 * 1e-6)
    assert_closed(device)
