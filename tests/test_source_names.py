"""Controls of circuits by the names of their sources."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc

SERIES = "V1 in 0 0\nV2 up in 0.5\nR1 up a 1k\nC1 a 0 1n\nI1 0 a 1u\nV3 d 0 2\nC2 d a 1n"


def circuit(text=SERIES):
    return ktc.Circuit.from_netlist(text)


def equal(one, other):
    for name in ("bias", "emf", "current"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-13, atol=0)


def test_set_by_name_is_set_by_controls():
    made = circuit()
    by_name, by_control = (ktc.Emulator(made, replicas=math.inf) for _ in range(2))
    by_name.set(V1=2.0)
    by_control.set(**made.controls(V1=2.0))
    equal(by_name.controls, by_control.controls)
    # Others keep their present values, not those of the circuit, also where they act together.
    by_name.set(v2=1.0, V3=-1.0)
    by_name.set(I1=3e-6)
    by_control.set(**made.controls(V1=2.0, V2=1.0, V3=-1.0, I1=3e-6))
    equal(by_name.controls, by_control.controls)
    by_name.set(V1=0.0, kT=1e-21)
    by_control.set(**made.controls(V1=0.0, V2=1.0, V3=-1.0, I1=3e-6), kT=1e-21)
    assert by_name.controls.kT == 1e-21
    equal(by_name.controls, by_control.controls)
    by_name.reset()
    equal(by_name.controls, by_name.network.controls)


def test_present_values_that_are_not_known_are_asked_for():
    """Controls hold one value of sources in series."""
    emulator, other = (ktc.Emulator(circuit(), replicas=2, seed=1) for _ in range(2))
    emulator.set(V1=2.0)
    other.set(emf=emulator.controls.emf)
    before = other.controls
    with pytest.raises(ValueError, match="V1, V2 act on emf only together.*V1=..., V2=..."):
        other.set(V1=1.0)
    equal(other.controls, before)
    other.set(V1=1.0, V2=0.5)
    emulator.set(V1=1.0)
    equal(other.controls, emulator.controls)
    emulator.copy().set(V2=0.1)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"V9": 1.0}, TypeError, "unknown control 'V9'; choose from .*'V1', 'V2', 'I1', 'V3'"),
        ({"V1": 1.0, "emf": 2.0}, TypeError, "emf is given beside V1"),
        ({"V1": 1.0, "v1": 2.0}, TypeError, "'V1' and 'v1' are one source"),
        ({"V1": math.nan}, ValueError, "V1 must be finite"),
        ({"V1": "2"}, TypeError, "V1 must be real numbers"),
        ({"V1": [1.0, 2.0]}, ValueError, "V1 must be one number"),
    ],
)
def test_wrong_names_and_values_change_nothing(given, error, message):
    emulator = ktc.Emulator(circuit(), replicas=2, seed=1)
    before = emulator.controls
    with pytest.raises(error, match=message):
        emulator.set(**given)
    assert emulator.controls == before


def test_networks_have_no_sources():
    emulator = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=2, seed=1)
    with pytest.raises(TypeError, match="unknown control 'V1'; choose from 'bias'"):
        emulator.set(V1=1.0)
    with pytest.raises(TypeError, match="unknown control 'V1'"):
        emulator.play(ktc.Protocol([1.0], {"V1": [1.0]}))
    with pytest.raises(TypeError, match="unknown control 'stifness'"):
        ktc.Protocol([1.0], {"stifness": [1.0]})


def test_a_source_that_acts_on_nothing_changes_no_control():
    emulator = ktc.Emulator(circuit("V1 b 0 1\nC2 b 0 1n\nR1 a 0 1k\nC1 a 0 1n"), replicas=math.inf)
    before = emulator.controls
    emulator.set(V1=2.0)
    assert emulator.controls == before and emulator.remembered_sources == [2.0]


def test_protocols_by_name_play_as_controls():
    made = circuit()
    ticks = np.linspace(0, 2, 50)
    holds = np.full(50, 1e-8)
    by_name, by_control = (ktc.Emulator(made, replicas=math.inf) for _ in range(2))
    named = ktc.Protocol(holds, {"V1": ticks, "I1": 1e-6 * ticks}, final={"V2": 3.0})
    plain = ktc.Protocol(
        holds,
        made.controls(V1=ticks, I1=1e-6 * ticks),
        final=made.controls(V1=2.0, I1=2e-6, V2=3.0),
    )
    first, second = by_name.play(named, record="mean"), by_control.play(plain, record="mean")
    np.testing.assert_allclose(first.series["mean"], second.series["mean"], rtol=1e-12)
    equal(by_name.controls, by_control.controls)
    assert first.programmed is named and set(first.protocol.controls) == {"emf", "current"}
    assert first.work.mean == pytest.approx(second.work.mean, rel=1e-9)
    by_name.set(V1=0.0)
    by_control.set(**made.controls(V1=0.0, I1=2e-6, V2=3.0))
    equal(by_name.controls, by_control.controls)


def test_sampled_and_ramped_sources():
    made = circuit("V1 in 0 0\nR1 in a 1k\nC1 a 0 1n")
    emulator = ktc.Emulator(made, replicas=math.inf)
    tau, steps = 1e-6, 400
    emulator.play(ktc.Protocol.ramp(5 * tau, steps, V1=(0.0, 5.0)))
    # A ramp of 1 V per τ: v(t) = t − τ(1 − e^{−t/τ}), second order in the tick.
    volts = emulator.moments().mean[0] / 1e-9
    assert volts == pytest.approx(5 - (1 - math.exp(-5)), abs=1e-4)
    emulator.play(ktc.Protocol.sample(40 * tau, 10, V1=1.5))
    assert emulator.moments().mean[0] / 1e-9 == pytest.approx(1.5, abs=1e-12)


def test_a_protocol_by_name_is_saved_and_drawn(tmp_path):
    named = ktc.Protocol([1.0, 1.0], {"V1": [0.0, 1.0]}, final={"I1": 2.0})
    named.save(tmp_path / "p.ktc")
    assert ktc.Protocol.load(tmp_path / "p.ktc").final == {"I1": np.array(2.0)}
    pytest.importorskip("matplotlib")
    axes = named.plot(device=circuit()).axes
    assert [ax.get_ylabel() for ax in axes] == ["V1 [V]", "I1 [A]"]
