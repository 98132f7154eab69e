"""Controlled sources, op-amps and couplings of inductors in netlists."""

from __future__ import annotations

import math

import pytest

import ktc
from ktc._circuits.branch import CircuitError

LOADS = "V1 b 0 2\nV2 c 0 3\nL1 b 0 1m\nL2 c 0 4m\nL3 b c 1m\n"


def circuit(text, **options):
    return ktc.Circuit.from_netlist(text, **options)


def added(line):
    """What a line adds: name, nodes, value and control of each element."""
    made = circuit(LOADS + line)
    assert circuit(str(made)) == made
    return [(b.name, b.plus, b.minus, b.value, b.control) for b in made.branches[5:]]


@pytest.mark.parametrize(
    "line",
    [
        "E1 x 0 b 0 10",
        "E1 x 0 (b,0) 10",
        "E1 x 0 (b 0) {2*5}",
        "E1 (x 0) (b 0) 10",
        "E1 (x 0 b 0) 10",
        "E1 x 0 b,0 10",
        "E1 x 0 b 0 gain=10",
        "E1 x 0 POLY(1) b 0 0 10",
        "E1 x 0 poly(1) (b,0) 0 10 0 0",
        "E1 x 0 POLY(2) c 0 b 0 0 0 10",
        "E1 x GND b gnd\n+ 10",
    ],
)
def test_spellings_of_a_voltage_controlled_voltage(line):
    """ngspice 39 reads each as a gain of 10, the last but two as the code model of XSPICE."""
    assert added(line) == [("E1", "x", "0", 10.0, ("b", "0"))]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("G1 0 x b 0 1m m=2", ("G1", "0", "x", 2e-3, ("b", "0"))),
        ("G1 0 x b 0 gain=1m", ("G1", "0", "x", 1e-3, ("b", "0"))),
        ("G1 0 x poly(1) b 0 0 -1m", ("G1", "0", "x", -1e-3, ("b", "0"))),
        ("F1 0 x V1 2 m=3", ("F1", "0", "x", 6.0, ("V1",))),
        ("F1 0 x V1 gain=2", ("F1", "0", "x", 2.0, ("V1",))),
        ("F1 0 x poly(1) v1 0 2", ("F1", "0", "x", 2.0, ("v1",))),
        ("H1 x 0 V1 5k", ("H1", "x", "0", 5e3, ("V1",))),
        ("H1 x 0 poly(2) V2 V1 0 0 5", ("H1", "x", "0", 5.0, ("V1",))),
        ("E1 x 0 opamp b c", ("E1", "x", "0", math.inf, ("b", "c"))),
        ("E1 x 0 OPAMP 2 1", ("E1", "x", "0", math.inf, ("2", "1"))),
        ("E1 x 0 opamp b c 1e5", ("E1", "x", "0", 1e5, ("b", "c"))),
        ("E1 x 0 (opamp c) 2", ("E1", "x", "0", 2.0, ("opamp", "c"))),
        ("E1 x 0 poly b 2", ("E1", "x", "0", 2.0, ("poly", "b"))),
        ("E1 x 0 poly(1) b 0 0 0", ("E1", "x", "0", 0.0, ("b", "0"))),
    ],
)
def test_controlled_sources(line, wanted):
    assert added(line) == [wanted]


def test_terms_of_a_polynomial():
    """Voltages are in series and currents in parallel."""
    assert added("E1 x y POLY(3) (b,0) (c,0) (b,c) 0 2 3 4") == [
        ("E1", "x", "E1.1", 2.0, ("b", "0")),
        ("E.E1.2", "E1.1", "E1.2", 3.0, ("c", "0")),
        ("E.E1.3", "E1.2", "y", 4.0, ("b", "c")),
    ]
    assert added("F1 x y POLY(2) V1 V2 0 2 3 m=2") == [
        ("F1", "x", "y", 4.0, ("V1",)),
        ("F.F1.2", "x", "y", 6.0, ("V2",)),
    ]


@pytest.mark.parametrize(
    ("line", "inductors", "value"),
    [
        ("K1 L1 L2 0.5", ("L1", "L2"), 0.5),
        ("K1 L1 L2 L3 0.9", ("L1", "L2", "L3"), 0.9),
        ("K1 (L1, L2) {-1/2}", ("L1", "L2"), -0.5),
        ("K1 L1 L2 k=0.5", ("L1", "L2"), 0.5),
        ("k1 l1 l2 coefficient={0.5}", ("l1", "l2"), 0.5),
    ],
)
def test_couplings(line, inductors, value):
    made = circuit(LOADS + line)
    (coupling,) = made.couplings
    assert (coupling.inductors, coupling.value) == (inductors, value)
    assert circuit(str(made)) == made


CELL = """.subckt cell a b k=0.5 g=2
L1 a m 1m
L2 m 0 4m
K1 L1 L2 {k}
Vs b s 0
F1 0 m Vs {g}
H1 h 0 Vs 1k
R1 h s 1k
E1 e 0 a b {g}
R2 e m 1k
G1 m 0 e 0 1m m=3
E2 o 0 opamp m e
R3 o m 1k
.ends
"""


