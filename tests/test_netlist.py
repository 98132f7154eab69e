"""Netlists: every rule of the notation, every complaint with its line and word, and fuzz."""

from __future__ import annotations

import math
import random
from collections import Counter

import hypothesis.strategies as st
import pytest
from hypothesis import given

import ktc
from ktc._circuits.branch import CircuitError
from ktc._circuits.expressions import evaluate
from ktc._circuits.spice_numbers import parse_number

PAIR = """R1 a 0 10meg kelvin=88
C1 a 0 680p
R2 b 0 10meg kelvin=296
C2 b 0 420p
C3 a b 100p"""


def only(text, **options):
    """The one element of a netlist."""
    (branch,) = ktc.Circuit.from_netlist(text, **options).branches
    return branch


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5.0),
        ("-5.25", -5.25),
        ("+.5", 0.5),
        ("5.", 5.0),
        ("1e3", 1e3),
        ("1E-3", 1e-3),
        ("680p", 6.8e-10),
        ("680pF", 6.8e-10),
        ("1F", 1e-15),  # femto, not farad
        ("1M", 1e-3),  # milli, not mega
        ("10MEG", 1e7),
        ("10megohm", 1e7),
        ("2.2k", 2.2e3),
        ("3G", 3e9),
        ("4T", 4e12),
        ("5u", 5e-6),
        ("5µF", 5e-6),
        ("7n", 7e-9),
        ("1mil", 25.4e-6),
        ("12V", 12.0),
        ("1V", 1.0),
        ("100aF", 1e-16),
        ("3attofarad", 3e-18),
        ("4k7", 4700.0),
        ("2r2", 2.2),
        ("3p3F", 3.3e-12),
        ("1meg5ohm", 1.5e6),
        ("-1u5", -1.5e-6),
        ("1mega", 1e6),
        ("1d3", 1e3),
        ("10Hz", 10.0),
        ("1e3meg", 1e9),
        ("1.5e+2k", 1.5e5),
    ],
)
def test_numbers_and_suffixes(text, value):
    # Equal to the last bit: one conversion of one decimal (mil apart, an exact product here).
    assert parse_number(text) == value
    assert only(f"V1 a 0 {text}").value == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "k",
        "1k5k5",
        "4.7k2",
        "1e3k5",
        "5V5",
        "1k_",
        "1e",
        "1.2.3",
        "--1",
        "1e400",
        "1e99999999999",
        "nan",
        "inf",
        "0x10",
    ],
)
def test_what_is_no_number(text):
    with pytest.raises(ValueError, match="number|range"):
        parse_number(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1+2*3", 7.0),
        ("(1+2)*3", 9.0),
        ("2**3**2", 64.0),  # from the left, as ngspice
        ("2^3*2", 16.0),
        ("-2**-2", -0.25),
        ("5%3", 2.0),
        ("1>0 ? 3 : 4", 3.0),
        ("x==4 && !0 || 0", 1.0),
        ("sqrt(x) + pow(2, 3)", 10.0),
        ("max(1, min(5, x), 2)", 4.0),
        ("ln(exp(2)) + log(1) + log10(100)", 4.0),
        ("atan(1)*4", 3.141592653589793),
        ("int(-2.7) + nint(2.5) + floor(2.5) + ceil(2.1) + sgn(-3)*abs(-2)", 3.0),
        ("pwr(-2, 2) + sqr(3) + ternary_fcn(1, 2, 3)", 15.0),
        ("4k7 + 2r2", 4702.2),
        ("-2**2", -4.0),
        ("2^-1", 0.5),
        ("1 - 2 - 3", -4.0),
        ("8/4/2", 1.0),
        ("--3", 3.0),
        ("2*680p", 1.36e-9),
        ("x/2 + 1k", 1002.0),
    ],
)
def test_expressions(text, value):
    assert evaluate(text, {"x": 4.0}.__getitem__) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1+",
        "*1",
        "(1",
        "1)",
        "1 2",
        "1/0",
        "1/(2-2)",
        "(-8)**0.5",
        "(-2)**3",
        "pwr(-2, 3)",
        "sqrt(-1)",
        "sqrt(1, 2)",
        "sqrt()",
        "gauss(1, 2, 3)",
        "1 ? 2",
        "10**400",
        "1e300*1e300",
        "__import__('os')",
        "a.b",
        "1;2",
        "x=1",
        "(" * 5000 + "1" + ")" * 5000,
        "2**" * 5000 + "1",
    ],
)
def test_what_is_no_expression(text):
    def lookup(name):
        if name != "x":
            raise ValueError(f"there is no {name!r}")
        return 1.0

    with pytest.raises(ValueError, match="cannot evaluate|there is no|range"):
        evaluate(text, lookup)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2 * (3 + ", "cannot evaluate"),
        ("1k + 2 r0", "'r0' at column 8 is unexpected"),
        ("1k + r0(2)", "no function 'r0', only .*sqrt"),
        ("(-2)**3", "absolute value of the base"),
        ("1 + $2", r"'\$' at column 5 is unexpected"),
        ("+" * 600 + "1", "more than 500 terms"),
    ],
)
def test_refused_expressions_say_where(text, reason):
    with pytest.raises(ValueError, match=reason):
        evaluate(text, {"r0": 1.0}.__getitem__)


