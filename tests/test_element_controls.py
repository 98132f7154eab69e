"""Resistances, capacitances, inductances and couplings that change while a network runs.

Samples are compared with moment equations by block exponentials, one hold after another, at 5
standard errors; infinite ensembles to rounding.
"""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from reference_netlist import by_blocks
from refusal import refused

BOLTZMANN, INFINITE = 1.380649e-23, float("inf")
DIVIDER = "V1 in 0 5\nR1 in a 1k\nR2 a 0 1k kelvin=100\nC1 a 0 1n\nR3 a b 500\nC2 b 0 2n"
HELD = "V1 x 0 1\nC1 x a 1n\nR1 a 0 1k\nC2 a 0 1n"
FIXED = "V1 a 0 1\nC1 a 0 1n\nR1 a b 1k\nC2 b 0 1n"
ACTIVE = "R1 a 0 1k\nC1 a 0 1n\nG1 a 0 a 0 1u"
TANK = "I1 0 a 1m\nR1 a 0 1k\nC1 a 0 1n\nL1 a b 1m\nR2 b 0 50\nC2 b 0 2n"


def hold_divider(mean, covariance, R1, hold):
    """Moments of (q(a), q(b), energy of V1) of DIVIDER over a hold, at a resistance R1."""
    farads, volts, hot, cold = np.array([1e-9, 2e-9]), 5.0, 300.0, 100.0
    drift, push, columns = np.zeros((3, 3)), np.zeros(3), []
    for ohms, row, fed, kelvin in (
        (R1, [-1.0, 0.0], volts, hot),
        (1e3, [-1.0, 0.0], 0.0, cold),
        (500.0, [-1.0, 1.0], 0.0, hot),
    ):
        current = np.array(row) / farads / ohms  # into a, of the state
        onto = np.array([1.0, row[1] * -1.0, fed])
        drift += np.outer(onto, [*current, 0.0])
        push += onto * fed / ohms
        columns.append(onto * np.sqrt(2 * BOLTZMANN * kelvin / ohms))
    # In units of 1e-15 C and 1e-15 J: the noise is of 1e-15 C, and 5 V draw 1e-15 J with it.
    scale = 1e15
    noise = scale**2 * sum(np.outer(column, column) for column in columns)
    decay, lag, spread = by_blocks(drift, scale * push, noise, hold)
    return decay @ mean + lag, decay @ covariance @ decay.T + spread


@pytest.mark.parametrize("resolve_heat", [False, True])
@pytest.mark.parametrize("replicas", [20_000, INFINITE])
def test_a_resistance_that_changes(replicas, resolve_heat):
    """Charges and source energy over three resistances: 5 standard errors, or to 1e-9.

    Steps are short beside all times, and their mean error is below the scatter.
    """
    circuit = ktc.Circuit.from_netlist(DIVIDER)
    options = {} if replicas == INFINITE else {"seed": 3, "threads": 1}
    device = ktc.Emulator(
        circuit, replicas, resolve_heat=resolve_heat, state=[1e-9, -1e-9], **options
    )
    mean, covariance = np.array([1e6, -1e6, 0.0]), np.zeros((3, 3))
    for ohms, hold in ((1e3, 3e-7), (4e3, 1e-6), (200.0, 2e-7)):
        device.set(R1=ohms)
        device.run(hold)
        mean, covariance = hold_divider(mean, covariance, ohms, hold)
    books, width = device.ledger, np.sqrt(np.diagonal(covariance))
    assert books.imbalance() < 1e-12
    assert not books.work.any()
    assert device.network.branches[1].value == 200.0
    if replicas == INFINITE:
        found = np.array([*device.moments().mean, *books.source]) * 1e15
        np.testing.assert_allclose(found, mean, rtol=1e-9)
        spread = np.asarray(device.moments().covariance) * 1e30
        np.testing.assert_allclose(spread, covariance[:2, :2], rtol=1e-8)
        assert books.variance("source") * 1e30 == pytest.approx(covariance[2, 2], rel=1e-8)
        return
    found = np.column_stack([device.read(), books.source]) * 1e15
    error = width / np.sqrt(replicas)
    bias = 2e-3 * np.abs(mean) if resolve_heat else 1e-9 * np.abs(mean)
    assert np.all(np.abs(found.mean(axis=0) - mean) < 5 * error + bias)
    scaled = (found - mean) / width
    if not resolve_heat:
        products = scaled[:, :, None] * scaled[:, None, :]
        scatter = products.std(axis=0) / np.sqrt(replicas)
        expected = covariance / np.outer(width, width)
        assert np.all(np.abs(products.mean(axis=0) - expected) < 5 * scatter)


