"""Resistors at several temperatures: stationary states, heat flows, temperature as a control.

References are closed forms, Lyapunov equations by scipy and moment equations. "4σ" is a false alarm
of 6.3e-5 a comparison; all seeds are fixed. Splitting biases are second order in the step, computed
from the exact moments of the sub-steps and allowed for where they matter.
"""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ensembles import covariance_near, device, near
from ktc._model.elements import Resistor as Element
from reference_motion import Circuit, Noise, Resistor, order_of
from refusal import refused

BOLTZMANN = 1.380649e-23
R, C1, C2, C = 10e6, 680e-12, 420e-12, 100e-12
T1, T2 = 88.0, 296.0
CAPACITANCE = np.array([[C1 + C, -C], [-C, C2 + C]])


def rc_pair():
    """Two RC nodes at 88 K and 296 K, joined by a capacitor (Ciliberto et al. 2013)."""
    kT = [BOLTZMANN * T1, BOLTZMANN * T2]
    resistors = [Resistor(np.eye(2)[i], 1 / R, kT[i]) for i in range(2)]
    return Circuit(np.linalg.inv(CAPACITANCE), resistors)


def test_rc_pair_carries_the_closed_forms_heat():
    """5.584e-21 W from hot to cold and 1.286/2.829 µV rms, in the stationary state from the start.

    Mean powers at 4σ over 0.1 s of 20 000 replicas, voltages at 4.5σ. Heats sum to zero, and the
    entropy that flows into the baths, all that is produced here, is J (1/kT₁ − 1/kT₂).
    """
    x, y = C1 * C2 + C * (C1 + C2), (C1 + C) * R + (C2 + C) * R
    flux = BOLTZMANN * C**2 * (T2 - T1) / (x * y)
    assert flux == pytest.approx(5.584e-21, rel=1e-4)
    _, covariance = rc_pair().stationary()
    powers = rc_pair().powers(np.zeros(2), covariance)[:2]
    assert powers == pytest.approx([flux, -flux], rel=1e-9)

    emulator, duration = device(rc_pair(), 20_000, 61, resolve_heat=True), 0.1
    voltages = np.linalg.inv(CAPACITANCE) @ covariance @ np.linalg.inv(CAPACITANCE)
    assert np.sqrt(np.diag(voltages)) == pytest.approx([1.286e-6, 2.829e-6], rel=5e-4)
    inverse = np.linalg.inv(CAPACITANCE)
    assert covariance_near(emulator.read() @ inverse, voltages)
    emulator.run(duration)
    assert covariance_near(emulator.read() @ inverse, voltages, relative_bias=1e-3)
    books = emulator.ledger
    heat = books.heat_per_resistor / duration
    assert near(heat, [flux, -flux], relative_bias=2e-3)
    assert heat.std() / np.sqrt(len(heat)) < 0.05 * flux
    assert near(books.heat / duration, [0.0])
    produced = flux * duration * (1 / T1 - 1 / T2) / BOLTZMANN
    assert near(books.entropy_flow, [produced], relative_bias=2e-3)
    assert books.entropy_flow.mean() > 20 * books.entropy_flow.std() / np.sqrt(len(heat))
    assert books.imbalance() < 1e-12


def rlc_pair():
    """Two RLC loops at two temperatures, coupled by a capacitor: x = (q₁, q₂, p₁, p₂)."""
    stiffness = np.zeros((4, 4))
    stiffness[:2, :2] = [[1.0, 0.4], [0.4, 1.5]]
    stiffness[2, 2], stiffness[3, 3] = 1.0, 0.5
    interconnection = np.zeros((4, 4))
    interconnection[:2, 2:], interconnection[2:, :2] = np.eye(2), -np.eye(2)
    resistors = [Resistor([0, 0, 1, 0], 0.3, 2.0), Resistor([0, 0, 0, 1], 0.8, 0.5)]
    return Circuit(stiffness, resistors, interconnection=interconnection)


def lc_bridge():
    """Two RC nodes at two temperatures, joined by a lossy inductor: x = (q₁, q₂, φ).

    dφ/dt = v₂ − v₁ − R_L i, and the inductor's current takes charge from node 2 to node 1; its
    own resistor, in series with it, is at a third temperature.
    """
    stiffness = np.diag([1.0, 2.0, 0.7])
    interconnection = np.array([[0, 0, 1.0], [0, 0, -1.0], [-1.0, 1.0, 0]])
    resistors = [
        Resistor([1, 0, 0], 0.5, 1.0),
        Resistor([0, 1, 0], 0.25, 3.0),
        Resistor([0, 0, 1], 0.4, 0.6),
    ]
    return Circuit(stiffness, resistors, interconnection=interconnection)