def test_names_of_parameters_may_be_python_keywords():
    assert evaluate("if + lambda", {"if": 1.0, "lambda": 2.0}.__getitem__) == 3.0


def test_example_of_the_manual():
    circuit = ktc.Circuit.from_netlist(PAIR)
    assert circuit.nodes == ("a", "b")
    values = [(b.name, b.plus, b.minus, b.value, b.kelvin) for b in circuit.branches]
    assert values == [
        ("R1", "a", "0", 1e7, 88.0),
        ("C1", "a", "0", 6.8e-10, None),
        ("R2", "b", "0", 1e7, 296.0),
        ("C2", "b", "0", 4.2e-10, None),
        ("C3", "a", "b", 1e-10, None),
    ]


def test_comments_continuations_and_blank_lines():
    text = """* a comment

    r1 A gnd   ; the resistor
    * between
    + 1k       $ of one kilohm
    +

    ; nothing else
    .end
    * after the end
    """
    branch = only(text)
    assert (branch.name, branch.plus, branch.minus, branch.value) == ("r1", "A", "0", 1e3)
    assert branch.line == 3


def test_carriage_returns():
    assert len(ktc.Circuit.from_netlist(PAIR.replace("\n", "\r\n")).branches) == 5


def test_parameters():
    text = """.param r0=5k c0 = {2*680p}
    .PARAM tau={R0*c0} half='r0/2'
    R1 a 0 {2*r0 + 1k} kelvin={300/3}
    C1 a 0 {C0}
    L1 a 0 {tau}
    R2 a 0 'half'"""
    values = [b.value for b in ktc.Circuit.from_netlist(text).branches]
    assert values == pytest.approx([11e3, 1.36e-9, 6.8e-6, 2.5e3], rel=1e-15)


def test_temperatures():
    def kelvin(text):
        circuit = ktc.Circuit.from_netlist(text)
        (branch,) = circuit.branches
        return circuit.kelvin, branch.kelvin

    assert kelvin("R1 a 0 1") == (300.0, None)
    assert kelvin("R1 a 0 1 temp=27") == (300.0, 300.15)
    assert kelvin("R1 a 0 1 kelvin=4.2") == (300.0, 4.2)
    assert kelvin("R1 a 0 1 kelvin=0") == (300.0, 0.0)
    assert kelvin(".temp 27\nR1 a 0 1") == (300.15, None)
    assert kelvin("R1 a 0 1\n.options temp=0") == (273.15, None)
    assert kelvin(".param t=77\n.option kelvin={t}\nR1 a 0 1") == (77.0, None)


def test_sources_and_noise():
    assert only("V1 a 0 dc 5").value == 5.0
    assert only("V1 a 0 DC -5").value == -5.0
    assert only("V1 a dc 5").minus == "dc"
    noisy = only("I1 a 0 1n noise=4e-24 bandwidth=10k")
    assert (noisy.value, noisy.noise, noisy.bandwidth) == (1e-9, 4e-24, 1e4)


def test_nodes_in_parentheses_and_commas():
    for nodes in ("(a b)", "(a, b)", "( a,b )", "a, b", "a,b", "a,b,"):
        branch = only(f"R1 {nodes} 1k temp=27")
        assert (branch.plus, branch.minus, branch.value, branch.kelvin) == ("a", "b", 1e3, 300.15)
    assert only("V1 (a 0)").value == 0.0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", 0.0),
        ("dc=5", 5.0),
        ("DC = {2*3}", 6.0),
        ("ac", 0.0),
        ("ac 1", 0.0),
        ("AC 1 90", 0.0),
        ("dc 5 ac 1", 5.0),
        ("5 ac 1 -90", 5.0),
        ("ac 1 dc 5", 5.0),
    ],
)
def test_values_of_sources(text, value):
    assert only(f"V1 a 0 {text}").value == value
    noisy = only(f"I1 a 0 {text} noise=1e-24")
    assert (noisy.value, noisy.noise) == (value, 1e-24)