def test_equilibrium_does_not_depend_on_resistances():
    """At one temperature without sources a change of resistances moves nothing: no heat, no work.

    The law of charges and fluxes stays N(0, kT K⁻¹) at 5 standard errors.
    """
    circuit = ktc.Circuit.from_netlist(TANK.replace("1m\nR1", "0\nR1"))
    device = ktc.Emulator(circuit, 20_000, seed=5)
    device.set(R1=10e3, R2=3.0)
    assert device.rested == INFINITE
    device.run(1e-6)
    exact = device.network.common_kT * np.linalg.inv(device.network.stiffness)
    width = np.sqrt(np.diagonal(exact))
    found = np.cov(device.read().T) / np.outer(width, width)
    assert np.abs(found - exact / np.outer(width, width)).max() < 5 * np.sqrt(2 / 20_000)
    assert not device.ledger.work.any()
    heat = device.ledger.heat
    assert abs(heat.mean()) < 5 * heat.std() / np.sqrt(20_000)
    exact_device = ktc.Emulator(circuit, INFINITE)
    exact_device.set(R1=10e3)
    exact_device.run(1e-6)
    kT = device.network.common_kT
    assert abs(exact_device.ledger.heat[0]) < 1e-12 * kT
    assert exact_device.ledger.work[0] == 0.0


@pytest.mark.parametrize("resolve_heat", [False, True])
@pytest.mark.parametrize("replicas", [100, INFINITE])
def test_a_protocol_is_sets_and_runs(replicas, resolve_heat):
    """R1, V1 and kT tick by tick in one play: the bits of states, and accounts to rounding."""
    circuit = ktc.Circuit.from_netlist(DIVIDER)
    options = {} if replicas == INFINITE else {"seed": 3}
    played, stepped = (
        ktc.Emulator(circuit, replicas, resolve_heat=resolve_heat, **options) for _ in "ab"
    )
    ohms, volts = np.repeat([1e3, 3e3, 500.0, 3e3], 3), np.linspace(0, 6, 12)
    holds = np.full(12, 2e-8)
    if resolve_heat and replicas != INFINITE:
        # One step serves a whole protocol: that of its fastest tick.
        played, stepped = (
            ktc.Emulator(circuit, replicas, resolve_heat=True, dt=1e-8, **options) for _ in "ab"
        )
    run = played.play(
        ktc.Protocol(holds, {"R1": ohms, "V1": volts}, final={"R1": 2e3, "V1": 1.0}),
        record=["mean", "voltage_mean"],
        every=4,
    )
    rows = []
    for k in range(12):
        stepped.set(R1=ohms[k], V1=volts[k])
        stepped.run(holds[k])
        if k % 4 == 3:
            means = stepped.moments().mean
            read = circuit.voltages(stepped).mean(axis=0) if replicas != INFINITE else None
            rows.append((means, read))
    stepped.set(R1=2e3, V1=1.0)
    np.testing.assert_allclose(run.series["mean"], [mean for mean, _ in rows], rtol=1e-12)
    if replicas != INFINITE:
        np.testing.assert_allclose(run.series["voltage_mean"], [v for _, v in rows], rtol=1e-12)
        np.testing.assert_array_equal(played.read(), stepped.read())
    for name, found in played.ledger.amounts().items():
        size = np.abs(played.ledger.source).max()
        np.testing.assert_allclose(
            found, stepped.ledger.amounts()[name], rtol=1e-9, atol=1e-12 * size
        )
    for device in (played, stepped):
        assert device.ledger.imbalance() < 1e-12
        assert device.network.branches[1].value == 2e3
        np.testing.assert_allclose(device.controls.emf, [-1.0, 0.0, 0.0])