def floating_ladder():
    """An RC ladder whose bridge resistors act between nodes, at four temperatures."""
    stiffness = np.linalg.inv(np.diag([1.0, 2.0, 0.5]) + 0.3 * np.ones((3, 3)))
    resistors = [
        Resistor([1, 0, 0], 1.0, 0.5),
        Resistor([1, -1, 0], 0.7, 2.0),
        Resistor([0, 1, -1], 1.3, 1.0),
        Resistor([0, 0, 1], 0.2, 4.0),
    ]
    return Circuit(stiffness, resistors)


CIRCUITS = {"RLC pair": rlc_pair, "LC bridge": lc_bridge, "RC ladder": floating_ladder}
every_circuit = pytest.mark.parametrize("make", CIRCUITS.values(), ids=CIRCUITS.keys())


@every_circuit
def test_stationary_state_and_flows(make):
    """Covariance by Lyapunov's equation from the start and after motion; powers 4σ each.

    The network starts in its stationary state, so that mean powers are constant: their sum is
    zero, and Σ J_r/kT_r is the entropy production, positive.
    """
    circuit, duration, dt = make(), 10.0, 0.05
    mean, covariance = circuit.stationary()
    assert np.abs(mean).max() < 1e-12
    powers = circuit.powers(mean, covariance)[: len(circuit.resistors)]
    assert powers.sum() == pytest.approx(0, abs=1e-12)
    produced = sum(p / r.kT for p, r in zip(powers, circuit.resistors)) * duration
    assert produced > 0.1
    split = circuit.split(mean, covariance, dt, round(duration / dt))
    assert split.heat == pytest.approx(powers * duration, rel=5e-3)

    emulator = device(circuit, 20_000, 62, resolve_heat=True, dt=dt)
    assert covariance_near(emulator.read(), covariance)
    emulator.run(duration)
    assert covariance_near(emulator.read(), covariance, relative_bias=2e-3)
    books = emulator.ledger
    assert near(books.heat_per_resistor, split.heat)
    flows = sum(q / r.kT for q, r in zip(split.heat, circuit.resistors))
    assert near(books.entropy_flow, [flows])
    assert near(books.heat, [0.0], relative_bias=1e-3)
    assert books.imbalance() < 1e-12
    assert np.abs(books.shadow).max() < 1e-11


@every_circuit
def test_flows_are_second_order_in_the_step(make):
    """Slope 2 ± 0.1 of the error of each heat from rest, by the exact moments of the sub-steps."""
    circuit, duration = make(), 2.0
    start = (np.ones(circuit.size), np.zeros((circuit.size, circuit.size)))
    exact = circuit.evolve(*start, duration).heat
    counts = [10, 20, 40, 80]
    errors = [circuit.split(*start, duration / n, n).heat - exact for n in counts]
    for error in np.array(errors).T:
        assert order_of([duration / n for n in counts], error) == pytest.approx(2, abs=0.1)


@every_circuit
def test_engine_has_the_moments_of_the_documented_steps(make):
    """A few long steps from a displaced point: mean, covariance and heats at 4.5σ, no bias."""
    circuit, dt, steps = make(), 0.5, 4
    start = np.linspace(1.0, -2.0, circuit.size)
    split = circuit.split(start, np.zeros((circuit.size,) * 2), dt, steps)
    emulator = device(circuit, 100_000, 63, resolve_heat=True, dt=dt, state=start)
    emulator.run(dt * steps)
    z = emulator.read()
    assert near(z, split.mean, sigmas=4.5)
    assert covariance_near(z - split.mean, split.covariance)
    assert near(emulator.ledger.heat_per_resistor, split.heat, sigmas=4.5)


A = np.array([[2.0, 1.5], [0.0, 1.0]])
STATIONARY = np.array([[0.4375, -0.25], [-0.25, 0.5]])