def test_byte_order_mark():
    assert only("\ufeffR1 a 0 1k").name == "R1"
    assert ktc.Circuit.from_netlist("\ufeffA title\nR1 a 0 1", title=True).title == "A title"


def test_commands_for_a_simulator_are_skipped_and_told():
    text = """V1 in 0 dc 1 ac 1
    R1 in a 1k
    .tran 1n 1u 'uic
    * a comment
    + {0
    + ; and more
    C1 a 0
    .NOISE V(a) V1 dec 10 1 1meg
    .op
    .print ac vdb(a)
    .save all
    .end"""
    with pytest.raises(CircuitError, match="two nodes and a value"):
        ktc.Circuit.from_netlist(text)
    circuit = ktc.Circuit.from_netlist(text.replace("C1 a 0", "C1 a 0\n+ 1n"))
    assert [b.name for b in circuit.branches] == ["V1", "R1", "C1"]
    assert circuit.skipped == (
        ".tran 1n 1u 'uic {0 ; and more",
        ".NOISE V(a) V1 dec 10 1 1meg",
        ".op",
        ".print ac vdb(a)",
        ".save all",
    )
    assert ktc.Circuit.from_netlist(str(circuit)) == circuit
    assert ktc.Circuit.from_netlist("R1 a 0 1").skipped == ktc.Circuit().skipped == ()


def test_hint_at_a_title():
    for text in ("Low-pass of first order", "RC low-pass", "Amplifier 5", "Title"):
        with pytest.raises(CircuitError, match="title=True"):
            ktc.Circuit.from_netlist(text)
    for text in ("R1 a 0", "r1 a 0 rload", "C1 a 0 0"):
        with pytest.raises(CircuitError) as caught:
            ktc.Circuit.from_netlist(text)
        assert "title" not in str(caught.value)


def test_titles():
    text = "RC low-pass\nR1 a 0 1k"
    circuit = ktc.Circuit.from_netlist(text, title=True)
    assert circuit.title == "RC low-pass" and len(circuit.branches) == 1
    assert ktc.Circuit.from_netlist("R1 a 0 1\n.title RC (low; pass)").title == "RC (low; pass)"
    with pytest.raises(CircuitError, match="title=True"):
        ktc.Circuit.from_netlist(text)


def test_names_and_nodes_do_not_depend_on_case():
    circuit = ktc.Circuit.from_netlist("R1 Out 0 1k\nC1 OUT GND 1n")
    assert circuit.nodes == ("Out",)
    assert circuit.branches[1].plus == "Out" and circuit.branches[1].minus == "0"