@pytest.mark.parametrize("replicas", [1000, INFINITE])
def test_work_of_capacitances_and_inductances(replicas):
    """At held charge and flux: Δ(q²/2C) and Δ(φ²/2L), and a coupling through the whole matrix."""
    text = "R1 a 0 1k\nC1 a 0 1n\nL1 a 0 1m\nR2 b 0 1k\nC2 b 0 1n\nL2 b 0 1m\nK1 L1 L2 0.5"
    circuit = ktc.Circuit.from_netlist(text)
    options = {} if replicas == INFINITE else {"seed": 1}
    device = ktc.Emulator(circuit, replicas, **options)
    names = circuit.compile().coordinates
    for change, stiffness in (
        ({"C1": 3e-9}, {("q(a)", "q(a)"): 1 / 3e-9}),
        ({"L1": 4e-3, "K1": 0.1, "R1": 2e3}, None),
    ):
        moments = device.moments()
        second = np.asarray(moments.covariance) + np.outer(moments.mean, moments.mean)
        before, work = device.network.stiffness, device.ledger.work.mean()
        device.set(**change)
        after = device.network.stiffness
        if stiffness is None:
            mutual = 0.1 * np.sqrt(4e-3 * 1e-3)
            inverse = np.linalg.inv([[4e-3, mutual], [mutual, 1e-3]])
            places = [names.index("phi(L1)"), names.index("phi(L2)")]
            np.testing.assert_allclose(after[np.ix_(places, places)], inverse, rtol=1e-12)
        else:
            assert after[0, 0] == pytest.approx(1 / 3e-9, rel=1e-12)
        wanted = 0.5 * np.sum((after - before) * second)
        assert device.ledger.work.mean() - work == pytest.approx(wanted, rel=1e-9)
        device.run(1e-6)
        assert device.ledger.imbalance() < 1e-12
    settled = ktc.Circuit.from_netlist(
        text.replace("C1 a 0 1n", "C1 a 0 3n")
        .replace("L1 a 0 1m", "L1 a 0 4m")
        .replace("0.5", "0.1")
    ).compile()
    np.testing.assert_allclose(device.network.stiffness, settled.stiffness, rtol=1e-12)


def test_jarzynski_of_a_capacitance():
    """⟨e^{−W/kT}⟩ = √(C′/C) for a capacitance that falls to a half in 40 ticks, 5 errors."""
    circuit = ktc.Circuit.from_netlist("R1 a 0 1k\nC1 a 0 2n")
    device = ktc.Emulator(circuit, 20_000, seed=8)
    run = device.play(ktc.Protocol.ramp(4e-6, 40, C1=(2e-9, 1e-9)))
    factors = np.exp(-run.work.samples / circuit.compile().common_kT)
    error = factors.std() / np.sqrt(len(factors))
    assert abs(factors.mean() - np.sqrt(0.5)) < 5 * error
    change = 0.5 * circuit.compile().common_kT * np.log(2.0)
    assert run.free_energy_change.mean == pytest.approx(change, rel=1e-9, abs=0)


def test_readings_have_the_present_elements():
    """Currents, powers and voltages after a change; ``reset`` undoes it."""
    circuit = ktc.Circuit.from_netlist("V1 in 0 6\nR1 in a 1k\nR2 a m 1k\nR3 m 0 1k\nC1 a 0 1n")
    device = ktc.Emulator(circuit, INFINITE)
    device.set(R3=4e3)
    device.run(1.0)
    assert circuit.powers(device)["V1"] == pytest.approx(36 / 6e3)
    assert circuit.voltage_moments(device).mean == pytest.approx([6.0, 5.0, 4.0])
    currents = circuit.currents(device)
    assert [float(currents[name]) for name in ("R1", "R2", "R3")] == pytest.approx([1e-3] * 3)
    device.reset()
    assert circuit.powers(device)["V1"] == pytest.approx(36 / 3e3)
    assert device.network == circuit.compile()


