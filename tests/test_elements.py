"""EMFs, current sources and bad elements of a circuit in the one equation.

References are closed forms of the driven divider and its relatives and moment equations; "4σ" is a
false alarm of 6.3e-5 a comparison, and all seeds are fixed.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc
from ensembles import covariance_near, device, near
from ktc._model.elements import CurrentSource, NoiseSource
from ktc._model.elements import Resistor as Element
from reference_motion import Circuit, Resistor
from refusal import refused, refused_unchanged

R1, R2, C, V, KT = 2.0, 3.0, 0.5, 4.0, 0.05


def divider(kT=(KT, KT), volts=V):
    """A source through R1 to a node with C, and R2 from it to ground: x is the node's charge."""
    return Circuit(
        np.eye(1) / C,
        [Resistor([1.0], 1 / R1, kT[0], emf=volts), Resistor([1.0], 1 / R2, kT[1])],
    )


def test_driven_divider():
    """Mean V R2/(R1 + R2), kT/C noise, Joule heat V²/(R1 + R2) split as R1 : R2; 4σ.

    From the stationary state, where the source delivers what the resistors take.
    """
    emulator, duration = device(divider(), 20_000, 131, resolve_heat=True, dt=0.05), 4.0
    joule = V**2 / (R1 + R2)
    voltage = emulator.read() / C
    assert near(voltage, V * R2 / (R1 + R2))
    assert covariance_near(voltage - V * R2 / (R1 + R2), np.eye(1) * KT / C)
    emulator.run(duration)
    books = emulator.ledger
    assert near(emulator.read() / C, V * R2 / (R1 + R2), relative_bias=1e-3)
    assert near(books.heat / duration, joule, relative_bias=1e-3)
    assert near(books.source / duration, joule, relative_bias=1e-3)
    split = joule * np.array([R1, R2]) / (R1 + R2)
    assert near(books.heat_per_resistor / duration, split, relative_bias=2e-3)
    assert near(books.entropy_flow / duration, joule / KT, relative_bias=1e-3)
    assert not books.work.any() and not books.injected.any()
    assert books.imbalance() < 1e-12


def test_divider_at_two_temperatures():
    """Joule heats, and the heat that hot R2 sends to cold R1: g₁g₂(kT₂ − kT₁)/C(g₁ + g₂); 4σ."""
    hot, g1, g2 = 1.0, 1 / R1, 1 / R2
    flux = g1 * g2 * (hot - KT) / (C * (g1 + g2))
    joule = V**2 / (R1 + R2) * np.array([R1, R2]) / (R1 + R2)
    mean, covariance = divider((KT, hot)).stationary()
    powers = divider((KT, hot)).powers(mean, covariance)
    assert powers[:2] == pytest.approx(joule + [flux, -flux], rel=1e-12)
    emulator = device(divider((KT, hot)), 20_000, 132, resolve_heat=True, dt=0.05)
    emulator.run(4.0)
    assert near(emulator.ledger.heat_per_resistor / 4.0, powers[:2], relative_bias=3e-3)
    assert emulator.ledger.imbalance() < 1e-12


def test_charging_a_capacitor_wastes_half():
    """A step of the source as a control: CV²/2 stored, CV²/2 heat, CV² delivered; 4σ.

    One resistor, no divider; ``set(emf=…)`` does no work, EMFs are not in H.
    """
    circuit = Circuit(np.eye(1) / C, [Resistor([1.0], 1 / R1, KT)])
    emulator = device(circuit, 20_000, 133, dt=0.02, resolve_heat=True)
    emulator.set(emf=[V])
    assert not emulator.ledger.work.any()
    emulator.run(20.0)
    books = emulator.ledger
    assert near(books.source, C * V**2, relative_bias=1e-3)
    assert near(books.heat, 0.5 * C * V**2, relative_bias=1e-3)
    assert near(books.energy_change, 0.5 * C * V**2, relative_bias=1e-3)
    assert books.imbalance() < 1e-12