# Text, line of the complaint, its word, and a part of the message that tells the mend.
COMPLAINTS = [
    ("R1 a 0 1k\nQ1 a b c", 2, "Q1", "R, C, L, V, I, E, F, G or H"),
    ("R1 a 0 1k\n\nK1 L1 L2 0.9", 3, "L1", "K1 names 'L1', but there is none"),
    ("R1 a 0 1k\nD1 a 0 dmod", 2, "D1", "not linear"),
    ("R1 a 0 1k\nB1 b 0 v=2*v(a)", 2, "B1", "behavioural"),
    ("R1 a 0 1k\nr1 a 0 2k", 2, "r1", "first in line 1"),
    ("R1 a 0 -1k", 1, "R1", "positive"),
    ("C1 a 0\n+ 0", 1, "C1", "positive"),
    ("L1 a 0 -1m", 1, "L1", "positive"),
    ("R1 a 0 1e400", 1, "1e400", "range"),
    ("R1 a 0 {1/0}", 1, "{1/0}", "zero"),
    ("R1 a a 1k", 1, "R1", "both ends"),
    ("R1 gnd 0 1k", 1, "R1", "both ends"),
    ("R1 a 0", 1, "0", "two nodes and a value"),
    ("R1", 1, "R1", "two nodes and a value"),
    ("R1 a 0 1q2", 1, "1q2", "10meg"),
    ("R1 a 0 1X", 1, "1X", "write meg"),
    ("C1 a 0 1micro", 1, "1micro", "write u"),
    ("C1 a 0 1milli", 1, "1milli", "write m"),
    ("C1 a 0 1e-12F", 1, "1e-12F", "leave out F"),
    ("C1 a 0 1farad", 1, "1farad", "leave out the unit"),
    ("I1 a 0 1A", 1, "1A", "atto"),
    ("R1 a 0 1Mohm", 1, "1Mohm", "milli"),
    ("R1 a 0 1M5", 1, "1M5", "milli"),
    ("R1 a 0 rload", 1, "rload", "not a number"),
    (".param rload=5\nR1 a 0 rload", 2, "rload", "{rload}"),
    ("R1 a 0 {rload}", 1, "{rload}", "'rload'"),
    (".param a={b}\n.param b={2*a}\nR1 a 0 1", 2, "{2*a}", "depends on itself: a → b → a"),
    (".param a={b}\nR1 a 0 1", 1, "{b}", "no parameter 'b'"),
    (".param a=1\n.param A=2", 2, "A", "twice"),
    (".param 2a=1", 1, "2a", "no name"),
    (".param a", 1, "a", "unexpected"),
    (".param a=", 1, "a", "after '='"),
    ("R1 a 0 1k\n+ temp=27 kelvin=300", 2, "kelvin", "twice"),
    ("R1 a 0 1k temp=-300", 1, "-300", "absolute zero"),
    ("R1 a 0 1k kelvin=-1", 1, "-1", "absolute zero"),
    ("R1 a 0 1k tc3=5", 1, "tc3", "temp=, kelvin="),
    ("C1 a 0 1n kelvin=27", 1, "kelvin", "temp="),
    ("R1 a 0 1k R=2k", 1, "2k", "has two values"),
    ("R1 a 0 tc1=5", 1, "5", "needs two nodes and a value"),
    ("R1 a 0 1k m=0", 1, "R1", "m= of R1 must be positive"),
    ("R1 a 0 1k tc1=-1 temp=127", 1, "R1", "positive"),
    ("V1 a 0 trnoise(1 1n 0 0)", 1, "trnoise", "noise="),
    ("I1 a 0 0 noise=0", 1, "noise", "positive"),
    ("I1 a 0 0\n+ bandwidth=1k", 2, "bandwidth", "noise="),
    ("V1 a 0 0 temp=1", 1, "temp", "there is noise=, bandwidth=, rser="),
    ("V1 a 0 dc", 1, "dc", "value"),
    ("V1 a 0 dc 1 dc 2", 1, "dc", "unexpected"),
    ("V1 a 0 dc=", 1, "dc", "value"),
    ("V1 a 0 ac big", 1, "big", "not a number"),
    ("V1 a 0 ac 1 2 3", 1, "3", "unexpected"),
    ("V1 a", 1, "a", "needs two nodes, but"),
    ("V1 a 0 sin(0 1 1k)", 1, "sin", "waveforms='drive'"),
    ("V1 a 0 dc 0 ac 1 pulse(0, 1)", 1, "pulse", "waveforms='drive'"),
    ("R1 a 0 sin(0 1)", 1, "sin", "not a number"),
    ("R1 a 0 2*(1k)", 1, "(", "braces"),
    ("R1 (a 0 1k", 1, "(", "not closed"),
    ("R1 a 0) 1k", 1, ")", "unexpected"),
    ("R1 ((a 0) 1k", 1, "(", "unexpected"),
    ("R1 a,,0 1k", 1, ",", "unexpected"),
    ("R1 a 0 1k, temp=27", 1, ",", "unexpected"),
    (".param a=1, b=2", 1, ",", "unexpected"),
    ("R1 a 0 1k {2", 1, "{", "braces"),
    ("R1 a* 0 1k", 1, "a*", "one word"),
    ("R1 a 0 1k 2k", 1, "2k", "unexpected"),
    ("R1 a 0 1k kelvin", 1, "kelvin", "unexpected"),
    ("R1 a 0 1k = 5", 1, "=", "unexpected"),
    ("R+1 a 0 1k", 1, "R+1", "letters"),
    ("+ R1 a 0 1k", 1, "+", "continues no line"),
    ("R1 a 0 1k\n.frequency 1k", 2, ".frequency", ".tran, .ac"),
    ("R1 a 0 1k\n.control\nrun", 2, ".control", ".endc"),
    (".include 'parts.lib'", 1, "parts.lib", "Circuit.from_file"),
    (".end\n.tran 1n 1u", 2, ".tran", "after .end"),
    (".temp", 1, ".temp", "Celsius"),
    (".temp 27\n.options kelvin=5", 2, "kelvin", "first in line 1"),
    (".options kelvn=5", 1, "kelvn", "kelvin="),
    (".options rshunt=1e9", 1, "rshunt", "adds elements"),
    (".title a\n.title b", 2, ".title", "one title"),
    (".end\nR1 a 0 1k", 2, "R1", ".end"),
    (".end here", 1, "here", "after '.end'"),
]