@pytest.mark.parametrize("replicas", [50, INFINITE])
def test_a_saved_emulator_keeps_its_elements(tmp_path, replicas):
    """The same bits go on after a load, a copy and a reset."""
    circuit = ktc.Circuit.from_netlist(TANK)
    options = {} if replicas == INFINITE else {"seed": 1}
    device = ktc.Emulator(circuit, replicas, **options)
    device.set(R1=3e3, C1=2e-9)
    device.run(1e-6)
    device.save(tmp_path / "device")
    loaded, copied = ktc.Emulator.load(tmp_path / "device"), device.copy()
    for each in (device, loaded, copied):
        each.set(R2=70.0)
        each.run(1e-6)
    for each in (loaded, copied):
        assert each.network == device.network
        np.testing.assert_array_equal(each.moments().mean, device.moments().mean)
        np.testing.assert_array_equal(each.ledger.source, device.ledger.source)
        each.reset()
        assert each.network == circuit.compile()
    fresh = ktc.Emulator(circuit, replicas, **options)
    np.testing.assert_array_equal(loaded.moments().mean, fresh.moments().mean)


def test_a_large_circuit():
    """Resistances of a sparse circuit: the bits of one that had them, and no other elements."""
    lines = [f"R{k} n{k} n{k + 1} 1k\nC{k} n{k + 1} 0 1n" for k in range(20)]
    text = "V1 n0 0 1\n" + "\n".join(lines)
    circuit = ktc.Circuit.from_netlist(text)
    circuit.compile(sparse=True)
    other = ktc.Circuit.from_netlist(text.replace("R5 n5 n6 1k", "R5 n5 n6 7k"))
    other.compile(sparse=True)
    state = np.linspace(0, 1e-9, 20)
    one, two = (ktc.Emulator(c, 64, seed=1, state=state, dt=1e-7) for c in (circuit, other))
    one.set(R5=7e3)
    for device in (one, two):
        device.run(1e-6)
    np.testing.assert_array_equal(one.read(), two.read())
    np.testing.assert_array_equal(circuit.currents(one)["R5"], other.currents(two)["R5"])
    with refused(TypeError, "'C5'", "sparse=False"):
        one.set(C5=2e-9)


def test_protocols_of_elements_are_drawn_with_their_units():
    resistance = ktc.Protocol([1e-6] * 2, {"R1": [1e3, 2e3], "K1": [0.1, 0.2]})
    labels = [ax.get_ylabel() for ax in ktc.plot.draw_protocol(resistance).axes]
    assert labels == ["R1 [kΩ]", "K1"]
    friction = ktc.Protocol([1.0] * 2, {"friction": [[1.0, 2.0], [3.0, 4.0]]})
    assert [ax.get_ylabel() for ax in friction.plot().axes] == ["friction"]


def test_single_precision():
    """The mean relaxes to the new divider; books close to single precision."""
    circuit = ktc.Circuit.from_netlist("V1 in 0 5\nR1 in a 1k\nR2 a 0 1k\nC1 a 0 1n")
    device = ktc.Emulator(circuit, 1000, seed=1, dtype="float32")
    device.set(R1=4e3)
    device.run(1e-4)
    node = circuit.voltages(device)[:, 1]
    assert abs(node.mean() - 1.0) < 5 * node.std() / np.sqrt(1000)
    assert device.ledger.imbalance() < 1e-5


@pytest.mark.parametrize(
    ("text", "change", "error", "words"),
    [
        (DIVIDER, {"R9": 1.0}, TypeError, ("'R9'", "R1")),
        (DIVIDER, {"R1": 0.0}, ValueError, ("R1", "positive")),
        (DIVIDER, {"R1": "1k"}, TypeError, ("R1",)),
        (DIVIDER, {"R1": 1e3, "r1": 2e3}, TypeError, ("twice",)),
        (DIVIDER + "\nR5 b c 0\nC9 c 0 1n", {"R5": 1.0}, ValueError, ("R5", "wire")),
        (HELD, {"C1": 2e-9}, ValueError, ("V1", "take back")),
        (FIXED, {"C1": 2e-9}, ValueError, ("C1", "sources fix")),
        (ACTIVE, {"C1": 2e-9}, ValueError, ("C1", "controlled sources")),
        (DIVIDER, {"R1": 2e3, "friction": 1.0}, ValueError, ("friction", "by name")),
        (TANK + "\nL2 a 0 1m\nK1 L1 L2 0.5", {"K1": 1.0}, ktc.CircuitError, ("K1", "-1 and 1")),
    ],
)
def test_refusals_leave_everything_as_it_was(text, change, error, words):
    device = ktc.Emulator(ktc.Circuit.from_netlist(text), 10, seed=1)
    before, network = device.read(), device.network
    with refused(error, *words):
        device.set(**change)
    if "1k" not in change.values():
        with pytest.raises((TypeError, ValueError), match=words[0]):
            device.play(ktc.Protocol([1e-6, 1e-6], {k: [v, v] for k, v in change.items()}))
    assert device.network is network
    np.testing.assert_array_equal(device.read(), before)