def test_current_source_and_norton():
    """I into the node of RC: mean IR, heat I²R, all of it from the source; as V = IR through R."""
    current = 1.5
    norton = Circuit(np.eye(1) / C, [Resistor([1.0], 1 / R1, KT)], sources=[([1.0], current)])
    thevenin = Circuit(np.eye(1) / C, [Resistor([1.0], 1 / R1, KT, emf=current * R1)])
    one = device(norton, 20_000, 134, resolve_heat=True, dt=0.05)
    other = device(thevenin, 20_000, 135, resolve_heat=True, dt=0.05)
    for emulator in (one, other):
        emulator.run(4.0)
        assert near(emulator.read() / C, current * R1)
        assert emulator.ledger.imbalance() < 1e-12
    assert near(one.ledger.heat / 4.0, current**2 * R1, relative_bias=2e-3)
    assert near(one.ledger.source / 4.0, current**2 * R1, relative_bias=2e-3)
    # Nothing flows through the Thévenin resistor at rest.
    assert near(other.ledger.heat / 4.0, 0.0, bias=1e-3)


def test_sources_as_waveforms():
    """EMF and current tick by tick: mean charge, source and heat against exact sub-steps, 4σ."""
    circuit = Circuit(
        np.diag([1.0, 2.0]),
        [Resistor([1, 0], 0.5, 0.1), Resistor([0, 1], 0.4, 0.1), Resistor([1, -1], 0.3, 0.1)],
        sources=[([0.0, 1.0], 0.0)],
    )
    emf, current = np.zeros((4, 3)), np.array([1.0, -1.0, 0.5, 0.0])
    emf[:, 0], emf[:, 2] = [2.0, 0.0, -1.0, 1.0], [0.0, 0.5, 0.0, 0.0]
    mean, covariance = circuit.stationary()
    heat, source = np.zeros(3), 0.0
    for held, injected in zip(emf, current):
        for r, value in zip(circuit.resistors, held):
            r.emf = value
        circuit.sources = [(circuit.sources[0][0], injected)]
        moved = circuit.split(mean, covariance, 0.1, 5)
        mean, covariance = moved.mean, moved.covariance
        heat, source = heat + moved.heat, source + moved.source
    for r in circuit.resistors:
        r.emf = 0.0
    circuit.sources = [(circuit.sources[0][0], 0.0)]
    emulator = device(circuit, 40_000, 136, dt=0.1, resolve_heat=True)
    run = emulator.play(
        ktc.Protocol(np.full(4, 0.5), {"emf": emf, "current": current}, final={"emf": 0.0})
    )
    assert near(emulator.read(), mean)
    assert near(emulator.ledger.heat_per_resistor, heat)
    assert near(run.source.samples, source)
    assert not run.work.samples.any()
    assert np.array_equal(emulator.controls.emf, [0, 0, 0])
    assert emulator.ledger.imbalance() < 1e-12


def test_driven_networks_have_no_free_energy():
    """A run with sources has work and heat, and says why it has no free energy change."""
    emulator = device(divider(), 100, 137)
    run = emulator.play(ktc.Protocol([0.5], {"bias": [0.1]}))
    for name in ("free_energy_change", "excess_work"):
        with refused(ValueError, "sources", "drive"):
            getattr(run, name)


GOOD = {
    "stiffness": np.eye(2),
    "resistors": [Element([1.0, 0.0], 1.0, "a"), Element([0.0, 1.0], 1.0, "b")],
    "kT": 1.0,
}


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        ({"resistors": []}, ("resistors", "none")),
        ({"resistors": [Element([1.0, 0.0], 0.0, "a")]}, ("resistors[0].conductance", "0.0")),
        ({"resistors": [Element([1.0, 0.0], -2.0, "a")]}, ("resistors[0].conductance", "-2.0")),
        ({"resistors": [Element([1.0, np.nan], 1.0, "a")]}, ("resistors[0].direction", "finite")),
        ({"resistors": [Element([1.0], 1.0, "a")]}, ("2 entries", "have 1")),
        (
            {"resistors": [*GOOD["resistors"], Element([1.0], 1.0, "c")]},
            ("resistors[2].direction", "(2,)", "(1,)"),
        ),
        (
            {"resistors": [Element([1.0, 0.0], 1.0, "a", emf=np.inf)]},
            ("resistors[0].emf", "finite"),
        ),
        ({"resistors": GOOD["resistors"][:1]}, ("mobility", "positive definite")),
        ({"interconnection": np.ones((2, 2))}, ("interconnection", "antisymmetric")),
        ({"interconnection": np.zeros((3, 3))}, ("interconnection", "(2, 2)", "(3, 3)")),
        ({"sources": [CurrentSource([1.0, 0.0], np.nan)]}, ("sources[0].current", "finite")),
        ({"sources": [CurrentSource([1.0], 1.0)]}, ("sources[0].direction", "(2,)", "(1,)")),
        ({"noises": [NoiseSource([1.0], 1.0)]}, ("noises[0].direction", "(2,)", "(1,)")),
        ({"kT": [1.0, 2.0, 3.0]}, ("kT", "(2,)", "(3,)")),
        ({"bias": [1.0]}, ("bias", "(2,)", "(1,)")),
    ],
)
def test_bad_elements(changed, parts):
    """Every argument is checked by name before a network exists."""
    with refused(ValueError, *parts):
        ktc.Network.of_elements(**{**GOOD, **changed})