@pytest.mark.parametrize(("text", "line", "token", "part"), COMPLAINTS)
def test_complaint_names_line_and_word(text, line, token, part):
    with pytest.raises(CircuitError) as caught:
        ktc.Circuit.from_netlist(text)
    error = caught.value
    assert isinstance(error, ValueError)
    assert (error.line, error.token) == (line, token)
    assert str(error).startswith(f"line {line}: ")
    assert token in str(error) and part in str(error)


def test_what_is_no_text():
    with pytest.raises(TypeError, match="text"):
        ktc.Circuit.from_netlist(b"R1 a 0 1k")


def test_text_of_a_circuit():
    circuit = ktc.Circuit(kelvin=77.0, title="A pair")
    circuit.add("R1", "a", 0, "10meg", kelvin=88).add("C1", "a", 0, 6.8e-10)
    circuit.add_noise("I1", 0, "a", 1e-24, "10k")
    assert str(circuit) == (
        ".title A pair\n.options kelvin=77\nR1 a 0 10000000 kelvin=88\nC1 a 0 6.8e-10\n"
        "I1 0 a 0 noise=1e-24 bandwidth=10000\n.end\n"
    )
    assert ktc.Circuit.from_netlist(str(circuit)) == circuit


POSITIVE = st.floats(min_value=5e-324, max_value=1.7e308)
NODES = st.sampled_from(["0", "a", "b", "Out", "n+1", "x.y", "#2", "dc", "[3]"])
TEMPERATURE = st.none() | st.just(0.0) | POSITIVE


@st.composite
def circuits(draw):
    circuit = ktc.Circuit(draw(POSITIVE), draw(st.sampled_from(["", "A title; of $ it", ".end"])))
    for number in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from("RCLVIrclvi"))
        plus, minus = draw(st.lists(NODES, min_size=2, max_size=2, unique_by=str.lower))
        signed = draw(st.sampled_from([1.0, -1.0])) if kind in "VIvi" else 1.0
        options = {}
        if kind in "Rr":
            options["kelvin"] = draw(TEMPERATURE)
        if kind in "Ii":
            options["noise"] = draw(st.none() | POSITIVE)
            if options["noise"] is not None:
                options["bandwidth"] = draw(st.none() | POSITIVE)
        circuit.add(f"{kind}{number}", plus, minus, signed * draw(POSITIVE), **options)
    return circuit


@st.composite
def active_circuits(draw):
    """Circuits with controlled sources, couplings and waveforms; nodes may be named as keywords."""
    circuit = draw(circuits())
    for k in range(3):
        circuit.add(f"L1{k}", "a", "b", draw(POSITIVE)).add(f"V1{k}", "a", "b", draw(POSITIVE))
    nodes = NODES | st.sampled_from(["opamp", "poly", "table", "value", "gain", "1", "V10"])
    for number in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from("EFGHefgh"))
        plus, minus = draw(st.lists(nodes, min_size=2, max_size=2, unique_by=str.lower))
        voltage = tuple(draw(st.lists(nodes, min_size=2, max_size=2)))
        control = voltage if kind in "EGeg" else (draw(st.sampled_from(["V10", "v11", "V12"])),)
        gain = draw(POSITIVE | st.just(0.0) | POSITIVE.map(lambda x: -x))
        gain = math.inf if kind in "Ee" and draw(st.booleans()) else gain
        circuit.add(f"{kind}2{number}", plus, minus, gain, control=control)
    inductors = draw(st.lists(st.sampled_from(["L10", "l11", "L12"]), min_size=2, unique=True))
    circuit.add_coupling("K1", *inductors, value=draw(st.floats(-0.999, 0.999)))
    levels = st.floats(-1e3, 1e3)
    circuit.waveforms["V10"] = draw(
        st.builds(lambda *x: ktc.Waveform("sin", x), levels, levels, POSITIVE)
        | st.builds(lambda *x: ktc.Waveform("pulse", x), levels, levels)
        | st.builds(lambda a, b: ktc.Waveform("pwl", (0, a, 1e-6, b), 0.0, 2e-6), levels, levels)
    )
    return circuit


