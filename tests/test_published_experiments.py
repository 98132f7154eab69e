"""Numbers of published experiments, from their own formulas or as printed."""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ktc import theory


def test_a_moving_trap_with_inertia():
    """Q = 7, over 0.15 periods, by 5 thermal widths: 2.90787 kT (NESTbench25, the exact bound)."""
    trap = ktc.Network(1.0, friction=1 / 7, inertia=1.0)
    assert theory.least_excess_work(trap, 5.0, 0.15 * 2 * np.pi) == pytest.approx(2.90787, abs=1e-5)


def test_a_moving_trap_without_inertia():
    """25/3 kT over one relaxation time (Schmiedl, Seifert 2007, Phys. Rev. Lett. 98, 108301)."""
    trap = ktc.Network(1.0, friction=1.0)
    assert theory.least_excess_work(trap, 5.0, 1.0) == pytest.approx(25 / 3, rel=1e-12)


def test_power_that_a_current_dissipates():
    """Garnier, Ciliberto (2005), Phys. Rev. E 71, 060101: τ = 2.6656 ms and 1.8659e-19 W."""
    circuit = ktc.Circuit.from_netlist("I1 0 a 0.14p\nR1 a 0 9.52meg kelvin=300\nC1 a 0 280p")
    network = circuit.compile()
    assert network.relaxation_times[0] == pytest.approx(2.6656e-3, rel=1e-6)
    emulator = ktc.Emulator(network, replicas=float("inf"))
    emulator.run(2.0)
    assert emulator.ledger.heat[0] / 2.0 == pytest.approx(1.8659e-19, rel=2e-5)
    assert emulator.ledger.source[0] / 2.0 == pytest.approx(1.8659e-19, rel=2e-5)


def test_heat_of_an_undriven_circuit():
    """Van Zon, Ciliberto, Cohen (2004), Phys. Rev. Lett. 92, 130601: K₀(|q|)/π over long times.

    Shares of 200,000 replicas within 4.9 standard errors: a false alarm of 1e-6 for each number.
    """
    circuit = ktc.Circuit.from_netlist("R1 a 0 9.52meg kelvin=300\nC1 a 0 280p")
    emulator = ktc.Emulator(circuit, replicas=200_000, seed=5)
    emulator.run(0.1)
    heat = emulator.ledger.heat / emulator.controls.common_kT
    for bound, share in ((0.5, 0.59021), (3.0, 1 - 0.01964)):
        error = np.sqrt(share * (1 - share) / len(heat))
        assert np.mean(np.abs(heat) < bound) == pytest.approx(share, abs=4.9 * error)
    # ⟨q⁴⟩ = 9 of this distribution.
    assert np.var(heat) == pytest.approx(1.0, abs=4.9 * np.sqrt(8 / len(heat)))


@pytest.mark.parametrize("ratio", [1, 10, 100])
def test_adiabatic_charging(ratio):
    """A ramp over T to V dissipates CV² (τ/T)[1 − (τ/T)(1 − e^{−T/τ})]; 3.67879e-19 J at T = τ."""
    circuit = ktc.Circuit.from_netlist("V1 in 0 0\nR1 in a 1k kelvin=300\nC1 a 0 1p")
    emulator = ktc.Emulator(circuit, replicas=float("inf"))
    emulator.play(ktc.Protocol.ramp(ratio * 1e-9, 2000, V1=(0.0, 1e-3)))
    emulator.run(60e-9)
    expected = 1e-18 / ratio * (1 + np.expm1(-ratio) / ratio)
    # Equal steps of h in place of the ramp are second order in h/τ.
    step = ratio / 2000
    assert emulator.ledger.heat[0] == pytest.approx(expected, rel=step**2 + 1e-6)
