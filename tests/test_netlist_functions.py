"""Functions, conditions and models in netlists."""

from __future__ import annotations

import pytest

import ktc
from ktc._circuits.branch import CircuitError


def circuit(text, **options):
    return ktc.Circuit.from_netlist(text, **options)


def values(text):
    return [b.value for b in circuit(text).branches]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (".func f(a) {a*2}\nR1 x 0 {f(3)}", 6.0),
        (".func f(a) = {a*2}\nR1 x 0 {f(3)}", 6.0),
        (".func f(a) a*2\nR1 x 0 {f(3)}", 6.0),
        (".func f(a) 'a*2'\nR1 x 0 {f(3)}", 6.0),
        (".func f (a) a * 2 + 1\nR1 x 0 {f (3)}", 7.0),
        (".func f(a, b) {a*b+c}\n.param c=1\nR1 x 0 {f(3,4)}", 13.0),
        (".func f() {5}\nR1 x 0 {f()}", 5.0),
        (".func g(x) {f(x)+1}\n.func f(a) {a*2}\nR1 x 0 {g(3)}", 7.0),
        (".param y={F(4)+1}\n.func f(A) {a*2}\nR1 x 0 {y}", 9.0),
        (".func sqrt(a) {a}\nR1 x 0 {sqrt(16)}", 16.0),
        (".func f(a) {a*2}\n.subckt s p k=2\nR1 p 0 {f(k)}\n.ends\nX1 x s k=7", 14.0),
        (".subckt s p k=2\n.func f(a) {a*k}\nR1 p 0 {f(2)}\n.ends\nX1 x s k=7", 14.0),
        (".param a=9 c=3\n.func f(a) {a + c}\nR1 x 0 {f(1) + a}", 13.0),
    ],
)
def test_functions(text, value):
    """ngspice 39 gives these values, but knows no function of the name of its own."""
    assert values(text) == [value]


CHOICE = """.if (j==1)
R1 x 0 1
.elseif (j >= 2 && n)
R1 x 0 2
.if (n < 2)
R2 x 0 3
.endif
.elseif (j == 2)
R1 x 0 4
.else
R1 x 0 5
.endif
R9 x 0 9"""


@pytest.mark.parametrize(
    ("m", "n", "wanted"),
    [(1, 1, [1, 9]), (2, 1, [2, 3, 9]), (2, 2, [2, 9]), (2, 0, [4, 9]), (0, 1, [5, 9])],
)
def test_conditions(m, n, wanted):
    assert values(f".param j={m} n={n}\n{CHOICE}") == wanted
    assert values(f".subckt s x j=7 n=7\n{CHOICE}\n.ends\nX1 q s j={m} n={n}") == wanted


def test_conditions_that_do_not_hold_evaluate_nothing():
    assert values(".if (0)\nR1 x 0 {nothing}\n.if (nothing)\n.endif\n.else\nR1 x 0 1\n.endif") == [
        1
    ]
    assert values(".param k=3\n.if {k>2}\nR1 x 0 1\n.else\nR1 x 0 2\n.endif") == [1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (".model rm R(tc1=0.1 tnom=17)\nR9 t x 1k rm\n.temp 27", 2e3),
        (".model rm R(r=2k)\nR9 t x rm", 2e3),
        (".model rm r r=2k\nR9 t x RM m=2", 1e3),
        ("R9 t x rm 1k\n.model rm R(tc1=0.1)\n.temp 37", 2e3),
        ("R9 t x 1k rm tc1=0.2\n.model rm R(tc1=0.1)\n.temp 37", 3e3),
        ("R9 t x rm r=1k\n.model rm R(tc1=0.1)\n.temp 37", 2e3),
        (".model rm R(rsh=100)\nR9 t x rm l=20u w=1u", 2e3),
        (".model rm RES(rsh=100 defw=2u)\nR9 t x rm l=20u", 1e3),
        ("R9 t x rm l=10u w=1u r=3k\n.model rm R(rsh=10)", 3e3),
        ("R9 t x 1k scale=2", 2e3),
        ("R9 t x 1k tc=0.1\n.temp 37", 2e3),
        (".model cm C(cap=2n)\nC9 t x cm", 2e-9),
        (".model cm C(cj=1m cjsw=1n)\nC9 t x cm l=10u w=2u", 2e-14 + 2.4e-14),
        (".model lm L(ind=2u tc1=0.1)\nL9 t x lm\n.temp 37", 4e-6),
        (".model lm L(ind=2u)\nL9 t x 1u lm", 1e-6),
        (".param z=3\n.model rm R(r={z})\nR9 t x rm", 3.0),
        (".subckt s x\n.model rm R(r=2)\nR9 x 0 rm\n.ends\nX1 q s\n.model rm R(r=4)", 2.0),
        (".subckt s x\nR9 x 0 rm\n.ends\nX1 q s\n.model rm R(r=4)", 4.0),
    ],
)
def test_models(text, value):
    """Those of R are of ngspice 39."""
    assert values(text) == [pytest.approx(value, rel=1e-12)]