def test_bad_source_controls():
    """EMFs and currents of a wrong size are refused, at a set and in a protocol."""
    emulator = device(divider(), 10, 138)
    with refused_unchanged(emulator, ValueError, "emf", "(2,)", "(3,)"):
        emulator.set(emf=[1.0, 2.0, 3.0])
    with refused_unchanged(emulator, ValueError, "current", "(0,)", "(1,)"):
        emulator.set(current=[1.0])
    with refused_unchanged(emulator, ValueError, "emf", "(2,)", "(3,)"):
        emulator.play(ktc.Protocol([0.1], {"emf": [[1.0, 2.0, 3.0]]}))
    with refused_unchanged(emulator, ValueError, "emf", "finite"):
        emulator.set(emf=np.nan)


def test_undamped_circuits_have_no_stationary_state_at_two_temperatures():
    """A mode that no resistor reaches: an error that says unstable, not a crash."""
    interconnection = np.zeros((4, 4))
    interconnection[0, 1], interconnection[1, 0] = 1.0, -1.0
    resistors = [Element([0, 0, 1.0, 0], 1.0, "a"), Element([0, 0, 0, 1.0], 1.0, "b")]
    network = ktc.Network.of_elements(
        np.eye(4), resistors, [1.0, 2.0], interconnection=interconnection
    )
    with refused(ValueError, "stable"):
        ktc.Emulator(network, replicas=10, seed=139)
    emulator = ktc.Emulator(network, replicas=10, seed=139, state=[1.0, 0.0, 0.0, 0.0])
    emulator.run(7.0)
    lossless = 0.5 * np.sum(emulator.read()[:, :2] ** 2, axis=1)
    assert lossless == pytest.approx(0.5, rel=1e-12)
    assert emulator.ledger.imbalance() < 1e-12


@pytest.mark.parametrize("conductance", [(1.0, 0.0), (0.1, 0.7)])
def test_a_source_beside_coordinates_that_are_bound_by_nothing(conductance):
    """The sum of the first three charges is conserved: only a source beside it comes to rest."""
    turn = np.zeros((5, 5))
    turn[3, 4], turn[4, 3] = 1.0, -1.0
    ends = [[1, -1, 0, 0, 0], [0, 1, -1, 0, 0], [0, 1, -1, 0, 0]]
    weights = [*conductance, 0.3]
    resistors = [ktc.Resistor(d, g, "a") for d, g in zip(ends, weights) if g]
    resistors.append(ktc.Resistor([0, 0, 0, 1, 0], 2.0, "b"))

    def network(*direction):
        source = ktc.CurrentSource(direction, 1.0)
        return ktc.Network.of_elements(
            np.eye(5), resistors, 1.0, interconnection=turn, sources=[source]
        )

    net = network(1, -1, 0, 1, 0)
    infinite = ktc.Emulator(net, replicas=math.inf)
    infinite.run(3.0)
    share = 1 / conductance[0]  # of the first resistor, which takes all the current
    wanted = [2 * share / 3, -share / 3, -share / 3, 0, -1]
    np.testing.assert_allclose(infinite.moments().mean, wanted, rtol=0, atol=1e-12 * share)
    assert infinite.ledger.source[0] == pytest.approx(3 * share, rel=1e-12)
    finite = ktc.Emulator(net, replicas=20_000, seed=1)
    finite.run(3.0)
    assert finite.ledger.imbalance() < 1e-12
    # Five standard errors of unit variances.
    assert (np.abs(finite.moments().mean - wanted) < 5 / math.sqrt(20_000)).all()
    source = finite.ledger.source
    assert abs(source.mean() - 3 * share) < 5 * source.std() / math.sqrt(20_000)
    for replicas, seed in ((10, 1), (math.inf, None)):
        with refused(ValueError, "drift is singular", "bound by nothing"):
            ktc.Emulator(network(0, 1, 0, 1, 0), replicas=replicas, seed=seed)