@given(active_circuits())
def test_text_of_any_active_circuit_reads_back_equal(circuit):
    again = ktc.Circuit.from_netlist(str(circuit), waveforms="drive")
    assert again == circuit
    assert str(again) == str(circuit)


@given(circuits())
def test_text_of_any_circuit_reads_back_equal(circuit):
    again = ktc.Circuit.from_netlist(str(circuit))
    assert again == circuit
    assert str(again) == str(circuit)


SEEDS = [
    PAIR,
    """.title T of resistors
.param r0=1k c0={100p*2}
.options temp=26.85
V1 in 0 dc 1m
R1 in m {r0} temp=26.85
R2 m out {2*r0+1}  ; to the output
R3 m 0 'r0'
C1 out 0 {c0} $ load
C2 out in 10pF
I1 0 out 1u noise=1e-24
+ bandwidth=1meg
.end
""",
    "R1 a b 50\nL1 b c 1u\nC1 c 0 1n\nR2 c 0 10k kelvin=4.2\nV1 a 0 0\nL2 c d 2u\nR3 d 0 1\n",
    "R1 a 0 1k\nR2 b 0 2k\nC1 a b 1n\nI1 a b 1n noise=1e-20\n.temp 27\n* the end\n",
]
PIECES = [
    *"0123456789abRCLVIKQ.+-*/={}'(),;$ \n\t\0é٣",
    *(
        "meg",
        "1e",
        "e-9",
        "{",
        "}",
        "temp=",
        "kelvin=",
        "noise=",
        ".param ",
        ".end\n",
        "\n+",
        "\n*",
    ),
    *(
        "0",
        "-1",
        "1e308",
        "1e-308",
        "nan",
        "inf",
        "1e999",
        "**",
        "r0",
        " gnd ",
        "dc",
        "\r",
        "\u2028",
    ),
]
LINES = [
    *("C9 a 0 1f", "C8 a b 1e200", "R9 a 0 1t", "R8 a b 1e-300", "L9 a 0 1n", "L8 a c 1e300"),
    *("V9 a 0 1", "V8 a b 1", "V7 b c 1", "I9 a 0 1", "I8 m x 1 noise=1", "R7 c out 1 kelvin=3"),
]


def mutated(text, draw):
    """A netlist a few edits away."""
    for _ in range(draw.choice((1, 1, 1, 2, 5))):
        start = draw.randrange(len(text) + 1)
        stop = min(len(text), start + draw.choice((0, 1, 1, 2, 5, 20)))
        lines = text.split("\n")
        match draw.randrange(8):
            case 0:
                text = text[:start] + draw.choice(PIECES) + text[start:]
            case 1:
                text = text[:start] + text[stop:]
            case 2:
                text = text[:start] + draw.choice(PIECES) + text[stop:]
            case 3:
                lines.insert(draw.randrange(len(lines) + 1), draw.choice(LINES))
                text = "\n".join(lines)
            case 4:
                del lines[draw.randrange(len(lines))]
                text = "\n".join(lines)
            case 5:
                draw.shuffle(lines)
                text = "\n".join(lines)
            case 6:
                old, new = draw.choice("0123456789abcmp"), draw.choice("0123456789abcmp")
                text = text.replace(old, new, 1)
            case 7:
                words = text.split(" ")
                i, j = draw.randrange(len(words)), draw.randrange(len(words))
                words[i], words[j] = words[j], words[i]
                text = " ".join(words)
    return text


def reading(text):
    """The circuit of a netlist and its network, or the complaint about either."""
    made = None
    try:
        made = ktc.Circuit.from_netlist(text)
        net = made.compile()
        ktc.Emulator(net, replicas=1, seed=1)  # what compiles also starts
        return made, net
    except CircuitError as error:
        return made, error


def test_mutated_netlists_give_an_error_or_a_circuit():
    """Of four thousand: a complaint with its line, or a circuit that compiles or says why not."""
    draw, outcomes = random.Random(1), Counter()
    for _ in range(4000):
        text = mutated(draw.choice(SEEDS), draw)
        made, result = reading(text)
        if isinstance(result, CircuitError):
            assert result.message, text
        if made is None:
            assert 1 <= result.line <= 1 + text.count("\n") + text.count("\r"), text
        else:
            assert ktc.Circuit.from_netlist(str(made)) == made, text
        outcomes[made is not None, type(result)] += 1
    assert len(outcomes) == 3 and min(outcomes.values()) > 200, outcomes