def non_normal_by_interconnection():
    """−A = (J − G)𝒦 at one temperature: 𝒦 = S⁻¹, G = ½, J = ½ (SAᵀ − AS), S the covariance.

    Then exp(−xᵀS⁻¹x/2) is the Gibbs state at kT = 1, and J alone makes the drift asymmetric.
    """
    units = [Resistor(np.eye(2)[i], 0.5, 1.0) for i in range(2)]
    lossless = 0.5 * (STATIONARY @ A.T - A @ STATIONARY)
    return Circuit(np.linalg.inv(STATIONARY), units, interconnection=lossless)


def non_normal_by_temperatures():
    """−A = −G𝒦 without J, which takes two temperatures: G = VVᵀ, V eigenvectors of A, 𝒦 = G⁻¹A.

    Resistors lie along the eigenvectors of G, each at kT = 1/2g, so that all noise is white of
    unit density; heat flows from one to the other.
    """
    _, vectors = np.linalg.eig(A)
    mobility = vectors @ vectors.T
    g, directions = np.linalg.eigh(mobility)
    resistors = [Resistor(d, float(c), 0.5 / float(c)) for d, c in zip(directions.T, g)]
    stiffness = np.linalg.solve(mobility, A)
    return Circuit((stiffness + stiffness.T) / 2, resistors)


@pytest.mark.parametrize("make", [non_normal_by_interconnection, non_normal_by_temperatures])
def test_non_normal_drift(make):
    """dx = −A x dt + dW with A = [[2, 1.5], [0, 1]]: stationary variances 0.4375 and 0.5, 4.5σ."""
    circuit = make()
    drift, _, diffusion = circuit.motion()
    assert drift == pytest.approx(-A, abs=1e-12)
    assert diffusion == pytest.approx(np.eye(2), abs=1e-12)
    assert circuit.stationary()[1] == pytest.approx(STATIONARY, abs=1e-12)
    for options in ({}, {"state": [3.0, -2.0]}):
        emulator = device(circuit, 40_000, 64, dt=0.05, resolve_heat=True, **options)
        emulator.run(8.0 if options else 1.0)
        assert covariance_near(emulator.read(), STATIONARY, relative_bias=4e-3)
        assert emulator.ledger.imbalance() < 1e-12


def test_non_normal_drift_in_exact_holds():
    """The form with J is at one temperature, so one exact hold of any length has it; 4.5σ."""
    circuit = non_normal_by_interconnection()
    network = ktc.Network.of_elements(
        circuit.stiffness,
        [Element(r.direction, 0.5, "all") for r in circuit.resistors],
        1.0,
        interconnection=circuit.interconnection,
    )
    emulator = ktc.Emulator(network, replicas=60_000, seed=64, state=[3.0, -2.0])
    emulator.run(20.0)
    assert covariance_near(emulator.read(), STATIONARY)
    assert emulator.ledger.imbalance() < 1e-12


def test_unequal_temperatures_alone_make_a_non_normal_drift():
    """Without J: 𝒦 = 1 and G of unequal resistors is normal; G𝒦 of coupled capacitors is not.

    Lyapunov's equation gives the covariance, which is not kT𝒦⁻¹ for any kT; 4.5σ.
    """
    stiffness = np.array([[1.0, 0.8], [0.8, 2.0]])
    resistors = [Resistor([1, 0], 3.0, 0.2), Resistor([0, 1], 0.5, 2.0)]
    circuit = Circuit(stiffness, resistors)
    drift = circuit.motion()[0]
    assert np.abs(drift @ drift.T - drift.T @ drift).max() > 1
    _, covariance = circuit.stationary()
    emulator = device(circuit, 40_000, 65, state=[0.0, 0.0], resolve_heat=True, dt=0.05)
    emulator.run(20.0)
    assert covariance_near(emulator.read(), covariance, relative_bias=4e-3)
    assert (
        np.abs(covariance @ stiffness - np.eye(2) * np.trace(covariance @ stiffness) / 2).max()
        > 0.2
    )


