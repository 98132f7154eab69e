"""Variances of source energy and heat of infinite ensembles with sources."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc

TEXT = (
    "V1 in 0 1u\nR1 in a 1k kelvin=100\nR2 a 0 1k kelvin=300\nC1 a 0 1n\nL1 a b 1m\n"
    "R3 b 0 2k\nC2 b 0 1n\n"
)
GENERATORS = "I1 0 a 0 noise=1e-22 bandwidth=100k\nI2 b 0 0 noise=1e-23\n"


def exact(text, resolved=False):
    circuit = ktc.Circuit.from_netlist(text)
    return circuit, ktc.Emulator(circuit, replicas=math.inf, resolve_heat=resolved)


def test_one_resistor_delivers_what_the_charge_takes():
    """S = e Δq: Var S = e² 2kT C (1 − e^{−t/RC})."""
    _, emulator = exact("V1 in 0 2u\nR1 in a 1k kelvin=300\nC1 a 0 1n")
    kTC = 1.380649e-23 * 300 * 1e-9
    for _ in range(3):
        emulator.run(4e-7)
    wanted = (2e-6) ** 2 * 2 * kTC * -math.expm1(-1.2)
    assert emulator.ledger.variance("source") == pytest.approx(wanted, rel=1e-10)
    # Total heat is S − ΔH, and H has the variance (kT)²/2 at both ends.
    a, kT = math.exp(-1.2), 1.380649e-23 * 300
    wanted += kT**2 * (1 - a**2) + 2 * (2e-6) ** 2 * kTC * (1 - a)
    wanted -= 2 * (2e-6) ** 2 * 2 * kTC * (1 - a)
    assert emulator.ledger.variance("heat") == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("text", [TEXT, TEXT + GENERATORS])
@pytest.mark.parametrize("holds", [[1e-8], [1e-6] * 3, [1e-3]])
def test_source_energy_is_the_integral_of_the_current_noise(text, holds):
    """Var ∫ i dt = ∫ S_i(f) (sin πft/πf)² df, with S_i by nodal analysis."""
    circuit, emulator = exact(text)
    for hold in holds:
        emulator.run(hold)
    t = sum(holds)
    # White noise at high frequency gives S(∞) t/2; the rest is smooth.
    f = np.concatenate([np.linspace(0, 40 / t, 20_001)[:-1], np.geomspace(40 / t, 1e4 / t, 40_001)])
    noise = circuit.noise("i(V1)", f).density
    white = circuit.noise("i(V1)", 1e13).density[0]
    found = np.trapezoid((noise - white) * (t * np.sinc(f * t)) ** 2, f) + white * t / 2
    assert emulator.ledger.variance("source") == pytest.approx(1e-12 * found, rel=2e-3)


@pytest.mark.parametrize("text", [TEXT, TEXT + GENERATORS])
def test_driven_runs_have_the_variances_of_replicas(text):
    """Variances from 100,000 replicas at 4.5σ, with the standard error of their fourth moments."""
    circuit, emulator = exact(text)
    drive = ktc.Protocol(
        np.linspace(0.5, 2, 12) * 1e-7, {"V1": np.linspace(0, 2e-6, 12)}, final={"V1": 5e-7}
    )
    run = emulator.play(drive)
    sampled = ktc.Emulator(circuit, replicas=100_000, seed=7).play(drive)
    for name in ("net_heat", "source"):
        samples = getattr(sampled, name).samples
        deviations = (samples - samples.mean()) ** 2
        error = deviations.std() / math.sqrt(len(samples))
        assert abs(deviations.mean() - getattr(run, name).variance) < 4.5 * error, name


def test_variances_survive_a_file(tmp_path):
    _, emulator = exact(TEXT)
    emulator.run(1e-7)
    emulator.save(tmp_path / "saved")
    loaded = ktc.Emulator.load(tmp_path / "saved")
    for each in (emulator, loaded):
        each.set(V1=3e-6)
        each.run(1e-7)
    for name in ("work", "heat", "net_heat", "supply", "source"):
        assert emulator.ledger.variance(name) == loaded.ledger.variance(name)


def test_heat_has_none_where_generators_inject():
    _, emulator = exact(TEXT + GENERATORS)
    emulator.run(1e-7)
    with pytest.raises(ValueError, match="variance of 'heat' is not known .*'net_heat'"):
        emulator.ledger.variance("heat")
