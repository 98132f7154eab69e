"""Netlists as people write them: what is read, skipped, and refused with the reason."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc
from ktc._circuits.branch import CircuitError


def circuit(text, **options):
    return ktc.Circuit.from_netlist(text, **options)


def value(text, **options):
    """The value of the first element."""
    return circuit(text, **options).branches[0].value


def voltages(text, **options):
    """Mean node voltages by name, of an ensemble without fluctuations to speak of."""
    made = circuit(text, **options)
    emulator = ktc.Emulator(made.compile(), replicas=10_000, seed=1)
    return dict(zip(made.nodes, made.voltages(emulator).mean(axis=0), strict=True))


@pytest.mark.parametrize(
    "title",
    [
        "VCO in out",
        "RC low-pass filter 1",
        "Voltage divider test",
        "RC low-pass filter 1k",
        "Integrator of charge",
        "RC1 low-pass filter 5",
        "Circuit 1 2 3n",
    ],
)
def test_a_title_is_not_read_as_an_element(title):
    text = f"{title}\nV1 in 0 1\nR1 in out 2k\nR2 out 0 1k\nC1 out 0 1n"
    with pytest.raises(CircuitError, match="title=True") as caught:
        circuit(text).compile()
    assert caught.value.line == 1
    assert voltages(text, title=True)["out"] == pytest.approx(1 / 3, abs=1e-6)


def test_an_element_in_line_1_is_read_where_it_is_no_title():
    for first in ("Rload a 0 1k", "V1 a 0", "Vin a 0 5", "R1 a 0 1k"):
        made = circuit(f"{first}\nC1 a 0 1n")
        assert len(made.branches) == 2
        assert circuit(str(made)) == made
    alone = ktc.Circuit().add("Rload", "a", "b", 1.0).add("R", "c", 0, 1.0)
    assert circuit(str(alone)) == alone


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".param x={sqrt(4)}\nR1 a 0 {x}", 2.0),
        (".param x=sqrt(4) y = 3\nR1 a 0 {x*y}", 6.0),
        (".param x=(5+1)\nR1 a 0 {x}", 6.0),
        (".param x = 2 * 3\nR1 a 0 {x}", 6.0),
        (".param x = 2 * 3 y=(1 + x) z={y}*2\nR1 a 0 {z}", 14.0),
        (".param y={2*x}\nR1 a 0 {y}\n.param x=3", 6.0),
        (".global_param x=3\nR1 a 0 'x'", 3.0),
        (".param x={2**3**2}\nR1 a 0 {x}", 64.0),
        (".param a = max(1, 2) b={min(1,2)}\nR1 a 0 {10*a+b}", 21.0),
        ("R1 a 0 {pi}", math.pi),
        (".param pi=3\nR1 a 0 {pi}", 3.0),
        ("R1 a b R=1k", 1e3),
        ("R1 a b r = {2*3}", 6.0),
        ("R1 a b resistance=5 temp=27", 5.0),
        ("C1 b 0 c=1n", 1e-9),
        ("L1 b 0 l=1n", 1e-9),
        ("R1 a b 4k7", 4700.0),
        ("R1 a b 2r2", 2.2),
        ("R1 a b 1k m=4", 250.0),
        ("C1 a b 1n m=4", 4e-9),
        ("L1 a b 8n m=4", 2e-9),
        ("I1 a b 1n m=4", 4e-9),
        ("R1 a b 1k tc1=0.01 temp=127", 2e3),
        ("R1 a b 1k tc1=0.01 tc2=0.001 temp=37", 1200.0),
        ("R1 a b 1k tc1=0.01", 1e3),
        ("R1 a b 1k tc1=0.01\n.temp 47", 1200.0),
        ("R1 a b 1k tc1=0.01\n.options temp=47 tnom=37", 1100.0),
        ("C1 a b 1n tc1=0.01\n.temp 47", 1.2e-9),
        ("R1 a b 1k tc1=0.01 dtemp=10", 1100.0),
        ("C1 a b 1n ic=2", 1e-9),
        ("R§R1 a b 1k", 1e3),
        ("C1 a 0 100aF", 1e-16),
        ("V1 a 0 dc 0 distof1 1 0", 0.0),
    ],
)
def test_values(text, expected):
    assert value(text) == pytest.approx(expected, rel=1e-12)


def test_temperatures_of_resistors():
    def kelvin(text):
        return circuit(text).branches[0].kelvin

    assert kelvin("R1 a 0 1k noisy=0") == 0.0
    assert kelvin("R1 a 0 1k noisy=1") is None
    assert kelvin("R1 a 0 1k dtemp=10\n.options kelvin=77") == 87.0
    assert kelvin("R1 a 0 1k dtemp=10") == 310.0
    assert circuit("I1 a 0 0 noise=1e-24 m=4").branches[0].noise == 4e-24


def test_parasitic_elements():
    made = circuit("C1 a 0 1n Rser=5 Rpar=1meg Lser=1n\nL1 a 0 1m rser=0 cpar=1p\nV1 a 0 1 rser=50")
    assert [(b.name, b.plus, b.minus, b.value) for b in made.branches] == [
        ("C1", "C1.lser", "0", 1e-9),
        ("R.C1.rser", "a", "C1.rser", 5.0),
        ("L.C1.lser", "C1.rser", "C1.lser", 1e-9),
        ("R.C1.rpar", "a", "0", 1e6),
        ("L1", "a", "0", 1e-3),
        ("C.L1.cpar", "a", "0", 1e-12),
        ("V1", "V1.rser", "0", 1.0),
        ("R.V1.rser", "a", "V1.rser", 50.0),
    ]
    assert circuit(str(made)) == made


def test_names_of_board_editors():
    made = circuit("R1 Net-(R1-Pad1) /out 1k\nC§C1 /out 0 1n\nV1 Net-(R1-Pad1) GND 1")
    assert made.nodes == ("Net-(R1-Pad1)", "/out")
    assert circuit(str(made)) == made
    assert voltages(str(made))["/out"] == pytest.approx(1.0, abs=1e-6)


def test_what_a_simulator_alone_uses_is_skipped_and_listed():
    text = """V1 a 0 1
    R1 a b 1k
    C1 b 0 1n
    .dc V1 0 1 0.1
    .meas tran x find v(b) at=1n
    .plot tran v(b)
    .step param r 1 2 1
    .backanno
    .four 1k v(b)
    .options reltol=1e-4 noacct method=gear
    .model dmod d(is=1e-14)
    .nodeset v(b)=1
    .control
    * run it
    run
    let x = v(b)*2
    .endc
    .end"""
    made = circuit(text)
    assert len(made.branches) == 3
    for part in (".dc V1 0 1 0.1", ".meas tran x find v(b) at=1n", ".backanno", "run", ".endc"):
        assert part in made.skipped
    assert any(".options" in line for line in made.skipped)
    assert len(made.skipped) == 14


def test_options_that_set_a_temperature_are_read_among_others():
    made = circuit(".options reltol=1m temp=0 list\nR1 a 0 1k")
    assert made.kelvin == 273.15


@pytest.mark.parametrize(
    ("waveform", "initial"),
    [
        ("sin(1 2 1k)", 1.0),
        ("sin(1 2 1k 1m 5 30)", 2.0),
        ("sin 1 2 1k", 1.0),
        ("SIN(1,2,1k)", 1.0),
        ("pulse({1+1} 5 0 1n 1n 1u 2u)", 2.0),
        ("exp(1 5 0 1u)", 1.0),
        ("pwl(0 1 1n 5)", 1.0),
        ("pwl(1n 1 2n 5)", 1.0),
        ("pwl(-1n 1 1n 5)", 3.0),
        ("pwl(-2n 1 -1n 5)", 5.0),
        ("sffm(1 2 1k 3 100)", 1.0),
        ("sffm(1 2 1k 3 100 30 60)", 1.039832699),
        ("am(1 2 100 1k)", 0.0),
        ("dc 7 sin(1 2 1k)", 7.0),
        ("sin(1 2 1k) dc 7", 7.0),
        ("ac 1 sin(1 2 1k) ac 2", 1.0),
        ("7 pulse(1 2)", 7.0),
    ],
)
def test_waveforms_at_time_zero(waveform, initial):
    """Values of ngspice 39."""
    text = f"V1 a 0 {waveform}"
    with pytest.raises(CircuitError, match="waveforms='initial'"):
        circuit(text)
    assert value(text, waveforms="initial") == pytest.approx(initial, rel=1e-9)


@pytest.mark.parametrize(
    ("waveform", "part"),
    [
        ("trnoise(1 1n 0 0)", "noise="),
        ("pwl(0 1 1n)", "pairs"),
        ("pwl(1 1 0 2)", "increasing"),
        ("pulse(1 2 -1n)", "before time 0"),
        ("sin(1", "not closed"),
        ("sin(1)", "two values"),
        ("sin(x 1)", "not a number"),
    ],
)
def test_waveforms_that_are_refused(waveform, part):
    with pytest.raises(CircuitError, match=part) as caught:
        circuit(f"R1 a 0 1\nV1 a 0 {waveform}", waveforms="initial")
    assert caught.value.line == 2


def test_waveforms_switch_is_checked():
    with pytest.raises(ValueError, match="waveforms must be one of"):
        circuit("R1 a 0 1", waveforms="dc")


def test_a_wire_joins_nodes():
    """A divider of 1k and 1k whose parts are joined by resistors of 0 Ω; one shorts a third."""
    found = voltages(
        "V1 i 0 2\nR0 i in 0\nR1 in a 1k\nR9 a b 0\nR2 b 0 1k\nR3 a b 5k\nC1 b 0 1n\nR8 0 g 0\n"
        "C2 g a 1n"
    )
    wanted = {"i": 2.0, "in": 2.0, "a": 1.0, "b": 1.0, "g": 0.0}
    assert found == pytest.approx(wanted, abs=1e-6)
    assert ktc.Circuit().add("R1", "a", 0, 0).branches[0].value == 0.0
    with pytest.raises(CircuitError, match="V1 .* contradict"):
        circuit("V1 a 0 1\nR1 a 0 0\nR2 a b 1\nC1 b 0 1").compile()
    with pytest.raises(CircuitError, match="no resistor"):
        circuit("R1 a 0 0\nC1 b a 1n\nL1 b 0 1").compile()


def test_all_resistors_at_0_kelvin():
    with pytest.raises(CircuitError, match="all resistors are at 0 K"):
        circuit("V1 i 0 1\nR1 i a 1k kelvin=0\nC1 a 0 1n").compile()


def test_farads_in_text_of_a_call():
    with pytest.raises(CircuitError, match=r"'1F' is 1 femtofarads in SPICE; write 1fF"):
        ktc.Circuit().add("C1", "a", 0, "1F")
    assert ktc.Circuit().add("C1", "a", 0, "1fF").branches[0].value == 1e-15
    assert ktc.Circuit().add("C1", "a", 0, "1pF").branches[0].value == 1e-12


def test_initial_conditions():
    text = "R1 a 0 1k\nC1 a 0 1n\nC2 a b 3n ic=2\nR2 b 0 1k\nL1 b 0 1m ic=5m\n.ic v(a)=1"
    made = circuit(text.replace(".ic", "C3 b 0 1n\n.ic"))
    state = made.initial_state()
    emulator = ktc.Emulator(made.compile(), replicas=3, seed=1, state=state)
    np.testing.assert_allclose(made.voltages(emulator), [[1.0, -1.0]] * 3, rtol=1e-12)
    assert state[made.compile().coordinates.index("phi(L1)")] == pytest.approx(5e-6)
    assert circuit(str(made)).initial_state() is not None and circuit(str(made)) == made
    with pytest.raises(CircuitError, match=r"v\(x\) names no node"):
        circuit("R1 a 0 1k\nC1 a 0 1n\n.ic v(x)=1").initial_state()
    with pytest.raises(CircuitError, match="contradicts"):
        circuit("R1 a 0 1k\nC1 a 0 1n ic=2\n.ic v(a)=1").initial_state()
    with pytest.raises(CircuitError, match="each as v") as caught:
        circuit("R1 a 0 1k\nC1 a 0 1n\n.ic a=1")
    assert caught.value.line == 3
    np.testing.assert_array_equal(circuit("R1 a 0 1k\nC1 a 0 1n").initial_state(), [0.0])


def test_copies_of_calls_multiply_and_mil_in_braces_is_a_mil():
    """As docs/netlists.md states; ngspice reads both in another way."""
    inner = ".subckt p a\nR1 a 0 6k\n.ends\n.subckt q a\nX2 a p m=2\n.ends\nX1 a q m=3"
    assert circuit(inner).branches[0].value == pytest.approx(1000.0, rel=1e-15)
    element = ".subckt p a\nR1 a 0 6k m=2\n.ends\nX1 a p m=3"
    assert circuit(element).branches[0].value == pytest.approx(1000.0, rel=1e-15)
    assert circuit("R1 a 0 {1mil}").branches[0].value == pytest.approx(25.4e-6, rel=1e-15)