def test_temperature_as_a_control():
    """kT of one account swings while the other rests: moments, heats and entropy flow, 4σ.

    Held tick by tick; the reference follows the same ticks by the exact moments of the sub-steps.
    kT does no work, and what each tick's heat was divided by is that tick's kT.
    """
    base, tick, ticks, dt = floating_ladder(), 0.25, 12, 0.125
    kT = np.array([[r.kT for r in base.resistors]] * ticks)
    kT[:, 1] = 1.0 + 0.9 * np.sin(np.arange(ticks))
    kT[:, 3] = np.linspace(4.0, 0.5, ticks)
    mean, covariance = base.stationary()
    heat, entropy = np.zeros(4), 0.0
    for held in kT:
        for r, value in zip(base.resistors, held):
            r.kT = value
        moved = base.split(mean, covariance, dt, round(tick / dt))
        mean, covariance = moved.mean, moved.covariance
        heat += moved.heat
        entropy += float(np.sum(moved.heat / held))
    emulator = device(floating_ladder(), 60_000, 66, resolve_heat=True, dt=dt)
    run = emulator.play(ktc.Protocol(np.full(ticks, tick), {"kT": kT}))
    assert not run.work.samples.any()
    assert np.array_equal(emulator.controls.kT, kT[-1])
    assert near(emulator.ledger.heat_per_resistor, heat)
    assert near(run.entropy_flow.samples, [entropy])
    assert run.entropy_flow.unit == "k_B"
    assert covariance_near(emulator.read(), covariance)
    assert emulator.ledger.imbalance() < 1e-12
    with refused(ValueError, "kT changed"):
        _ = run.free_energy_change
    with refused(ValueError, "kT changed"):
        _ = run.excess_work
    with refused(ValueError, "kT was not one constant"):
        _ = run.work.in_kT


def test_set_kT_account_by_account_and_back():
    """One number again makes the network isothermal: it relaxes to kT 𝒦⁻¹, 4.5σ."""
    emulator = device(floating_ladder(), 40_000, 67, resolve_heat=True, dt=0.1)
    assert not emulator.controls.isothermal
    emulator.set(kT=0.5)
    assert emulator.controls.isothermal
    emulator.run(30.0)
    expected = 0.5 * np.linalg.inv(floating_ladder().stiffness)
    assert covariance_near(emulator.read(), expected)
    assert not emulator.ledger.work.any()


def test_noiseless_resistors_only_take():
    """kT = 0 makes a resistor that takes heat and gives none: all of ½xᵀ𝒦x ends in it."""
    circuit = Circuit(np.eye(1), [Resistor([1.0], 1.0, 0.0)], noises=[Noise([1.0], 1e-12)])
    emulator = device(circuit, 100, 68, state=[2.0], resolve_heat=True, dt=0.01)
    emulator.run(30.0)
    assert emulator.ledger.heat_per_resistor[:, 0] == pytest.approx(2.0, abs=1e-5)
    assert not emulator.ledger.entropy_flow.any()


@pytest.mark.parametrize(
    ("kT", "parts"),
    [
        ([1.0, 2.0, 3.0], ("kT", "(2,)", "shape (3,)")),
        ([1.0, 1.0, 1.0], ("kT", "(2,)", "shape (3,)")),
        ([1.0], ("kT", "(2,)", "shape (1,)")),
        ([[1.0, 2.0]], ("kT", "(2,)", "shape (1, 2)")),
        ([-1.0, 1.0], ("kT must not be negative", "-1.0", "account 0")),
        ([0.0, 0.0], ("kT must be positive",)),
        (0.0, ("kT must be positive", "0.0")),
        ([1.0, np.nan], ("kT must be finite", "(1,)")),
    ],
)
def test_bad_temperatures(kT, parts):
    """A wrong shape or value is named, when the network is made and when it is set."""
    with refused(ValueError, *parts):
        ktc.Network(np.eye(2), 1.0, kT=kT)
    emulator = ktc.Emulator(ktc.Network(np.eye(2), 1.0), replicas=3, seed=1, resolve_heat=True)
    with refused(ValueError, *parts):
        emulator.set(kT=kT)
    assert emulator.controls.kT == 1.0


def test_exact_emulators_refuse_several_temperatures_before_anything_moves():
    """``set`` and ``play`` say what to ask for, also where a late tick is the first to differ."""
    emulator = ktc.Emulator(ktc.Network(np.eye(2), 1.0), replicas=3, seed=1)
    with refused(ValueError, "kT must be one for all", "resolve_heat=True"):
        emulator.set(kT=[1.0, 2.0])
    kT = np.ones((6000, 2))
    kT[-1, 1] = 2.0
    with refused(ValueError, "kT must be one for all", "resolve_heat=True"):
        emulator.play(ktc.Protocol(np.full(6000, 0.1), {"kT": kT}))
    assert emulator.time == 0
    assert emulator.controls.kT == 1.0
