"""Entropy production of Gaussian networks: closed forms, its fluctuation theorem, its error bar.

Source: Seifert, Phys. Rev. Lett. 95, 040602 (2005). "4σ" is a false alarm of 6.3e-5 a comparison;
all seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ensembles import device, near
from ktc._model.elements import NoiseSource
from ktc._model.elements import Resistor as Element
from reference_motion import Circuit, Resistor
from refusal import refused


def two_temperatures():
    """Three coupled RC nodes at three temperatures, one bridge."""
    stiffness = np.linalg.inv(np.diag([1.0, 2.0, 0.5]) + 0.3)
    resistors = [
        Resistor([1, 0, 0], 1.0, 0.5),
        Resistor([1, -1, 0], 0.7, 2.0),
        Resistor([0, 1, 0], 0.3, 1.0),
        Resistor([0, 0, 1], 0.5, 1.0),
    ]
    return Circuit(stiffness, resistors)


def shannon(covariance):
    return 0.5 * np.linalg.slogdet(2 * np.pi * np.e * covariance)[1]


def test_quench_of_one_unit():
    """kT from 1 to 2 and full relaxation: D(p₀‖p₁) = ½(ln 2 − 1 + ½), Kullback–Leibler, 4σ.

    All produced in the bath and the unit together: heat −½kT₁(1 − ½) taken, entropy ½ ln 2 gained.
    """
    emulator = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=20_000, seed=151, resolve_heat=True)
    run = emulator.play(ktc.Protocol([12.0], {"kT": [2.0]}))
    expected = 0.5 * (np.log(2) - 0.5)
    production = run.entropy_production
    assert abs(production.mean - expected) < 4 * production.stderr
    assert production.stderr < 0.05 * expected
    assert production.unit == "k_B"
    assert near(run.entropy_flow.samples, -0.25)


def test_stationary_flow():
    """In the stationary state ΔS = 0, and Σ J_r/kT_r t is produced: moment equations, 4σ.

    The step shifts the flow by less than 0.5 % at dt = 0.05.
    """
    circuit, duration = two_temperatures(), 3.0
    powers = circuit.powers(*circuit.stationary())[:4]
    expected = duration * sum(p / r.kT for p, r in zip(powers, circuit.resistors))
    run = device(circuit, 20_000, 152, resolve_heat=True, dt=0.05).play(
        ktc.Protocol([duration], {})
    )
    assert expected > 0.5
    assert near(run.entropy_production.samples, expected, relative_bias=5e-3)
    flow = run.entropy_flow
    assert abs(run.entropy_production.mean - flow.mean) < 4 * run.entropy_production.stderr


def test_driven_relaxation_against_moment_equations():
    """Temperatures and EMF switched: flow and ΔS from the moments of the exact sub-steps, 4σ."""
    circuit, dt, steps = two_temperatures(), 0.05, 30
    mean, covariance = circuit.stationary()
    before = shannon(covariance)
    for r, kT in zip(circuit.resistors, (1.0, 0.5, 2.0, 0.3)):
        r.kT = kT
    circuit.resistors[0].emf = 1.0
    moved = circuit.split(mean, covariance, dt, steps)
    flow = sum(q / r.kT for q, r in zip(moved.heat, circuit.resistors))
    expected = flow + shannon(moved.covariance) - before
    emulator = device(two_temperatures(), 20_000, 153, resolve_heat=True, dt=dt)
    run = emulator.play(
        ktc.Protocol([dt * steps], {"kT": [[1.0, 0.5, 2.0, 0.3]], "emf": [[1.0, 0, 0, 0]]})
    )
    assert expected > 0
    assert abs(run.entropy_production.mean - expected) < 4 * run.entropy_production.stderr
    assert emulator.ledger.imbalance() < 1e-12


@pytest.mark.parametrize("kT", [None, [1.0, 0.5, 2.0, 0.3]])
def test_integral_fluctuation_theorem(kT):
    """⟨e^{−Δs}⟩ = 1 of the samples, at 4σ; the two steps' bias is below a percent."""
    waveforms = {} if kT is None else {"kT": [kT]}
    emulator = device(two_temperatures(), 40_000, 154, resolve_heat=True, dt=0.025)
    run = emulator.play(ktc.Protocol([0.4], waveforms))
    weights = np.exp(-run.entropy_production.samples)
    assert weights.std() < 3
    assert near(weights, 1.0, bias=5e-3)
    assert run.entropy_production.mean > 4 * run.entropy_production.stderr