def test_a_protocol_that_stops_early_leaves_its_elements():
    """An error in the third tick, whose update was made: the emulator goes on from there."""
    circuit = ktc.Circuit.from_netlist(DIVIDER)
    device = ktc.Emulator(circuit, 10, seed=1)
    protocol = ktc.Protocol([1e-7] * 4, {"R1": [2e3, 3e3, 4e3, 5e3]})
    with pytest.raises(ZeroDivisionError):
        _interrupted_after(device, protocol, 2)
    assert device.network.branches[1].value == 4e3
    assert device.time == pytest.approx(2e-7)
    device.run(1e-7)
    assert device.ledger.imbalance() < 1e-12


def _interrupted_after(device, protocol, ticks):
    """Play with a record whose writing fails after some ticks."""
    engine = device._frontend.engine
    plays = iter(range(ticks))

    def play(*arguments):
        if next(plays, None) is None:
            raise ZeroDivisionError
        return engine.core.play(*arguments)

    engine.play = play
    try:
        device.play(protocol)
    finally:
        engine.play = engine.core.play


def test_a_run_keeps_elements_and_friction_in_its_protocol():
    """Its protocol, played again, is the same physics."""
    circuit = ktc.Circuit.from_netlist("R1 a 0 1k\nC1 a 0 1n\nR2 a b 2k\nC2 b 0 1n")
    ohms, farads = [1e3, 1e3, 2e3, 2e3, 1e3, 5e3], [1e-9, 2e-9, 3e-9, 1e-9, 2e-9, 4e-9]
    drives = {"R1": ohms, "C1": farads}, {"R1": ohms}, {"friction": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
    unit = ktc.Network(stiffness=1.0, friction=1.0)
    for drive, device in zip(drives, (circuit, circuit, unit), strict=True):
        final = {"C1": 5e-9} if "C1" in drive else {}
        protocol = ktc.Protocol([1e-6] * 6, drive, final)
        run = ktc.Emulator(device, INFINITE).play(protocol)
        assert list(run.applied.controls) == list(drive)
        assert ", ".join(drive) in repr(run)
        again = ktc.Emulator(device, INFINITE).play(run.applied)
        assert float(again.heat) == float(run.heat)
        assert float(again.work) == float(run.work)


def test_refused_controls_name_what_can_be_done():
    net = ktc.Network.of_elements([[1.0]], [ktc.Resistor([1.0], 1.0, "R")], kT=1.0)
    with pytest.raises(ValueError, match="make a new network with other resistances"):
        ktc.Emulator(net, 10).set(friction=2.0)
    text = "R0 in a 0\nR1 in 0 1k\nC1 a 0 1n"
    for sparse in (False, True):
        network = ktc.Circuit.from_netlist(text).compile(sparse=sparse)
        with pytest.raises(ValueError, match="R0 cannot be set to 1: it is a wire of 0 ohms"):
            ktc.Emulator(network, 10).set(R0=1.0)
    with pytest.raises(ValueError, match="compile the circuit with sparse=False"):
        network.transition(1e-6)
    part = ktc.Circuit.from_netlist(".subckt P a\nR1 a 0 1k\nC1 a 0 1n\n.ends\nX1 n P")
    for sparse in (False, True):
        with pytest.raises(TypeError, match=r"or the elements 'R\.X1\.R1'"):
            ktc.Emulator(part.compile(sparse=sparse), 10).set(**{"X1.R1": 5e3})


def test_readings_of_another_circuit_name_the_difference():
    circuit = ktc.Circuit.from_netlist("R1 a 0 1k\nC1 a 0 1n")
    moved = ktc.Emulator(circuit, INFINITE)
    moved.set(R1=7e3)
    other = ktc.Emulator(moved.network, INFINITE)
    words = r"its R1 is 7000 instead of 1000; .*emulator\.network\.voltage_moments"
    with pytest.raises(ValueError, match=words):
        circuit.voltage_moments(other)
    assert other.network.voltage_moments(other).mean[0] == 0.0