def test_subcircuits():
    made = circuit(CELL + "X1 p q cell g=3\n.subckt two a b\nX9 a b cell k=0.1\n.ends\nX2 p 0 two")
    by_name = {b.name: b for b in made.branches}
    assert [c.name for c in made.couplings] == ["K.X1.K1", "K.X2.X9.K1"]
    assert made.couplings[1].inductors == ("L.X2.X9.L1", "L.X2.X9.L2")
    assert [c.value for c in made.couplings] == [0.5, 0.1]
    assert by_name["F.X1.F1"].control == ("V.X1.Vs",) and by_name["F.X1.F1"].value == 3.0
    assert by_name["H.X2.X9.H1"].control == ("V.X2.X9.Vs",)
    assert by_name["E.X1.E1"].control == ("p", "q")
    assert by_name["E.X2.X9.E1"].control == ("p", "0")
    assert by_name["G.X1.G1"].control == ("X1.e", "0") and by_name["G.X1.G1"].value == 3e-3
    assert by_name["E.X1.E2"].control == ("X1.m", "X1.e")
    assert circuit(str(made)) == made


def test_copies_of_calls():
    made = circuit(".subckt s a\nG1 a 0 a 0 1m\nE1 b 0 a 0 2\nR1 b a 1k\n.ends\nX1 p s m=2")
    assert [b.value for b in made.branches] == [2e-3, 2.0, 500.0]
    with pytest.raises(CircuitError, match=r"F1 .* called with m=") as caught:
        circuit(".subckt s a\nV1 a b 0\nR1 b 0 1\nF1 a 0 V1 2\n.ends\nX1 p s m=2")
    assert caught.value.line == 4


def test_a_saved_circuit_keeps_its_couplings(tmp_path):
    made = circuit(CELL + "X1 p q cell g=3")
    made.save(tmp_path / "circuit.json")
    assert ktc.load(tmp_path / "circuit.json") == made


def test_control_nodes_are_nodes_of_the_circuit():
    made = circuit("E1 Out 0 IN 0 2\nR1 in out 1k")
    assert made.nodes == ("Out", "IN")
    assert [b.plus for b in made.branches] == ["Out", "IN"]


@pytest.mark.parametrize(
    ("line", "token", "part"),
    [
        ("E1 x 0 b 0", "0", "needs two nodes, two control nodes and a gain"),
        ("E1 x 0", "0", "two control nodes and a gain"),
        ("E1 x 0 b 0 2 3", "3", "after '2'"),
        ("E1 x 0 b 0 2 gain=3", "E1", "two gains"),
        ("E1 x 0 b 0 2 m=3", "m", "there is gain="),
        ("E1 x 0 b 0 2*(3)", "2*", "not a number"),
        ("E1 (x 0 b 0 2", "(", "not closed"),
        ("E1 x 0 (b 0)) 2", ")", "unexpected"),
        ("E1 x x b 0 2", "E1", "both ends"),
        ("E1 x 0 opamp b", "b", "two input nodes"),
        ("E1 x 0 opamp b c 1 2", "2", "unexpected"),
        ("E1 x 0 VALUE={2*V(b)}", "VALUE", "behavioural"),
        ("E1 x 0 vol='2*v(b)'", "vol", "behavioural"),
        ("G1 x 0 cur='2*v(b)'", "cur", "behavioural"),
        ("E1 x 0 TABLE {V(b)} = (0,0) (1,1)", "TABLE", "behavioural"),
        ("E1 x 0 LAPLACE {V(b)} {1/(1+s)}", "LAPLACE", "behavioural"),
        ("E1 x 0 TABLE V(b)*2 = (0,0) (1,1)", "TABLE", "behavioural"),
        ("B1 x 0 V=2*v(b)", "B1", "behavioural"),
        ("E1 x 0 POLY(1) b 0 1 2", "1", "constant 1"),
        ("E1 x 0 POLY(1) b 0 0 2 3", "3", "linear"),
        ("E1 x 0 POLY(1) b 0 5", "5", "constant 5"),
        ("E1 x 0 POLY(1) b 0", "0", "then coefficients"),
        ("E1 x 0 POLY(0) b 0 1", "0", "1 to 50"),
        ("F1 x 0 V1", "V1", "a voltage source and a gain"),
        ("F1 x 0 V9 2", "V9", "F1 names 'V9', but there is none"),
        ("F1 x 0 L1 2", "L1", "put a source of 0 V in series"),
        ("F1 x 0 V1 2 m=0", "F1", "m= of F1 must be positive"),
        ("H1 x 0 V1 gain=1 gain=2", "gain", "twice"),
        ("G1 x 0 b 0 1m tc1=1", "tc1", "there is gain=, m="),
        ("K1 L1 L2", "L2", "one coefficient"),
        ("K1 L1 0.5", "0.5", "two inductors or more"),
        ("K1 L1 L2 1", "K1", "between -1 and 1"),
        ("K1 L1 L2 -1", "K1", "ideal transformer"),
        ("K1 L1 L2 1.2", "K1", "between -1 and 1"),
        ("K1 L1 L2 0.5 core", "core", "models of cores"),
        ("K1 L1 L9 0.5", "L9", "there is none"),
        ("K1 L1 V1 0.5", "V1", "no inductor"),
        ("K1 L1 L1 0.5", "K1", "different inductors"),
        ("K1 L1 L2 c=0.5", "c", "there is k="),
        ("K1 L1 L2 0.5\nK1 L1 L3 0.5", "K1", "two elements"),
    ],
)
def test_complaint_names_line_and_word(line, token, part):
    with pytest.raises(CircuitError) as caught:
        circuit(LOADS + line)
    assert (caught.value.line, caught.value.token) == (6 + line.count("\n"), token)
    assert part in str(caught.value)