def test_with_inertia_entropy_is_that_of_positions_and_momenta():
    """A trap with inertia, quenched: D(p₀‖p₁) of both, once it has relaxed; 4σ."""
    network = ktc.Network(2.0, 1.5, kT=1.0, inertia=0.7)
    emulator = ktc.Emulator(network, replicas=20_000, seed=155, resolve_heat=True)
    run = emulator.play(ktc.Protocol([15.0], {"kT": [0.6]}))
    expected = 2 * 0.5 * (1 / 0.6 - 1 - np.log(1 / 0.6))
    assert abs(run.entropy_production.mean - expected) < 4 * run.entropy_production.stderr


def test_error_bar_has_the_entropys_own_in_it():
    """Means of 60 small ensembles scatter as their error bars say, 0.75 to 1.3 times (χ²: 1e-3).

    And they are not biased, although ln det of 50 replicas is by 0.1: it cancels; 4σ.
    """
    circuit = two_temperatures()
    estimates = [
        device(circuit, 50, 1000 + k, resolve_heat=True, dt=0.05)
        .play(ktc.Protocol([0.5], {}))
        .entropy_production
        for k in range(60)
    ]
    means = np.array([estimate.mean for estimate in estimates])
    error = np.sqrt(np.mean([estimate.stderr**2 for estimate in estimates]))
    assert 0.75 < means.std(ddof=1) / error < 1.3
    powers = circuit.powers(*circuit.stationary())[:4]
    expected = 0.5 * sum(p / r.kT for p, r in zip(powers, circuit.resistors))
    assert abs(means.mean() - expected) < 4 * error / np.sqrt(60) + 5e-3 * expected


def test_saved_runs_keep_it(tmp_path):
    """A run that is saved and loaded has the same samples."""
    run = device(two_temperatures(), 20, 156, resolve_heat=True).play(ktc.Protocol([0.5], {}))
    run.save(tmp_path / "run.npz")
    loaded = ktc.Run.load(tmp_path / "run.npz")
    assert np.array_equal(loaded.entropy_production.samples, run.entropy_production.samples)


def test_where_it_is_not_known():
    """Exact motion, quartic units, noise generators, noiseless resistors, replicas all alike."""
    drive = ktc.Protocol([0.1], {})
    exact = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=10, seed=157).play(drive)
    with refused(ValueError, "entropy_flow", "resolve_heat=True"):
        _ = exact.entropy_production
    unit = ktc.Network(1.0, 1.0, quartic=1.0)
    for resolve_heat, kind in (False, "nonlinear units"), (True, "quartic units"):
        quartic = ktc.Emulator(unit, replicas=10, seed=157, resolve_heat=resolve_heat).play(drive)
        with refused(ValueError, kind):
            _ = quartic.entropy_production
    alike = ktc.Emulator(
        ktc.Network(np.eye(2), 1.0), replicas=10, seed=157, state=[1.0, 2.0], resolve_heat=True
    ).play(drive)
    with refused(ValueError, "identical in some direction"):
        _ = alike.entropy_production
    resistors = [Element([1.0, 0.0], 1.0, "a"), Element([0.0, 1.0], 1.0, "b")]
    noisy = ktc.Network.of_elements(np.eye(2), resistors, 1.0, noises=[NoiseSource([1, 0], 1.0)])
    with refused(ValueError, "noise generators"):
        _ = (
            ktc.Emulator(noisy, replicas=10, seed=157, resolve_heat=True)
            .play(drive)
            .entropy_production
        )
    silent = ktc.Network.of_elements(np.eye(2) + 0.1, resistors, [1.0, 0.0])
    with refused(ValueError, "noiseless resistors"):
        _ = (
            ktc.Emulator(silent, replicas=10, seed=157, resolve_heat=True)
            .play(drive)
            .entropy_production
        )
