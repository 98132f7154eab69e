"""Emulators remember the sources that were set by name, and readings use them."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest

import ktc

SERIES = "V1 p 0 12\nV2 b p 3\nR1 b a 1k\nR2 a 0 1k\nC1 a 0 1n"
#: I1 acts on no charge.
IDLE = "V1 a 0 1\nR1 a b 1k\nC1 b 0 1n\nI1 0 a SIN(0 1m 1meg)"


def circuit(text=SERIES, **options):
    return ktc.Circuit.from_netlist(text, **options)


def driven(made):
    emulator = ktc.Emulator(made, replicas=math.inf)
    emulator.set(V1=20.0, V2=-5.0)
    emulator.equilibrate()
    return emulator


@pytest.mark.parametrize("sparse", [False, True])
def test_readings_use_the_sources_that_were_set(sparse):
    made = circuit()
    emulator = ktc.Emulator(made.compile(sparse=sparse), replicas=64, seed=1)
    emulator.set(V1=20.0, V2=-5.0)
    emulator.equilibrate()
    point = made.op(V1=20.0, V2=-5.0)
    volts = [point.voltages[node] for node in made.nodes]
    np.testing.assert_allclose(made.voltages(emulator).mean(axis=0), volts, atol=1e-4)
    np.testing.assert_allclose(made.voltage_moments(emulator).mean, volts, atol=1e-4)
    found = {name: each.mean() for name, each in made.currents(emulator).items()}
    assert found == pytest.approx({name: point.currents[name] for name in found}, rel=1e-4)
    if not sparse:
        assert made.powers(emulator) == pytest.approx(point.power, rel=1e-4)


def test_sources_that_are_given_replace_those_remembered():
    made = circuit()
    emulator = driven(made)
    np.testing.assert_allclose(made.voltage_moments(emulator).mean, [20.0, 15.0, 7.5])
    np.testing.assert_allclose(made.voltage_moments(emulator, V1=10.0).mean, [10.0, 15.0, 7.5])
    assert made.powers(emulator) == pytest.approx(made.op(V1=20.0, V2=-5.0).power)


def test_moments_of_a_run_use_the_sources_that_were_set(tmp_path):
    made = circuit()
    emulator = ktc.Emulator(made, replicas=64, seed=1)
    emulator.set(V1=20.0, V2=-5.0)
    emulator.equilibrate()
    observed = ktc.Statistics(covariance=True)
    run = emulator.play(ktc.Protocol([1e-6] * 10, {}), statistics=observed)
    run.save(tmp_path / "run")
    for each in (run, ktc.Run.load(tmp_path / "run")):
        np.testing.assert_allclose(each.voltage_moments.mean, [20.0, 15.0, 7.5], rtol=1e-4)
    idle = circuit(IDLE, waveforms="drive")
    emulator = ktc.Emulator(idle, replicas=2, seed=1)
    run = emulator.play(ktc.Protocol([1e-6] * 4, {"I1": np.ones(4)}), statistics=observed)
    with pytest.raises(ValueError, match="the protocol drives I1"):
        _ = run.voltage_moments


def test_a_protocol_that_fails_leaves_the_sources_of_the_tick_it_reached(monkeypatch):
    emulator = ktc.Emulator(circuit(), replicas=2, seed=1)
    protocol = ktc.Protocol([1e-6] * 4, {"V1": [1.0, 2.0, 3.0, 4.0], "V2": [0.5, 0.0, 1.5, 0.0]})
    calls = iter(range(100))

    def reading(network, *rest):
        if next(calls) == 2:
            raise OSError("no space left")
        return np.zeros((2, 3))

    monkeypatch.setattr(type(emulator.network), "nodes_at", reading)
    with pytest.raises(OSError, match="no space left"):
        emulator.play(protocol, record="voltages")
    np.testing.assert_array_equal(emulator.remembered_sources, [3.0, 1.5])


def test_controls_that_were_set_since_are_not_guessed():
    made = circuit(f"{SERIES}\nV3 d 0 1\nR3 d a 1k")
    emulator = ktc.Emulator(made, replicas=math.inf)
    emulator.set(V1=20.0, V2=-5.0)
    emulator.set(emf=2 * emulator.controls.emf)
    with pytest.raises(ValueError, match="do not determine the voltage of node 'p': V1, V2"):
        made.voltage_moments(emulator)
    # I1 becomes known, V1 and V2 do not.
    emulator = ktc.Emulator(circuit("V1 p 0 12\nV2 b p 3\nR1 b a 1k\nC1 a 0 1n\nI1 0 a 0"), 2, 1)
    emulator.set(emf=-4.0)
    emulator.set(I1=1e-3)
    np.testing.assert_array_equal(emulator.remembered_sources, [np.nan, np.nan, 1e-3])
    with pytest.raises(ValueError, match="do not determine the voltage of node 'p'"):
        emulator.play(ktc.Protocol([1e-6], {"I1": [0.0]}), record="voltages")
    emulator.set(V1=1.0, V2=3.0)
    np.testing.assert_array_equal(emulator.remembered_sources, [1.0, 3.0, 1e-3])


def test_a_loaded_emulator_remembers_and_reset_forgets(tmp_path):
    made = circuit("V1 in 0 1\nV2 b in 2\nR1 b a 1k\nC1 a 0 1n")
    emulator = ktc.Emulator(made, replicas=4, seed=1)
    start = made.voltages(emulator)
    emulator.set(V1=5.0)
    emulator.save(tmp_path / "saved")
    twins = [ktc.Emulator.load(tmp_path / "saved"), emulator.copy(), copy.deepcopy(emulator)]
    for each in (emulator, *twins):
        np.testing.assert_array_equal(each.remembered_sources, [5.0, 2.0])
        each.set(V2=0.0)
        each.run(1e-6)
        np.testing.assert_array_equal(each.remembered_sources, [5.0, 0.0])
        np.testing.assert_array_equal(made.voltages(each), made.voltages(emulator))
    emulator.reset()
    assert emulator.remembered_sources is None
    np.testing.assert_array_equal(made.voltages(emulator), start)
    emulator.save(tmp_path / "reset")
    assert ktc.Emulator.load(tmp_path / "reset").remembered_sources is None


@pytest.mark.parametrize("sparse", [False, True])
def test_a_source_that_acts_on_no_state_is_remembered(sparse, tmp_path):
    made = circuit(IDLE + "\nR2 b 0 1k\nV2 d a 0", waveforms="drive")
    emulator = ktc.Emulator(made.compile(sparse=sparse), replicas=2, seed=1)
    before = emulator.controls
    emulator.set(V2=2.0)
    assert emulator.controls == before and emulator.rested == math.inf
    assert made.voltages(emulator)[0][made.nodes.index("d")] == pytest.approx(3.0)
    run = emulator.play(made.protocol(2.5e-7, 4), record="voltages")
    np.testing.assert_allclose(run.series["voltages"][..., made.nodes.index("d")], 3.0)
    assert emulator.remembered_sources == pytest.approx([1.0, 1e-3, 2.0])
    emulator.set(V1=0.5)
    emulator.set(emf=emulator.network.controls.emf)  # V1 of the circuit
    emulator.save(tmp_path / "saved")
    for each in (emulator, ktc.Emulator.load(tmp_path / "saved")):
        assert made.voltages(each)[0][made.nodes.index("d")] == pytest.approx(3.0)
    if not sparse:
        emulator.set(I1=2e-3)
        assert made.powers(emulator)["I1"] == pytest.approx(2e-3)


def test_a_reading_does_not_choose_the_next_compilation():
    made = circuit()
    dense = driven(made)
    sparse = ktc.Emulator(circuit().compile(sparse=True), replicas=2, seed=1)
    net = made.compile()
    made.voltages(sparse)
    assert made.compile() is net
    assert made.powers(dense) == pytest.approx(made.op(V1=20.0, V2=-5.0).power)
    ktc.Emulator(made, replicas=math.inf)
    made.transient_mean([0.0, 1e-6])
    large = made.compile(sparse=True)
    made.voltage_moments(dense)
    assert made.compile() is large
    assert made.powers(dense) == pytest.approx(made.op(V1=20.0, V2=-5.0).power)
    with pytest.raises(ValueError, match="sparse=False"):
        made.powers(sparse)
    made.add("R9", "a", 0, 1.0)
    assert made.compile() is not large and not made.compile().is_sparse


def test_errors_spell_names_as_circuit_and_user_do():
    made = circuit("V1 a 0 1\nR1 a B 1k\nC1 B 0 1n ic=1\n.ic v(B)=2")
    with pytest.raises(TypeError, match="unknown source 'V9'; the circuit has 'V1'"):
        made.op(V9=1.0)
    for sparse in (False, True):
        made.compile(sparse=sparse)
        with pytest.raises(ktc.CircuitError, match=r"condition of (C1|v\(B\)) contradicts"):
            made.initial_state()
    with pytest.raises(ValueError, match="but is 'v\\(c\\)'$"):
        made.noise("v(c)", 1.0)
    with pytest.raises(ValueError, match="write 'a'"):
        made.noise("v(a)", 1.0)
    with pytest.raises(ValueError, match=r"write \('a', 'B'\)"):
        made.noise("V(a, B)", 1.0)
    emulator = ktc.Emulator(circuit(), replicas=2, seed=1)
    run = emulator.play(ktc.Protocol([1e-6] * 64, {}), record="voltages")
    with pytest.raises(ValueError, match="'Zz'"):
        run.spectrum("Zz")


@pytest.mark.parametrize("value", [True, np.True_])
def test_a_truth_value_is_no_number(value):
    with pytest.raises(TypeError, match="value of R1 must be a number"):
        ktc.Circuit().add("R1", "a", 0, value)


def test_active_circuits_advise_what_they_have():
    made = circuit("V1 in 0 1\nR1 in a 1k\nC1 a 0 1n\nE1 b 0 a 0 2\nR2 b a 10k")
    run = ktc.Emulator(made, replicas=2, seed=1).play(ktc.Protocol([1e-6], {}))
    with pytest.raises(ValueError, match="active elements.*net_heat only"):
        _ = run.heat_per_resistor
    with pytest.raises(ValueError, match="an active circuit has no equilibrium"):
        _ = run.excess_work