def test_other_models_are_skipped():
    made = circuit(".model d1 d(is=1f)\n.model rm R(r=1)\nR1 a 0 1\n.model sw sw")
    assert made.skipped == (".model d1 d(is=1f)", ".model sw sw")


def test_a_series_of_temperatures_is_skipped():
    made = circuit(".temp 0 27 85\nR1 a 0 1")
    assert made.kelvin == 300.0 and made.skipped == (".temp (line 1)",)


def test_noise_of_voltage_sources():
    (branch,) = circuit("V1 a 0 1 noise=1e-18 bandwidth=1k").branches
    assert (branch.noise, branch.bandwidth) == (1e-18, 1e3)


def test_tables_for_sweeps_are_skipped():
    made = circuit("R1 a 0 1\n.data t\n+ r c\n1 2\n.enddata\nC1 a 0 1")
    assert made.skipped == (".data t", "+ r c", "1 2", ".enddata") and len(made.branches) == 2
    with pytest.raises(CircuitError, match="no .enddata"):
        circuit(".data t\nR1 a 0 1")


def test_two_coefficients_of_temperature():
    assert values("R1 a 0 1k tc=0.01,0.001 m=2\n.temp 37") == [pytest.approx(600.0)]


def test_comments_after_two_slashes():
    assert values("R1 /a/b 0 1 // of (one) ohm") == [1.0]


@pytest.mark.parametrize(
    ("text", "line", "token", "part"),
    [
        (".func f {a}", 1, ".func", ".func f(x, y)"),
        (".func f(a)", 1, "f", "no expression"),
        (".func f(a b) {a}", 1, "f", "commas"),
        (".func f(a, a) {a}", 1, "a", "twice"),
        (".func f(1) {1}", 1, "1", "no name"),
        (".func f(a) {a}\n.func F(b) {b}", 2, "F", "defined twice"),
        (".func f(a) {a}\nR1 x 0 {f(1, 2)}", 2, "{f(1, 2)}", "takes 1 arguments, but has 2"),
        (".func f(a) {a+q}\nR1 x 0 {f(1)}", 1, "(a+q)", "no parameter 'q'"),
        (".func f(a) {f(a)}\nR1 x 0 {f(1)}", 1, "(f(a))", "nested too deeply"),
        ("R1 x 0 {g(1)}", 1, "{g(1)}", "no function 'g'"),
        (".if (1)\nR1 x 0 1", 1, ".if", "no .endif"),
        (".subckt s x\n.if (1)\n.ends", 3, ".ends", "between .if and .endif"),
        ("R1 x 0 1\n.endif", 2, ".endif", "no .if"),
        (".if (1)\n.else\n.elseif (1)\n.endif", 3, ".elseif", "after .else"),
        (".if (1)\n.else\n.else\n.endif", 3, ".else", "after .else"),
        (".if\n.endif", 1, ".if", "needs a condition"),
        (".if (1)\n.else 5\n.endif", 2, "5", "unexpected"),
        (".if (1)\n.param x=1\n.endif", 2, ".param", "put it before"),
        (".if (q)\n.endif", 1, "{(q)}", "no parameter 'q'"),
        (".model rm R(r=1)\nC1 a 0 rm", 2, "rm", "is a model of R"),
        (".model rm R(vth=1)\nR1 a 0 rm", 1, "vth", "there is r=, rsh=, defw=, tc1="),
        (".model rm R(r=1 kf=1n)\nR1 a 0 rm", 1, "kf", "1/f"),
        (".model rm R(rsh=1 narrow=1u)\nR1 a 0 rm l=1 w=1", 1, "narrow", "disagree"),
        (".model rm R(tc1=1)\nR1 a 0 rm", 2, "rm", "needs two nodes and a value"),
        (".model rm R(r=1)\n.model RM C(cap=1)", 2, "RM", "twice"),
        ("R1 a 0 rm", 1, "rm", "not a number"),
        ("D1 a 0 dm\n.model dm D", 1, "D1", "not linear"),
    ],
)
def test_complaint_names_line_and_word(text, line, token, part):
    with pytest.raises(CircuitError) as caught:
        circuit(text)
    assert (caught.value.line, caught.value.token) == (line, token)
    assert part in str(caught.value)


def test_functions_that_call_one_another_without_end_are_refused_soon():
    text = ".func f0(x) {x}\n" + "".join(
        f".func f{k}(x) {{{'+'.join([f'f{k - 1}(x)'] * 10)}}}\n" for k in range(1, 20)
    )
    with pytest.raises(CircuitError, match="more than 10,000 times"):
        circuit(text + "R1 a 0 {f19(1)}")
